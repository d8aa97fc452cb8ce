package fix_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func change(name string, typ resolve.Type, old, now []string) *fix.Change {
	c := fix.Change{Verb: fix.Update, Name: resolve.MustName(name), Type: typ, TTL: 300, Old: old, New: now, Why: []string{"test"}}
	if len(old) == 0 {
		c.Verb, c.Old = fix.Create, []string{}
	} else if len(now) == 0 {
		c.Verb, c.New = fix.Delete, []string{}
	}
	return &c
}

func plan(steps ...fix.Step) *fix.Plan {
	for i := range steps {
		s := &steps[i]
		s.Findings, s.Why, s.Manual = []string{}, []string{}, []fix.Manual{}
		if s.Depends == nil {
			s.Depends = []string{}
		}
	}
	return &fix.Plan{Schema: fix.PlanSchema, Domain: resolve.MustName("example.org"), Created: time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC),
		Steps: steps, Decisions: []fix.Decision{}, Before: []fix.Defect{}, After: []fix.Defect{}, Unknown: []string{}}
}

func TestDecodePlanRefuses(t *testing.T) {
	good := plan(fix.Step{ID: "a-1", Wait: fix.Duration(90 * time.Minute), Change: change("example.org", resolve.TypeTXT, nil, []string{`"x"`})})
	text, err := good.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if p, err := fix.DecodePlan(text); err != nil || time.Duration(p.Steps[0].Wait) != 90*time.Minute {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, c := range []struct{ name, old, new string }{
		{"another schema", "mailcheck.plan/1", "mailcheck.plan/2"},
		{"a member of a later version", `"tool"`, `"unless"`},
		{"no JSON", `"steps": [`, `"steps": `},
		{"no domain", `"example.org"`, `""`},
		{"verb against the records", `"create"`, `"update"`},
		{"a record in the record", `\"x\"`, `\"x\"\nevil.example.org. 1 IN TXT \"y\"`},
		{"no TXT data", `\"x\"`, `\"x`},
		{"a type nobody knows", `"TXT"`, `"NOSUCH"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(string(text), c.old, c.new, 1)
			if bad == string(text) {
				t.Fatal("nothing was replaced")
			}
			if _, err := fix.DecodePlan([]byte(bad)); err == nil {
				t.Error("it was read")
			} else if !errors.Is(err, fix.ErrPlan) {
				t.Error(err)
			}
		})
	}
	for name, p := range map[string]*fix.Plan{
		"one ID twice":          plan(fix.Step{ID: "a"}, fix.Step{ID: "a"}),
		"no ID":                 plan(fix.Step{}),
		"depends on a later":    plan(fix.Step{ID: "a", Depends: []string{"b"}}, fix.Step{ID: "b"}),
		"changes nothing":       plan(fix.Step{ID: "a", Change: &fix.Change{Verb: fix.Create, Name: resolve.MustName("a.example"), Type: resolve.TypeA}}),
		"more steps than usual": plan(slices.Repeat([]fix.Step{{ID: "a"}}, fix.MaxSteps+1)...),
	} {
		b, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fix.DecodePlan(b); !errors.Is(err, fix.ErrPlan) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := fix.DecodePlan(make([]byte, fix.MaxPlan+1)); !errors.Is(err, fix.ErrPlan) {
		t.Error(err)
	}
}

func FuzzDecodePlan(f *testing.F) {
	b, err := plan(fix.Step{ID: "a-1", Change: change("example.org", resolve.TypeTXT, []string{`"a" "b"`}, []string{`"c"`})}).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := fix.DecodePlan(data)
		if err != nil {
			return
		}
		b, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fix.DecodePlan(b); err != nil {
			t.Fatalf("written and not readable: %v\n%s", err, b)
		}
		if _, err := fix.Planned(resolve.Offline, p.Changes()); err != nil {
			t.Fatal(err)
		}
	})
}

// Undo takes back what was done, last first, and no gate or manual step.
func TestUndo(t *testing.T) {
	p := plan(
		fix.Step{ID: "a", Change: change("a.example", resolve.TypeTXT, nil, []string{`"1"`})},
		fix.Step{ID: "manual"},
		fix.Step{ID: "b", Change: change("b.example", resolve.TypeTXT, []string{`"1"`}, []string{`"2"`})},
		fix.Step{ID: "c", Change: change("c.example", resolve.TypeTXT, []string{`"1"`}, nil)},
		fix.Step{ID: "later", Change: change("d.example", resolve.TypeTXT, []string{`"1"`}, []string{`"2"`})},
	)
	u := p.Undo([]string{"a", "manual", "b", "c"}, p.Created.Add(time.Hour))
	var got []string
	for _, c := range u.Changes() {
		got = append(got, string(c.Verb)+" "+c.Name.String()+" "+strings.Join(c.Old, ",")+" > "+strings.Join(c.New, ","))
	}
	want := []string{`create c.example  > "1"`, `update b.example "2" > "1"`, `delete a.example "1" > `}
	if !slices.Equal(got, want) || !u.UndoOf.Equal(p.Created) {
		t.Errorf("got %q", got)
	}
	b, err := u.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fix.DecodePlan(b); err != nil {
		t.Error(err)
	}
}

func TestSameRecords(t *testing.T) {
	for _, c := range []struct {
		typ  resolve.Type
		a, b []string
		want bool
	}{
		{resolve.TypeTXT, []string{`"a"`, `"b"`}, []string{`"b"`, `"a"`}, true},
		{resolve.TypeTXT, []string{`"a" "b"`}, []string{`"ab"`}, false},
		{resolve.TypeTXT, []string{`"A"`}, []string{`"a"`}, false},
		{resolve.TypeTXT, []string{`a`}, []string{`"a"`}, true},
		{resolve.TypeTXT, []string{`"\097;"`}, []string{`"a\;"`}, true},
		{resolve.TypeMX, []string{`10 Mail.Example.`}, []string{`10 mail.example.`}, true},
		{resolve.TypeMX, []string{`10 mail.example.`}, []string{`20 mail.example.`}, false},
		{resolve.TypeA, []string{`192.0.2.1`}, nil, false},
		{resolve.TypeAAAA, []string{`2001:DB8::1`}, []string{`2001:db8:0::1`}, true},
	} {
		ch := change("example.org", c.typ, c.a, c.b)
		a, err := ch.OldRecords()
		if err != nil {
			t.Fatal(err)
		}
		b, err := ch.NewRecords()
		if err != nil {
			t.Fatal(err)
		}
		if got := fix.SameRecords(a, b); got != c.want {
			t.Errorf("%s %q and %q: %v", c.typ, c.a, c.b, got)
		}
	}
}

func TestPlanned(t *testing.T) {
	z, err := zonetest.Parse(`
example.org. 300 IN SOA . . 1 1 1 1 300
example.org. 300 IN TXT "old"
example.org. 300 IN MX 10 mail.example.org.
alias.example.org. CNAME example.org.
gone.example.org. CNAME example.org.
moved.example.org. CNAME example.org.
far.example.org. CNAME moved.example.org.
other.example.org. TXT "other"
`, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := fix.Planned(z, []fix.Change{
		*change("example.org", resolve.TypeTXT, []string{`"old"`}, []string{`"new"`}),
		*change("other.example.org", resolve.TypeTXT, []string{`"other"`}, nil),
		*change("a.b.example.org", resolve.TypeTXT, nil, []string{`"deep"`}),
		*change("gone.example.org", resolve.TypeCNAME, []string{`example.org.`}, nil),
		*change("moved.example.org", resolve.TypeCNAME, []string{`example.org.`}, []string{`a.b.example.org.`}),
		*change("loop.example.org", resolve.TypeCNAME, nil, []string{`loop.example.org.`}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		typ  resolve.Type
		want string
		err  error
	}{
		{"example.org", resolve.TypeTXT, `"new"`, nil},
		{"example.org", resolve.TypeMX, `10 mail.example.org.`, nil},
		{"alias.example.org", resolve.TypeTXT, `"new"`, nil},
		{"alias.example.org", resolve.TypeMX, `10 mail.example.org.`, nil},
		{"other.example.org", resolve.TypeTXT, "", resolve.ErrNoData},
		{"a.b.example.org", resolve.TypeTXT, `"deep"`, nil},
		{"a.b.example.org", resolve.TypeA, "", resolve.ErrNoData},
		{"b.example.org", resolve.TypeTXT, "", resolve.ErrNoData}, // an empty non-terminal
		{"c.example.org", resolve.TypeTXT, "", resolve.ErrNXDomain},
		{"gone.example.org", resolve.TypeTXT, "", resolve.ErrNoData},
		{"moved.example.org", resolve.TypeTXT, `"deep"`, nil},
		{"far.example.org", resolve.TypeTXT, `"deep"`, nil},
		{"loop.example.org", resolve.TypeTXT, "", resolve.ErrAliasLoop},
	} {
		q := resolve.Question{Name: resolve.MustName(c.name), Type: c.typ}
		a, err := r.Resolve(context.Background(), q)
		var got []string
		for _, x := range a.Records {
			got = append(got, x.Data.String())
		}
		if strings.Join(got, " ") != c.want || resolve.ReasonOf(err) != c.err || a.Question != q {
			t.Errorf("%s: %q, %v", q, got, err)
		}
	}
}
