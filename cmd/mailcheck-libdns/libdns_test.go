package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// provided is a provider under test.
type provided struct {
	name string
	fake func(*testing.T, *fake)
	env  map[string]string
	// odd is how the API shows a text that was entered by hand.
	odd func(string) string
	// lacks are record types that its package cannot carry; quotes tells that it
	// cannot carry a quote in a text.
	lacks  string
	quotes bool
}

const secret = "s3cr3t-t0k3n-of-the-test"

func TestMain(m *testing.M) {
	pause = time.Millisecond
	os.Exit(m.Run())
}

func bare(s string) string   { return s }
func inner(s string) string  { return quote(split(s)) }
func quoted(s string) string { return `"` + s + `"` }

var all = []provided{
	{name: "cloudflare", fake: fakeCloudflare, env: map[string]string{"CLOUDFLARE_API_TOKEN": secret}, odd: bare, lacks: "TLSA"},
	{name: "hetzner", fake: fakeHetzner, env: map[string]string{"HETZNER_API_TOKEN": secret}, odd: quoted},
	{name: "hetzner-dns", fake: fakeHetznerDNS, env: map[string]string{"HETZNER_DNS_API_TOKEN": secret}, odd: quoted},
	{name: "gandi", fake: fakeGandi, env: map[string]string{"GANDI_PAT": secret}, odd: inner},
	{name: "digitalocean", fake: fakeDigitalOcean, env: map[string]string{"DIGITALOCEAN_TOKEN": secret}, odd: bare},
	{name: "porkbun", fake: fakePorkbun, env: map[string]string{"PORKBUN_API_KEY": "pk1_public", "PORKBUN_SECRET_API_KEY": secret}, odd: bare},
	{name: "ovh", fake: fakeOVH, env: map[string]string{"OVH_ENDPOINT": "ovh-eu", "OVH_APPLICATION_KEY": "appkey", "OVH_APPLICATION_SECRET": "appsecret", "OVH_CONSUMER_KEY": secret}, odd: bare, quotes: true},
	{name: "route53", fake: fakeRoute53, env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": secret}, odd: inner},
}

// start gives a provider with a token and a policy at the apex.
func (p provided) start(t *testing.T) *fake {
	t.Helper()
	f := &fake{token: secret}
	f.add(row{name: "@", typ: "TXT", data: p.odd("v=spf1 ip4:192.0.0.0/16 -all"), ttl: 3600})
	f.add(row{name: "@", typ: "TXT", data: p.odd("site-verification=abc"), ttl: 3600})
	f.add(row{name: "www", typ: "A", data: "192.0.2.80", ttl: 3600})
	p.fake(t, f)
	return f
}

// ask runs the command once.
func (p provided) ask(t *testing.T, req request) response {
	t.Helper()
	req.Schema, req.Zone = schema, cmpOr(req.Zone, "example.org")
	in, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{p.name}, streams{bytes.NewReader(in), &out, &errs, func(k string) string { return p.env[k] }})
	if strings.Contains(out.String()+errs.String(), secret) {
		t.Errorf("the secret is shown: %s %s", out.String(), errs.String())
	}
	var r response
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Schema != schema || r.Records == nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if (code != exitOK) != (r.Error != nil) {
		t.Errorf("exit status %d with %+v", code, r.Error)
	}
	return r
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (p provided) get(t *testing.T, name, typ string) []string {
	t.Helper()
	r := p.ask(t, request{Op: "get", Name: name, Type: typ})
	if r.Error != nil {
		t.Fatalf("get %s %s: %+v", name, typ, *r.Error)
	}
	out := []string{}
	for _, d := range r.Records {
		out = append(out, d.Data)
	}
	slices.Sort(out)
	return out
}

func (p provided) set(t *testing.T, name, typ string, old, now []string) *problem {
	t.Helper()
	return p.ask(t, request{Op: "set", Changes: []change{{Name: name, Type: typ, TTL: 3600, Old: old, New: now}}}).Error
}

func kind(p *problem) string {
	if p == nil {
		return ""
	}
	return p.Kind
}

func key2048(c string) string { return quote(split("v=DKIM1; k=rsa; p=" + strings.Repeat(c, 392))) }

func TestProviders(t *testing.T) {
	wide, narrow, token := `"v=spf1 ip4:192.0.0.0/16 -all"`, `"v=spf1 ip4:192.0.2.25 -all"`, `"site-verification=abc"`
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			f := p.start(t)
			if got := p.get(t, "example.org", "TXT"); !slices.Equal(got, []string{token, wide}) {
				t.Fatalf("apex: %q", got)
			}
			if got := p.get(t, "s1._domainkey.example.org", "TXT"); len(got) != 0 {
				t.Errorf("absent: %q", got)
			}
			// A key that needs two strings: new, changed, gone.
			dkim := "s1._domainkey.example.org"
			if e := p.set(t, dkim, "TXT", nil, []string{key2048("A")}); e != nil {
				t.Fatalf("create: %+v", *e)
			}
			if got := p.get(t, dkim, "TXT"); !slices.Equal(got, []string{key2048("A")}) {
				t.Errorf("created: %q", got)
			}
			if e := p.set(t, dkim, "TXT", []string{key2048("A")}, []string{key2048("B")}); e != nil {
				t.Fatalf("update: %+v", *e)
			}
			if e := p.set(t, dkim, "TXT", []string{key2048("B")}, nil); e != nil {
				t.Fatalf("delete: %+v", *e)
			}
			if got := p.get(t, dkim, "TXT"); len(got) != 0 {
				t.Errorf("deleted: %q", got)
			}
			// One of two changes, the other stays; then a third comes, and goes.
			if e := p.set(t, "example.org", "TXT", []string{wide, token}, []string{narrow, token}); e != nil {
				t.Fatalf("sibling: %+v", *e)
			}
			third := `"third"`
			if e := p.set(t, "example.org", "TXT", []string{token, narrow}, []string{narrow, third, token}); e != nil {
				t.Fatalf("third: %+v", *e)
			}
			if got := p.get(t, "example.org", "TXT"); !slices.Equal(got, []string{token, third, narrow}) {
				t.Errorf("three: %q", got)
			}
			if e := p.set(t, "example.org", "TXT", []string{token, narrow, third}, []string{token}); e != nil {
				t.Fatalf("two go: %+v", *e)
			}
			// It is done already: nothing is written.
			f.wrote = nil
			if e := p.set(t, "example.org", "TXT", []string{token, narrow}, []string{token}); e != nil || len(f.wrote) != 0 {
				t.Errorf("done already: %+v, %q", e, f.wrote)
			}
			// Another edit since: nothing is written.
			if e := p.set(t, "example.org", "TXT", []string{wide}, []string{narrow}); kind(e) != stale || len(f.wrote) != 0 || !strings.Contains(e.Message, "site-verification") {
				t.Errorf("stale: %+v, %q", e, f.wrote)
			}
			if e := p.set(t, "example.org", "TXT", []string{narrow}, nil); kind(e) != stale {
				t.Errorf("stale delete: %+v", e)
			}
			if e := p.set(t, "example.org", "TXT", nil, []string{narrow}); kind(e) != stale {
				t.Errorf("stale create: %+v", e)
			}
			// An alias.
			if e := p.set(t, "s2._domainkey.example.org", "CNAME", nil, []string{"s2.Vendor.example."}); e != nil {
				t.Fatalf("alias: %+v", *e)
			}
			if got := p.get(t, "s2._domainkey.example.org", "CNAME"); !slices.Equal(got, []string{"s2.vendor.example."}) {
				t.Errorf("alias: %q", got)
			}
			if e := p.set(t, "s2._domainkey.example.org", "CNAME", []string{"s2.vendor.example."}, []string{"s2.other.example."}); e != nil {
				t.Errorf("alias changed: %+v", *e)
			}
			if got := p.get(t, "www.example.org", "A"); !slices.Equal(got, []string{"192.0.2.80"}) {
				t.Errorf("bystander: %q", got)
			}
		})
	}
}

