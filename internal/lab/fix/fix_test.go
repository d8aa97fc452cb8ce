//go:build lab

package fix_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/apply"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

// head is a zone that sends mail and has neither DMARC nor a key. The servers
// after ns1 are those given.
func head(servers ...string) string {
	text := `$TTL 300
example.org. IN SOA ns1.example.org. admin.example.org. 1 86400 3600 1209600 60
example.org. IN NS ns1.example.org.
ns1.example.org. IN A 127.0.0.1
`
	for i, s := range servers {
		text += fmt.Sprintf("example.org. IN NS ns%d.example.org.\nns%[1]d.example.org. IN A %s\n", i+2, s)
	}
	return text + `example.org. IN MX 10 mail.example.org.
mail.example.org. IN A 192.0.2.25
example.org. IN TXT "v=spf1 ip4:192.0.0.0/16 mx -all"
example.org. IN TXT "site-verification=\"a;b\\c\" \195\164"
`
}

const token = `"site-verification=\"a;b\\c\" \195\164"`

// plan has the command make a plan of the zone as it is.
func (l *lab) plan() {
	l.t.Helper()
	l.cli(0, "plan", "example.org", "--resolver", l.at("127.0.0.1"), "--no-input", "--only", "SPF,DMARC",
		"--sender", "mx", "--all-senders",
		"--report-to", "dmarc@example.org", "--at", "2026-11-23T12:00:00Z", "--out", "plan.json")
}

// The whole way: plan, apply by a signed update, see that the secondary lags, see
// it follow, and take all of it back.
func TestApplyVerifyUndo(t *testing.T) {
	l := newLab(t)
	l.primary(map[string]string{"example.org.": head("127.0.0.2")})
	transfer := l.secondary()
	before := l.zone("127.0.0.1", "example.org.")
	l.plan()
	out, _ := l.cli(0, slices.Concat([]string{"apply", "plan.json", "--confirm", "spf-1", "--undo", "back.json"}, l.by(l.at("127.0.0.1")))...)
	if !strings.Contains(out, "applied") || !strings.Contains(out, "fix undo back.json") {
		t.Error(out)
	}
	after := l.zone("127.0.0.1", "example.org.")
	for _, want := range []string{`"v=DMARC1; p=none; rua=mailto:dmarc@example.org"`, token} {
		if !strings.Contains(after, want) {
			t.Errorf("no %s in\n%s", want, after)
		}
	}
	if strings.Contains(after, "192.0.0.0/16") || after == before {
		t.Errorf("the SPF record is as it was:\n%s", after)
	}
	// The secondary has not heard of it.
	if got := l.zone("127.0.0.2", "example.org."); got != before {
		t.Fatalf("the secondary does not lag:\n%s", got)
	}
	if _, errs := l.cli(4, slices.Concat([]string{"verify", "plan.json", "--once"}, l.servers())...); !strings.Contains(errs, "ns2.example.org (127.0.0.2) has the old records") {
		t.Error(errs)
	}
	// Somebody who applies again is told that the servers disagree.
	if _, errs := l.cli(4, slices.Concat([]string{"apply", "plan.json", "--confirm", "spf-1", "--undo", "again.json"}, l.by(l.at("127.0.0.1")))...); !strings.Contains(errs, "the name servers disagree") {
		t.Error(errs)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		time.Sleep(time.Second) // what is under test waits
		transfer()
	})
	out, _ = l.cli(0, slices.Concat([]string{"verify", "plan.json", "--timeout", "30s", "--interval", "300ms"}, l.servers())...)
	wait.Wait()
	if !strings.Contains(out, "proven") || !strings.Contains(out, "caches may answer the old until") || !strings.Contains(out, "gone") {
		t.Error(out)
	}
	if got := l.zone("127.0.0.2", "example.org."); got != after {
		t.Errorf("the secondary has\n%s", got)
	}
	l.cli(0, slices.Concat([]string{"undo", "back.json", "--undo", "forth.json"}, l.by(l.at("127.0.0.1")))...)
	if got := l.zone("127.0.0.1", "example.org."); got != before {
		t.Errorf("after undo\n%s\nwant\n%s", got, before)
	}
}

