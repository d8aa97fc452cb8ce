package aggregate_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
)

const (
	head = `<report_metadata><org_name>rcv.example</org_name><email>dmarc@rcv.example</email><report_id>r-1</report_id>` +
		`<date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>` +
		`<policy_published><domain>example.org</domain><adkim>r</adkim><aspf>s</aspf><p>reject</p><sp>none</sp><pct>100</pct></policy_published>`
	row = `<row><source_ip>192.0.2.7</source_ip><count>3</count><policy_evaluated><disposition>none</disposition>` +
		`<dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>`
	ids    = `<identifiers><envelope_from>b.example.org</envelope_from><header_from>example.org</header_from></identifiers>`
	auth   = `<auth_results><dkim><domain>example.org</domain><selector>s1</selector><result>pass</result></dkim><spf><domain>b.example.org</domain><scope>mfrom</scope><result>softfail</result></spf></auth_results>`
	record = `<record>` + row + ids + auth + `</record>`
	whole  = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<feedback><version>1.0</version>` + head + record + `</feedback>`
)

// edit replaces part of the whole report, which has to be there.
func edit(t *testing.T, pairs ...string) string {
	t.Helper()
	s := whole
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			t.Fatalf("no %q in the report", pairs[i])
		}
		s = strings.Replace(s, pairs[i], pairs[i+1], 1)
	}
	return s
}

func read(t *testing.T, doc string) (*aggregate.Report, []*aggregate.Record) {
	t.Helper()
	rep, recs, err := aggregate.ReadAll(strings.NewReader(doc), aggregate.Options{})
	if err != nil {
		t.Fatalf("%v in %.300q", err, doc)
	}
	return rep, recs
}

func codes(rep *aggregate.Report) string {
	var list []string
	for _, d := range rep.Diagnostics {
		list = append(list, d.Code)
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

func TestReadValues(t *testing.T) {
	rep, recs := read(t, whole)
	if rep.Format != aggregate.RFC7489 || rep.Version != "1.0" || !rep.Complete || len(rep.Diagnostics) != 0 || rep.Records != 1 || rep.Messages != 3 {
		t.Errorf("report = %+v", rep)
	}
	m := rep.Metadata
	if m.OrgName != "rcv.example" || m.Email != "dmarc@rcv.example" || m.ReportID != "r-1" ||
		!m.Begin.Equal(time.Unix(1700000000, 0)) || m.Begin.Location() != time.UTC || m.End.Unix() != 1700086399 {
		t.Errorf("metadata = %+v", m)
	}
	want := aggregate.Published{Domain: "example.org", P: aggregate.Of(aggregate.Reject), SP: aggregate.Of(aggregate.None),
		ADKIM: aggregate.Of(aggregate.Relaxed), ASPF: aggregate.Of(aggregate.Strict), Pct: "100"}
	if rep.Policy != want {
		t.Errorf("policy = %+v", rep.Policy)
	}
	r := recs[0]
	if r.Number != 1 || r.SourceIP.String() != "192.0.2.7" || r.SourceText != "" || r.Count != 3 ||
		r.Evaluated.Disposition.Value != aggregate.None || r.Evaluated.DKIM.Value != aggregate.Pass || r.Evaluated.SPF.Value != aggregate.Fail ||
		r.Identifiers != (aggregate.Identifiers{HeaderFrom: "example.org", EnvelopeFrom: "b.example.org"}) {
		t.Errorf("record = %+v", r)
	}
	if !slices.Equal(r.DKIM, []aggregate.DKIM{{Domain: "example.org", Selector: "s1", Result: aggregate.Of(aggregate.Pass)}}) ||
		!slices.Equal(r.SPF, []aggregate.SPF{{Domain: "b.example.org", Scope: aggregate.Of(aggregate.MailFrom), Result: aggregate.Of(aggregate.SoftFail)}}) {
		t.Errorf("results = %+v %+v", r.DKIM, r.SPF)
	}
}

// TestRepairs has one malformation a row. Every row of the report survives each.
func TestRepairs(t *testing.T) {
	type rec = aggregate.Record
	for _, tc := range []struct {
		name  string
		edits []string
		codes string
		check func(*aggregate.Report, *rec) bool
	}{
		{"nothing", nil, "", nil},
		{"stray quote after the declaration", []string{`"UTF-8"?>`, `"UTF-8"?>">`}, "text-outside", nil},
		{"quote inside the end of the declaration", []string{`"UTF-8"?>`, `"UTF-8"?">`}, "xml-declaration", nil},
		{"schema around the root, never closed", []string{`<feedback>`, `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><feedback>`}, "unknown-element", nil},
		{"schema closed inside", []string{`<record>`, `</xs:schema><record>`}, "stray-end-tag", nil},
		{"namespace", []string{`<feedback>`, `<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0" xmlns:xsi='x>y'>`}, "",
			func(r *aggregate.Report, _ *rec) bool {
				return r.Format == aggregate.RFC9990 && r.Namespace == aggregate.Namespace9990
			}},
		{"namespace prefix", []string{`<feedback>`, `<d:feedback xmlns:d="urn:x">`, `</feedback>`, `</d:feedback>`}, "",
			func(r *aggregate.Report, _ *rec) bool { return r.Namespace == "urn:x" }},
		{"RFC 9990 without namespace", []string{`<p>`, `<np>reject</np><testing>y</testing><discovery_method>treewalk</discovery_method><p>`}, "",
			func(r *aggregate.Report, _ *rec) bool {
				return r.Format == aggregate.RFC9990 && r.Policy.NP.Value == aggregate.Reject && r.Policy.Testing.Value == aggregate.TestingYes && r.Policy.Discovery.Value == aggregate.TreeWalk
			}},
		{"draft", []string{`<version>1.0`, `<version>0.1`}, "", func(r *aggregate.Report, _ *rec) bool { return r.Format == aggregate.Draft }},
		{"raw less-than in an address", []string{`dmarc@rcv.example`, `Reports <dmarc@rcv.example>`}, "raw-markup",
			func(r *aggregate.Report, _ *rec) bool { return r.Metadata.Email == "Reports <dmarc@rcv.example>" }},
		{"raw less-than in a URL", []string{`<email>`, `<extra_contact_info><http://rcv.example/?a=1&b=2></extra_contact_info><email>`}, "entity-unknown raw-markup",
			func(r *aggregate.Report, _ *rec) bool {
				return r.Metadata.ExtraContact.Text == "<http://rcv.example/?a=1&b=2>"
			}},
		{"markup of another kind in text", []string{`<result>pass</result></dkim>`, `<result>pass</result><human_result>bad <b>key</b> a<b</human_result></dkim>`}, "raw-markup",
			func(_ *aggregate.Report, r *rec) bool { return r.DKIM[0].Human.Text == "bad <b>key</b> a<b" }},
		{"entities", []string{`rcv.example<`, `A &amp; B &lt;&#67;&#x44;&gt; &quot;&apos;<`}, "",
			func(r *aggregate.Report, _ *rec) bool { return r.Metadata.OrgName == `A & B <CD> "'` }},
		{"entities that are none", []string{`rcv.example<`, `A & B &nbsp; &#0; &#xD800; &;<`}, "entity-unknown",
			func(r *aggregate.Report, _ *rec) bool { return r.Metadata.OrgName == `A & B &nbsp; &#0; &#xD800; &;` }},
		{"CDATA", []string{`rcv.example<`, `<![CDATA[a<b>&amp;]]]]><!-- c --> d<`}, "",
			func(r *aggregate.Report, _ *rec) bool { return r.Metadata.OrgName == `a<b>&amp;]] d` }},
		{"octets that are no UTF-8", []string{`rcv.example<`, "Soci\xe9t\xe9 \x93x\x94 é<"}, "charset-guessed",
			func(r *aggregate.Report, _ *rec) bool { return r.Metadata.OrgName == "Société “x” é" }},
		{"control characters", []string{`rcv.example<`, "r\x00c\x1b[31mv<"}, "control-char",
			func(r *aggregate.Report, _ *rec) bool { return r.Metadata.OrgName == "rc[31mv" }},
		{"times with a fraction", []string{`1700000000`, `1700000000.0`, `1700086399`, `1.700086399e9`}, "number-form",
			func(r *aggregate.Report, _ *rec) bool {
				return r.Metadata.Begin.Unix() == 1700000000 && r.Metadata.End.Unix() == 1700086399
			}},
		{"times in text", []string{`1700000000`, `2023-11-14T22:13:20Z`, `1700086399`, `2023-11-15 22:13:19`}, "number-form",
			func(r *aggregate.Report, _ *rec) bool {
				return r.Metadata.Begin.Unix() == 1700000000 && r.Metadata.End.Unix() == 1700086399
			}},
		{"times in milliseconds", []string{`1700000000`, `1700000000000`}, "number-form",
			func(r *aggregate.Report, _ *rec) bool { return r.Metadata.Begin.Unix() == 1700000000 }},
		{"times beyond sense", []string{`1700000000`, `-1`, `1700086399`, `9223372036854775808`}, "number-bad",
			func(r *aggregate.Report, _ *rec) bool {
				return r.Metadata.Begin.IsZero() && r.Metadata.End.IsZero() && !r.Complete
			}},
		{"times outside of date_range", []string{`<date_range>`, ``, `</date_range>`, ``}, "misplaced",
			func(r *aggregate.Report, _ *rec) bool { return r.Metadata.Begin.Unix() == 1700000000 }},
		{"weeks", []string{`1700086399`, `1701000000`}, "long-span", nil},
		{"a day of 25 hours", []string{`1700086399`, `1700090000`}, "", nil},
		{"no time at all", []string{`1700086399`, `1700000000`}, "empty-span", nil},
		{"identities", []string{`<identifiers>`, `<identities>`, `</identifiers>`, `</identities>`}, "element-form", nil},
		{"upper case", []string{`<record>`, `<Record>`, `</record>`, `</RECORD>`, `<dkim>pass</dkim>`, `<dkim> Pass </dkim>`}, "element-form word-form",
			func(_ *aggregate.Report, r *rec) bool {
				return r.Evaluated.DKIM == aggregate.Word[aggregate.Result]{Value: aggregate.Pass, Raw: "Pass"}
			}},
		{"hardfail", []string{`softfail`, `hardfail`}, "word-alias",
			func(_ *aggregate.Report, r *rec) bool { return r.SPF[0].Result.Value == aggregate.Fail }},
		{"unknown for permerror", []string{`softfail`, `unknown`}, "word-alias",
			func(_ *aggregate.Report, r *rec) bool { return r.SPF[0].Result.Value == aggregate.PermError }},
		{"error for temperror", []string{`softfail`, `error`}, "word-alias",
			func(_ *aggregate.Report, r *rec) bool { return r.SPF[0].Result.Value == aggregate.TempError }},
		{"unaligned result as the aligned one", []string{`<spf>fail`, `<spf>softfail`}, "word-alias",
			func(_ *aggregate.Report, r *rec) bool { return r.Evaluated.SPF.Value == aggregate.Fail }},
		{"words of no enumeration", []string{`<result>pass`, `<result>invalid`, `<disposition>none`, `<disposition>softfail`}, "word-unknown",
			func(_ *aggregate.Report, r *rec) bool {
				return r.DKIM[0].Result == aggregate.Word[aggregate.Result]{Raw: "invalid"} && r.Evaluated.Disposition.String() == "softfail"
			}},
		{"disposition pass", []string{`<disposition>none`, `<disposition>pass`}, "",
			func(_ *aggregate.Report, r *rec) bool { return r.Evaluated.Disposition.Value == aggregate.DMARCPass }},
		{"reason as text", []string{`</spf></policy`, `</spf><reason>sampled_out</reason></policy`}, "misplaced",
			func(_ *aggregate.Report, r *rec) bool {
				return r.Evaluated.Reasons[0].Type.Value == aggregate.SampledOut
			}},
		{"empty reason", []string{`</spf></policy`, `</spf><reason/></policy`}, "empty-value",
			func(_ *aggregate.Report, r *rec) bool { return len(r.Evaluated.Reasons) == 0 }},
		{"empty type", []string{`</spf></policy`, `</spf><reason><type/><comment lang="de">arc=pass</comment></reason></policy`}, "empty-value",
			func(_ *aggregate.Report, r *rec) bool {
				return r.Evaluated.Reasons[0] == aggregate.Reason{Comment: aggregate.Text{Text: "arc=pass", Lang: "de"}}
			}},
		{"empty sp", []string{`<sp>none</sp>`, `<sp/>`}, "", nil},
		{"sp=nil", []string{`<sp>none</sp>`, `<sp>nil</sp>`}, "word-unknown", nil},
		{"empty results", []string{`<domain>example.org</domain><selector>s1</selector><result>pass</result>`, `<domain/><result/>`}, "empty-value", nil},
		{"no results", []string{auth, ``}, "missing-element", func(_ *aggregate.Report, r *rec) bool { return len(r.DKIM)+len(r.SPF) == 0 }},
		{"empty auth_results", []string{auth, `<auth_results></auth_results>`}, "missing-element", nil},
		{"no org_name", []string{`<org_name>rcv.example</org_name>`, ``}, "org-from-email",
			func(r *aggregate.Report, _ *rec) bool { return r.Metadata.Reporter() == "rcv.example" }},
		{"report id in brackets", []string{`r-1`, `&lt;a!b c@rcv.example&gt;`}, "",
			func(r *aggregate.Report, _ *rec) bool { return r.Metadata.ReportID == "a!b c@rcv.example" }},
		{"no policy domain", []string{`<domain>example.org</domain><adkim>`, `<adkim>`}, "value-missing",
			func(r *aggregate.Report, _ *rec) bool { return !r.Complete }},
		{"null reverse-path", []string{`<envelope_from>b.example.org</envelope_from>`, `<envelope_from/>`}, "",
			func(_ *aggregate.Report, r *rec) bool { return r.Identifiers.NullEnvelope }},
		{"no envelope_from", []string{`<envelope_from>b.example.org</envelope_from>`, ``}, "",
			func(_ *aggregate.Report, r *rec) bool { return !r.Identifiers.NullEnvelope }},
		{"header_from with more around it", []string{`<header_from>example.org`, `<header_from>&lt;User@Example.ORG.&gt;`}, "domain-form",
			func(_ *aggregate.Report, r *rec) bool { return r.Identifiers.HeaderFrom == "example.org" }},
		{"domain in upper case", []string{`<header_from>example.org`, `<header_from>EXAMPLE.org.`}, "",
			func(_ *aggregate.Report, r *rec) bool { return r.Identifiers.HeaderFrom == "example.org" }},
		{"source that is no address", []string{`192.0.2.7`, `108r.166.27.220`}, "address-bad",
			func(_ *aggregate.Report, r *rec) bool {
				return !r.SourceIP.IsValid() && r.SourceText == "108r.166.27.220" && r.Count == 3
			}},
		{"source in brackets", []string{`192.0.2.7`, `[IPv6:2001:DB8::1]`}, "address-form",
			func(_ *aggregate.Report, r *rec) bool { return r.SourceIP.String() == "2001:db8::1" }},
		{"mapped source", []string{`192.0.2.7`, `::ffff:192.0.2.7`}, "",
			func(_ *aggregate.Report, r *rec) bool {
				return r.SourceIP.String() == "192.0.2.7" && r.SourceText != ""
			}},
		{"padded source", []string{`192.0.2.7`, `192.000.002.007`}, "address-form",
			func(_ *aggregate.Report, r *rec) bool { return r.SourceIP.String() == "192.0.2.7" }},
		{"empty source", []string{`192.0.2.7`, ``}, "value-missing", func(r *aggregate.Report, _ *rec) bool { return r.Messages == 3 }},
		{"no count", []string{`<count>3</count>`, ``}, "value-missing", func(r *aggregate.Report, _ *rec) bool { return r.Messages == 0 }},
		{"count as a fraction", []string{`<count>3`, `<count>3.0`}, "number-form", func(r *aggregate.Report, _ *rec) bool { return r.Messages == 3 }},
		{"negative count", []string{`<count>3`, `<count>-3`}, "number-bad", func(r *aggregate.Report, _ *rec) bool { return r.Messages == 0 }},
		{"large count", []string{`<count>3`, `<count>1000000000`}, "", func(r *aggregate.Report, _ *rec) bool { return r.Messages == 1e9 }},
		{"counts beyond 64 bits", []string{`<count>3`, `<count>9223372036854775807`, `</record>`, `</record>` + record}, "number-form",
			func(r *aggregate.Report, _ *rec) bool { return r.Messages == 9223372036854775807 }},
		{"second policy", []string{`</policy_published>`, `</policy_published><policy_published><domain>two.example</domain><p>none</p></policy_published>`}, "second-policy",
			func(r *aggregate.Report, _ *rec) bool {
				return r.Policy.Domain == "example.org" && len(r.MorePolicies) == 1 && r.MorePolicies[0].Domain == "two.example"
			}},
		{"extensions", []string{`<record>`, `<extension><v:a xmlns:v="x"><domain>evil</domain><record><row/></record></v:a></extension><record>`, `</auth_results>`, `</auth_results><v:cat>x</v:cat>`}, "unknown-element", nil},
		{"element of no format", []string{`<count>`, `<asn>64500</asn><count>`}, "unknown-element", nil},
		{"unclosed value", []string{`</org_name>`, ``}, "unclosed-element", func(r *aggregate.Report, _ *rec) bool { return r.Metadata.OrgName == "rcv.example" }},
		{"misspelt end tag", []string{`</org_name>`, `</orgname>`}, "stray-end-tag", func(r *aggregate.Report, _ *rec) bool { return r.Metadata.OrgName == "rcv.example" }},
		{"unclosed containers", []string{`</row>`, ``, `</dkim><spf><domain>`, `<spf><domain>`, `</policy_evaluated>`, ``}, "misplaced unclosed-element",
			func(_ *aggregate.Report, r *rec) bool { return len(r.DKIM) == 1 && len(r.SPF) == 1 }},
		{"stray end tag", []string{`<count>`, `</br><count>`}, "stray-end-tag", nil},
		{"text between elements", []string{`<count>`, `junk <count>`}, "text-outside", nil},
		{"a value given twice", []string{`<count>3</count>`, `<count>3</count><count>4</count>`}, "repeated-value", func(r *aggregate.Report, _ *rec) bool { return r.Messages == 3 }},
		{"head after the records", []string{head, ``, `</feedback>`, head + `</feedback>`}, "", func(r *aggregate.Report, _ *rec) bool { return r.Metadata.ReportID == "r-1" }},
		{"a second report", []string{`</feedback>`, `</feedback><feedback>` + head + `</feedback>`}, "second-report", nil},
		{"cut off behind a record", []string{`</feedback>`, ``}, "truncated", func(r *aggregate.Report, _ *rec) bool { return !r.Complete }},
		{"cut off in a record", []string{`</feedback>`, `<record><row><count>7</count>`}, "record-cut truncated", func(r *aggregate.Report, _ *rec) bool { return r.Records == 1 }},
		{"a record lost its start", []string{`<record>`, `<row/></auth_results></record><record>`}, "content-lost unknown-element", nil},
		{"long text", []string{`rcv.example<`, strings.Repeat("x", 20000) + `<`}, "value-too-long",
			func(r *aggregate.Report, _ *rec) bool { return len(r.Metadata.OrgName) == aggregate.DefaultText }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rep, recs := read(t, edit(t, tc.edits...))
			if got := codes(rep); got != tc.codes {
				t.Errorf("codes = %q, want %q: %v", got, tc.codes, rep.Diagnostics)
			}
			if len(recs) == 0 {
				t.Fatal("the record is lost")
			}
			if tc.check != nil && !tc.check(rep, recs[0]) {
				t.Errorf("report = %+v\nrecord = %+v", rep, recs[0])
			}
		})
	}
}

