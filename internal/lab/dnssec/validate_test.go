//go:build lab

package dnssec_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
)

const records = `
@ MX 10 mx
@ TXT "v=spf1 mx -all"
mx A 192.0.2.1
_25._tcp.mx TLSA 3 1 1 0000000000000000000000000000000000000000000000000000000000000000
www CNAME mx
far CNAME mx.good.test.
away CNAME mx.unsigned.test.
lost CNAME nothing.good.test.
*.wild TXT "from the wildcard"
held.wild A 192.0.2.2
a.b.ent TXT "below an empty non-terminal"
*.walias CNAME mx
old DNAME new
mx.new A 192.0.2.4
Upper.Case A 192.0.2.5
\000\255odd TXT "octets"
`

const workers = 8 // referees at a time: they mostly wait

const (
	ec  = "ECDSAP256SHA256"
	rsa = "RSASHA256"
)

// zones of the lab, children before parents.
func zones() []*zone {
	at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format("20060102150405") }
	day := 24 * time.Hour
	return []*zone{
		{name: "unsigned.opt3.test."},
		{name: "signed.opt3.test.", alg: ec},
		{name: "unsigned.good.test."},
		{name: "unsigned.good3.test."},
		{name: "island.unsigned.test.", alg: ec, ds: "none"},
		{name: "child.expired.test.", alg: ec},
		{name: "good.test.", alg: ec},
		{name: "good3.test.", alg: rsa, args: []string{"-3", "-"}},
		{name: "salt3.test.", alg: ec, args: []string{"-3", "aabbccdd", "-H", "10"}},
		{name: "opt3.test.", alg: ec, args: []string{"-3", "-", "-A"}},
		{name: "ldns.test.", alg: "ED25519", ldns: true},
		{name: "ldns3.test.", alg: rsa, ldns: true, args: []string{"-n", "-s", "beef", "-t", "5"}},
		{name: "p384.test.", alg: "ECDSAP384SHA384", ds: "4"},
		{name: "rsa512.test.", alg: "RSASHA512"},
		{name: "sha1ds.test.", alg: ec, ds: "1"},
		{name: "many3.test.", alg: ec, ldns: true, args: []string{"-n", "-t", "200"}},
		{name: "some3.test.", alg: ec, args: []string{"-3", "-", "-H", "100"}},
		{name: "alg7.test.", alg: "NSEC3RSASHA1", args: []string{"-3", "-"}},
		{name: "alg16.test.", alg: "ED448"},
		{name: "unsigned.test."},
		{name: "nods.test.", alg: ec, ds: "none"},
		{name: "wrongds.test.", alg: ec, ds: "wrong"},
		{name: "expired.test.", alg: ec, args: []string{"-s", at(-10 * day), "-e", at(-day)}},
		{name: "early.test.", alg: ec, args: []string{"-s", at(day), "-e", at(10 * day)}},
		{name: "ldnsold.test.", alg: ec, ldns: true, args: []string{"-i", at(-10 * day), "-e", at(-day)}},
		{name: "nodenial.test.", alg: ec, spoil: dropLines(`\sNSEC\s`)},
		{name: "nodenial3.test.", alg: ec, args: []string{"-3", "-"}, spoil: dropLines(`\sNSEC3\s`)},
		{name: "nosig.test.", alg: ec, spoil: dropLines(`^mx\.nosig\.test\.\s.*\sRRSIG\s+A\s`)},
		{name: "changed.test.", alg: ec, spoil: func(s string) string { return strings.Replace(s, "192.0.2.1\n", "192.0.2.66\n", 1) }},
		{name: "keyless.test.", alg: ec, spoil: dropLines(`\sDNSKEY\s`)},
		{name: "test.", alg: ec},
		{name: ".", alg: rsa},
	}
}

