package dmarc

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// identifiers reads "from a,b spf c=pass dkim d=pass dkim e=fail".
func identifiers(s string) Identifiers {
	var ids Identifiers
	f := strings.Fields(s)
	for i := 0; i+1 < len(f); i += 2 {
		name, result, _ := strings.Cut(f[i+1], "=")
		switch f[i] {
		case "from":
			for n := range strings.SplitSeq(name, ",") {
				ids.From = append(ids.From, resolve.MustName(n))
			}
		case "spf":
			ids.SPF = Identifier{resolve.MustName(name), result}
		case "dkim":
			ids.DKIM = append(ids.DKIM, Identifier{resolve.MustName(name), result})
		}
	}
	return ids
}

func TestEvaluate(t *testing.T) {
	const (
		ex     = "example.com v=DMARC1; p=reject"
		strict = "example.com v=DMARC1; p=reject; adkim=s; aspf=s"
		bank   = "bank.example v=DMARC1; p=none; psd=y\ngiant.bank.example v=DMARC1; p=reject"
	)
	tests := []struct{ section, zone, message, now, old string }{
		// Section 4.4: identifiers and their alignment.
		{"5.3.5", ex, "from example.com spf example.com=pass", "pass", "pass"},
		{"5.3.5", ex, "from example.com dkim example.com=pass", "pass", "pass"},
		{"5.3.5", ex, "from example.com spf example.net=pass dkim example.com=pass", "pass", "pass"},
		{"5.3.5", ex, "from example.com spf example.com=fail dkim example.net=pass dkim mail.example.com=pass", "pass", "pass"},
		{"5.3.5", ex, "from example.com", "fail reject", "fail reject"},
		{"5.3.5", ex, "from example.com spf example.com=softfail dkim example.com=fail", "fail reject", "fail reject"},
		{"5.3.5", ex, "from example.com spf example.com=permerror", "fail reject", "fail reject"},
		{"5.3.5", ex, "from example.com spf example.com=neutral dkim example.com=policy", "fail reject", "fail reject"},
		{"5.3.5", ex, "from example.com spf example.net=pass dkim example.org=pass", "fail reject", "fail reject"},
		{"4.4", ex, "from example.com,EXAMPLE.com spf Example.COM=Pass", "pass", "pass"},
		{"4.4.1", ex, "from example.com dkim mail.example.com=pass", "pass", "pass"},
		{"4.4.1", strict, "from example.com dkim mail.example.com=pass", "fail reject", "fail reject"},
		{"4.4.1", strict, "from example.com dkim example.com=pass", "pass", "pass"},
		{"4.4.2", strict, "from example.com spf mail.example.com=pass", "fail reject", "fail reject"},
		{"4.4.2", "example.com v=DMARC1; p=reject; aspf=s", "from example.com spf mail.example.com=pass dkim b.example.com=pass", "pass", "pass"},
		{"4.4.1", "example.com v=DMARC1; p=reject; adkim=strict", "from example.com dkim mail.example.com=pass", "pass", "pass"},
		{"4.4", ex, "from mail.example.com spf bounce.example.com=pass", "pass", "pass"},
		{"4.4", ex + "; adkim=s; aspf=s", "from mail.example.com spf example.com=pass", "fail reject", "fail reject"},
		{"4.4", ex, "from example.com dkim com=pass", "fail reject", "fail reject"},
		{"4.4", ex, "from example.com dkim notexample.com=pass", "fail reject", "fail reject"},

		// Section 4.10.2 and Appendix B.4: the tree walk decides.
		{"App. B.4", bank, "from giant.bank.example spf mail.giant.bank.example=pass", "pass", "pass"},
		{"App. B.4", bank, "from giant.bank.example dkim mail.mega.bank.example=pass", "fail reject", "pass"},
		{"4.10.2", "a.example.com v=DMARC1; p=reject; psd=n\nexample.com v=DMARC1; p=none", "from a.example.com dkim example.com=pass", "fail reject", "pass"},
		{"4.10.2", "com v=DMARC1; p=none\n" + ex, "from example.com dkim example.net=pass", "fail reject", "fail reject"},
		{"4.10.2", "com v=DMARC1; p=none\n" + ex, "from example.com dkim other.com=pass", "pass", "fail reject"},
		{"4.10.2", "example.com v=DMARC1; p=reject; psd=y", "from example.com dkim mail.example.com=pass", "fail reject", "pass"},
		{"4.10.2", "sub.example.com v=DMARC1; p=reject", "from sub.example.com dkim example.com=pass", "fail reject", "pass"},

		// Policies.
		{"5.3", "", "from example.com spf example.com=pass", "none", "none"},
		{"4.7", "example.com v=DMARC1; p=none", "from example.com", "fail none", "fail none"},
		{"4.7", "example.com v=DMARC1; p=reject; t=y", "from example.com", "fail quarantine", "fail reject"},
		{"4.7", "example.com v=DMARC1; p=quarantine; t=y", "from example.com", "fail none", "fail quarantine"},
		{"App. A.6", "example.com v=DMARC1; p=quarantine; pct=20", "from example.com", "fail quarantine", "fail quarantine 20%"},
		{"4.10.1", "example.com v=DMARC1; p=reject; sp=none; np=quarantine", "from x.example.com", "fail quarantine", "fail none"},
		{"4.10.1", "example.com v=DMARC1; p=bogus", "from example.com spf example.com=pass", "permerror", "permerror"},
		{"4.10.1", "example.com v=DMARC1; p=bogus; rua=mailto:a@example.com", "from example.com", "fail none", "fail none"},
		{"4.10", ex + "\n" + ex + "; x=1", "from example.com spf example.com=pass", "none", "none"},

		// Section 5.3.6: failures.
		{"5.3.6", "! example.com", "from example.com spf example.com=pass", "temperror", "temperror"},
		{"5.3.6", ex, "from example.com spf example.com=temperror", "temperror", "temperror"},
		{"5.3.6", ex, "from example.com spf example.net=temperror", "fail reject", "fail reject"},
		{"5.3.6", ex, "from example.com spf example.com=temperror dkim example.com=pass", "pass", "pass"},
		{"5.3.6", ex, "from example.com dkim a.example.com=temperror", "temperror", "temperror"},
		{"5.3.6", strict, "from example.com dkim a.example.com=temperror", "fail reject", "fail reject"},
		{"5.3.6", "! com\n" + ex, "from example.com spf example.com=pass", "pass", "pass"},
		{"5.3.6", "! com\n" + ex, "from example.com spf a.example.com=pass", "temperror", "pass"},
		{"5.3.6", "! com\n" + ex, "from example.com spf example.net=pass", "fail reject", "fail reject"},
		{"5.3.6", "! a.example.com\n" + ex, "from example.com spf a.example.com=pass", "temperror", "pass"},
		{"5.3.6", "! a.example.com\n" + ex, "from example.com spf a.example.com=fail", "fail reject", "fail reject"},
		{"5.3.6", "! a.example.com\n" + strict, "from example.com spf a.example.com=pass", "fail reject", "fail reject"},

		// Section 5.3.1: Author Domains.
		{"5.3.1", ex, "spf example.com=pass", "permerror", "permerror"},
		{"11.5", ex + "\nexample.net v=DMARC1; p=none", "from example.com,example.net spf example.net=pass", "permerror reject", "permerror reject"},
		{"11.5", ex + "\nexample.net v=DMARC1; p=quarantine", "from example.com,example.net spf example.com=pass", "permerror quarantine", "permerror quarantine"},
		{"11.5", ex + "\nexample.com v=DMARC1; p=none", "from example.com,example.net,a.example,b.example,c.example,d.example", "permerror", "permerror"},
	}
	show := func(v Verdict) string {
		s := string(v.Result)
		if v.Result == ResultFail || v.Disposition != None {
			s += " " + string(v.Disposition)
		}
		if v.Percent != 100 {
			s += fmt.Sprintf(" %d%%", v.Percent)
		}
		return s
	}
	for _, tt := range tests {
		ids := identifiers(tt.message)
		domain := resolve.MustName("example.com")
		if len(ids.From) > 0 {
			domain = ids.From[0]
		}
		z := zone(tt.zone)
		d := Discover(t.Context(), z, domain, Options{})
		e := Evaluate(t.Context(), z, ids, d)
		if got := show(e.Now); got != tt.now {
			t.Errorf("%s: %s (Section %s)\n got %s: %s\nwant %s", tt.zone, tt.message, tt.section, got, e.Now.Why, tt.now)
		}
		if got := show(e.Legacy); got != tt.old {
			t.Errorf("%s: %s (RFC 7489)\n got %s: %s\nwant %s", tt.zone, tt.message, got, e.Legacy.Why, tt.old)
		}
		for _, v := range []Verdict{e.Now, e.Legacy} {
			if v.Why == "" {
				t.Errorf("%s: no words", tt.message)
			}
			for _, a := range v.Alignments {
				if a.Why == "" || (a.State == resolve.Unavailable) != (a.Err != nil) {
					t.Errorf("%s: alignment %+v", tt.message, a)
				}
			}
		}
	}
}

