package export_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/export"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var zone = resolve.MustName("example.org")

func change(name string, t resolve.Type, old, now []string) fix.Change {
	c := fix.Change{Verb: fix.Update, Name: resolve.MustName(name), Type: t, TTL: 3600, Old: old, New: now, Why: []string{"because"}}
	switch {
	case len(old) == 0:
		c.Verb = fix.Create
	case len(now) == 0:
		c.Verb = fix.Delete
	}
	return c
}

func txt(text string) string { return resolve.SplitTXT(text).String() }

// key is a public key record of as many octets of base64 as an RSA key of the
// bits has.
func key(bits int) string { return txt("v=DKIM1; k=rsa; p=" + strings.Repeat("MIIBx/+a", bits/48)) }

// plan has every kind of change.
func plan() []fix.Change {
	tlsa := "3 1 1 " + strings.Repeat("0123456789abcdef", 4)
	return []fix.Change{
		change("s1._domainkey.example.org", resolve.TypeTXT, nil, []string{key(2048)}),
		change("s2._domainkey.example.org", resolve.TypeTXT, []string{key(2048)}, []string{key(4096)}),
		change("s10._domainkey.example.org", resolve.TypeCNAME, nil, []string{"s10.vendor.example."}),
		change("example.org", resolve.TypeTXT,
			[]string{`"v=spf1 ip4:192.0.0.0/16 -all"`, `"token; \"kept\" \\ as \195\164"`},
			[]string{`"v=spf1 ip4:192.0.2.25 -all"`, `"token; \"kept\" \\ as \195\164"`}),
		change("example.org", resolve.TypeMX, []string{"10 old.example.org."}, []string{"10 mail.example.org.", "20 mail2.example.org."}),
		change("parked.example.org", resolve.TypeMX, nil, []string{"0 ."}),
		change("_25._tcp.mail.example.org", resolve.TypeTLSA, nil, []string{tlsa}),
		change("example.org", resolve.TypeCAA, nil, []string{`0 issue "ca.example"`, `128 iodef "mailto:a@example.org"`}),
		change("mail.example.org", resolve.TypeA, []string{"192.0.2.24"}, []string{"192.0.2.25", "192.0.2.26"}),
		change("mail.example.org", resolve.TypeAAAA, nil, []string{"2001:db8::25"}),
		change("gone._domainkey.example.org", resolve.TypeTXT, []string{`"v=DKIM1; p="`}, nil),
		change("old.example.org", resolve.TypeCNAME, []string{"x.example.net."}, nil),
		change("_x.example.org", resolve.TypeTXT, nil, []string{
			txt(`quote " semi ; back \ dollar ${a} %{b} $${ tick ' `), txt("tab\tbell\aäöü 漢字 \u202e\u2028"), txt(`"quoted"`), txt(`a" "b`),
			txt(`\; \\; "" '' // */ <b> & --- #{x}`), txt(strings.Repeat(`\"`, 200)),
		}),
	}
}

func write(t testing.TB, format string, changes []fix.Change) string {
	t.Helper()
	var b bytes.Buffer
	if err := export.Write(&b, format, changes, export.Options{Zone: zone}); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.String()
}

// same tells whether what was read is what the change says. Formats that cut a
// text themselves are compared by the text.
func same(t testing.TB, format string, c fix.Change, got []string) {
	t.Helper()
	want, err := c.NewRecords()
	if err != nil {
		t.Fatal(err)
	}
	g := c
	g.New = got
	have, err := g.NewRecords()
	if err != nil {
		t.Errorf("%s: %s %s reads back as %q: %v", format, c.Name, c.Type, got, err)
		return
	}
	if format == "dnscontrol" || format == "octodns" {
		want, have = joined(want), joined(have)
	}
	if !fix.SameRecords(want, have) {
		t.Errorf("%s: %s %s reads back as\n%q\nwant\n%q", format, c.Name, c.Type, got, c.New)
	}
}

func joined(rs []resolve.Record) []resolve.Record {
	rs = slices.Clone(rs)
	for i := range rs {
		if d, ok := rs[i].Data.(resolve.TXT); ok {
			rs[i].Data = resolve.TXT{Strings: []string{d.Joined()}}
		}
	}
	return rs
}

