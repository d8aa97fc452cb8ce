//go:build lab

package dkim_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
)

// sign signs with the first key of the lab.
func sign(t *testing.T, l *lab, msg string) string {
	t.Helper()
	k, _, err := keys.ReadFile(l.keys[0].File)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, err = dkim.Sign(context.Background(), &b, strings.NewReader(msg), dkim.SignOptions{Domain: domain, Selector: l.keys[0].Selector, Key: k.Signer()})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestRspamd carries out the guide and has rspamd sign with an RSA and an Ed25519
// key.
func TestRspamd(t *testing.T) {
	p := need(t, "rspamd", "rspamadm")
	l := newLab(t, dkim.KeyRSA, dkim.KeyEd25519)
	g, err := setup.Make("rspamd", domain, l.keys...)
	if err != nil {
		t.Fatal(err)
	}
	l.carryOut(t, g, "/var/lib/rspamd", "/etc/rspamd/local.d")
	addr, port := freeAddr(t)
	conf := filepath.Join(l.dir, "conf")
	run(t, "cp", "-r", "/etc/rspamd", conf)
	run(t, "sh", "-ec", "rm -rf "+conf+"/local.d && cp -r "+l.path("/etc/rspamd/local.d")+" "+conf+"/local.d")
	local := conf + "/local.d/"
	write(t, local+"worker-normal.inc", "bind_socket = \"127.0.0.1:"+port+"\";\ncount = 1;\n")
	for _, w := range []string{"controller", "proxy"} {
		_, other := freeAddr(t)
		write(t, local+"worker-"+w+".inc", "bind_socket = \"127.0.0.1:"+other+"\";\ncount = 1;\n")
	}
	write(t, local+"logging.inc", "type = \"console\";\nlevel = \"info\";\n")
	write(t, local+"options.inc", "dns { nameserver = [\""+l.dns+"\"]; }\n")
	state := filepath.Join(l.dir, "state")
	if err := os.Mkdir(state, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "chown", "_rspamd:_rspamd", state)
	vars := []string{"--var=LOCAL_CONFDIR=" + conf, "--var=DBDIR=" + state, "--var=RUNDIR=" + state, "--var=CONFDIR=" + conf}
	run(t, p[1], append([]string{vars[0], "configtest", "-c", conf + "/rspamd.conf"}, "-q")...)

	log := start(t, addr, p[0], append([]string{"-f", "-u", "_rspamd", "-g", "_rspamd", "-c", conf + "/rspamd.conf"}, vars...)...)
	req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/checkv2", strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"IP": "127.0.0.1", "From": "alice@example.org", "Rcpt": "bob@example.net", "Helo": "localhost"} {
		req.Header.Set(k, v)
	}
	resp, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	defer resp.Body.Close()
	var answer struct {
		DKIM any `json:"dkim-signature"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	var fields []string
	switch x := answer.DKIM.(type) {
	case string:
		fields = []string{x}
	case []any:
		for _, s := range x {
			fields = append(fields, s.(string))
		}
	}
	if len(fields) == 0 {
		t.Fatalf("rspamd signed nothing\n%s", log)
	}
	var signed strings.Builder
	for _, f := range fields {
		f = strings.ReplaceAll(strings.ReplaceAll(f, "\r\n", "\n"), "\n", "\r\n")
		signed.WriteString("DKIM-Signature: " + f + "\r\n")
	}
	l.verified(t, signed.String()+message)
	if strings.Contains(log.String(), "cannot load dkim key") || strings.Contains(log.String(), "public key does not match") {
		t.Errorf("rspamd complains:\n%s", log)
	}
}

// TestExim carries out the guide and has Exim sign with both keys on the way to
// another host.
func TestExim(t *testing.T) {
	p := need(t, "exim4")
	l := newLab(t, dkim.KeyRSA, dkim.KeyEd25519)
	g, err := setup.Make("exim", domain, l.keys...)
	if err != nil {
		t.Fatal(err)
	}
	l.carryOut(t, g, "/etc/exim4")
	transport, err := os.ReadFile(l.path("/etc/exim/exim.conf")) // the step for plain Exim
	if err != nil {
		t.Fatal(err)
	}
	macros, err := os.ReadFile(l.path("/etc/exim4/exim4.conf.localmacros")) // and the one for Debian
	if err != nil {
		t.Fatal(err)
	}
	// Of exim4-config, installed, or unpacked beside the program by servers.sh.
	const shipped = "etc/exim4/conf.d/transport/30_exim4-config_remote_smtp"
	debian, err := os.ReadFile("/" + shipped)
	if err != nil {
		debian, err = os.ReadFile(filepath.Join(filepath.Dir(p[0]), "../..", shipped))
	}
	if err != nil {
		t.Skip("exim4-config is not installed")
	}
	for name, parts := range map[string][2]string{
		"plain":  {"", "remote_smtp:\n  driver = smtp\n  port = PORT\n  allow_localhost\n" + string(transport)},
		"debian": {string(macros), strings.Replace(string(debian), "driver = smtp\n", "driver = smtp\n  port = PORT\n  allow_localhost\n", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 1)
			port := sink(t, got)
			dir := filepath.Join(l.dir, name)
			for _, d := range []string{"spool", "log"} {
				if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			run(t, "chown", "-R", "Debian-exim:Debian-exim", dir)
			conf := filepath.Join(l.dir, name+".conf")
			write(t, conf, parts[0]+`
primary_hostname = mail.example.org
exim_path = `+p[0]+`
spool_directory = `+dir+`/spool
log_file_path = `+dir+`/log/%slog
exim_user = Debian-exim
exim_group = Debian-exim
disable_ipv6 = true
tls_advertise_hosts =
begin routers
all:
  driver = manualroute
  domains = *
  route_list = * 127.0.0.1
  self = send
  transport = remote_smtp
begin transports
`+strings.ReplaceAll(parts[1], "PORT", port)+"\nbegin retry\n* * F,1m,1m\n")
			cmd := exec.Command(p[0], "-C", conf, "-odf", "-oi", "-f", "alice@example.org", "bob@example.net")
			cmd.Stdin = strings.NewReader(strings.ReplaceAll(message, "\r\n", "\n"))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			select {
			case signed := <-got:
				l.verified(t, signed)
			case <-time.After(20 * time.Second):
				log, _ := os.ReadFile(dir + "/log/mainlog")
				panicLog, _ := os.ReadFile(dir + "/log/paniclog")
				t.Fatalf("no message came\n%s\n%s\n%s", out, log, panicLog)
			}
		})
	}
}

// sink is an SMTP server that takes one message.
func sink(t *testing.T, got chan<- string) (port string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		say := func(s string) { _, _ = c.Write([]byte(s + "\r\n")) }
		say("220 sink.example.net")
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			switch strings.ToUpper(strings.Fields(line + " x")[0]) {
			case "DATA":
				say("354 go on")
				var b strings.Builder
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					if line == ".\r\n" {
						break
					}
					b.WriteString(strings.TrimPrefix(line, "."))
				}
				say("250 taken")
				got <- b.String()
			case "QUIT":
				say("221 bye")
				return
			default:
				say("250 ok")
			}
		}
	}()
	_, port, _ = net.SplitHostPort(ln.Addr().String())
	return port
}

// TestPostfix asks Postfix whether it knows the lines.
func TestPostfix(t *testing.T) {
	p := need(t, "postconf")
	l := newLab(t, dkim.KeyRSA)
	g, err := setup.Make("postfix", domain, l.keys...)
	if err != nil {
		t.Fatal(err)
	}
	l.carryOut(t, g)
	dir := l.path("/etc/postfix")
	write(t, filepath.Join(dir, "master.cf"), "smtp inet n - y - - smtpd\n")
	out, err := exec.Command(p[0], "-c", dir, "-n").CombinedOutput()
	if err != nil || strings.Contains(string(out), "unused parameter") || strings.Contains(string(out), "warning") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, line := range []string{"smtpd_milters = inet:127.0.0.1:8891", "non_smtpd_milters = $smtpd_milters", "internal_mail_filter_classes = bounce"} {
		if !strings.Contains(string(out), line) {
			t.Errorf("%q is not in\n%s", line, out)
		}
	}
}

// TestDkimpy has dkimpy verify what package dkim signs.
func TestDkimpy(t *testing.T) {
	need(t, "/usr/bin/python3") // Debian's, which has the modules
	if exec.Command("/usr/bin/python3", "-c", "import dkim").Run() != nil {
		t.Skip("python3-dkim is not installed")
	}
	for _, typ := range []string{dkim.KeyRSA, dkim.KeyEd25519} {
		t.Run(typ, func(t *testing.T) {
			l := newLab(t, typ)
			k, _, err := keys.ReadFile(l.keys[0].File)
			if err != nil {
				t.Fatal(err)
			}
			r, err := k.Record()
			if err != nil {
				t.Fatal(err)
			}
			if typ == dkim.KeyEd25519 && exec.Command("/usr/bin/python3", "-c", "import nacl").Run() != nil {
				t.Skip("python3-nacl is not installed")
			}
			file := filepath.Join(l.dir, "signed.eml")
			write(t, file, sign(t, l, message))
			out := run(t, "/usr/bin/python3", "-c", `import dkim, sys
msg = open(sys.argv[1], "rb").read()
print(dkim.verify(msg, dnsfunc=lambda name, timeout=5: sys.argv[2].encode()))`, file, r.String())
			if strings.TrimSpace(out) != "True" {
				t.Errorf("dkimpy says %s", out)
			}
		})
	}
}

// TestForeignKeys reads the keys that the programs themselves make.
func TestForeignKeys(t *testing.T) {
	p := need(t, "opendkim-genkey", "rspamadm")
	dir := t.TempDir()
	run(t, p[0], "-D", dir, "-d", "example.org", "-s", "gen", "-b", "2048")
	for name, cmd := range map[string][]string{
		"rsa.key": {p[1], "dkim_keygen", "-s", "x", "-d", "example.org", "-b", "2048", "-k", filepath.Join(dir, "rsa.key")},
		"ed.key":  {p[1], "dkim_keygen", "-s", "x", "-d", "example.org", "-t", "ed25519", "-k", filepath.Join(dir, "ed.key")},
	} {
		out := run(t, cmd[0], cmd[1:]...)
		k, _, err := keys.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		pub, err := k.Record()
		if err != nil {
			t.Fatal(err)
		}
		published, _ := pub.Get("p")
		if plain := strings.NewReplacer("\"", "", "\n", "", "\t", "", " ", "").Replace(out); !strings.Contains(plain, published) {
			t.Errorf("%s: rspamadm publishes %q, we %q", name, plain, published)
		}
	}
	k, _, err := keys.ReadFile(filepath.Join(dir, "gen.private"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "gen.txt"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := k.Record()
	if err != nil {
		t.Fatal(err)
	}
	published, _ := r.Get("p")
	if plain := strings.NewReplacer("\"", "", "\n", "", "\t", "", " ", "").Replace(string(text)); !strings.Contains(plain, published) {
		t.Errorf("opendkim-genkey publishes %q, we %q", plain, published)
	}
}
