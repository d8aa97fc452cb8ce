package render

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var (
	example = resolve.MustName("example.org")
	policy  = resolve.MustName("_dmarc.example.org")
	key     = resolve.MustName("s1._domainkey.example.org")
	server  = "192.0.2.53:53"
	noon    = time.Date(2026, 3, 14, 3, 7, 9, 0, time.UTC)
)

// table is a rule table as the printers get it.
func table() []audit.Rule {
	row := func(id audit.ID, slug, title string, s audit.Severity, rfc int, section string) audit.Rule {
		return audit.Rule{ID: id, Slug: slug, Title: title, Severity: s, Since: "0.1",
			Refs: []audit.Ref{{RFC: rfc, Section: section, Level: audit.Must}},
			Doc:  audit.Doc{Impact: "Receivers answer " + slug + " with a refusal.", Remedy: "Repair " + slug + "."}}
	}
	return []audit.Rule{
		row("SPF003", "spf-multiple", "There is more than one SPF record", audit.Error, 7208, "4.5"),
		row("SPF006", "spf-lookup-limit", "SPF evaluation needs more than 10 DNS lookups", audit.Error, 7208, "4.6.4"),
		row("DKIM004", "dkim-weak-key", "A DKIM key is shorter than 1024 bits", audit.Error, 8301, "3.2"),
		row("DMARC001", "dmarc-missing", "There is no DMARC policy", audit.Warning, 9989, "4.10"),
		row("MX007", "mx-single", "There is only one MX host", audit.Notice, 5321, "5.1"),
		row("MX009", "mx-ipv6", "No MX host has an IPv6 address", audit.Notice, 5321, "5.1"),
	}
}

func result(id audit.ID, o audit.Outcome, reason string) audit.RuleResult {
	for _, r := range table() {
		if r.ID == id {
			return audit.RuleResult{ID: id, Slug: r.Slug, Outcome: o, Severity: r.Severity, Reason: reason}
		}
	}
	panic(id)
}

func finding(id audit.ID, at audit.Subject, text string) audit.Finding {
	for _, r := range table() {
		if r.ID == id {
			return audit.Finding{Rule: id, Slug: r.Slug, Severity: r.Severity, Subject: at, Title: r.Title, Message: text,
				Refs: r.Refs, Evidence: []audit.Evidence{}, Fix: &audit.Fix{Text: r.Doc.Remedy}, Fingerprint: "0123456789abcdef"}
		}
	}
	panic(id)
}

func healthy() audit.Report {
	r := audit.Report{Domain: example, Kind: facts.Sends, KindReason: []string{"SPF authorises addresses"}, Resolver: server,
		Started: noon, DurationMS: 412, Queries: 19}
	for _, x := range table() {
		r.Rules = append(r.Rules, result(x.ID, audit.Pass, ""))
	}
	r.Rules[2].Outcome, r.Rules[2].Reason = audit.NotApplicable, "no selector is known"
	return r
}