// build signs the zones from the leaves to the root and returns its anchor.
func build(t *testing.T) (*lab, string) {
	l := &lab{t: t, dir: t.TempDir(), files: map[string]string{}}
	for _, p := range []string{"dnssec-keygen", "dnssec-signzone", "dnssec-dsfromkey", "ldns-signzone", "nsd"} {
		need(t, p)
	}
	list := zones()
	for _, z := range list {
		l.makeKeys(z)
	}
	const server = "ns.lab.test. A 127.0.0.1\n"
	more := map[string]string{"test.": server, ".": server}
	for _, z := range list {
		text := records
		if z.name == "test." || z.name == "." {
			text = ""
		}
		l.sign(z, text+more[z.name])
		if _, parent, ok := strings.Cut(z.name, "."); ok && z.name != "." {
			if parent == "" {
				parent = "."
			}
			more[parent] += z.name + " NS ns.lab.test.\n" + l.dsOf(z)
		}
	}
	return l, strings.TrimSpace(l.dsOf(list[len(list)-1]))
}

// names are asked for in each zone, if not given otherwise.
var names = []string{"@ MX", "@ SOA", "@ DNSKEY", "@ DS", "@ TLSA", "mx A", "mx TXT", "_25._tcp.mx TLSA", "nothing TXT", "a.b.nothing TXT", "ent TXT", "b.ent TXT",
	"any.wild TXT", "a.any.wild TXT", "any.wild A", "held.wild TXT", "x.held.wild TXT", "any.walias A", "www A", "www TXT", "www DS", "far A", "away A", "lost A",
	"mx.old A", "nothing.old A", "upper.case A", "unsigned MX", "unsigned DS", "nothing.unsigned A", "signed MX", "nothing.signed A", "island MX", "child MX"}

// verdicts that differ by decision: the question's zone, and what others may say.
var decided = map[string][]string{
	"alg7.test.":  {"secure"},          // RFC 9905, Section 2, is newer than they are
	"alg16.test.": {"secure"},          // Ed448 is not in the standard library
	"some3.test.": {"secure"},          // they allow 150 iterations
	"many3.test.": {"secure", "bogus"}, // in case they do not follow RFC 9276
}