func TestTexts(t *testing.T) {
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			p.start(t)
			for i, text := range []string{"semi; colon", `back \ slash`, "ümlaut 漢", "a  b ", `say "hi" twice`, strings.Repeat("0123456789", 60)} {
				name := string(rune('a'+i)) + ".example.org"
				e := p.set(t, name, "TXT", nil, []string{quote(split(text))})
				if p.quotes && strings.Contains(text, `"`) {
					if kind(e) != refused {
						t.Errorf("%q: %+v, want a refusal", text, e)
					}
					continue
				}
				if e != nil {
					t.Errorf("%q: %+v", text, *e)
					continue
				}
				if got := p.get(t, name, "TXT"); !same("TXT", got, []string{quote(split(text))}) {
					t.Errorf("%q reads back as %q", text, got)
				}
			}
		})
	}
}

func TestMX(t *testing.T) {
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			p.start(t)
			e := p.set(t, "example.org", "MX", nil, []string{"10 mx1.example.net.", "20 mx2.example.net."})
			if strings.Contains(p.lacks, "MX") {
				if kind(e) != refused {
					t.Errorf("%+v", e)
				}
				return
			}
			if e != nil {
				t.Fatal(*e)
			}
			if got := p.get(t, "example.org", "MX"); !slices.Equal(got, []string{"10 mx1.example.net.", "20 mx2.example.net."}) {
				t.Errorf("%q", got)
			}
			if e := p.set(t, "example.org", "MX", []string{"10 mx1.example.net.", "20 mx2.example.net."}, []string{"10 mx1.example.net.", "20 mx3.example.net."}); e != nil {
				t.Error(*e)
			}
			if got := p.get(t, "example.org", "MX"); !slices.Equal(got, []string{"10 mx1.example.net.", "20 mx3.example.net."}) {
				t.Errorf("%q", got)
			}
		})
	}
}

