//go:build lab

package dkim_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// TestRotate begins a rotation with the built command against two authoritative
// name servers, one of which lags behind.
func TestRotate(t *testing.T) {
	need(t, "go")
	dir := t.TempDir()
	bin := filepath.Join(dir, "mailcheck")
	run(t, "go", "build", "-o", bin, "github.com/mailcheck-go/mailcheck/cmd/mailcheck")
	const hosts = "example.org. 60 IN SOA ns1.example.org. admin.example.org. 1 7200 3600 1209600 60\n" +
		"example.org. 60 IN NS ns1.example.org.\nexample.org. 60 IN NS ns2.example.org.\n" +
		"ns1.example.org. 60 IN A 127.0.0.7\nns2.example.org. 60 IN A 127.0.0.8\n"
	record := func(selector string) (string, string) {
		k, err := keys.Generate(keys.Options{Type: dkim.KeyEd25519})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, selector+".pem")
		if err := k.Create(file, ""); err != nil {
			t.Fatal(err)
		}
		r, err := k.Record()
		if err != nil {
			t.Fatal(err)
		}
		return selector + "._domainkey.example.org. 60 IN TXT \"" + r.String() + "\"\n", file
	}
	oldRecord, _ := record("old")
	newRecord, newFile := record("new")
	serve := func(addr, text string) func() {
		z, err := zonetest.Parse(text, zonetest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := zonetest.Serve(z, zonetest.ServerOptions{Addr: addr})
		if err != nil {
			t.Skipf("port 53 of %s is not free: %v", addr, err)
		}
		return func() { s.Close() }
	}
	mailcheck := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.Command(bin, append([]string{"dkim", "rotate"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		got := 0
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			got = e.ExitCode()
		}
		if got != want {
			t.Fatalf("%v: exit status %d, want %d\n%s", args, got, want, out)
		}
		return string(out)
	}
	// The resolver only tells where the servers are.
	z, err := zonetest.Parse(hosts, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	res, err := zonetest.Serve(z, zonetest.ServerOptions{Recursive: true})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	stop1, stop2 := serve("127.0.0.7:53", hosts+oldRecord), serve("127.0.0.8:53", hosts+oldRecord)
	mailcheck(0, "start", "example.org", "--from", "old", "--to", "new", "--key", newFile, "--resolver", res.Addr(), "--at", "2026-11-01T12:00:00Z")
	stop1()
	stop1 = serve("127.0.0.7:53", hosts+oldRecord+newRecord)
	out := mailcheck(1, "advance", "example.org", "--resolver", res.Addr(), "--at", "2026-11-01T12:00:00Z")
	if !strings.Contains(out, "127.0.0.8") || strings.Contains(out, "127.0.0.7) has no record") {
		t.Errorf("the server that lags behind is not named:\n%s", out)
	}
	stop2()
	out = mailcheck(2, "advance", "example.org", "--resolver", res.Addr(), "--at", "2026-11-01T12:00:00Z")
	if !strings.Contains(out, "unknown") {
		t.Errorf("a server that does not answer is not unknown:\n%s", out)
	}
	stop2 = serve("127.0.0.8:53", hosts+oldRecord+newRecord)
	out = mailcheck(0, "advance", "example.org", "--resolver", res.Addr(), "--at", "2026-11-01T12:00:00Z")
	if !strings.Contains(out, "every name server has the new key") {
		t.Errorf("not gone on:\n%s", out)
	}
	stop1()
	stop2()
}
