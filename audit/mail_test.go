package audit_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func mailFacts(t testing.TB) *mail.Facts {
	t.Helper()
	m := message.Parse([]byte("From: a@example.org\r\nSubject: x\r\n\r\n"), message.Options{})
	return mail.Gather(context.Background(), zonetest.MustParse(zone), m, mail.Options{Name: "a.eml", Resolver: "test", Now: func() time.Time { return at }})
}

func TestRunMail(t *testing.T) {
	found := rule("MSG900", 0, func(c *audit.Case) {
		c.Report(audit.Subject{Term: "Subject field"}, "it says %s", c.Mail.Header.Subject)
		c.Report(audit.TXT(domain).WithTerm("x"), "the record")
	})
	r := audit.RunMail(mailFacts(t), []audit.Rule{found, rule("MSG901", 0, func(c *audit.Case) { _ = c.Facts.Domain })}, audit.Options{})
	if r.Mail == nil || r.Mail.File != "a.eml" || r.Domain != domain || r.Kind != audit.Mail || r.Started != at || r.Queries == 0 {
		t.Errorf("report = %+v", r)
	}
	if len(r.Findings) != 2 || r.Findings[0].Subject.String() != "Subject field" || len(r.Findings[0].Evidence) != 0 || r.Findings[0].Fingerprint == "" {
		t.Fatalf("findings = %+v", r.Findings)
	}
	// A finding about a record has the answer, as it has in the audit of a domain.
	if e := r.Findings[1].Evidence; len(e) != 0 {
		t.Errorf("evidence of a question that was not asked: %+v", e)
	}
	if o := r.Outcome("MSG901"); o != audit.Unknown {
		t.Errorf("a rule on domains has the outcome %q for a mail", o)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back audit.Report
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(back); !reflect.DeepEqual(b, again) {
		t.Error("not the same after a round trip")
	}
}

func TestEvidenceOfMail(t *testing.T) {
	name, _ := domain.Below("_dmarc")
	x := rule("AUTH900", 0, func(c *audit.Case) { c.Report(audit.TXT(name), "the policy") })
	r := audit.RunMail(mailFacts(t), []audit.Rule{x}, audit.Options{})
	if e := r.Findings[0].Evidence; len(e) != 1 || e[0].State != resolve.Present || !strings.Contains(e[0].Records[0], "v=DMARC1") {
		t.Errorf("evidence = %+v", e)
	}
}

// A strict demand is failed by any finding, and an optional one is void where its rules
// do not apply.
func TestDemandsOnMail(t *testing.T) {
	notice := rule("MSG900", 0, func(c *audit.Case) { c.Report(audit.Subject{Term: "x"}, "x").At(audit.Notice) })
	idle := rule("MSG901", 0, func(c *audit.Case) { c.NotApplicable("it is no newsletter") })
	p := audit.Profile{ID: "p", Requirements: []audit.Requirement{
		{ID: "loose", Rules: []audit.ID{"MSG900"}}, {ID: "strict", Rules: []audit.ID{"MSG900"}, Strict: true},
		{ID: "needed", Rules: []audit.ID{"MSG901"}}, {ID: "optional", Rules: []audit.ID{"MSG901"}, Optional: true},
		{ID: "both", Rules: []audit.ID{"MSG900", "MSG901"}, Strict: true, Optional: true}, {ID: "unseen"},
	}}
	r := audit.RunMail(mailFacts(t), []audit.Rule{notice, idle}, audit.Options{Profiles: []audit.Profile{p}})
	want := []audit.Verdict{audit.Met, audit.Unmet, audit.Undecided, audit.Inapplicable, audit.Unmet, audit.NotInMail}
	for i, q := range r.Profiles[0].Requirements {
		if q.Verdict != want[i] {
			t.Errorf("%s: %s (%s), want %s", q.ID, q.Verdict, q.Reason, want[i])
		}
	}
	if q := r.Profiles[0].Requirements[3]; q.Reason != "it is no newsletter" {
		t.Errorf("reason = %q", q.Reason)
	}
}
