package aggregate_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
)

// full is a report with everything that RFC 9990 has.
func full() (*aggregate.Report, []*aggregate.Record) {
	rep := &aggregate.Report{
		Metadata: aggregate.Metadata{
			OrgName: "Receiver & Söhne <x>", Email: "dmarc@rcv.example", ExtraContact: aggregate.Text{Text: "https://rcv.example/?a&b", Lang: "de"},
			ReportID: "1.2@rcv.example", Begin: time.Unix(1700000000, 0).UTC(), End: time.Unix(1700086399, 0).UTC(),
			Errors: []aggregate.Text{{Text: "two records"}}, Generator: "mailcheck 1",
		},
		Policy: aggregate.Published{
			Domain: "example.org", P: aggregate.Of(aggregate.Quarantine), SP: aggregate.Of(aggregate.None), NP: aggregate.Of(aggregate.Reject),
			ADKIM: aggregate.Of(aggregate.Strict), ASPF: aggregate.Of(aggregate.Relaxed), Discovery: aggregate.Of(aggregate.TreeWalk),
			FO: "1:d:s", Testing: aggregate.Of(aggregate.TestingNo),
		},
	}
	rec := &aggregate.Record{
		Number: 1, SourceIP: netip.MustParseAddr("2001:db8::7"), Count: 12,
		Evaluated: aggregate.Evaluated{
			Disposition: aggregate.Of(aggregate.DMARCPass), DKIM: aggregate.Of(aggregate.Pass), SPF: aggregate.Of(aggregate.Fail),
			Reasons: []aggregate.Reason{
				{Type: aggregate.Of(aggregate.PolicyTestMode)},
				{Type: aggregate.Of(aggregate.MailingList), Comment: aggregate.Text{Text: "a \"list\"\tof\nmail", Lang: "en-GB"}},
			},
		},
		Identifiers: aggregate.Identifiers{HeaderFrom: "example.org", EnvelopeTo: "rcv.example", NullEnvelope: true},
		DKIM: []aggregate.DKIM{
			{Domain: "example.org", Selector: "s1", Result: aggregate.Of(aggregate.Pass)},
			{Domain: "esp.example", Selector: "k", Result: aggregate.Of(aggregate.PolicyFail), Human: aggregate.Text{Text: "key too short"}},
		},
		SPF: []aggregate.SPF{{Domain: "b.example.org", Scope: aggregate.Of(aggregate.MailFrom), Result: aggregate.Of(aggregate.SoftFail), Human: aggregate.Text{Text: "x"}}},
	}
	second := &aggregate.Record{
		Number: 2, SourceIP: netip.MustParseAddr("192.0.2.7"), Count: 1,
		Evaluated:   aggregate.Evaluated{Disposition: aggregate.Of(aggregate.Reject), DKIM: aggregate.Of(aggregate.Fail), SPF: aggregate.Of(aggregate.Fail)},
		Identifiers: aggregate.Identifiers{HeaderFrom: "www.example.org", EnvelopeFrom: "spam.example"},
		DKIM:        []aggregate.DKIM{{Domain: "spam.example", Selector: "", Result: aggregate.Of(aggregate.ResultNone)}},
	}
	return rep, []*aggregate.Record{rec, second}
}

func TestWriteReadsBack(t *testing.T) {
	rep, recs := full()
	var b bytes.Buffer
	if err := aggregate.Write(&b, rep, slices.Values(recs)); err != nil {
		t.Fatal(err)
	}
	if err := validate(b.Bytes()); err != nil {
		t.Errorf("not valid: %v\n%s", err, b.String())
	}
	got, gotRecs, err := aggregate.ReadAll(&b, aggregate.Options{})
	if err != nil || len(got.Diagnostics) != 0 || got.Format != aggregate.RFC9990 || got.Namespace != aggregate.Namespace9990 || got.Messages != 13 {
		t.Fatalf("%v %+v", err, got)
	}
	if fmt.Sprintf("%+v%+v", got.Metadata, got.Policy) != fmt.Sprintf("%+v%+v", rep.Metadata, rep.Policy) {
		t.Errorf("head = %+v %+v", got.Metadata, got.Policy)
	}
	if g, w := fmt.Sprintf("%+v", deref(gotRecs)), fmt.Sprintf("%+v", deref(recs)); g != w {
		t.Errorf("records = %s\nwant      %s", g, w)
	}
}