// What a provider keeps to itself is told: a text that was cut, and a zone or a
// token that is wrong.
func TestFailures(t *testing.T) {
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			f := p.start(t)
			f.cut = true
			e := p.set(t, "s1._domainkey.example.org", "TXT", nil, []string{key2048("C")})
			// Nobody can say that nothing was done: the kind is temporary.
			if kind(e) != temporary || !strings.Contains(e.Message, "has stored") {
				t.Errorf("cut: %+v", e)
			}
			f.cut = false
			for status, want := range map[int]string{403: auth, 429: temporary, 502: temporary} {
				if p.name == "route53" && status != 403 {
					continue // its client tries again, for seconds
				}
				f.status = status
				if e := p.ask(t, request{Op: "get", Name: "example.org", Type: "TXT"}).Error; kind(e) != want {
					t.Errorf("%d: %+v, want %s", status, e, want)
				}
			}
			f.status = 0
			f.token = "other"
			if e := p.ask(t, request{Op: "get", Name: "example.org", Type: "TXT"}).Error; kind(e) != auth {
				t.Errorf("wrong token: %+v", e)
			}
			f.token = secret
			if e := p.ask(t, request{Op: "get", Zone: "other.example", Name: "other.example", Type: "TXT"}).Error; kind(e) != refused {
				t.Errorf("no such zone: %+v", e)
			}
			if e := p.set(t, "example.net", "TXT", nil, []string{`"x"`}); kind(e) != refused {
				t.Errorf("outside: %+v", e)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	ask := func(in string, env map[string]string, args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := run(context.Background(), args, streams{strings.NewReader(in), &out, &errs, func(k string) string { return env[k] }})
		return code, out.String(), errs.String()
	}
	env := map[string]string{"GANDI_PAT": secret}
	for _, c := range []struct {
		name, in string
		env      map[string]string
		kind     string
	}{
		{"no credentials", `{"schema":"mailcheck.exec/1","op":"get","zone":"example.org","name":"example.org","type":"TXT"}`, nil, auth},
		{"no JSON", `x`, env, refused},
		{"another schema", `{"schema":"mailcheck.exec/2"}`, env, refused},
		{"no operation", `{"schema":"mailcheck.exec/1","op":"drop"}`, env, refused},
		{"no change", `{"schema":"mailcheck.exec/1","op":"set","zone":"example.org"}`, env, refused},
		{"a type that is none", `{"schema":"mailcheck.exec/1","op":"get","zone":"example.org","name":"example.org","type":"SOA"}`, env, refused},
		{"a path for a name", `{"schema":"mailcheck.exec/1","op":"get","zone":"example.org","name":"../x.example.org","type":"TXT"}`, env, refused},
		{"bad data", `{"schema":"mailcheck.exec/1","op":"set","zone":"example.org","changes":[{"name":"example.org","type":"TXT","new":["\"x"]}]}`, env, refused},
	} {
		code, out, _ := ask(c.in, c.env, "gandi")
		var r response
		if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitFailed || kind(r.Error) != c.kind {
			t.Errorf("%s: %d %s", c.name, code, out)
		}
	}
	if code, out, errs := ask("", nil, "godaddy"); code != exitUsage || !strings.Contains(out, `"refused"`) || !strings.Contains(errs, "cloudflare") {
		t.Error(code, out, errs)
	}
	if code, _, errs := ask("", nil); code != exitUsage || !strings.Contains(errs, "--help") {
		t.Error(code, errs)
	}
	if code, out, _ := ask("", nil, "--help"); code != exitOK || !strings.Contains(out, "route53") {
		t.Error(code, out)
	}
	for _, p := range providers() {
		code, out, _ := ask("", nil, p.name, "--help")
		if code != exitOK || !strings.Contains(out, p.env[0].names[0]) {
			t.Error(p.name, code, out)
		}
	}
}

// A server that does not answer ends with the time there is.
func TestNoAnswer(t *testing.T) {
	f := &fake{token: secret}
	ctx, cancel := context.WithCancel(context.Background())
	serveAPI(t, f, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the end of the connection is not seen
		cancel()
		<-r.Context().Done()
	})
	var out bytes.Buffer
	in := `{"schema":"mailcheck.exec/1","op":"get","zone":"example.org","name":"example.org","type":"TXT"}`
	code := run(ctx, []string{"porkbun"}, streams{strings.NewReader(in), &out, &out, func(string) string { return secret }})
	if code != exitFailed || !strings.Contains(out.String(), `"temporary"`) {
		t.Error(code, out.String())
	}
}