// sick is a domain after a year of additions: an SPF record too many and too
// long, a key of 2009, no DMARC policy.
func sick() audit.Report {
	r := healthy()
	long := `"v=spf1 include:_spf.a.example include:_spf.b.example include:_spf.c.example include:_spf.d.example include:_spf.e.example mx a -all"`
	short := strings.Replace(long, "include:_spf.b.example include:_spf.c.example ", "", 1)
	second, site := `"v=spf1 mx ~all"`, `"site-verification=0123456789"`
	seen := audit.Evidence{Name: example, Type: resolve.TypeTXT, State: resolve.Present, RCode: "NOERROR", Server: server, Transport: resolve.UDP, At: noon}
	for _, d := range []string{site, long, second} {
		seen.Records = append(seen.Records, "example.org. 300 IN TXT "+d)
	}
	two := finding("SPF003", audit.TXT(example), "there are 2 SPF records; receivers take none of them and return permerror")
	two.Evidence = []audit.Evidence{seen}
	two.Fix.Changes = []fix.Change{{Verb: fix.Update, Name: example, Type: resolve.TypeTXT, TTL: 300,
		Old: []string{site, long, second}, New: []string{site, long}, Why: []string{"one record"}}}
	limit := finding("SPF006", audit.TXT(example), "13 lookups, the limit is 10; include:_spf.b.example alone costs 5")
	limit.Evidence = []audit.Evidence{seen}
	limit.Fix.Changes = []fix.Change{{Verb: fix.Update, Name: example, Type: resolve.TypeTXT, TTL: 300,
		Old: []string{site, long, second}, New: []string{site, short, second}, Why: []string{"fewer lookups"}}}

	weak := finding("DKIM004", audit.TXT(key), "the RSA key has 512 bits; receivers ignore its signatures")
	weak.Evidence = []audit.Evidence{{Name: key, Type: resolve.TypeTXT, State: resolve.Present, RCode: "NOERROR", Server: server, Transport: resolve.TCP, At: noon,
		Chain:   []resolve.Name{resolve.MustName("s1.keys.mailer.example")},
		Records: []string{`s1.keys.mailer.example. 3600 IN TXT "v=DKIM1; p=` + strings.Repeat("MFww", 90) + `"`}}}
	weak.Fix.Changes = []fix.Change{{Verb: fix.Update, Name: key, Type: resolve.TypeTXT, TTL: 3600, Old: []string{`"v=DKIM1; p=MFww"`},
		New: []string{resolve.SplitTXT("v=DKIM1; k=rsa; p=" + strings.Repeat("MIIB", 98)).String()}, Why: []string{"2048 bits"}}}

	none := finding("DMARC001", audit.TXT(policy), "neither _dmarc.example.org nor a name above it has a policy")
	none.Evidence = []audit.Evidence{{Name: policy, Type: resolve.TypeTXT, State: resolve.Absent, RCode: "NXDOMAIN", Server: server, Transport: resolve.UDP, At: noon}}
	none.Fix.Changes = []fix.Change{{Verb: fix.Create, Name: policy, Type: resolve.TypeTXT, TTL: 3600, Old: []string{},
		New: []string{`"v=DMARC1; p=none; rua=mailto:dmarc@example.org"`}, Why: []string{"a first policy"}}}
	none.Refs = append(none.Refs, audit.Ref{Title: "Email sender guidelines", URL: "https://mailer.example/guidelines"})

	single := finding("MX007", audit.Subject{Name: example, Type: resolve.TypeMX}, "mx1.example.org is the only host")
	accepted := finding("MX009", audit.Subject{Name: example, Type: resolve.TypeMX, Term: "mx1.example.org"}, "mx1.example.org has no AAAA record")
	accepted.Suppressed = &audit.Suppression{Rule: "MX009", Reason: "no IPv6 at this site", Expires: noon.AddDate(1, 0, 0)}

	r.Findings = []audit.Finding{two, limit, weak, none, single, accepted}
	for i := range r.Rules {
		r.Rules[i].Outcome, r.Rules[i].Reason = audit.Fail, ""
	}
	r.Rules = append(r.Rules, audit.RuleResult{ID: "DMARC005", Slug: "dmarc-report-permission", Outcome: audit.Unknown, Severity: audit.Warning,
		Reason: "DMARC report destinations could not be read: mailer.example TXT: no answer in time (192.0.2.53:53)"})
	r.Profiles = []audit.ProfileResult{{ID: "mailer", Title: "Mailer (personal accounts)", Reviewed: "2026-02-01", Verdict: audit.Unmet,
		Summary: "1 met, 1 not met, 1 cannot be known from DNS", Requirements: []audit.RequirementResult{
			{ID: "mailer-dmarc", Text: "The domain in From has a DMARC policy, at least p=none.", Scope: "bulk senders", Since: "2024-02-01", Source: "https://mailer.example/guidelines",
				Effect: "550 5.7.26: mail is refused for want of authentication, or goes to the junk folder.", Verdict: audit.Unmet, Rules: []audit.ID{"DMARC001"}, Reason: "DMARC001 (dmarc-missing) fails"},
			{ID: "mailer-mx", Text: "The domain takes mail.", Scope: "all senders", Source: "https://mailer.example/guidelines", Effect: "Mail is junked.", Verdict: audit.Met, Rules: []audit.ID{"MX007"}, Reason: ""},
			{ID: "mailer-spam", Text: "Complaints stay below 0.3 percent.", Scope: "all senders", Source: "https://mailer.example/guidelines", Effect: "Mail is junked.", Verdict: audit.NotInDNS, Rules: []audit.ID{}, Reason: "only mail itself, or the receiver, can tell"},
		}}}
	return r
}

