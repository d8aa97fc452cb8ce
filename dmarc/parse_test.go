package dmarc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// kinds lists the problems as "kind tag>suggestion", in the order of the text.
func kinds(r Record) []string {
	var out []string
	for _, p := range r.Problems {
		s := string(p.Kind)
		if p.Tag != "" {
			s += " " + p.Tag
		}
		if p.Suggestion != "" {
			s += ">" + p.Suggestion
		}
		out = append(out, s)
	}
	return out
}

func TestParseProblems(t *testing.T) {
	tests := []struct {
		section string // RFC 9989 unless said
		text    string
		want    []string
	}{
		{"4.8", "v=DMARC1; p=none", nil},
		{"4.8", "v=DMARC1;p=none;", nil},
		{"4.8", "v = DMARC1 ; p = none ; ", nil},
		{"4.8", "v=DMARC1\t;\tp=none", nil},
		{"4.8", "v=DMARC1; p=REJECT; sp=Quarantine; adkim=S; t=Y", nil},
		{"4.7", "v=DMARC1", []string{"policy-missing"}},
		{"4.7", "v=DMARC1;", []string{"policy-missing"}},
		{"4.7", "v=DMARC1; p=reject; np=reject; psd=n; t=n", nil},
		{"4.7", "v=dmarc1; p=none", []string{"version-case v>v=DMARC1; p=none"}},
		{"4.7", "v=DMARC2; p=none", []string{"version-invalid v>v=DMARC1; p=none"}},
		{"4.7", "v=spf1 -all", []string{"version-invalid v"}},
		{"4.7", " v=dmarc1", []string{"version-case v>v=DMARC1"}},
		{"4.7", "v=DMARC1 p=none", []string{"version-invalid v>v=DMARC1; p=none"}},
		{"4.7", `v=DMARC1\; p=none\;`, []string{"version-invalid v>v=DMARC1; p=none;", `policy-invalid p>none`}},
		{"4.7", "p=none; v=DMARC1", []string{"version-not-first v>v=DMARC1; p=none"}},
		{"4.7", "p=none; rua=mailto:a@example.com", []string{"version-missing>v=DMARC1; p=none; rua=mailto:a@example.com"}},
		{"4.7", "", []string{"version-missing"}},
		{"4.7", "  ", []string{"version-missing"}},
		{"4.7", "hello", []string{"version-missing", "junk"}},
		{"4.8", " v=DMARC1; p=none", []string{"leading-text>v=DMARC1; p=none"}},
		{"4.8", ";v=DMARC1; p=none", []string{"leading-text>v=DMARC1; p=none"}},
		{"4.8", `"v=DMARC1; p=none"`, []string{"quoted>v=DMARC1; p=none"}},
		{"4.8", `\"v=DMARC1; p=none\"`, []string{"quoted>v=DMARC1; p=none"}},
		{"4.8", "\u201cv=DMARC1; p=none\u201d", []string{"quoted>v=DMARC1; p=none"}},
		{"4.8", "text = v=DMARC1; p=none", []string{"leading-text>v=DMARC1; p=none"}},
		{"4.8", "V=DMARC1; p=none", []string{"tag-case V>v"}},

		{"4.7", "v=DMARC1; p=nonee", []string{"policy-invalid p>none"}},
		{"4.7", "v=DMARC1; p=quarentine", []string{"policy-invalid p>quarantine"}},
		{"4.7", "v=DMARC1; p=rejected", []string{"policy-invalid p>reject"}},
		{"4.7", "v=DMARC1; p=monitor", []string{"policy-invalid p>none"}},
		{"4.7", "v=DMARC1; p=xyz", []string{"policy-invalid p"}},
		{"4.7", "v=DMARC1; p=none rua=mailto:a@example.com", []string{"policy-invalid p>none; rua=mailto:a@example.com"}},
		{"4.7", "v=DMARC1; p=none, sp=none", []string{"policy-invalid p>none; sp=none"}},
		{"4.7", "v=DMARC1; p=reject; sp=rejct; np=quarantin", []string{"policy-invalid sp>reject", "policy-invalid np>quarantine"}},
		{"4.8", "v=DMARC1; p=", []string{"empty-value p"}},
		{"4.8", "v=DMARC1; p=none; rua=;", []string{"empty-value rua"}},
		{"4.7", "v=DMARC1; P=none", []string{"tag-case P>p", "policy-missing>p=none"}},
		{"App. C", "v=DMARC1; sp=none; p=none", []string{"policy-not-second p"}},

		{"4.7", "v=DMARC1; p=none; adkim=strict; aspf=relaxed", []string{"option-invalid adkim>s", "option-invalid aspf>r"}},
		{"4.7", "v=DMARC1; p=none; t=yes; psd=maybe", []string{"option-invalid t>y", "option-invalid psd"}},
		{"4.8", "v=DMARC1; p=none; fo=0:1", []string{"option-invalid fo>1"}},
		{"4.8", "v=DMARC1; p=none; fo=1:d:s", nil},
		{"4.8", "v=DMARC1; p=none; fo=d:1:s", nil},
		{"4.8", "v=DMARC1; p=none; fo=d:d", []string{"option-invalid fo>d"}},
		{"4.8", "v=DMARC1; p=none; fo=1, d", []string{"option-invalid fo>1:d"}},
		{"4.8", "v=DMARC1; p=none; fo=1 : s", []string{"option-invalid fo>1:s"}},
		{"4.8", "v=DMARC1; p=none; fo=x", []string{"option-invalid fo"}},

		{"9.3", "v=DMARC1; p=none; pct=100; rf=afrf; ri=86400", []string{"removed-tag pct", "removed-tag rf", "removed-tag ri"}},
		{"9.3", "v=DMARC1; p=none; pct=half", []string{"removed-tag pct", "option-invalid pct"}},
		{"9.3", "v=DMARC1; p=none; pct=101", []string{"removed-tag pct", "option-invalid pct"}},
		{"RFC 6376, 3.2", "v=DMARC1; p=none; p=reject", []string{"duplicate-tag p"}},
		{"RFC 6376, 3.2", "v=DMARC1; p=none; v=DMARC1", []string{"duplicate-tag v"}},
		{"4.7", "v=DMARC1; p=none; apsf=r; rua_=mailto:a@example.com; x=1", []string{"unknown-tag apsf>aspf", "unknown-tag rua_>rua", "unknown-tag x"}},
		{"4.7", "v=DMARC1; p=none; mailto:rua=a@example.com", []string{"unknown-tag mailto:rua>rua=mailto:a@example.com"}},
		{"4.8", "v=DMARC1; p=none; hello", []string{"junk"}},
		{"4.8", "v=DMARC1;; p=none;;", []string{"junk", "junk"}},
		{"4.8", "v=DMARC1; p:none", []string{"junk>p=none", "policy-missing"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:a@example.com; b@example.com", []string{"junk>rua=mailto:a@example.com,mailto:b@example.com"}},
		{"4.8", "v=DMARC1; p=none; =x", []string{"junk"}},
		{"4.8", "v=DMARC1; p=none\u00a0", []string{"policy-invalid p>none", "bad-character p"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:a\x00@example.com", []string{"uri-invalid rua", "bad-character rua"}},

		{"4.8", "v=DMARC1; p=none; rua=a@example.com", []string{"uri-invalid rua>mailto:a@example.com"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:a@example.com mailto:b@example.com", []string{"uri-invalid rua>mailto:a@example.com,mailto:b@example.com"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto: a@example.com", []string{"uri-invalid rua>mailto:a@example.com"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:a@example.com,b@example.com", []string{"uri-invalid rua>mailto:b@example.com"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:a@example.com,", []string{"uri-invalid rua"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:a@example.com!10m", []string{"uri-size rua>mailto:a@example.com"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:a!b@example.com", []string{"uri-invalid rua>mailto:a%21b@example.com"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:a@example.com!10mb", []string{"uri-invalid rua>mailto:a@example.com"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:", []string{"uri-invalid rua"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:@example.com", []string{"uri-invalid rua"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:a@", []string{"uri-invalid rua"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:a@[192.0.2.1]", []string{"uri-invalid rua"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto://a@example.com", []string{"uri-invalid rua>mailto:a@example.com"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:<a@example.com>", []string{"uri-invalid rua>mailto:a@example.com"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto=a@example.com", []string{"uri-invalid rua>mailto:a@example.com"}},
		{"4.8", "v=DMARC1; p=none; rua=mailto:a@gov,ruf=mailto:b@gpo.gov", []string{"uri-invalid rua>ruf=mailto:b@gpo.gov"}},
		{"4.7", "v=DMARC1; p=none; rua=https://example.com/r", []string{"uri-scheme rua"}},
		{"4.7", "v=DMARC1; p=none; rua=https:", []string{"uri-invalid rua"}},
		{"4.7", "v=DMARC1; p=none; rua=maito:a@example.com", []string{"uri-scheme rua>mailto:a@example.com"}},
		{"4.7", "v=DMARC1; p=none; rua=MAILTO:a@example.com?subject=x", nil},
		{"4.8", "v=DMARC1; p=none; ruf=mailto:a%@example.com", []string{"uri-invalid ruf"}},
	}
	for _, tt := range tests {
		r, err := Parse(tt.text)
		if r.String() != tt.text {
			t.Errorf("%q prints as %q", tt.text, r)
		}
		got := kinds(r)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s (Section %s)\n got %q\nwant %q", tt.text, tt.section, got, tt.want)
		}
		if (err != nil) != r.Has(VersionMissing, VersionInvalid, VersionCase, VersionNotFirst, LeadingText, Quoted) {
			t.Errorf("%q: error %v with problems %q", tt.text, err, got)
		}
		if err != nil && !errors.Is(err, ErrNotDMARC) {
			t.Errorf("%q: error %v is not ErrNotDMARC", tt.text, err)
		}
	}
}

func TestParseFields(t *testing.T) {
	const text = "v=DMARC1; p=Quarantine; sp=reject; np=none;adkim=s ; aspf=s; t=y; psd=n; fo=1:d; " +
		"rua=mailto:A@Example.COM!5m , mailto:x%2Cy@example.net,https://example.org:8443/r; ruf=b@example.com; pct=20; zz=top"
	r, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(r.P, r.SP, r.NP, r.StrictDKIM, r.StrictSPF, r.Testing, r.PSD, r.FO, r.Percent)
	if want := fmt.Sprint(Quarantine, Reject, None, true, true, true, "n", "1:d", 20); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := []URI{
		{Text: "mailto:A@Example.COM", Valid: true, Scheme: "mailto", Address: "A@example.com", Host: "example.com", Size: "5m"},
		{Text: "mailto:x%2Cy@example.net", Valid: true, Scheme: "mailto", Address: "x,y@example.net", Host: "example.net"},
		{Text: "https://example.org:8443/r", Valid: true, Scheme: "https", Host: "example.org"},
	}
	for i, u := range r.RUA {
		if !strings.HasPrefix(text[u.Offset:], u.Text) {
			t.Errorf("offset %d is not at %s", u.Offset, u.Text)
		}
		u.Offset = 0
		if u != want[i] {
			t.Errorf("got %+v, want %+v", u, want[i])
		}
	}
	if len(r.RUA) != 3 || len(r.RUF) != 1 || r.RUF[0].Valid {
		t.Errorf("got %+v and %+v", r.RUA, r.RUF)
	}
	for _, tag := range r.Tags {
		if !strings.HasPrefix(text[tag.Offset:], tag.Name) || !strings.HasPrefix(text[tag.valueOffset():], tag.Value) {
			t.Errorf("wrong offsets of %+v", tag)
		}
	}
	if tag, found := r.Tag("zz"); !found || tag.Value != "top" {
		t.Error("unknown tag is lost")
	}
}

func TestParseDefaults(t *testing.T) {
	// RFC 9989, Section 4.8: the default replaces what is not valid.
	r, _ := Parse("v=DMARC1; p=reject; adkim=strict; aspf=x; fo=9; t=1; psd=?; pct=1000")
	if r.StrictDKIM || r.StrictSPF || r.Testing || r.FO != "0" || r.PSD != "u" || r.Percent != 100 || r.P != Reject {
		t.Errorf("got %+v", r)
	}
}

func TestParseLimits(t *testing.T) {
	tests := map[string]string{
		"too long":      "v=DMARC1; p=none; " + strings.Repeat("x", maxRecord),
		"many tags":     "v=DMARC1; p=none" + strings.Repeat(";a=b", maxRecord/4-8),
		"many blanks":   "v=DMARC1; p=none" + strings.Repeat(";", maxRecord-20),
		"many junk":     "v=DMARC1; p=none" + strings.Repeat(";a", maxRecord/2-20),
		"many URIs":     "v=DMARC1; p=none; rua=" + strings.Repeat("mailto:a@b.example,", 3000),
		"many commas":   "v=DMARC1; p=none; rua=" + strings.Repeat(",", 60000),
		"many spaces":   "v=DMARC1; p=none; rua=" + strings.Repeat("a ", 30000),
		"many versions": strings.Repeat("v=DMARC1 ", 7000),
		"one value":     "v=DMARC1; p=" + strings.Repeat("n", 60000),
		"one name":      "v=DMARC1; " + strings.Repeat("n", 60000) + "=x",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := Parse(text)
			if len(r.Problems) > 4*maxTags || len(r.Tags) > maxTags || len(r.RUA) > maxURIs {
				t.Errorf("%d problems, %d tags, %d URIs", len(r.Problems), len(r.Tags), len(r.RUA))
			}
			for _, p := range r.Problems {
				if len(p.Message) > 600 {
					t.Errorf("message of %d octets", len(p.Message))
				}
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("error of %d octets", len(err.Error()))
			}
			if len(r.String()) > maxRecord {
				t.Errorf("keeps %d octets", len(r.String()))
			}
			Classify(text)
			r.Effect()
		})
	}
}

func TestClassify(t *testing.T) {
	tests := []struct {
		text string
		want Class
	}{
		{"v=DMARC1; p=none", ClassRecord},
		{"v=DMARC1", ClassRecord},
		{"v = DMARC1 ;p=none", ClassRecord},
		{"v=DMARC1;", ClassRecord},
		{"v=dmarc1; p=none", ClassCase},
		{"v=Dmarc1", ClassCase},
		{" v=DMARC1; p=none", ClassLeading},
		{"[x_v=DMARC1;p=none]", ClassLeading},
		{"p=none; v=DMARC1", ClassLeading},
		{`_dmarc.example.gov text = "v=DMARC1; p=none"`, ClassLeading},
		{`"v=DMARC1; p=none"`, ClassQuoted},
		{`"v=DMARC1; p=none`, ClassQuoted},
		{"'v=DMARC1'", ClassQuoted},
		{"rua=mailto:reports@example.com;ruf=mailto:reports@example.com;", ClassTags},
		{"p=reject", ClassTags},
		{"v=DMARC1 p=none", ClassTags},
		{"v=DMARC2; p=none", ClassTags},
		{"v=spf1 -all", ClassSPF},
		{"V=SPF1", ClassSPF},
		{"v = spf1 -all", ClassSPF},
		{"v = spf10 -all", ClassOther},
		{"spf2.0/pra -all", ClassSPF},
		{"v=spf10 -all", ClassOther},
		{"v=DKIM1; k=rsa; p=MIGf", ClassDKIM},
		{"k=rsa; p=MIGf", ClassDKIM},
		{"", ClassBlank},
		{" \t", ClassBlank},
		{"google-site-verification=abc", ClassOther},
		{"wildcard-placeholder", ClassOther},
		{"9c8nN6Ta", ClassOther},
		{"xv=DMARC1", ClassOther},
		{"v=STSv1; id=1", ClassOther},
	}
	for _, tt := range tests {
		if got := Classify(tt.text); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestEffect(t *testing.T) {
	const rua = "; rua=mailto:a@example.com"
	off, gone := "off none none none 100", "no DMARC"
	tests := []struct{ section, text, now, old string }{
		{"4.7", "v=DMARC1; p=reject", "reject reject reject 100", "reject reject reject 100"},
		{"4.7", "v=DMARC1; p=reject; sp=none", "reject none none 100", "reject none none 100"},
		{"4.7", "v=DMARC1; p=reject; sp=quarantine; np=none", "reject quarantine none 100", "reject quarantine quarantine 100"},
		{"4.7", "v=DMARC1; p=none; np=reject", "none none reject 100", "none none none 100"},
		{"4.7", "v=DMARC1; p=reject; t=y", "testing quarantine quarantine quarantine 100", "reject reject reject 100"},
		{"4.7", "v=DMARC1; p=quarantine; sp=reject; np=none; t=y", "testing none quarantine none 100", "quarantine reject reject 100"},
		{"4.7", "v=DMARC1; p=none; t=y", "testing none none none 100", "none none none 100"},
		{"App. A.6", "v=DMARC1; p=quarantine; pct=20", "quarantine quarantine quarantine 100", "quarantine quarantine quarantine 20"},
		{"App. A.6", "v=DMARC1; p=reject; pct=0; t=y", "testing quarantine quarantine quarantine 100", "quarantine quarantine quarantine 100"},
		{"4.10.1", "v=DMARC1; p=nonee" + rua, off, off},
		{"4.10.1", "v=DMARC1; p=nonee", gone, gone},
		{"4.10.1", "v=DMARC1; p=reject; sp=quarentine" + rua, off, off},
		{"4.10.1", "v=DMARC1; p=reject; sp=quarentine", gone, gone},
		{"4.10.1", "v=DMARC1; p=reject; np=quarentine" + rua, off, "reject reject reject 100"},
		{"4.10.1", "v=DMARC1; p=reject; np=quarentine", gone, "reject reject reject 100"},
		{"4.10.1", "v=DMARC1; p=reject; sp=x; rua=a@example.com", gone, gone},
		{"4.10.1", "v=DMARC1; p=reject; sp=x; rua=a@example.com,mailto:b@example.com", off, off},
		{"4.10.1", "v=DMARC1; p=reject; sp=x; rua=https://example.com/", off, off},
		{"4.8", "v=DMARC1; p=" + rua, off, off},
		{"4.7", "v=DMARC1" + rua, off, "disputed " + off},
		{"4.7", "v=DMARC1", "disputed " + off, "disputed " + off},
		{"RFC 6376, 3.2", "v=DMARC1; p=none; p=reject", "disputed none none none 100", "disputed none none none 100"},
		{"4.7", "v=DMARC1; P=reject" + rua, "disputed " + off, "disputed " + off},
		{"App. C", "v=DMARC1; sp=none; p=reject", "reject none none 100", "disputed reject none none 100"},
		{"4.7", "v=dmarc1; p=reject", gone, gone},
		{"4.7", "p=reject", gone, gone},
	}
	show := func(e Effect) string {
		var s []string
		if !e.Applies {
			return gone
		}
		for _, f := range []struct {
			on   bool
			word string
		}{{e.Disputed, "disputed"}, {e.Off, "off"}, {e.Testing, "testing"}} {
			if f.on {
				s = append(s, f.word)
			}
		}
		return strings.Join(append(s, string(e.P), string(e.SP), string(e.NP), fmt.Sprint(e.Percent)), " ")
	}
	for _, tt := range tests {
		r, _ := Parse(tt.text)
		if got := show(r.Effect()); got != tt.now {
			t.Errorf("%s (Section %s) RFC 9989: got %s, want %s", tt.text, tt.section, got, tt.now)
		}
		if got := show(r.EffectRFC7489()); got != tt.old {
			t.Errorf("%s (Section %s) RFC 7489: got %s, want %s", tt.text, tt.section, got, tt.old)
		}
		if r.Effect().Why == "" || r.EffectRFC7489().Why == "" {
			t.Errorf("%s: no words", tt.text)
		}
	}
}

func TestEnforces(t *testing.T) {
	// RFC 9989, Section 3.2.9.
	for text, want := range map[string]bool{
		"v=DMARC1; p=quarantine": true, "v=DMARC1; p=reject; sp=none": false, "v=DMARC1; p=none; sp=reject": false,
		"v=DMARC1; p=reject; np=none": false, "v=DMARC1; p=quarantine; t=y": false, "v=DMARC1; p=reject; t=y": true, "v=DMARC1; p=bogus": false,
	} {
		r, _ := Parse(text)
		if got := r.Effect().Enforces(); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"v=DMARC1; p=none", "v = DMARC1 ;p=reject;;rua=mailto:a@b.example!10m , x;", "\"v=DMARC1\"", ";=;v=DMARC1",
		"v=dmarc1;P=none", " v=DMARC1", "p=none;v=DMARC1", "v=DMARC1\\; p", "v=DMARC1;rua=;rua=\x80,!", "\u201cv=DMARC1\u201d", "v=DMARC1;\u212a=dmarc1", ";v=DMARC1;pA", ";v=DMARC1;\x81;0", ";;v=dmarc1", "\"\"v=DMARC1", "''v=DMARC1 v=DMARC1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if r.String() != text {
			t.Fatalf("%q prints as %q", text, r)
		}
		if (err == nil) != (Classify(text) == ClassRecord) {
			t.Fatalf("%q: error %v, class %s", text, err, Classify(text))
		}
		for _, tag := range r.Tags {
			if text[tag.start:tag.start+len(tag.Raw)] != tag.Raw || !strings.HasPrefix(text[tag.Offset:], tag.label()) || !strings.HasPrefix(text[tag.valueOffset():], tag.Value) {
				t.Fatalf("%q: wrong offsets of %+v", text, tag)
			}
		}
		for _, p := range r.Problems {
			if p.Offset < 0 || p.Offset > len(text) || p.Message == "" || p.Kind == "" {
				t.Fatalf("%q: problem %+v", text, p)
			}
			for _, c := range p.String() {
				if c < ' ' || c == 0x7f {
					t.Fatalf("%q: unsafe message %q", text, p)
				}
			}
		}
		again, _ := Parse(r.String())
		if fmt.Sprint(again) != fmt.Sprint(r) {
			t.Fatalf("%q: reads differently again", text)
		}
		e := r.Effect()
		if e.Applies && (err != nil || e.P == "" || e.SP == "" || e.NP == "") {
			t.Fatalf("%q: effect %+v", text, e)
		}
	})
}