func TestMXThatCannotBeToldApart(t *testing.T) {
	p := all[0]
	f := p.start(t)
	set := []string{"10 mx1.example.net.", "20 mx2.example.net."}
	if e := p.set(t, "example.org", "MX", nil, set); e != nil {
		t.Fatal(*e)
	}
	f.wrote = nil
	if e := p.set(t, "example.org", "MX", set, []string{"30 mx1.example.net.", "20 mx2.example.net."}); kind(e) != refused || len(f.wrote) > 0 {
		t.Errorf("%+v %q", e, f.wrote)
	}
	if e := p.set(t, "null.example.org", "MX", nil, []string{"0 ."}); kind(e) != refused {
		t.Errorf("%+v", e)
	}
}

func TestRdata(t *testing.T) {
	for _, c := range []struct{ typ, in, origin, want string }{
		{"TXT", `"a" "b"`, "", `"a" "b"`},
		{"TXT", `"a""b"`, "", `"a" "b"`},
		{"TXT", `a b`, "", `"a" "b"`},
		{"TXT", `"\195\164 \" \\ \;"`, "", `"\195\164 \" \\ ;"`},
		{"MX", "010  Mail", "example.org", "10 mail.example.org."},
		{"MX", "0 .", "example.org", "0 ."},
		{"CNAME", "@", "example.org", "example.org."},
		{"CNAME", "x.example.net", "", "x.example.net."},
		{"AAAA", "2001:DB8:0::1", "", "2001:db8::1"},
		{"TLSA", "3 1 1 AB CD", "", "3 1 1 abcd"},
		{"CAA", `0 Issue "ca.example; x"`, "", `0 issue "ca.example; x"`},
		{"SRV", "0 1 25 mail.", "", "0 1 25 mail."},
	} {
		if got, err := canon(c.typ, c.in, c.origin); err != nil || got != c.want {
			t.Errorf("%s %s: %s, %v", c.typ, c.in, got, err)
		}
	}
	for _, c := range [][2]string{{"TXT", `"x`}, {"TXT", `x\`}, {"TXT", `x\25`}, {"TXT", `x\256`}, {"TXT", ""}, {"TXT", `a"b"`}, {"TXT", `"` + strings.Repeat("x", 256) + `"`}, {"MX", "mail"}, {"MX", "65536 mail."}, {"A", "x"}, {"SOA", "x"}, {"CAA", "0 issue"}} {
		if got, err := canon(c[0], c[1], ""); err == nil {
			t.Errorf("%s %q: %q", c[0], c[1], got)
		}
	}
	for in, want := range map[string]string{
		`back \ slash`: `"back \\ slash"`, `a" "b`: `"a\" \"b"`, strings.Repeat("x", 255) + `" "y`: `"` + strings.Repeat("x", 255) + `" "y"`, `"v=spf1 -all"`: `"v=spf1 -all"`,
	} {
		if got := fromRaw(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		`v=spf1 -all`: `"v=spf1 -all"`, `"v=spf1 -all"`: `"v=spf1 -all"`, `a" "b`: `"a" "b"`, `v=DMARC1\; p=none`: `"v=DMARC1; p=none"`,
		`say "hi"`: `"say \"hi\""`, `"a" "b" `: `"a" "b"`,
	} {
		if got := fromMaster(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func FuzzStrings(f *testing.F) {
	f.Add(`"a" "b"`)
	f.Add(`\195\164"`)
	f.Fuzz(func(t *testing.T, s string) {
		list, err := strs(s)
		if err != nil {
			return
		}
		again, err := strs(quote(list))
		if err != nil || !slices.Equal(list, again) {
			t.Errorf("%q: %q, then %q, %v", s, list, again, err)
		}
	})
}

// What mailcheck writes, to the letter.
func TestProtocol(t *testing.T) {
	p := all[3] // gandi
	p.start(t)
	for in, want := range map[string]string{
		`{"schema":"mailcheck.exec/1","op":"get","zone":"example.org","name":"www.example.org","type":"A"}`:                                                                                                   `{"schema":"mailcheck.exec/1","records":[{"ttl":3600,"data":"192.0.2.80"}]}`,
		`{"schema":"mailcheck.exec/1","op":"set","zone":"example.org","changes":[{"verb":"create","name":"_dmarc.example.org","type":"TXT","ttl":3600,"old":[],"new":["\"v=DMARC1; p=none\""],"why":["w"]}]}`: `{"schema":"mailcheck.exec/1","records":[]}`,
		`{"schema":"mailcheck.exec/1","op":"set","zone":"example.org","changes":[{"verb":"delete","name":"www.example.org","type":"A","ttl":3600,"old":["192.0.2.81"],"new":null,"why":null}]}`:               `{"schema":"mailcheck.exec/1","records":[],"error":{"kind":"stale","message":"www.example.org A holds 192.0.2.80"}}`,
	} {
		var out bytes.Buffer
		run(context.Background(), []string{p.name}, streams{strings.NewReader(in + "\n"), &out, &out, func(k string) string { return p.env[k] }})
		if got := strings.TrimSpace(out.String()); got != want {
			t.Errorf("%s\n%s, want\n%s", in, got, want)
		}
	}
}

// A secret at the place where a long message is cut is not shown in part.
func TestSecretAtTheCut(t *testing.T) {
	var out bytes.Buffer
	answer(&out, response{Error: &problem{refused, strings.Repeat("x", maxMessage-10) + secret}}, []string{secret})
	if strings.Contains(out.String(), secret[:6]) {
		t.Error(out.String())
	}
}