// dark is what is left when the resolver is down.
func dark() audit.Report {
	r := healthy()
	r.Kind, r.KindReason = facts.Undecided, []string{"its records could not be read"}
	for i := range r.Rules {
		what := "SPF record"
		if i > 1 {
			what = "DMARC policy"
		}
		r.Rules[i].Outcome = audit.Unknown
		r.Rules[i].Reason = what + " could not be read: example.org TXT: no answer in time (192.0.2.53:53)"
	}
	return r
}

// payloads are octets that do something to whoever shows them.
var payloads = []string{
	"\x1b[2J\x1b[1;32mPASS", "\x1b]52;c;ZXZpbA==\x07", "\x1b]0;t\x07", "\x1b]8;;http://evil\x07x\x1b]8;;\x07", "\x9b31m", "\u009b31m",
	"\u202Epxe", "\u2066a\u2069", "\u2028", "\u200b", `=HYPERLINK("http://x")`, "@SUM(1)", "</script><img src=x onerror=alert(1)>", `"; DROP`,
	"OK | x=1;;", "v=spf1 \x1b[31m -all", "a\r\nexample.org (sends): OK\n", "\x00", "]]>", "```\n# x", "[x](http://evil) {0}", "\xff\xfe", "-->", "%s%n", "\U000e0041",
}

// hostile is a report with payloads in every string. In typed strings, whose
// values the schema lists, there are none unless all is set.
func hostile(all bool) audit.Report {
	r := sick()
	n := 0
	poison(reflect.ValueOf(&r).Elem(), all, &n)
	r.Domain = odd(0)
	for i := range r.Findings {
		r.Findings[i].Subject.Name = odd(i + 1)
	}
	return r
}

// odd is a name with a payload in it.
func odd(i int) resolve.Name {
	name, err := resolve.NameFromText(strings.ReplaceAll(payloads[i%len(payloads)], ".", "") + ".example")
	if err != nil {
		panic(err)
	}
	return name
}

// poison puts the payloads into the strings, one after the other.
func poison(v reflect.Value, all bool, n *int) {
	walk(v, func(s reflect.Value) {
		if all || s.Type() == reflect.TypeFor[string]() {
			s.SetString(fmt.Sprintf("%s %s", payloads[*n%len(payloads)], payloads[(*n+7)%len(payloads)]))
			*n++
		}
	})
}

// fill puts one text into all strings.
func fill(v reflect.Value, text string) {
	walk(v, func(s reflect.Value) { s.SetString(text) })
}

// walk calls f for each string. What the fixtures share is copied first, so
// that each use is a string of its own.
func walk(v reflect.Value, f func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c := reflect.New(v.Type().Elem())
			c.Elem().Set(v.Elem())
			v.Set(c)
			walk(v.Elem(), f)
		}
	case reflect.Slice:
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(c, v)
		v.Set(c)
		for i := range v.Len() {
			walk(v.Index(i), f)
		}
	case reflect.Struct:
		switch v.Interface().(type) {
		case time.Time, resolve.Name:
			return
		}
		for i := range v.NumField() {
			walk(v.Field(i), f)
		}
	case reflect.String:
		f(v)
	}
}