func TestEvaluateEconomy(t *testing.T) {
	// An identifier outside the organizational domain needs no walk, and a name is
	// asked once.
	z := zone("example.com v=DMARC1; p=reject")
	d := Discover(t.Context(), z, resolve.MustName("example.com"), Options{})
	var rec recorder
	ids := identifiers("from example.com spf a.b.c.example.net=pass dkim other.com=pass dkim example.com=pass dkim a.example.com=fail")
	Evaluate(t.Context(), rec.around(z), ids, d)
	if len(rec.names) != 0 {
		t.Errorf("asked %q", rec.names)
	}
	ids = identifiers("from example.com spf a.example.com=pass dkim a.example.com=pass dkim b.a.example.com=pass")
	Evaluate(t.Context(), rec.around(z), ids, d)
	if len(rec.names) != 2 {
		t.Errorf("asked %q", rec.names)
	}
}

func TestEvaluateManySignatures(t *testing.T) {
	z := zone("example.com v=DMARC1; p=reject")
	d := Discover(t.Context(), z, resolve.MustName("example.com"), Options{})
	ids := Identifiers{From: []resolve.Name{resolve.MustName("example.com")}}
	for i := range 2000 {
		ids.DKIM = append(ids.DKIM, Identifier{resolve.MustName(fmt.Sprintf("s%d.example.net", i)), "pass"})
	}
	e := Evaluate(context.Background(), z, ids, d)
	if e.Now.Result != ResultTempError || len(e.Now.Alignments) > maxSignatures+1 {
		t.Errorf("%s with %d alignments", e.Now.Result, len(e.Now.Alignments))
	}
}
