package dmarc

import (
	"encoding/json"
	"errors"
	"testing"
)

// repairAll repairs what can be, the first problem first.
func repairAll(r Record) Record {
	for range 50 {
		changed := false
		for _, p := range r.Problems {
			if next, err := r.Repair(p); err == nil {
				r, changed = next, true
				break
			}
		}
		if !changed {
			return r
		}
	}
	return r
}

func TestRepair(t *testing.T) {
	tests := []struct{ text, want string }{
		{"v=dmarc1; p=nonee;", "v=DMARC1; p=none;"},
		{`"v=DMARC1; p=none; rua=a@example.com"`, "v=DMARC1; p=none; rua=mailto:a@example.com"},
		{"v=DMARC1 p=none; sp=reject", "v=DMARC1; p=none; sp=reject"},
		{`v=DMARC1\; p=none\; rua=mailto:a@example.com`, "v=DMARC1; p=none; rua=mailto:a@example.com"},
		{"p=none; v=DMARC1", "v=DMARC1; p=none"},
		{"rua=mailto:a@example.com;p=none", "v=DMARC1; p=none; rua=mailto:a@example.com"},
		{"V=DMARC1;  P=none", "v=DMARC1;  p=none"},
		{"v=DMARC1; p=none rua=mailto:a@example.com", "v=DMARC1; p=none; rua=mailto:a@example.com"},
		{"v=DMARC1; p = none, sp=None ;fo=1", "v=DMARC1; p = none; sp=None ;fo=1"},
		{"v=DMARC1; p=none; adkim=strict ;aspf=relaxed; x=y", "v=DMARC1; p=none; adkim=s ;aspf=r; x=y"},
		{"v=DMARC1; p=none; fo=0:1:d", "v=DMARC1; p=none; fo=1:d"},
		{"v=DMARC1; p:none", "v=DMARC1; p=none"},
		{"v=DMARC1; p=none; rua=mailto:a@example.com; b@example.com; fo=1", "v=DMARC1; p=none; rua=mailto:a@example.com,mailto:b@example.com; fo=1"},
		{"v=DMARC1;p=none;rua=mailto:a@gov,ruf=mailto:b@gpo.gov", "v=DMARC1;p=none;rua=mailto:a@gov;ruf=mailto:b@gpo.gov"},
		{"v=DMARC1; p=none; rua=mailto:a@example.com mailto:b@example.com", "v=DMARC1; p=none; rua=mailto:a@example.com,mailto:b@example.com"},
		{"v=DMARC1; p=none; rua=mailto:a@example.com!10m , b@example.com", "v=DMARC1; p=none; rua=mailto:a@example.com , mailto:b@example.com"},
		{"v=DMARC1; p=none; mailto:rua=a@example.com; apsf=r", "v=DMARC1; p=none; rua=mailto:a@example.com; aspf=r"},
		{"v=DMARC1; p=none; pct=100; rf=afrf; junk;; ri=1; sp=;", "v=DMARC1; p=none;"},
		{"v=DMARC1; sp=none; p=reject;", "v=DMARC1; p=reject; sp=none;"},
		// Nothing that could be meant, nothing done.
		{"v=DMARC1; p=xyzzy; x=1; rua=nobody", "v=DMARC1; p=xyzzy; x=1; rua=nobody"},
		{"v=DMARC1; p=none; P=reject", "v=DMARC1; p=none; P=reject"},
		{"v=DMARC1; p=none; p=reject", "v=DMARC1; p=none; p=reject"},
		{"hello", "hello"},
		{"", ""},
	}
	for _, tt := range tests {
		r, _ := Parse(tt.text)
		if got := repairAll(r); got.String() != tt.want {
			t.Errorf("%q:\n got %q %q\nwant %q", tt.text, got, kinds(got), tt.want)
		}
	}
	r, _ := Parse("v=DMARC1; p=none")
	for _, p := range []Problem{{}, {Kind: Junk, Offset: 99}, {Kind: Junk, Offset: -1}, {Kind: TagCase, Suggestion: "x"}, {Kind: URIInvalid, Suggestion: "ruf=x"}} {
		if got, err := r.Repair(p); !errors.Is(err, ErrEdit) || got.String() != r.String() {
			t.Errorf("%+v: got %q, %v", p, got, err)
		}
	}
}

func TestRecordJSON(t *testing.T) {
	r, _ := Parse("v=DMARC1; p=none; rua=mailto:a@example.com")
	b, err := json.Marshal(map[string]Record{"record": r})
	var back map[string]Record
	if err == nil {
		err = json.Unmarshal(b, &back)
	}
	if err != nil || back["record"].String() != r.String() || back["record"].P != None {
		t.Errorf("%s reads as %+v, %v", b, back, err)
	}
}

func FuzzRepair(f *testing.F) {
	for _, s := range []string{
		"v=dmarc1; p=nonee", "\"v=DMARC1;;p:none;x\"", "v=DMARC1;p=none;rua=a@b.example,ruf=c@d.example!5m;e@f.example", "p=none;v=DMARC1;p=",
		"V=DMARC1;P=x;pct=1;pct=2;rua_=1;mailto:rua=a@b.example",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		for _, p := range r.Problems {
			got, failed := r.Repair(p)
			if failed != nil {
				continue
			}
			if got.weight() >= r.weight() {
				t.Fatalf("%q: repair of %+v gives %q", text, p, got)
			}
			if err == nil && !isRecord(got.String()) {
				t.Fatalf("%q: repair of %+v voids the record: %q", text, p, got)
			}
		}
		repairAll(r)
	})
}
