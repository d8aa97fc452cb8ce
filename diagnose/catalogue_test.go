package diagnose

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

// TestCatalogue holds every row to the rules of the schema and tries its example.
func TestCatalogue(t *testing.T) {
	d := json.NewDecoder(strings.NewReader(string(embedded)))
	d.DisallowUnknownFields()
	var strict struct {
		Version   int
		Reviewed  string
		Operators []Operator
		Entries   []Entry
	}
	if err := d.Decode(&strict); err != nil {
		t.Fatalf("strict reading: %v", err)
	}
	if _, err := time.Parse(time.DateOnly, Reviewed()); err != nil {
		t.Errorf("reviewed: %v", err)
	}
	if n := len(Entries()); n < 300 {
		t.Fatalf("only %d rows", n)
	}
	parties := []cause.Whose{"", cause.Nobody, cause.SendingDomain, cause.SenderHost, cause.SenderContent, cause.RecipientSide, cause.Receiver, cause.Network, cause.NotKnown}
	ids := make(map[string]bool)
	for _, e := range Entries() {
		t.Run(e.ID, func(t *testing.T) {
			if !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(e.ID) || ids[e.ID] {
				t.Errorf("ID %q is malformed or used twice", e.ID)
			}
			ids[e.ID] = true
			if !e.Cause.Known() || e.Cause == cause.Unknown || !slices.Contains(parties, e.Whose) {
				t.Errorf("cause %q of %q", e.Cause, e.Whose)
			}
			if e.Meaning == "" || !strings.HasSuffix(e.Meaning, ".") || e.Source == "" || e.Example == "" {
				t.Error("meaning, source or example is missing")
			}
			if _, err := time.Parse(time.DateOnly, e.Seen); err != nil {
				t.Errorf("seen: %v", err)
			}
			if e.Confidence != High && e.Confidence != Medium {
				t.Errorf("confidence %q", e.Confidence)
			}
			checkCodes(t, e)
			checkExample(t, e)
		})
	}
}

func checkCodes(t *testing.T, e Entry) {
	for _, c := range e.Codes {
		if !regexp.MustCompile(`^[45]\d\d$`).MatchString(c) {
			t.Errorf("code %q", c)
		}
	}
	for _, c := range e.Enhanced {
		if !regexp.MustCompile(`^[45]\.[0-7]\.\d{1,3}(-\d{1,3})?$`).MatchString(c) && c != "5.9.8" {
			t.Errorf("enhanced code %q", c)
		}
	}
	if len(e.Match) == 0 && len(e.Enhanced)+len(e.Codes) == 0 {
		t.Error("nothing to match")
	}
	for _, m := range e.Match {
		a := compile(m)
		if m != fold(m) && m != " "+fold(m) && m != fold(m)+" " && m != " "+fold(m)+" " || len(strings.TrimSpace(a.need)) < 3 && len(a.pieces) < 2 {
			t.Errorf("wording %q is not folded or too short", m)
		}
	}
}

// checkExample diagnoses the example and expects the row.
func checkExample(t *testing.T, e Entry) {
	if len(e.Match) == 0 {
		code, _, _ := strings.Cut(e.Enhanced[0], "-")
		x, err := Explain(code, e.Operator)
		if err != nil || x.General.Entry != e.ID {
			t.Errorf("Explain(%q, %q) gives row %q, %v", e.Enhanced[0], e.Operator, x.General.Entry, err)
		}
		return
	}
	got := Reply(e.Example)
	if got.Entry != e.ID {
		t.Errorf("example gives %s (%s, operator %s), want %s\n%s", got.Entry, got.Cause, got.Operator, e.ID, e.Example)
	}
	if e.Temporary != nil && got.Temporary != *e.Temporary {
		t.Errorf("example: temporary is %v", got.Temporary)
	}
	for _, a := range regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b`).FindAllString(e.Example, -1) {
		if !strings.HasPrefix(a, "192.0.2.") && !strings.HasPrefix(a, "198.51.100.") && !strings.HasPrefix(a, "203.0.113.") && !strings.HasPrefix(a, "4.16.") {
			t.Errorf("example has the address %s", a)
		}
	}
}

// TestRules looks every rule up in the generated reference.
func TestRules(t *testing.T) {
	for _, i := range cause.All() {
		for _, id := range i.Rules {
			if _, err := os.Stat("../docs/rules/" + id + ".md"); err != nil {
				t.Errorf("%s names the rule %s: %v", i.Cause, id, err)
			}
		}
		if i.Cause != cause.Delivered && (len(i.Checks) == 0 || i.Remedy == "" || i.Meaning == "" || i.Whose == "") {
			t.Errorf("%s is not complete", i.Cause)
		}
	}
}