func TestEveryFormatReadsBack(t *testing.T) {
	for _, f := range export.Formats() {
		t.Run(f.ID, func(t *testing.T) {
			changes := plan()
			out := write(t, f.ID, changes)
			for i := range len(out) {
				if c := out[i]; c < ' ' && c != '\n' || c == 0x7f {
					t.Fatalf("octet %#x at %d", c, i)
				}
			}
			sets := readers[f.ID](t, out)
			for _, c := range changes {
				k := resolve.Question{Name: c.Name, Type: c.Type}
				same(t, f.ID, c, sets[k])
				delete(sets, k)
			}
			for k, v := range sets {
				if len(v) > 0 {
					t.Errorf("%s: %q was not asked for", k, v)
				}
			}
			if !strings.Contains(out, "gone._domainkey") {
				t.Error("a deletion is not told")
			}
		})
	}
}

// What must hold in single formats.
func TestForms(t *testing.T) {
	for _, c := range []struct {
		format, want string
	}{
		{"bind", "s1._domainkey.example.org. 3600 IN TXT (\n  \"v=DKIM1; k=rsa; p="},
		{"bind", "; take out: gone._domainkey.example.org. IN TXT \"v=DKIM1; p=\"\n"},
		{"nsupdate", "prereq nxrrset s1._domainkey.example.org. IN TXT\n"},
		{"nsupdate", "prereq yxrrset example.org. IN TXT \"v=spf1 ip4:192.0.0.0/16 -all\"\nprereq yxrrset example.org. IN TXT \"token; "},
		{"nsupdate", "update delete example.org. IN TXT\nupdate add example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n"},
		{"nsupdate", "zone example.org.\n"},
		{"dnscontrol", "  MX(\"@\", 10, \"mail.example.org.\", TTL(3600)),\n"},
		{"dnscontrol", "  CAA(\"@\", \"iodef\", \"mailto:a@example.org\", CAA_CRITICAL, TTL(3600)),\n"},
		{"octodns", "\"s2._domainkey\":\n"},
		{"octodns", `v=DKIM1\\; k=rsa\\; p=`},
		{"terraform-route53", "  name    = \"s1._domainkey.example.org\"\n"},
		{"terraform-route53", `\"\"`}, // between the strings of a key
		{"terraform-cloudflare", "  priority = 0\n"},
		{"terraform-cloudflare", "proxied = false"},
		{"route53", `"Action": "CREATE"`},
		{"route53", `as \\303\\244\""`},
		{"cloudflare", "IN CNAME s10.vendor.example. ; cf_tags=cf-proxied:false\n"},
		{"powerdns", `"changetype": "DELETE"`},
		{"desec", `"subname": ""`},
		{"desec", `"records": []`},
		{"panel", "   Name, short:  s1._domainkey\n   Name, whole:  s1._domainkey.example.org\n"},
		{"panel", "     Value, one line:  token; \"kept\" \\ as ä\n     Value, quoted:    \"token; \\\"kept\\\" \\\\ as \\195\\164\"\n"},
		{"csv", "keep,example.org.,TXT,3600,"},
	} {
		if got := write(t, c.format, plan()); !strings.Contains(got, c.want) {
			t.Errorf("%s: no %q in\n%s", c.format, c.want, got)
		}
	}
	// octoDNS wants names as people count: s2 before s10.
	if got := write(t, "octodns", plan()); strings.Index(got, `"s2._`) > strings.Index(got, `"s10._`) {
		t.Error("names are not in natural order")
	}
}

// Several changes of one record set become one where only the end shows.
func TestStages(t *testing.T) {
	n, q, r := `"v=DMARC1; p=none"`, `"v=DMARC1; p=quarantine"`, `"v=DMARC1; p=reject"`
	at := "_dmarc.example.org"
	stages := []fix.Change{change(at, resolve.TypeTXT, nil, []string{n}), change(at, resolve.TypeTXT, []string{n}, []string{q}), change(at, resolve.TypeTXT, []string{q}, []string{r})}
	for _, f := range export.Formats() {
		out := write(t, f.ID, stages)
		if f.Final == strings.Contains(out, "p=quarantine") {
			t.Errorf("%s: Final is %v\n%s", f.ID, f.Final, out)
		}
		same(t, f.ID, stages[2], readers[f.ID](t, out)[resolve.Question{Name: stages[2].Name, Type: resolve.TypeTXT}])
	}
	if got := write(t, "route53", stages); !strings.Contains(got, "CREATE") {
		t.Error(got)
	}
	var b bytes.Buffer
	if err := export.Write(&b, "bind", []fix.Change{stages[0], stages[2]}, export.Options{}); !errors.Is(err, export.ErrChange) || b.Len() > 0 {
		t.Errorf("stages that do not follow: %v, %q", err, b.String())
	}
	// There and back is nothing.
	back := []fix.Change{stages[0], stages[0].Inverse()}
	if got := write(t, "desec", back); strings.TrimSpace(got) != "[]" {
		t.Error(got)
	}
}