func TestCharsets(t *testing.T) {
	utf16 := func(s string, big bool) string {
		var b bytes.Buffer
		for _, r := range s {
			if big {
				b.Write([]byte{byte(r >> 8), byte(r)})
			} else {
				b.Write([]byte{byte(r), byte(r >> 8)})
			}
		}
		return b.String()
	}
	named := func(charset, org string) string {
		return strings.Replace(strings.Replace(whole, "UTF-8", charset, 1), "rcv.example<", org+"<", 1)
	}
	for name, tc := range map[string]struct{ doc, org, codes string }{
		"byte order mark":     {"\xef\xbb\xbf" + named("UTF-8", "é"), "é", ""},
		"windows-1252":        {named("windows-1252", "\x80 caf\xe9"), "€ café", ""},
		"ISO-8859-15":         {named("ISO-8859-15", "\xa4"), "€", ""},
		"Windows-1251":        {named("Windows-1251", "\xcf\xee\xf7\xf2\xe0"), "Почта", ""},
		"gb2312":              {named("gb2312", "\xcd\xf8\xd2\xd7"), "网易", ""},
		"Shift_JIS":           {named("Shift_JIS", "\x93\xfa\x96{"), "日本", ""},
		"UTF-16 little":       {"\xff\xfe" + utf16(named("UTF-16", "é€"), false), "é€", ""},
		"UTF-16 big":          {"\xfe\xff" + utf16(named("UTF-16", "é€"), true), "é€", ""},
		"UTF-16 without mark": {utf16(named("UTF-16", "é"), false), "é", ""},
		"UTF-16 untrue":       {named("UTF-16", "é"), "é", "charset-unknown"},
		"unknown":             {named("x-none", "caf\xe9"), "café", "charset-guessed charset-unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			rep, recs := read(t, tc.doc)
			if rep.Metadata.OrgName != tc.org || codes(rep) != tc.codes || len(recs) != 1 {
				t.Errorf("org_name = %q, codes %q, %d records", rep.Metadata.OrgName, codes(rep), len(recs))
			}
		})
	}
}