// TestWriteOldForms writes what only RFC 7489 has in the nearest form.
func TestWriteOldForms(t *testing.T) {
	rep, recs := full()
	rep.Policy.Pct = "50"
	rep.Metadata.Errors = append(rep.Metadata.Errors, aggregate.Text{Text: "more"})
	recs[0].Evaluated.Reasons = []aggregate.Reason{{Type: aggregate.Of(aggregate.Forwarded), Comment: aggregate.Text{Text: "by a list"}}, {Type: aggregate.Of(aggregate.SampledOut)}}
	recs[0].SPF = append([]aggregate.SPF{{Domain: "mx.example", Scope: aggregate.Of(aggregate.HELO), Result: aggregate.Of(aggregate.Pass)}}, recs[0].SPF...)
	var b bytes.Buffer
	if err := aggregate.Write(&b, rep, slices.Values(recs)); err != nil {
		t.Fatal(err)
	}
	if err := validate(b.Bytes()); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"<type>other</type>", "<comment>forwarded by a list</comment>", "<comment>sampled_out</comment>", "two records; more"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
	for _, not := range []string{"pct", "helo", "mx.example"} {
		if strings.Contains(b.String(), not) {
			t.Errorf("%s in\n%s", not, b.String())
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, break_ := range map[string]func(*aggregate.Report, *aggregate.Record){
		"org_name":              func(r *aggregate.Report, _ *aggregate.Record) { r.Metadata.OrgName = " " },
		"email":                 func(r *aggregate.Report, _ *aggregate.Record) { r.Metadata.Email = "" },
		"report_id":             func(r *aggregate.Report, _ *aggregate.Record) { r.Metadata.ReportID = "" },
		"begin":                 func(r *aggregate.Report, _ *aggregate.Record) { r.Metadata.Begin = time.Time{} },
		"end":                   func(r *aggregate.Report, _ *aggregate.Record) { r.Metadata.End = time.Unix(-5, 0) },
		"domain":                func(r *aggregate.Report, _ *aggregate.Record) { r.Policy.Domain = "" },
		"p":                     func(r *aggregate.Report, _ *aggregate.Record) { r.Policy.P = aggregate.Of(aggregate.DMARCPass) },
		"source_ip":             func(_ *aggregate.Report, r *aggregate.Record) { r.SourceIP = netip.Addr{} },
		"count":                 func(_ *aggregate.Report, r *aggregate.Record) { r.Count = -1 },
		"disposition":           func(_ *aggregate.Report, r *aggregate.Record) { r.Evaluated.Disposition.Value = "" },
		"policy_evaluated/dkim": func(_ *aggregate.Report, r *aggregate.Record) { r.Evaluated.DKIM.Value = aggregate.Neutral },
		"header_from":           func(_ *aggregate.Report, r *aggregate.Record) { r.Identifiers.HeaderFrom = "" },
		"dkim/result":           func(_ *aggregate.Report, r *aggregate.Record) { r.DKIM[0].Result.Value = aggregate.SoftFail },
		"spf/result":            func(_ *aggregate.Report, r *aggregate.Record) { r.SPF[0].Result.Value = "" },
	} {
		rep, recs := full()
		break_(rep, recs[0])
		err := aggregate.Write(io.Discard, rep, slices.Values(recs))
		var e *aggregate.WriteError
		if !errors.Is(err, aggregate.ErrWrite) || !errors.As(err, &e) || e.Element != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	rep, _ := full()
	if err := aggregate.Write(io.Discard, rep, nil); !errors.Is(err, aggregate.ErrWrite) {
		t.Errorf("no record: %v", err)
	}
}

// schema is RFC 9990, Appendix A as far as it can be said by order and number:
// children in order, "?" for one at most, "*" for any number, "+" for one at
// least; "&" in front means any order.
var schema = map[string]string{
	"feedback":                   "version? report_metadata policy_published extension? record+",
	"feedback/report_metadata":   "& org_name email extra_contact_info? report_id date_range error? generator?",
	"report_metadata/date_range": "& begin end",
	"feedback/policy_published":  "& domain p sp? np? adkim? aspf? discovery_method? fo? testing?",
	"feedback/record":            "row identifiers auth_results",
	"record/row":                 "& source_ip count policy_evaluated",
	"row/policy_evaluated":       "disposition dkim spf reason*",
	"policy_evaluated/reason":    "& type comment?",
	"record/identifiers":         "& header_from envelope_from? envelope_to?",
	"record/auth_results":        "dkim* spf?",
	"auth_results/dkim":          "& domain selector result human_result?",
	"auth_results/spf":           "& domain scope? result human_result?",
}

// validate checks a document against schema with the standard library's reader.
func validate(doc []byte) error {
	type node struct {
		path string
		kids []string
	}
	var stack []node
	for d := xml.NewDecoder(bytes.NewReader(doc)); ; {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if tok.Name.Space != aggregate.Namespace9990 {
				return fmt.Errorf("%s in namespace %q", tok.Name.Local, tok.Name.Space)
			}
			path := tok.Name.Local
			if len(stack) > 0 {
				top := &stack[len(stack)-1]
				top.kids = append(top.kids, path)
				parent := top.path[strings.LastIndexByte(top.path, '/')+1:]
				path = parent + "/" + path
			}
			stack = append(stack, node{path: path})
		case xml.EndElement:
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if err := match(top.path, top.kids); err != nil {
				return err
			}
		}
	}
}

func match(path string, kids []string) error {
	model, any := strings.CutPrefix(schema[path], "& ")
	if any {
		slices.SortStableFunc(kids, func(a, b string) int { return strings.Index(" "+model, " "+a) - strings.Index(" "+model, " "+b) })
	}
	rest := kids
	for want := range strings.FieldsSeq(model) {
		name := strings.TrimRight(want, "?*+")
		n := 0
		for n < len(rest) && rest[n] == name {
			n++
		}
		rest = rest[n:]
		switch mark := strings.TrimPrefix(want, name); {
		case n == 0 && (mark == "" || mark == "+"), n > 1 && (mark == "" || mark == "?"):
			return fmt.Errorf("%s: %d of %s in %v", path, n, want, kids)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%s: %v out of place in %v", path, rest, kids)
	}
	return nil
}

func TestValidate(t *testing.T) {
	if err := validate([]byte(`<feedback xmlns="` + aggregate.Namespace9990 + `"><record/></feedback>`)); err == nil {
		t.Error("the validator takes anything")
	}
}
