package providers

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

func name(s string) resolve.Name { return resolve.MustName(s) }

// TestCatalogue holds every row to the rules of the schema.
func TestCatalogue(t *testing.T) {
	d := json.NewDecoder(strings.NewReader(string(embedded)))
	d.DisallowUnknownFields()
	var strict struct {
		Version   int
		Reviewed  string
		Providers []Provider
	}
	if err := d.Decode(&strict); err != nil {
		t.Fatalf("strict reading: %v", err)
	}
	if _, err := time.Parse(time.DateOnly, Reviewed()); err != nil {
		t.Errorf("reviewed: %v", err)
	}
	rows := All()
	if len(rows) < 130 {
		t.Fatalf("only %d rows", len(rows))
	}
	kinds := []Kind{Mailbox, Hosting, Gateway, Forwarder, Transactional, Marketing, CRM, Helpdesk}
	alignments := []Alignment{"", Possible, Impossible, WithCustomReturn}
	ids := make(map[string]bool)
	for _, p := range rows {
		t.Run(p.ID, func(t *testing.T) {
			if !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(p.ID) || ids[p.ID] {
				t.Errorf("ID %q is malformed or used twice", p.ID)
			}
			ids[p.ID] = true
			if p.Name == "" || p.Source == "" {
				t.Error("no name or no source")
			}
			if !slices.Contains(kinds, p.Kind) || !slices.Contains(alignments, p.AlignedSPF) || !slices.Contains(alignments, p.AlignedDKIM) {
				t.Errorf("unknown word in %q %q %q", p.Kind, p.AlignedSPF, p.AlignedDKIM)
			}
			if p.Confidence != High && p.Confidence != Medium {
				t.Errorf("confidence %q", p.Confidence)
			}
			if v, ok := ByID(p.Via); p.Via != "" && (!ok || v.Via != "") {
				t.Errorf("via %q is no provider of its own", p.Via)
			}
			if len(p.Includes)+len(p.IncludePatterns)+len(p.Mechanisms)+len(p.MX)+len(p.Selectors)+len(p.Targets)+len(p.ReturnPaths)+len(p.PTR) == 0 {
				t.Error("nothing to match")
			}
			checkNames(t, p)
			checkSelectors(t, p)
		})
	}
}