func TestRefused(t *testing.T) {
	deep := strings.Repeat("<a>", 1_000_000)
	for name, tc := range map[string]struct {
		doc    string
		limits aggregate.Limits
		want   error
		detail string
	}{
		"empty":           {"", aggregate.Limits{}, aggregate.ErrNotReport, "empty document"},
		"HTML":            {"<html><body>x</body></html>", aggregate.Limits{}, aggregate.ErrNotReport, `element "html"`},
		"text":            {"unused", aggregate.Limits{}, aggregate.ErrNotReport, "no feedback element"},
		"DOCTYPE":         {`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>` + whole, aggregate.Limits{}, aggregate.ErrDoctype, ""},
		"doctype inside":  {`<feedback><!doctype x>`, aggregate.Limits{}, aggregate.ErrDoctype, ""},
		"head cut off":    {`<feedback><report_metadata><org_name>x</org_name>`, aggregate.Limits{}, aggregate.ErrTruncated, ""},
		"deep":            {`<feedback>` + deep, aggregate.Limits{}, aggregate.ErrLimit, "open elements"},
		"deep in a value": {`<feedback><version>` + deep, aggregate.Limits{}, aggregate.ErrLimit, "markup"},
		"no tag":          {`<feedback>` + strings.Repeat("x", 17<<20), aggregate.Limits{}, aggregate.ErrLimit, "without a tag"},
		"one value":       {`<feedback><version>` + strings.Repeat("x", 17<<20), aggregate.Limits{}, aggregate.ErrLimit, "in version"},
		"only brackets":   {`<feedback>` + strings.Repeat("<", 1<<20), aggregate.Limits{}, aggregate.ErrLimit, "markup"},
		"bytes":           {whole, aggregate.Limits{Bytes: 500}, aggregate.ErrLimit, "500 octets"},
		"records":         {strings.Replace(whole, record, record+record, 1), aggregate.Limits{Records: 1}, aggregate.ErrLimit, "1 records"},
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := aggregate.Read(strings.NewReader(tc.doc), aggregate.Options{Limits: tc.limits}, nil)
			var e *aggregate.Error
			if !errors.Is(err, tc.want) || !errors.As(err, &e) || !strings.Contains(err.Error(), tc.detail) || rep == nil {
				t.Errorf("err = %v, want %v with %q", err, tc.want, tc.detail)
			}
		})
	}
}