// An edit of somebody else, after the plan was made, is not overwritten.
func TestEditSince(t *testing.T) {
	l := newLab(t)
	l.primary(map[string]string{"example.org.": head("127.0.0.2")})
	transfer := l.secondary()
	l.plan()
	l.edit("update delete example.org. TXT\nupdate add example.org. 300 TXT \"v=spf1 mx -all\"")
	// First only the primary has it, then both.
	for _, name := range []string{"primary alone", "both"} {
		was := l.zone("127.0.0.1", "example.org.")
		out, errs := l.cli(4, slices.Concat([]string{"apply", "plan.json", "--confirm", "spf-1", "--undo", "back.json"}, l.by(l.at("127.0.0.1")))...)
		if !strings.Contains(out, "stale") || !strings.Contains(out, "v=spf1 mx -all") || !strings.Contains(errs, "make a new plan") {
			t.Errorf("%s: %s%s", name, out, errs)
		}
		if got := l.zone("127.0.0.1", "example.org."); got != was {
			t.Errorf("%s:\n%s", name, got)
		}
		transfer()
	}
}

// An edit that comes after the last look is found by the server itself: the old
// records are prerequisites of the update.
func TestEditBetweenLookAndUpdate(t *testing.T) {
	l := newLab(t)
	l.primary(map[string]string{"example.org.": head()})
	c, err := client.New(client.Options{Servers: []string{l.at("127.0.0.1")}, AuthoritativePort: uint16(l.port)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ch := fix.Change{Verb: fix.Update, Name: resolve.MustName("example.org"), Type: resolve.TypeTXT, TTL: 300,
		Old: []string{`"v=spf1 ip4:192.0.0.0/16 mx -all"`, token}, New: []string{`"v=spf1 ip4:192.0.2.25 -all"`, token}}
	p := &fix.Plan{Schema: fix.PlanSchema, Domain: ch.Name, Created: time.Unix(1e9, 0), Steps: []fix.Step{{ID: "spf-1", Change: &ch}}}
	dials := 0
	prov := &apply.RFC2136{Server: l.at("127.0.0.1"), Key: apply.TSIG{Name: resolve.MustName("upd.example"), Algorithm: "hmac-sha256", Secret: "c2VjcmV0IG9mIHRoZSB0ZXN0LCAzMiBvY3RldHMgbG9uZw=="},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials++; dials == 2 { // the first was the look
				l.edit("update add example.org. 300 TXT \"another-token\"")
			}
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}}
	res, err := apply.Run(context.Background(), p, apply.Options{Servers: c, Provider: prov})
	if !errors.Is(err, apply.ErrStale) || res.Steps[0].Outcome != apply.Stale || res.Undo != nil {
		t.Errorf("%v, %+v", err, res.Steps)
	}
	if got := l.zone("127.0.0.1", "example.org."); !strings.Contains(got, "192.0.0.0/16") || !strings.Contains(got, "another-token") {
		t.Error(got)
	}
	if dials != 2 {
		t.Errorf("%d connections", dials)
	}
}

// A server that does not know the zone is no reason to write, and a wrong key is
// told as one.
func TestLameServerAndWrongKey(t *testing.T) {
	l := newLab(t)
	l.primary(map[string]string{"example.org.": head("127.0.0.3")})
	l.lame()
	l.plan()
	before := l.zone("127.0.0.1", "example.org.")
	out, errs := l.cli(2, slices.Concat([]string{"apply", "plan.json", "--confirm", "spf-1"}, l.by(l.at("127.0.0.1")))...)
	if !strings.Contains(out, "127.0.0.3") || !strings.Contains(errs, "does not tell") {
		t.Error(out, errs)
	}
	if got := l.zone("127.0.0.1", "example.org."); got != before {
		t.Error(got)
	}
	// Its NS record goes: now only the key is wrong.
	l.edit("update delete example.org. NS ns2.example.org.")
	l.write("wrong.key", strings.Replace(keyText, "c2VjcmV0", "d3Jvbmdf", 1), 0o600)
	before = l.zone("127.0.0.1", "example.org.")
	_, errs = l.cli(4, slices.Concat([]string{"apply", "plan.json", "--confirm", "spf-1"}, l.servers(), []string{"--dns-server", l.at("127.0.0.1"), "--tsig-key", "wrong.key", "--yes"})...)
	if !strings.Contains(errs, "credentials were not accepted") || strings.Contains(errs, "d3Jvbmdf") {
		t.Error(errs)
	}
	if got := l.zone("127.0.0.1", "example.org."); got != before {
		t.Error(got)
	}
}

// gate is a relay in front of the primary that takes the power away from the
// command at the nth update: before the primary hears of it, or after it has
// carried it out and nobody was told.
type gate struct {
	l     net.Listener
	to    string
	at    int
	after bool
	kill  chan struct{}
	mu    sync.Mutex
	seen  int
}

func newGate(t *testing.T, to string, at int, after bool) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{l: l, to: to, at: at, after: after, kill: make(chan struct{})}
	go g.run()
	t.Cleanup(func() { l.Close() })
	return g
}

