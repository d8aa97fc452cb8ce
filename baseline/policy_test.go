package baseline_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/baseline"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe/probetest"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// policyHost gives out a policy; the empty one is 404, "silent" no answer at all.
func policyHost(t *testing.T) func(policy string) *mtasts.Options {
	t.Helper()
	at := time.Unix(1e9, 0)
	ca, err := probetest.NewCA(at)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(probetest.Spec{Names: []string{"mta-sts.example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	return func(policy string) *mtasts.Options {
		dial := func(context.Context, string, string) (net.Conn, error) {
			if policy == "silent" {
				return nil, context.DeadlineExceeded
			}
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				_ = far.SetDeadline(time.Now().Add(2 * time.Second))
				conn := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{*cert}})
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				status := "200 OK"
				if policy == "" {
					status = "404 Not Found"
				}
				fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, len(policy), policy)
				_ = conn.Close()
			}()
			return near, nil
		}
		return &mtasts.Options{Dial: dial, Roots: ca.Pool(), Now: func() time.Time { return at }, Timeout: 2 * time.Second}
	}
}

const (
	enforced = "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mail.example.org\nmx: backup.example.org\n"
	moved    = "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: new.example.org\n"
	turned   = "version: STSv1\r\nmx: backup.example.org\r\nmx: mail.example.org\r\nmode: enforce\r\nmax_age: 604800\r\n"
	tested   = "version: STSv1\nmode: testing\nmax_age: 604800\nmx: mail.example.org\nmx: backup.example.org\n"
)

// RFC 8461, Section 3.1 and 3.3: the id is how senders notice a new policy.
func TestPolicyDrift(t *testing.T) {
	host := policyHost(t)
	take := func(id, policy string) *baseline.Baseline {
		t.Helper()
		zone := strings.Replace(base, "id=1", "id="+id, 1) + "mta-sts A 192.0.2.80\n"
		if id == "" {
			zone = strings.Replace(base, "_mta-sts TXT", "other TXT", 1)
		}
		zone = strings.Replace(zone, "25.2.0.192.in-addr.arpa. PTR mail.example.org.\nmta-sts A", "mta-sts A", 1)
		z, err := zonetest.Parse(zone, zonetest.Options{World: true})
		if err != nil {
			t.Fatal(err)
		}
		b, err := baseline.Take(context.Background(), z, resolve.MustName("example.org"), baseline.Options{
			Facts: facts.Options{Selectors: []string{"s1"}, Now: func() time.Time { return time.Unix(1e9, 0) }}, Policy: host(policy)})
		if err != nil {
			t.Fatal(err)
		}
		text, err := b.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if b, err = baseline.Decode(text); err != nil { // it is a file in between
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		name           string
		id1, p1        string
		id2, p2        string
		want, unknown  string
		mustBeInAnswer string
	}{
		{"nothing", "1", enforced, "1", enforced, "", "", ""},
		{"order and line ends are no change", "1", enforced, "1", turned, "", "", ""},
		{"the id is forgotten", "1", enforced, "1", moved, "warning mta-sts-policy changed", "", `the id "1" of its record has not`},
		{"as it should be", "1", enforced, "2", moved, "notice mta-sts changed, notice mta-sts-policy changed", "", "fetch it"},
		{"a new id for nothing", "1", enforced, "2", enforced, "notice mta-sts changed", "", ""},
		{"weaker", "1", enforced, "2", tested, "warning mta-sts-policy weaker, notice mta-sts changed", "", "enforce became testing"},
		{"weaker, and nobody notices", "1", enforced, "1", tested, "warning mta-sts-policy weaker", "", "604800 seconds"},
		{"gone", "1", enforced, "1", "", "warning mta-sts-policy gone", "", ""},
		{"unknown is not gone", "1", enforced, "1", "silent", "", "mta-sts-policy", ""},
		{"was unknown", "1", "silent", "1", enforced, "", "", ""},
		{"without a record nobody asks", "1", enforced, "", "", "warning mta-sts gone", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := baseline.Compare(take(c.id1, c.p1), take(c.id2, c.p2))
			if got := words(d); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			var said, unknown []string
			for _, x := range d.Changes {
				said = append(said, x.Meaning)
			}
			for _, x := range d.Unknown {
				unknown = append(unknown, string(x.Kind))
			}
			if !strings.Contains(strings.Join(said, "\n"), c.mustBeInAnswer) || strings.Join(unknown, " ") != c.unknown {
				t.Errorf("said %q, unknown %q", said, unknown)
			}
		})
	}
	b := take("1", enforced)
	f := b.Facet(baseline.STS, "")
	if f == nil || f.ID != "1" || len(f.Values) != 5 || len(f.Text) != 5 {
		t.Errorf("%+v", f)
	}
}