// TestLongTag has one tag without an end: it must neither be kept nor read twice.
func TestLongTag(t *testing.T) {
	for _, start := range []string{"<feedback ", "<feedback><!-- ", "<feedback><![CDATA[", "<feedback><? ", "<a x=\""} {
		r := io.MultiReader(strings.NewReader(start), io.LimitReader(endless('x'), 64<<20))
		if _, err := aggregate.Read(r, aggregate.Options{}, nil); err == nil {
			t.Errorf("%q and no end is a report", start)
		}
	}
}

type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// TestCutEverywhere cuts a report at every octet: whole records before the cut
// come out, and what is missing is told.
func TestCutEverywhere(t *testing.T) {
	doc := strings.Replace(whole, record, record+record, 1)
	second := strings.LastIndex(doc, "</record>") + len("</record>")
	first := strings.Index(doc, "</record>") + len("</record>")
	for i := range len(doc) {
		rep, recs, err := aggregate.ReadAll(strings.NewReader(doc[:i]), aggregate.Options{})
		want := 0
		switch {
		case i >= second:
			want = 2
		case i >= first:
			want = 1
		}
		if len(recs) != want || int(rep.Records) != want {
			t.Fatalf("cut at %d: %d records, want %d (%v)", i, len(recs), want, err)
		}
		if err == nil && rep.Complete {
			t.Fatalf("cut at %d: complete", i)
		}
	}
}