func (g *gate) run() {
	for {
		c, err := g.l.Accept()
		if err != nil {
			return
		}
		go g.relay(c)
	}
}

func message(r io.Reader) ([]byte, error) {
	var n [2]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	m := make([]byte, 2+int(binary.BigEndian.Uint16(n[:])))
	copy(m, n[:])
	_, err := io.ReadFull(r, m[2:])
	return m, err
}

func (g *gate) relay(c net.Conn) {
	defer c.Close()
	m, err := message(c)
	if err != nil || len(m) < 6 {
		return
	}
	stop := false
	if m[4]>>3&0xf == 5 { // opcode UPDATE
		g.mu.Lock()
		g.seen++
		stop = g.seen == g.at
		g.mu.Unlock()
	}
	if stop && !g.after {
		close(g.kill)
		return
	}
	up, err := net.Dial("tcp", g.to)
	if err != nil {
		return
	}
	defer up.Close()
	if _, err := up.Write(m); err != nil {
		return
	}
	answer, err := message(up)
	if err != nil {
		return
	}
	if stop {
		close(g.kill)
		_, _ = io.Copy(io.Discard, c) // until the command is gone
		return
	}
	_, _ = c.Write(answer)
}

func TestPowerCut(t *testing.T) {
	for _, c := range []struct {
		name  string
		after bool
	}{{"before the server hears of it", false}, {"after the server has done it", true}} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.primary(map[string]string{"example.org.": head()})
			before := l.zone("127.0.0.1", "example.org.")
			l.plan()
			g := newGate(t, l.at("127.0.0.1"), 2, c.after)
			cmd := exec.Command(mailcheck, slices.Concat([]string{"fix", "apply", "plan.json", "--confirm", "spf-1", "--undo", "back.json"}, l.by(g.l.Addr().String()))...)
			cmd.Dir = l.dir
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-g.kill:
			case <-time.After(30 * time.Second):
				t.Error("there was no second update")
			}
			_ = cmd.Process.Kill() // as kill -9 does
			_ = cmd.Wait()
			cut := l.zone("127.0.0.1", "example.org.")
			if cut == before {
				t.Fatal("nothing was done before the cut")
			}
			// The way back is whole, on the disk, and knows the step in flight.
			text, err := os.ReadFile(filepath.Join(l.dir, "back.json"))
			if err != nil {
				t.Fatal(err)
			}
			u, err := fix.DecodePlan(text)
			if err != nil || len(u.Steps) != 2 {
				t.Fatalf("%v, %d steps", err, len(u.Steps))
			}
			// Back from the middle.
			l.cli(0, slices.Concat([]string{"undo", "back.json", "--undo", "u1.json"}, l.by(l.at("127.0.0.1")))...)
			if got := l.zone("127.0.0.1", "example.org."); got != before {
				t.Errorf("undo after the cut:\n%s\nwant\n%s", got, before)
			}
			// Forth to the middle again, on to the end, and all the way back.
			l.cli(0, slices.Concat([]string{"undo", "u1.json", "--undo", "u2.json"}, l.by(l.at("127.0.0.1")))...)
			if got := l.zone("127.0.0.1", "example.org."); got != cut {
				t.Fatalf("there again:\n%s\nwant\n%s", got, cut)
			}
			out, _ := l.cli(0, slices.Concat([]string{"apply", "plan.json", "--confirm", "spf-1", "--undo", "rest.json"}, l.by(l.at("127.0.0.1")))...)
			if !strings.Contains(out, "done ") {
				t.Errorf("what is done is not recognised:\n%s", out)
			}
			if got := l.zone("127.0.0.1", "example.org."); !strings.Contains(got, "v=DMARC1") || strings.Contains(got, "192.0.0.0/16") {
				t.Errorf("applied again:\n%s", got)
			}
			l.cli(0, slices.Concat([]string{"verify", "plan.json", "--timeout", "20s"}, l.servers())...)
			if _, err := os.Stat(filepath.Join(l.dir, "rest.json")); err == nil {
				l.cli(0, slices.Concat([]string{"undo", "rest.json", "--undo", "u3.json"}, l.by(l.at("127.0.0.1")))...)
			}
			l.cli(0, slices.Concat([]string{"undo", "back.json", "--undo", "u4.json"}, l.by(l.at("127.0.0.1")))...)
			if got := l.zone("127.0.0.1", "example.org."); got != before {
				t.Errorf("at the end:\n%s\nwant\n%s", got, before)
			}
		})
	}
}