func TestRefuses(t *testing.T) {
	binary := change("_x.example.org", resolve.TypeTXT, nil, []string{`"\255\254"`})
	srv := change("_smtp._tcp.example.org", resolve.TypeSRV, nil, []string{"0 1 25 mail.example.org."})
	for _, c := range []struct {
		format string
		change fix.Change
		zone   resolve.Name
		err    error
	}{
		{"bond", binary, zone, export.ErrFormat},
		{"dnscontrol", binary, zone, export.ErrForm},
		{"terraform-cloudflare", srv, zone, export.ErrForm},
		{"octodns", srv, zone, export.ErrForm},
		{"dnscontrol", srv, zone, export.ErrForm},
		{"bind", change("_x.example.net", resolve.TypeTXT, nil, []string{`"x"`}), zone, export.ErrZone},
		{"desec", binary, resolve.Name{}, export.ErrZone},
		{"octodns", binary, resolve.Name{}, export.ErrZone},
		{"bind", change("_x.example.org", resolve.TypeTXT, nil, []string{"\"x\"\nevil. 1 IN A 192.0.2.1"}), zone, export.ErrChange},
		{"route53", change("_x.example.org", resolve.TypeTXT, nil, []string{txt(strings.Repeat("x", 20000)), txt(strings.Repeat("y", 20000))}), zone, export.ErrForm},
		// octoDNS would cut \200 in two.
		{"octodns", change("_x.example.org", resolve.TypeTXT, nil, []string{txt(strings.Repeat("x", 253) + "\x80")}), zone, export.ErrForm},
	} {
		var b bytes.Buffer
		if err := export.Write(&b, c.format, []fix.Change{c.change}, export.Options{Zone: c.zone}); !errors.Is(err, c.err) || b.Len() > 0 {
			t.Errorf("%s %s: %v, want %v; %q", c.format, c.change.Name, err, c.err, b.String())
		}
	}
	var b bytes.Buffer
	if err := export.Write(&b, "nsupdate", nil, export.Options{Server: "x y"}); !errors.Is(err, export.ErrForm) {
		t.Error(err)
	}
}

// What a stranger wrote must not leave the comment.
func TestComments(t *testing.T) {
	c := change("_dmarc.example.org", resolve.TypeTXT, nil, []string{`"v=DMARC1; p=none"`})
	c.Why = []string{"x\nevil.example.org. 1 IN A 192.0.2.66\r\n*/ \x1b[31m"}
	for _, f := range export.Formats() {
		out := write(t, f.ID, []fix.Change{c})
		for line := range strings.Lines(out) {
			if strings.HasPrefix(strings.TrimSpace(line), "evil") || strings.ContainsAny(line, "\x1b\r") {
				t.Errorf("%s: %q", f.ID, line)
			}
		}
		same(t, f.ID, c, readers[f.ID](t, out)[resolve.Question{Name: c.Name, Type: c.Type}])
	}
}

func TestServerLine(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.53": "server 192.0.2.53 53\n", "192.0.2.53:5353": "server 192.0.2.53 5353\n", "2001:db8::53": "server 2001:db8::53 53\n", "[2001:db8::53]:54": "server 2001:db8::53 54\n"} {
		var b bytes.Buffer
		if err := export.Write(&b, "nsupdate", plan(), export.Options{Server: in, Zone: zone}); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s: %v %s", in, err, b.String())
		}
	}
}

// FuzzWrite: what any format takes, it gives back.
func FuzzWrite(f *testing.F) {
	f.Add([]byte("v=spf1 -all"), []byte("token"))
	f.Add([]byte(strings.Repeat(`\"; `, 100)), []byte{0xff, 0x80, ' ', '"'})
	f.Add([]byte("a\\195\\;"), []byte("\"\" \" \"${x}%{y}"))
	f.Add([]byte(strings.Repeat("ä", 300)), []byte("'\x1b[0m`"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if len(a)+len(b) > 4000 || bytes.ContainsAny(slices.Concat(a, b), "\x00") {
			t.Skip("longer than a record set, or NUL")
		}
		identity(t, string(a), string(b))
	})
}