// TestWindows reads with every size of read, so that tags and values fall on
// the ends of the window.
func TestWindows(t *testing.T) {
	doc := reportBytes(400)
	want, recs, err := aggregate.ReadAll(bytes.NewReader(doc), aggregate.Options{})
	if err != nil || len(recs) != 400 {
		t.Fatal(err)
	}
	for name, r := range map[string]io.Reader{
		"one octet": iotest.OneByteReader(bytes.NewReader(doc)), "half": iotest.HalfReader(bytes.NewReader(doc)),
		"error with data": iotest.DataErrReader(bytes.NewReader(doc)),
	} {
		rep, got, err := aggregate.ReadAll(r, aggregate.Options{})
		if err != nil || fmt.Sprintf("%+v", rep) != fmt.Sprintf("%+v", want) || fmt.Sprintf("%+v", deref(got)) != fmt.Sprintf("%+v", deref(recs)) {
			t.Errorf("%s: the report differs (%v)", name, err)
		}
	}
}

func deref(list []*aggregate.Record) (out []aggregate.Record) {
	for _, r := range list {
		out = append(out, *r)
	}
	return out
}

func TestSourceErrors(t *testing.T) {
	boom := errors.New("boom")
	cut := strings.Index(whole, "<record>")
	rep, err := aggregate.Read(io.MultiReader(strings.NewReader(whole[:cut]), iotest.ErrReader(boom)), aggregate.Options{}, nil)
	if !errors.Is(err, aggregate.ErrRead) || !errors.Is(err, boom) || rep.Metadata.ReportID != "r-1" {
		t.Errorf("in the middle: %v", err)
	}
	rep, err = aggregate.Read(io.MultiReader(strings.NewReader(whole), iotest.ErrReader(boom)), aggregate.Options{}, nil)
	if err != nil || codes(rep) != aggregate.ReadError || rep.Complete {
		t.Errorf("after the end: %v %v", err, rep.Diagnostics)
	}
	rep, err = aggregate.Read(io.MultiReader(strings.NewReader(whole[:cut]), iotest.ErrReader(io.ErrUnexpectedEOF)), aggregate.Options{}, nil)
	if err != nil || codes(rep) != "no-records truncated" {
		t.Errorf("compressed data cut off: %v %v", err, rep.Diagnostics)
	}
}