// nasty is a plan with everything that a form can get wrong. Its zone is nastyZone.
func nasty() *fix.Plan {
	p := &fix.Plan{Schema: fix.PlanSchema, Domain: resolve.MustName("example.org"), Created: time.Unix(1e9, 0).UTC(), Tool: "lab", Goal: "lab",
		Decisions: []fix.Decision{}, Before: []fix.Defect{}, After: []fix.Defect{}, Unknown: []string{}}
	add := func(name string, t resolve.Type, old, now []string) {
		old, now = append([]string{}, old...), append([]string{}, now...) // a plan has no null
		c := &fix.Change{Verb: fix.Update, Name: resolve.MustName(name), Type: t, TTL: 300, Old: old, New: now, Why: []string{"why; \"not\""}}
		switch {
		case len(old) == 0:
			c.Verb = fix.Create
		case len(now) == 0:
			c.Verb = fix.Delete
		}
		p.Steps = append(p.Steps, fix.Step{ID: fmt.Sprintf("step-%d", len(p.Steps)+1), Title: "t", Findings: []string{}, Depends: []string{}, Risk: fix.Low,
			Change: c, Why: []string{}, Manual: []fix.Manual{}, Check: fix.Check{Kind: "record"}})
	}
	txt := func(s string) string { return resolve.SplitTXT(s).String() }
	add("s1._domainkey.example.org", resolve.TypeTXT, nil, []string{txt("v=DKIM1; p=" + strings.Repeat("MIIB+/aa", 49))})
	add("s2._domainkey.example.org", resolve.TypeTXT, nil, []string{txt("v=DKIM1; p=" + strings.Repeat("MIIB+/aa", 92))})
	add("s3._domainkey.example.org", resolve.TypeCNAME, nil, []string{"s3.vendor.example."})
	add("example.org", resolve.TypeTXT, []string{`"v=spf1 ip4:192.0.0.0/16 mx -all"`, token}, []string{`"v=spf1 ip4:192.0.2.25 -all"`, token})
	add("example.org", resolve.TypeMX, []string{"10 mail.example.org."}, []string{"10 mail.example.org.", "20 mail2.example.org."})
	add("_25._tcp.mail.example.org", resolve.TypeTLSA, nil, []string{"3 1 1 " + strings.Repeat("0123456789abcdef", 4)})
	add("_x.example.org", resolve.TypeTXT, nil, []string{txt(`quote " semi ; back \ dollar ${a} paren ( ) at @ tick '`), txt("tab\t\x01\xff äöü 漢字"), txt(`"quoted"`), txt(`a" "b`), txt(strings.Repeat(`\";`, 200)), txt(" ")})
	add("old.example.org", resolve.TypeTXT, []string{`"old"`, `"older"`}, nil)
	add("alias.example.org", resolve.TypeCNAME, []string{"x.example.net."}, []string{"y.example.net."})
	return p
}

func nastyZone() string {
	return head() + "mail2.example.org. IN A 192.0.2.26\nold.example.org. IN TXT \"old\"\nold.example.org. IN TXT \"older\"\nalias.example.org. IN CNAME x.example.net.\n"
}

func (l *lab) save(p *fix.Plan) {
	l.t.Helper()
	text, err := p.Encode()
	if err != nil {
		l.t.Fatal(err)
	}
	l.write("plan.json", string(text), 0o644)
}