func identity(t testing.TB, a, b string) {
	t.Helper()
	c := change("_x.example.org", resolve.TypeTXT, []string{txt(b)}, []string{txt(a), txt(b)})
	for _, format := range export.Formats() {
		var out bytes.Buffer
		err := export.Write(&out, format.ID, []fix.Change{c}, export.Options{Zone: zone})
		if errors.Is(err, export.ErrForm) && (format.ID == "dnscontrol" || format.ID == "octodns") {
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", format.ID, err)
		}
		same(t, format.ID, c, readers[format.ID](t, out.String())[resolve.Question{Name: c.Name, Type: c.Type}])
	}
}

// TestRandom is FuzzWrite for every run: random texts, made of what is special to
// one format or the other.
func TestRandom(t *testing.T) {
	special := []string{`"`, `\`, ";", " ", "$", "%", "{", "}", "'", "`", "\t", "\n", "ä", "漢", "\x80", "\xff", "0", "195", "//", "*/", "#", "(", ")", "@", ",", "=", "\u2028", "abc", `" "`, `""`, strings.Repeat("x", 250)}
	r := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range r.IntN(40) {
			b.WriteString(special[r.IntN(len(special))])
		}
		return b.String()
	}
	for range 120 {
		a, b := text(), text()
		identity(t, a, b)
		if t.Failed() {
			t.Fatalf("%q, %q", a, b)
		}
	}
}

// node runs the output as DNSControl does, with the calls of its language.
const shim = `
const out = [];
const TTL = n => ({ttl: n}), CAA_CRITICAL = {critical: true}, END = null;
const call = t => (name, ...a) => { out.push({type: t, name, args: a.filter(x => typeof x != "object"), critical: a.includes(CAA_CRITICAL)}); return t; };
const [TXT, MX, CNAME, TLSA, CAA, A, AAAA, NS, PTR] = ["TXT","MX","CNAME","TLSA","CAA","A","AAAA","NS","PTR"].map(call);
let zone;
const D_EXTEND = (z, ...r) => { zone = z; };
`

func TestDNSControlWithNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed; the test's own reader has read the form")
	}
	changes := plan()
	cmd := exec.Command(node, "-")
	cmd.Stdin = strings.NewReader(shim + write(t, "dnscontrol", changes) + "\nconsole.log(JSON.stringify({zone, out}));")
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Zone string
		Out  []call
	}
	if err := json.Unmarshal(text, &doc); err != nil || doc.Zone != "example.org" {
		t.Fatal(err, doc.Zone)
	}
	sets := calls(t, doc.Out)
	for _, c := range changes {
		same(t, "dnscontrol", c, sets[resolve.Question{Name: c.Name, Type: c.Type}])
	}
}

// Terraform itself reads the strings, and finds the form well made.
func TestTerraform(t *testing.T) {
	tool, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed; the test's own reader has read the form")
	}
	for _, f := range []string{"terraform-cloudflare", "terraform-route53"} {
		out := write(t, f, plan())
		cmd := exec.Command(tool, "fmt", "-")
		cmd.Stdin, cmd.Dir = strings.NewReader(out), t.TempDir()
		if text, err := cmd.Output(); err != nil || string(text) != out {
			t.Errorf("%s: terraform fmt: %v\n%s\n%s", f, err, text, out)
		}
		var literals, want []string
		for _, l := range stringLiterals(out) {
			literals, want = append(literals, l), append(want, unhcl(t, l))
		}
		cmd = exec.Command(tool, "console")
		cmd.Stdin, cmd.Dir = strings.NewReader("base64encode(jsonencode(["+strings.Join(literals, ",")+"]))\n"), t.TempDir()
		text, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		inner, err := base64.StdEncoding.DecodeString(strings.Trim(strings.TrimSpace(string(text)), `"`))
		if err != nil {
			t.Fatalf("%v: %.300s", err, text)
		}
		if err := json.Unmarshal(inner, &got); err != nil || len(got) != len(want) {
			t.Fatalf("%s: %v", f, err)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: terraform reads %s as %q, want %q", f, literals[i], got[i], want[i])
			}
		}
	}
}