// TestVerdicts compares each verdict with those of delv and unbound-host.
func TestVerdicts(t *testing.T) {
	l, anchor := build(t)
	addr := l.serve()
	c, err := client.New(client.Options{Servers: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a, err := dnssec.ParseAnchor(anchor)
	if err != nil {
		t.Fatal(err)
	}
	v, err := dnssec.New(dnssec.Options{Exchange: c.Exchange, Anchors: []dnssec.Anchor{a}})
	if err != nil {
		t.Fatal(err)
	}
	type judged struct {
		zone string
		q    resolve.Question
		r    dnssec.Result
	}
	var list []judged
	counts := map[dnssec.Status]int{}
	for _, z := range zones() {
		for _, text := range names {
			name, typ, _ := strings.Cut(text, " ")
			if name != "@" && (z.name == "." || z.name == "test.") {
				continue
			}
			full := strings.TrimPrefix(name+"."+strings.TrimPrefix(z.name, "."), "@.")
			if full == "" {
				full = "."
			}
			q := resolve.Question{}
			if q.Name, err = resolve.NameFromMaster(full); err != nil {
				t.Fatal(err)
			}
			if err := q.Type.UnmarshalText([]byte(typ)); err != nil {
				t.Fatal(err)
			}
			r := v.Validate(t.Context(), q)
			counts[r.Status]++
			if r.Status == dnssec.Indeterminate {
				t.Errorf("%v", r)
			}
			list = append(list, judged{z.name, q, r})
		}
	}
	t.Logf("%d questions: %v", len(list), counts)
	for _, zone := range []struct {
		name   string
		reason dnssec.Reason
	}{{"expired.test.", dnssec.ReasonExpired}, {"ldnsold.test.", dnssec.ReasonExpired}, {"early.test.", dnssec.ReasonNotYetValid}, {"wrongds.test.", dnssec.ReasonDSMismatch},
		{"nods.test.", dnssec.ReasonNoDS}, {"keyless.test.", dnssec.ReasonNoKeys}, {"alg7.test.", dnssec.ReasonAlgorithm}, {"alg16.test.", dnssec.ReasonAlgorithm}} {
		for _, j := range list {
			if j.zone == zone.name && j.q.Type == resolve.TypeMX && j.q.Name.NumLabels() == 2 && j.r.Reason != zone.reason {
				t.Errorf("%v, want the reason %s", j.r, zone.reason)
			}
		}
	}
	t.Run("authoritative", func(t *testing.T) {
		// The same through the servers of each zone, which here is one and the same.
		_, port, _ := net.SplitHostPort(addr)
		n, _ := strconv.ParseUint(port, 10, 16)
		c, err := client.New(client.Options{Servers: []string{addr}, AuthoritativePort: uint16(n), CheckingDisabled: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		v, err := dnssec.New(dnssec.Options{Exchange: c.ExchangeAuthoritative, Anchors: []dnssec.Anchor{a}})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range list {
			r := v.Validate(t.Context(), j.q)
			if r.Status != j.r.Status || r.Reason != j.r.Reason {
				t.Errorf("%v\nthrough a resolver: %v", r, j.r)
			}
		}
	})
	for _, modules := range []string{"iterator", "validator iterator"} {
		t.Run("through unbound, "+modules, func(t *testing.T) {
			c, err := client.New(client.Options{Servers: []string{unbound(t, l, addr, anchor, modules)}, Timeout: 20 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			v, err := dnssec.New(dnssec.Options{Exchange: c.Exchange, Anchors: []dnssec.Anchor{a}, Resolver: c, TrustAD: dnssec.TrustedAD})
			if err != nil {
				t.Fatal(err)
			}
			believed := 0
			for _, j := range list {
				r := v.Validate(t.Context(), j.q)
				if r.Status != j.r.Status || r.Reason != j.r.Reason {
					t.Errorf("%v\nnot through a resolver: %v", r, j.r)
				}
				s := v.Status(t.Context(), j.q)
				if s.Reason == dnssec.ReasonResolver {
					believed++
				}
				if s.Status != j.r.Status && !slices.Contains(decided[j.zone], string(s.Status)) {
					t.Errorf("with AD: %v\nvalidated: %v", s, j.r)
				}
			}
			if want := strings.HasPrefix(modules, "validator"); want != (believed > 0) {
				t.Errorf("the AD bit was believed %d times", believed)
			}
		})
	}
	for _, ref := range []referee{delv(t, l, addr, anchor), unboundHost(t, l, addr, anchor)} {
		t.Run(ref.name, func(t *testing.T) {
			if ref.judge == nil {
				t.Skipf("%s is not installed; internal/lab/run.sh does that when root", ref.name)
			}
			differ := map[string]int{}
			var mu sync.Mutex
			var wg sync.WaitGroup
			work := make(chan judged)
			for range workers {
				wg.Go(func() {
					for j := range work {
						said, out := ref.judge(t, j.q)
						if said == string(j.r.Status) {
							continue
						}
						mu.Lock()
						if j.r.Status == dnssec.Insecure && (slices.Contains(decided[j.zone], said) ||
							// RFC 5155, Section 9.2: no AD for a denial by opt-out records. delv has no AD bit
							// to show and tells only that the records were validated.
							ref.name == "delv" && said == "secure" && j.r.Reason == dnssec.ReasonOptOut && resolve.StateOf(j.r.Err) == resolve.Absent) {
							differ[fmt.Sprintf("%s %s (%s)", j.zone, said, j.r.Reason)]++
						} else {
							t.Errorf("%v\n%s says %s:\n%s", j.r, ref.name, said, out)
						}
						mu.Unlock()
					}
				})
			}
			for _, j := range list {
				work <- j
			}
			close(work)
			wg.Wait()
			t.Logf("%d verdicts compared; different by decision:", len(list))
			for _, k := range slices.Sorted(maps.Keys(differ)) {
				t.Logf("  %s: %d", k, differ[k])
			}
		})
	}
}

// referee is another validator.
type referee struct {
	name  string
	judge func(t *testing.T, q resolve.Question) (verdict, output string)
}

func output(path, dir string, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), toolTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput() // the exit code says less than the text
	return string(out)
}

// worst is the worst verdict of which a word is in the text.
func worst(text string, words [][2]string) string {
	for _, w := range words {
		if strings.Contains(text, w[0]) {
			return w[1]
		}
	}
	return "nothing"
}

// delv is BIND's validator.
func delv(t *testing.T, l *lab, addr, anchor string) referee {
	path, ok := find("delv")
	if !ok {
		return referee{name: "delv"}
	}
	f := strings.Fields(anchor)
	l.write("delv.keys", fmt.Sprintf("trust-anchors { . initial-ds %s %s %s %q; };\n", f[3], f[4], f[5], strings.Join(f[6:], "")))
	host, port, _ := net.SplitHostPort(addr)
	return referee{"delv", func(t *testing.T, q resolve.Question) (string, string) {
		out := output(path, l.dir, "@"+host, "-p", port, "-a", "delv.keys", "+root=.", q.Name.FQDN(), q.Type.String())
		// "resolution failed: ncache nxdomain" is how it calls a denial.
		told := strings.ReplaceAll(out, "resolution failed: ncache", "")
		return worst(told, [][2]string{{"resolution failed", "bogus"}, {"unsigned answer", "insecure"}, {"answer not validated", "insecure"}, {"fully validated", "secure"}}), out
	}}
}

// unboundHost is Unbound's validator.
func unboundHost(t *testing.T, l *lab, addr, anchor string) referee {
	path, ok := find("unbound-host")
	if !ok {
		return referee{name: "unbound-host"}
	}
	l.write("unbound-host.conf", unboundConf(l, addr, anchor))
	return referee{"unbound-host", func(t *testing.T, q resolve.Question) (string, string) {
		out := output(path, l.dir, "-C", "unbound-host.conf", "-v", "-t", q.Type.String(), q.Name.FQDN())
		return worst(out, [][2]string{{"(BOGUS", "bogus"}, {"(error)", "bogus"}, {"(insecure)", "insecure"}, {"(secure)", "secure"}}), out
	}}
}

func unboundConf(l *lab, addr, anchor string) string {
	host, port, _ := net.SplitHostPort(addr)
	l.write("unbound.anchor", anchor+"\n")
	return fmt.Sprintf(`server:
  directory: %q
  chroot: ""
  username: ""
  trust-anchor-file: "%[1]s/unbound.anchor"
  do-ip6: no
  do-not-query-localhost: no
  local-zone: "test." nodefault
forward-zone:
  name: "."
  forward-addr: %s@%s
`, l.dir, host, port)
}

// unbound starts a resolver on loopback that asks addr for everything.
func unbound(t *testing.T, l *lab, addr, anchor, modules string) string {
	path := need(t, "unbound")
	port := freePort(t)
	conf := strings.Replace(unboundConf(l, addr, anchor), "server:\n", fmt.Sprintf(`server:
  module-config: %q
  interface: 127.0.0.1@%d
  port: %[2]d
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  access-control: 127.0.0.0/8 allow
  num-threads: 1
`, modules, port), 1) + "remote-control:\n  control-enable: no\n"
	if modules == "iterator" {
		conf = strings.Replace(conf, "trust-anchor-file", "# trust-anchor-file", 1)
	}
	l.write("unbound.conf", conf)
	on := *l
	on.t = t
	return on.start(path, "unbound.conf", port)
}