// The script does what apply does, and does nothing when the zone has moved on.
func TestNsupdateScript(t *testing.T) {
	need(t, "nsupdate")
	want := func() string {
		l := newLab(t)
		l.primary(map[string]string{"example.org.": nastyZone()})
		l.save(nasty())
		l.cli(0, slices.Concat([]string{"apply", "plan.json", "--undo", "back.json"}, l.by(l.at("127.0.0.1")))...)
		return l.zone("127.0.0.1", "example.org.")
	}()
	l := newLab(t)
	l.primary(map[string]string{"example.org.": nastyZone()})
	l.save(nasty())
	script, _ := l.cli(0, "export", "plan.json", "--format", "nsupdate", "--dns-server", l.at("127.0.0.1"))
	l.nsupdate(0, script)
	if got := l.zone("127.0.0.1", "example.org."); got != want {
		t.Errorf("nsupdate leaves\n%s\napply leaves\n%s", got, want)
	}
	// Again: the prerequisites do not hold, and nothing changes.
	if errs := l.nsupdate(2, script); !strings.Contains(errs, "RRSET") {
		t.Error(errs)
	}
	if got := l.zone("127.0.0.1", "example.org."); got != want {
		t.Errorf("the second time it leaves\n%s", got)
	}

	// Where one update is refused, those that follow are too.
	l = newLab(t)
	l.primary(map[string]string{"example.org.": nastyZone()})
	l.edit("update add s1._domainkey.example.org. 300 TXT \"another key\"")
	before := l.zone("127.0.0.1", "example.org.")
	l.save(nasty())
	script, _ = l.cli(0, "export", "plan.json", "--format", "nsupdate", "--dns-server", l.at("127.0.0.1"))
	l.nsupdate(2, script)
	if got := l.zone("127.0.0.1", "example.org."); got != before {
		t.Errorf("a script of which the first update is refused leaves\n%s", got)
	}
}

// BIND reads the fragment, and the file for Cloudflare, as what apply would leave.
func TestZoneFragment(t *testing.T) {
	check := need(t, "named-checkzone")
	l := newLab(t)
	p := nasty()
	l.save(p)
	for _, format := range []string{"bind", "cloudflare"} {
		text, _ := l.cli(0, "export", "plan.json", "--format", format)
		base := "$TTL 300\nexample.org. IN SOA ns1.example.org. admin.example.org. 1 86400 3600 1209600 60\nexample.org. IN NS ns1.example.org.\nns1.example.org. IN A 127.0.0.1\nmail.example.org. IN A 192.0.2.25\nmail2.example.org. IN A 192.0.2.26\n"
		l.write("full.db", base+text, 0o644)
		out, _ := l.run(0, nil, check, "-i", "local", "-D", "-o", "-", "example.org", "full.db")
		for _, s := range p.Steps {
			c := *s.Change
			var got []string
			for line := range strings.Lines(out) {
				f := strings.SplitN(strings.TrimSuffix(line, "\n"), "IN "+c.Type.String(), 2)
				if len(f) == 2 && strings.Fields(f[0])[0] == c.Name.FQDN() {
					got = append(got, strings.TrimSpace(f[1]))
				}
			}
			read, want := c, c
			read.New = got
			a, err := read.NewRecords()
			if err != nil {
				t.Fatal(err)
			}
			b, err := want.NewRecords()
			if err != nil {
				t.Fatal(err)
			}
			if !fix.SameRecords(a, b) {
				t.Errorf("%s: %s %s is read as %q, want %q", format, c.Name, c.Type, got, c.New)
			}
		}
	}
}

// The program of the guide does what the guide says: it is taken from there.
func TestGuideProgram(t *testing.T) {
	need(t, "jq")
	guide, err := os.ReadFile("../../../docs/guide/exec.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, ok := strings.Cut(string(guide), "```sh\n#!/bin/sh\n")
	program, _, ok2 := strings.Cut(program, "```\n")
	if !ok || !ok2 {
		t.Fatal("no program in the guide")
	}
	l := newLab(t)
	l.primary(map[string]string{"example.org.": nastyZone()})
	p := nasty()
	l.save(p)
	l.write("dns.sh", "#!/bin/sh\n"+program, 0o755)
	l.write("publish.sh", "#!/bin/sh\necho published >>published\n", 0o755)
	// It starts with what the zone has.
	for _, s := range p.Steps {
		var data []string
		for _, d := range s.Change.Old {
			data = append(data, fmt.Sprintf(`{"ttl":300,"data":%q}`, d))
		}
		if data != nil {
			l.write(s.Change.Name.String()+"."+s.Change.Type.String(), "["+strings.Join(data, ",")+"]", 0o644)
		}
	}
	args := slices.Concat(l.servers(), []string{"--exec", "./dns.sh", "--yes"})
	l.cli(0, slices.Concat([]string{"apply", "plan.json", "--undo", "back.json"}, args)...)
	// Now the program is ahead of the name server: all is done.
	if out, _ := l.cli(0, slices.Concat([]string{"apply", "plan.json", "--undo", "again.json"}, args)...); strings.Contains(out, "applied") || strings.Count(out, "done ") != len(p.Steps) {
		t.Error(out)
	}
	text, err := os.ReadFile(filepath.Join(l.dir, "published"))
	if err != nil || strings.Count(string(text), "\n") != len(p.Steps) {
		t.Errorf("%v, published %q", err, text)
	}
}