func TestCallbacks(t *testing.T) {
	stop := errors.New("stop")
	rep, err := aggregate.Read(bytes.NewReader(reportBytes(10)), aggregate.Options{}, func(r *aggregate.Record) error {
		if r.Number == 4 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || rep.Records != 4 {
		t.Errorf("record: %v after %d", err, rep.Records)
	}
	var seen string
	_, err = aggregate.Read(strings.NewReader(whole), aggregate.Options{Head: func(rep *aggregate.Report) error {
		seen = rep.Metadata.ReportID + " " + rep.Policy.Domain
		return stop
	}}, func(*aggregate.Record) error { t.Error("record after the head failed"); return nil })
	if !errors.Is(err, stop) || seen != "r-1 example.org" {
		t.Errorf("head: %v %q", err, seen)
	}
}

// TestConstantMemory reads a report of any size with the same few allocations.
func TestConstantMemory(t *testing.T) {
	doc := []byte(`<feedback>` + head + strings.Repeat(record, 20_000) + `</feedback>`)
	n := testing.AllocsPerRun(3, func() {
		if _, err := aggregate.Read(bytes.NewReader(doc), aggregate.Options{}, func(*aggregate.Record) error { return nil }); err != nil {
			t.Fatal(err)
		}
	})
	if n > 50 {
		t.Errorf("%v allocations for 20,000 equal records", n)
	}
}

func TestDiagnosticsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`<feedback>` + head)
	for i := range 5000 {
		fmt.Fprintf(&b, `<x%d/>`, i)
	}
	for i := range 500 {
		fmt.Fprintf(&b, `<record><row><source_ip>%d</source_ip></row></record>`, i)
	}
	rep, recs := read(t, b.String()+`</feedback>`)
	if len(rep.Diagnostics) > 65 || len(recs) != 500 {
		t.Errorf("%d diagnostics, %d records", len(rep.Diagnostics), len(recs))
	}
	for _, d := range rep.Diagnostics {
		if d.Code == aggregate.AddressBad && d.Count != 500 {
			t.Errorf("%v", d)
		}
	}
}