func checkNames(t *testing.T, p Provider) {
	for _, list := range [][]resolve.Name{p.Includes, p.MX, p.Targets, p.ReturnPaths, p.PTR} {
		for i, n := range list {
			if n.NumLabels() < 2 {
				t.Errorf("%s would match a whole top-level domain", n)
			}
			if _, err := resolve.ParseName(n.String()); err != nil {
				t.Error(err)
			}
			if slices.Contains(list[:i], n) {
				t.Errorf("%s is listed twice", n)
			}
		}
	}
	for _, ip := range p.IncludePatterns {
		re, err := regexp.Compile(ip.Pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.HasPrefix(ip.Pattern, "^") || !strings.HasSuffix(ip.Pattern, "$") {
			t.Errorf("pattern %q is not anchored", ip.Pattern)
		}
		if !strings.HasSuffix(ip.Pattern, regexp.QuoteMeta("."+ip.Suffix.String())+"$") {
			t.Errorf("pattern %q does not end in %s", re, ip.Suffix)
		}
	}
}

func checkSelectors(t *testing.T, p Provider) {
	for _, s := range p.Selectors {
		if (s.Name == "") == (s.Pattern == "") {
			t.Errorf("selector needs a name or a pattern: %+v", s)
		}
		if _, err := regexp.Compile(s.Pattern); err != nil {
			t.Error(err)
		}
		if s.Type != resolve.TypeTXT && s.Type != resolve.TypeCNAME {
			t.Errorf("selector type %s", s.Type)
		}
		if strings.Contains(s.Name, account) && len(p.IncludePatterns) == 0 {
			t.Errorf("%q needs the account, but there is no include that holds it", s.Name)
		}
		if n, ok := s.concrete("123"); ok {
			if _, err := name("example.org").Below(n + "._domainkey"); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestIndex asks for every listed name and expects its row, or the row it sends
// through.
func TestIndex(t *testing.T) {
	for _, p := range All() {
		for _, kind := range []struct {
			what  string
			names []resolve.Name
			by    func(resolve.Name) (Provider, bool)
			below bool
		}{
			{"include", p.Includes, ByInclude, false},
			{"MX", p.MX, ByMX, true},
			{"target", p.Targets, BySelectorTarget, true},
		} {
			for _, n := range kind.names {
				if got, ok := kind.by(n); !ok || got.ID != p.ID && got.ID != p.Via {
					t.Errorf("%s %s of %s gives %q", kind.what, n, p.ID, got.ID)
				}
				deeper, err := n.Below("x1.y2")
				if err != nil {
					t.Fatal(err)
				}
				if got, ok := kind.by(deeper); kind.below && (!ok || got.ID != p.ID && got.ID != p.Via) {
					t.Errorf("%s %s gives %q, want %s", kind.what, deeper, got.ID, p.ID)
				}
			}
		}
	}
}

func TestLookups(t *testing.T) {
	tests := []struct {
		by   func(resolve.Name) (Provider, bool)
		name string
		want string // ID, empty for no match
	}{
		{ByInclude, "_spf.google.com", "google-workspace"},
		{ByInclude, "_SPF.Google.com", "google-workspace"},
		{ByInclude, "google.com", ""},
		{ByInclude, "x._spf.google.com", ""},
		{ByInclude, "amazonses.com", "amazon-ses"},
		{ByInclude, "mailgun.org", "mailgun"},
		{ByInclude, "1234567.spf04.hubspotemail.net", "hubspot"},
		{ByInclude, "x.spf04.hubspotemail.net", ""},
		{ByInclude, "hubspotemail.net", ""},
		{ByInclude, "spf-00148501.pphosted.com", "proofpoint"},
		{ByMX, "example-org.mail.protection.outlook.com", "microsoft-365"},
		{ByMX, "mail.protection.outlook.com", "microsoft-365"},
		{ByMX, "notmail.protection.outlook.com", ""},
		{ByMX, "alt1.aspmx.l.google.com", "google-workspace"},
		{ByMX, "in1-smtp.messagingengine.com", "fastmail"},
		{ByMX, "example.org", ""},
		{BySelectorTarget, "selector1-example-org._domainkey.example.onmicrosoft.com", "microsoft-365"},
		{BySelectorTarget, "fm1.example.org.dkim.fmhosted.com", "fastmail"},
		{BySelectorTarget, "xonmicrosoft.com", ""},
		{ByReturnPath, "pm.mtasv.net", "postmark"},
		{ByPTR, "mail-qk1-f170.google.com", "google-workspace"},
	}
	for _, tt := range tests {
		got, ok := tt.by(name(tt.name))
		if got.ID != tt.want || ok != (tt.want != "") {
			t.Errorf("%s gives %q, %v; want %q", tt.name, got.ID, ok, tt.want)
		}
	}
	for _, by := range []func(resolve.Name) (Provider, bool){ByInclude, ByMX, BySelectorTarget, ByReturnPath, ByPTR} {
		for _, n := range []resolve.Name{{}, resolve.Root, name("com")} {
			if got, ok := by(n); ok {
				t.Errorf("%q gives %q", n, got.ID)
			}
		}
	}
}

func TestSelectors(t *testing.T) {
	got := Selectors(
		[]resolve.Name{name("example-org.mail.protection.outlook.com"), name("other.mail.protection.outlook.com")},
		[]resolve.Name{name("spf.protection.outlook.com"), name("sendgrid.net"), name("42.spf04.hubspotemail.net"), name("amazonses.com"), name("unknown.example")},
	)
	want := []Candidate{
		{"microsoft-365", "selector1", resolve.TypeCNAME},
		{"microsoft-365", "selector2", resolve.TypeCNAME},
		{"sendgrid", "s1", resolve.TypeCNAME},
		{"sendgrid", "s2", resolve.TypeCNAME},
		{"sendgrid", "smtpapi", resolve.TypeTXT},
		{"hubspot", "hs1-42", resolve.TypeCNAME},
		{"hubspot", "hs2-42", resolve.TypeCNAME},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if got := Selectors(nil, nil); got != nil {
		t.Errorf("nothing gives %v", got)
	}
	var all []resolve.Name
	for _, p := range All() {
		all = append(all, p.Includes...)
	}
	if got := Selectors(nil, all); len(got) != MaxCandidates {
		t.Errorf("%d candidates, want the limit", len(got))
	}
}

func TestParseErrors(t *testing.T) {
	for _, bad := range []string{"", "{}", `{"version":2}`, `{"version":1,"providers":[{"mx":["a..b"]}]}`} {
		if _, err := parse([]byte(bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := parse(embedded); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkByMX(b *testing.B) {
	n := name("example-org.mail.protection.outlook.com")
	for b.Loop() {
		ByMX(n)
	}
}
