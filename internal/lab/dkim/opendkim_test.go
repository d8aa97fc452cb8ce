//go:build lab

package dkim_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
)

// TestOpenDKIM carries out the guide, runs its self-test, and has the daemon sign
// a message as Postfix would.
func TestOpenDKIM(t *testing.T) {
	p := need(t, "opendkim", "opendkim-testkey")
	l := newLab(t, dkim.KeyRSA)
	g, err := setup.Make("opendkim", domain, l.keys...)
	if err != nil {
		t.Fatal(err)
	}
	prefixes := []string{"/etc/dkimkeys", "/etc/opendkim"}
	l.carryOut(t, g, prefixes...)
	host, port, _ := net.SplitHostPort(l.dns)
	unbound := l.path("/etc/unbound.conf")
	write(t, unbound, fmt.Sprintf("server:\n  do-not-query-localhost: no\n  chroot: \"\"\n  username: \"\"\nforward-zone:\n  name: \".\"\n  forward-addr: %s@%s\n", host, port))
	conf := l.path("/etc/opendkim.conf")
	text, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	write(t, conf, string(text)+"ResolverConfiguration "+unbound+"\nUserID opendkim\nSyslog no\n")

	run(t, p[0], "-n", "-x", conf) // the first self-test of the guide
	out := run(t, p[1], "-x", conf, "-d", "example.org", "-s", "s1", "-k", l.path("/etc/dkimkeys/example.org/s1.private"), "-vvv")
	if !strings.Contains(out, "key OK") {
		t.Errorf("opendkim-testkey: %s", out)
	}
	// The key table is read as well.
	if out := run(t, p[1], "-x", conf, "-vvv"); !strings.Contains(out, "1 pass, 0 fail") {
		t.Errorf("opendkim-testkey with the key table: %s", out)
	}

	addr, dport := freeAddr(t)
	log := start(t, addr, p[0], "-f", "-x", conf, "-p", "inet:"+dport+"@127.0.0.1")
	fields, err := milter(addr, "127.0.0.1", message)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if len(fields) == 0 {
		t.Fatalf("the daemon added no field\n%s", log)
	}
	l.verified(t, strings.Join(fields, "")+message)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

var errProtocol = errors.New("the daemon says something else")

// milter hands a message to a milter as an MTA does, from a client, and
// returns the fields that it adds.
func milter(addr, client, msg string) ([]string, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	send := func(cmd byte, data string) error {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(data)+1))
		_, err := c.Write(append(append(b, cmd), data...))
		return err
	}
	receive := func() (byte, []byte, error) {
		var n [4]byte
		if _, err := io.ReadFull(c, n[:]); err != nil {
			return 0, nil, err
		}
		b := make([]byte, min(binary.BigEndian.Uint32(n[:]), 1<<20))
		if _, err := io.ReadFull(c, b); err != nil {
			return 0, nil, err
		}
		return b[0], b[1:], nil
	}
	// Version 6, all actions, and every command is to be answered.
	if err := send('O', "\x00\x00\x00\x06\x00\x00\x01\xff\x00\x00\x00\x00"); err != nil {
		return nil, err
	}
	if cmd, _, err := receive(); err != nil || cmd != 'O' {
		return nil, fmt.Errorf("%w: %q after negotiation, %v", errProtocol, cmd, err)
	}
	head, body, _ := strings.Cut(msg, "\r\n\r\n")
	steps := []struct {
		cmd  byte
		data string
	}{{'C', "client.example.net\x004\x00\x19" + client + "\x00"}, {'H', "localhost\x00"}, {'M', "<alice@example.org>\x00"}, {'R', "<bob@example.net>\x00"}}
	// A folded field is one field, with LF in its value.
	head = strings.NewReplacer("\r\n\t", "\n\t", "\r\n ", "\n ").Replace(head)
	for _, line := range strings.Split(head, "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		steps = append(steps, struct {
			cmd  byte
			data string
		}{'L', name + "\x00" + value + "\x00"})
	}
	steps = append(steps, struct {
		cmd  byte
		data string
	}{'N', ""}, struct {
		cmd  byte
		data string
	}{'B', body})
	for _, s := range steps {
		if err := send(s.cmd, s.data); err != nil {
			return nil, err
		}
		if cmd, data, err := receive(); err != nil || cmd != 'c' {
			return nil, fmt.Errorf("%w: %q %q after %q, %v", errProtocol, cmd, data, s.cmd, err)
		}
	}
	if err := send('E', ""); err != nil {
		return nil, err
	}
	var fields []string
	for {
		cmd, data, err := receive()
		if err != nil {
			return nil, err
		}
		switch cmd {
		case 'i', 'h': // insert or add a header field
			if cmd == 'i' {
				data = data[4:]
			}
			name, value, _ := bytes.Cut(data, []byte{0})
			text := strings.TrimRight(string(value), "\x00")
			fields = append(fields, string(name)+": "+strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")+"\r\n")
		case 'c', 'a':
			return fields, nil
		case 't', 'r', 'y', 'd':
			return nil, fmt.Errorf("%w: %q %q", errProtocol, cmd, data)
		}
	}
}

// TestOpenDKIMReads has OpenDKIM verify what package dkim signs.
func TestOpenDKIMReads(t *testing.T) {
	p := need(t, "opendkim")
	for _, typ := range []string{dkim.KeyRSA, dkim.KeyEd25519} {
		t.Run(typ, func(t *testing.T) {
			l := newLab(t, typ)
			host, port, _ := net.SplitHostPort(l.dns)
			unbound, conf := l.dir+"/unbound.conf", l.dir+"/opendkim.conf"
			write(t, unbound, fmt.Sprintf("server:\n  do-not-query-localhost: no\n  chroot: \"\"\n  username: \"\"\nforward-zone:\n  name: \".\"\n  forward-addr: %s@%s\n", host, port))
			write(t, conf, "Mode v\nResolverConfiguration "+unbound+"\nUserID opendkim\nSyslog no\n")
			addr, dport := freeAddr(t)
			log := start(t, addr, p[0], "-f", "-x", conf, "-p", "inet:"+dport+"@127.0.0.1")
			fields, err := milter(addr, "192.0.2.1", sign(t, l, message))
			if err != nil {
				t.Fatalf("%v\n%s", err, log)
			}
			if all := strings.Join(fields, ""); !strings.Contains(all, "dkim=pass") {
				t.Errorf("OpenDKIM says %q\n%s", all, log)
			}
		})
	}
}