// TestSameAsStrict compares with the standard library's reader on a plain report.
func TestSameAsStrict(t *testing.T) {
	doc := reportBytes(200)
	var strict struct {
		Records []struct {
			IP    string   `xml:"row>source_ip"`
			Count int64    `xml:"row>count"`
			Disp  string   `xml:"row>policy_evaluated>disposition"`
			Note  []string `xml:"row>policy_evaluated>reason>comment"`
			From  string   `xml:"identifiers>header_from"`
			DKIM  []string `xml:"auth_results>dkim>selector"`
		} `xml:"record"`
	}
	if err := xml.Unmarshal(doc, &strict); err != nil {
		t.Fatal(err)
	}
	_, recs := read(t, string(doc))
	if len(recs) != len(strict.Records) {
		t.Fatalf("%d records, want %d", len(recs), len(strict.Records))
	}
	for i, w := range strict.Records {
		g := recs[i]
		var sel, notes []string
		for _, d := range g.DKIM {
			sel = append(sel, d.Selector)
		}
		for _, r := range g.Evaluated.Reasons {
			notes = append(notes, r.Comment.Text)
		}
		if g.SourceIP.String() != w.IP && g.SourceText != w.IP || g.Count != w.Count || g.Evaluated.Disposition.Raw != w.Disp ||
			g.Identifiers.HeaderFrom != w.From || !slices.Equal(sel, w.DKIM) || !slices.Equal(notes, w.Note) {
			t.Fatalf("record %d = %+v, want %+v", i, g, w)
		}
	}
}
