package probetest_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailcheck-go/mailcheck/probe/probetest"
)

// say sends the lines and returns all that comes back.
func say(t *testing.T, conn net.Conn, lines ...string) string {
	t.Helper()
	io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n")
	b, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	return string(b)
}

func TestHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(probetest.Network).Add("192.0.2.1:25", probetest.Host{Name: "mx.test", Extensions: []string{"SIZE"}})
		conn, err := n.DialContext(t.Context(), "tcp", "192.0.2.1:25")
		if err != nil {
			t.Fatal(err)
		}
		got := say(t, conn, "EHLO x", "HELO x", "STARTTLS", "MAIL FROM:<>", "quit")
		want := "220 mx.test ESMTP\r\n250-mx.test\r\n250 SIZE\r\n250 mx.test\r\n502 5.5.1 not here\r\n502 5.5.1 not here\r\n221 2.0.0 bye\r\n"
		if got != want {
			t.Errorf("got %q", got)
		}
		if c := n.Commands("192.0.2.1:25"); !slices.Equal(c, []string{"EHLO x", "HELO x", "STARTTLS", "MAIL FROM:<>", "quit"}) {
			t.Errorf("commands %q", c)
		}
		if n.Commands("192.0.2.9:25") != nil || len(n.Dialed()) != 1 {
			t.Error("what nobody spoke to")
		}
		n.Wait()
	})
}

func TestNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(probetest.Network).Refuse("192.0.2.2:25").Fail("192.0.2.3:25", syscall.ENETUNREACH)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		for address, want := range map[string]error{"192.0.2.2:25": syscall.ECONNREFUSED, "192.0.2.3:25": syscall.ENETUNREACH, "192.0.2.4:25": context.DeadlineExceeded} {
			if _, err := n.DialContext(ctx, "tcp", address); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", address, err, want)
			}
		}
		if time.Since(start) != time.Minute {
			t.Errorf("took %v", time.Since(start))
		}
		if _, err := n.DialContext(ctx, "tcp", "name:25"); err == nil {
			t.Error("a name is no address")
		}
	})
}

// TestPipe: deadlines and closing are those of a socket.
func TestPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute := probetest.Host{On: map[probetest.Step]probetest.Action{probetest.Banner: probetest.Wait(time.Hour)}}
		n := new(probetest.Network).Add("192.0.2.1:25", mute)
		conn, err := n.DialContext(t.Context(), "tcp", "192.0.2.1:25")
		if err != nil {
			t.Fatal(err)
		}
		start, buf := time.Now(), make([]byte, 100<<10)
		conn.SetReadDeadline(start.Add(time.Second))
		if _, err := conn.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("read: %v after %v", err, time.Since(start))
		}
		conn.SetDeadline(time.Now().Add(time.Second))
		if k, err := conn.Write(buf); !errors.Is(err, os.ErrDeadlineExceeded) || k != 64<<10 {
			t.Errorf("write: %d octets, %v", k, err)
		}
		conn.SetDeadline(time.Time{})
		go func() { time.Sleep(time.Second); conn.Close() }()
		if _, err := conn.Read(buf); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read of a closed connection: %v", err)
		}
		if _, err := conn.Write(buf); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write to a closed connection: %v", err)
		}
		n.Wait()
	})
}

func ExampleServe() {
	s, err := probetest.Serve("127.0.0.1:0", probetest.Host{
		On: map[probetest.Step]probetest.Action{probetest.EHLO: probetest.Say("250-evil\n550 \x1b[2J\r\n")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprint(conn, "EHLO me\r\nQUIT\r\n")
	for sc := bufio.NewScanner(conn); sc.Scan(); {
		fmt.Printf("%q\n", sc.Text())
	}
	// Output:
	// "220 mx.example.org ESMTP"
	// "250-evil"
	// "550 \x1b[2J"
	// "221 2.0.0 bye"
}

func ExampleCA_Issue() {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	ca, _ := probetest.NewCA(now)
	expired, _ := ca.Issue(probetest.Spec{Names: []string{"mx.example.org"}, From: now.AddDate(-1, 0, 0), To: now.AddDate(0, 0, -1)})
	host := probetest.Host{Certificate: expired, TLS: func(c *tls.Config) { c.MaxVersion = tls.VersionTLS10 }}
	fmt.Println(host.Certificate.Leaf.NotAfter)
	// Output: 2026-05-31 00:00:00 +0000 UTC
}
