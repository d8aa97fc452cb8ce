package fix

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
)

var org = resolve.MustName("example.org")

// zone tells TXT records of example.org; each record is given as its strings.
func zone(records ...[]string) Current {
	return func(n resolve.Name, t resolve.Type) ([]resolve.Record, error) {
		if n != org || t != resolve.TypeTXT {
			return nil, errors.New("not asked")
		}
		var out []resolve.Record
		for _, s := range records {
			out = append(out, resolve.Record{Name: n, Type: t, TTL: 300, Data: resolve.TXT{Strings: s}})
		}
		return out, nil
	}
}

func one(text string) Current { return zone([]string{text}) }

func edit(op Op, record, term, value string) Edit {
	return Edit{Name: org, Type: resolve.TypeTXT, Op: op, Record: record, Term: term, Value: value, Why: string(op) + " " + term + value}
}

func TestSPF(t *testing.T) {
	const r = "v=spf1  a:mail.example.org ip4:192.0.2.1 moo=Cow  ~all "
	for _, tt := range []struct {
		name, record string
		op           Op
		term, value  string
		want         string // empty: an error
	}{
		{"remove takes the spaces before it", r, SPFRemoveTerm, "ip4:192.0.2.1", "", "v=spf1  a:mail.example.org moo=Cow  ~all "},
		{"remove the first", r, SPFRemoveTerm, "a:mail.example.org", "", "v=spf1 ip4:192.0.2.1 moo=Cow  ~all "},
		{"remove a modifier", r, SPFRemoveTerm, "moo=Cow", "", "v=spf1  a:mail.example.org ip4:192.0.2.1  ~all "},
		{"of terms written alike, the last goes", "v=spf1 a mx a -all", SPFRemoveTerm, "a", "", "v=spf1 a mx -all"},
		{"replace", r, SPFReplaceTerm, "ip4:192.0.2.1", "ip4:192.0.2.2", "v=spf1  a:mail.example.org ip4:192.0.2.2 moo=Cow  ~all "},
		{"replace by two", "v=spf1 a -all", SPFReplaceTerm, "a", "mx ip6:2001:db8::1", "v=spf1 mx ip6:2001:db8::1 -all"},
		{"replace a syntax error", "v=spf1 ipv4:192.0.2.1 -all", SPFReplaceTerm, "ipv4:192.0.2.1", "ip4:192.0.2.1", "v=spf1 ip4:192.0.2.1 -all"},
		{"one error of two may stay", "v=spf1 ipv4:192.0.2.1 inlcude:spf.example.net -all", SPFReplaceTerm, "ipv4:192.0.2.1", "ip4:192.0.2.1", "v=spf1 ip4:192.0.2.1 inlcude:spf.example.net -all"},
		{"a term with a space in it", "v=spf1 ip4:  192.0.2.1 ip4: 192.0.2.2 -all", SPFReplaceTerm, "ip4: 192.0.2.2", "ip4:192.0.2.2", "v=spf1 ip4:  192.0.2.1 ip4:192.0.2.2 -all"},
		{"insert before all", r, SPFInsertTerm, "", "ip4:192.0.2.9", "v=spf1  a:mail.example.org ip4:192.0.2.1 moo=Cow  ip4:192.0.2.9 ~all "},
		{"insert before redirect", "v=spf1 redirect=spf.example.net", SPFInsertTerm, "", "a", "v=spf1 a redirect=spf.example.net"},
		{"insert at the end", "v=spf1 mx ", SPFInsertTerm, "", "a", "v=spf1 mx a "},
		{"insert what is there", r, SPFInsertTerm, "", "ip4:192.0.2.1", r},
		{"insert what is there without effect", "v=spf1 mx -all a", SPFInsertTerm, "", "a", "v=spf1 mx a -all a"},
		{"set all", r, SPFSetAll, "", "-all", "v=spf1  a:mail.example.org ip4:192.0.2.1 moo=Cow  -all "},
		{"set all where there is none", "v=spf1 a mx", SPFSetAll, "", "~all", "v=spf1 a mx ~all"},
		{"set all instead of redirect", "v=spf1 redirect=spf.example.net", SPFSetAll, "", "-all", "v=spf1 -all"},
		{"a version in capitals stays", "V=SPF1 MX -ALL", SPFSetAll, "", "~all", "V=SPF1 MX ~ALL"},

		{"no such term", r, SPFRemoveTerm, "mx", "", ""},
		{"no empty term", r, SPFRemoveTerm, "", "", ""},
		{"part of a term", r, SPFRemoveTerm, "ip4:192.0.2", "", ""},
		{"a new syntax error", r, SPFReplaceTerm, "ip4:192.0.2.1", "ip4:192.0.2.300", ""},
		{"a new error beside an old one", "v=spf1 foo a -all", SPFReplaceTerm, "a", "bar", ""},
		{"insert nonsense", r, SPFInsertTerm, "", "frobnicate", ""},
		{"no all", r, SPFSetAll, "", "mx", ""},
		{"no SPF record", "v=DMARC1; p=none", SPFSetAll, "", "-all", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changes, err := Merge([]Edit{edit(tt.op, tt.record, tt.term, tt.value)}, one(tt.record))
			if tt.want == "" {
				if !errors.Is(err, ErrConflict) {
					t.Fatalf("got %v, %v, want ErrConflict", changes, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := tt.record
			if len(changes) > 0 {
				got = strings.Trim(changes[0].New[0], `"`)
			}
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestSiblings: a change holds the whole set, and what no edit is about stays as
// it was published, octet for octet.
func TestSiblings(t *testing.T) {
	odd := []string{"v=verify", " \x00\xff\"\\;"}
	long := []string{strings.Repeat("x", 200), strings.Repeat("y", 200)} // cut where SplitTXT would not cut
	cur := zone(odd, []string{"v=spf1 a ", "-all"}, long)
	changes, err := Merge([]Edit{edit(SPFSetAll, "v=spf1 a -all", "", "~all")}, cur)
	if err != nil || len(changes) != 1 {
		t.Fatal(changes, err)
	}
	c := changes[0]
	want := []string{resolve.TXT{Strings: odd}.String(), `"v=spf1 a ~all"`, resolve.TXT{Strings: long}.String()}
	if !slices.Equal(c.New, want) {
		t.Errorf("new\n%s\nwant\n%s", strings.Join(c.New, "\n"), strings.Join(want, "\n"))
	}
	if c.Verb != Update || c.TTL != 300 || len(c.Old) != 3 || c.Old[1] != `"v=spf1 a " "-all"` {
		t.Errorf("change %+v", c)
	}
}

func TestCompose(t *testing.T) {
	const r = "v=spf1 ip4:192.0.2.7/24 mx mx ?all"
	cur := zone([]string{"v=spf1 ip4:192.0.2.7/24 mx", " mx ?all"}, []string{"other"}) // cut in an unusual place
	for _, tt := range []struct {
		name  string
		edits []Edit
		want  []string
	}{
		{"three edits of one record", []Edit{
			edit(SPFReplaceTerm, r, "ip4:192.0.2.7/24", "ip4:192.0.2.0/24"), edit(SPFRemoveTerm, r, "mx", ""), edit(SPFSetAll, r, "", "~all"),
		}, []string{`"v=spf1 ip4:192.0.2.0/24 mx ~all"`, `"other"`}},
		{"the same edit twice", []Edit{
			edit(SPFRemoveTerm, r, "mx", ""), edit(SPFRemoveTerm, r, "mx", ""),
		}, []string{`"v=spf1 ip4:192.0.2.7/24 mx ?all"`, `"other"`}},
		{"two wishes for one removal", []Edit{
			edit(SPFRemoveTerm, r, "ip4:192.0.2.7/24", ""),
			{Name: org, Type: resolve.TypeTXT, Op: SPFRemoveTerm, Record: r, Term: "ip4:192.0.2.7/24", Why: "another rule"},
		}, []string{`"v=spf1 mx mx ?all"`, `"other"`}},
		{"two wishes for one replacement", []Edit{
			edit(SPFReplaceTerm, r, "ip4:192.0.2.7/24", "ip4:192.0.2.0/24"),
			{Name: org, Type: resolve.TypeTXT, Op: SPFReplaceTerm, Record: r, Term: "ip4:192.0.2.7/24", Value: "ip4:192.0.2.0/24", Why: "another rule"},
		}, []string{`"v=spf1 ip4:192.0.2.0/24 mx mx ?all"`, `"other"`}},
		{"add, remove, and edit what is left", []Edit{
			edit(RemoveRecord, "other", "", ""), edit(AddRecord, "", "", "new"), edit(AddRecord, "", "", "new"), edit(SPFInsertTerm, r, "", "a"),
		}, []string{`"v=spf1 ip4:192.0.2.7/24 mx mx a ?all"`, `"new"`}},
		{"an edit that names the edited text", []Edit{
			edit(ReplaceRecord, r, "", "v=spf1 mx ?all"), edit(SPFSetAll, "v=spf1 mx ?all", "", "-all"),
		}, []string{`"v=spf1 mx -all"`, `"other"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changes, err := Merge(tt.edits, cur)
			if err != nil || len(changes) != 1 {
				t.Fatal(changes, err)
			}
			if !slices.Equal(changes[0].New, tt.want) {
				t.Errorf("got  %q\nwant %q", changes[0].New, tt.want)
			}
		})
	}
}

func TestConflicts(t *testing.T) {
	const r = "v=spf1 a mx -all"
	for _, tt := range []struct {
		name  string
		edits []Edit
	}{
		{"the record has changed since", []Edit{edit(SPFSetAll, "v=spf1 a -all", "", "~all")}},
		{"the record is removed", []Edit{edit(RemoveRecord, r, "", ""), edit(SPFSetAll, r, "", "~all")}},
		{"the term is removed", []Edit{edit(SPFRemoveTerm, r, "a", ""), edit(SPFReplaceTerm, r, "a", "ip4:192.0.2.1")}},
		{"an unknown operation", []Edit{edit("spf-flatten", r, "", "")}},
		{"a tag of a record that is no DMARC record", []Edit{edit(DMARCSetTag, r, "p", "none")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if changes, err := Merge(tt.edits, one(r)); !errors.Is(err, ErrConflict) || changes != nil {
				t.Errorf("got %v, %v, want ErrConflict", changes, err)
			}
		})
	}
}

// TestUnknown: what could not be read is not edited.
func TestUnknown(t *testing.T) {
	down := &resolve.Error{Reason: resolve.ErrTimeout, Question: resolve.Question{Name: org, Type: resolve.TypeTXT}}
	_, err := Merge([]Edit{edit(AddRecord, "", "", "v=spf1 -all")}, func(resolve.Name, resolve.Type) ([]resolve.Record, error) { return nil, down })
	if !errors.Is(err, resolve.ErrTimeout) || errors.Is(err, ErrConflict) {
		t.Errorf("got %v, want the lookup error", err)
	}
}

// TestAgain: the records that a change makes need no second change, and an edit
// of the old record is refused.
func TestAgain(t *testing.T) {
	const r, after = "v=spf1 ?all", "v=spf1 ip4:192.0.2.1 ?all"
	first, err := Merge([]Edit{edit(SPFInsertTerm, r, "", "ip4:192.0.2.1")}, one(r))
	if err != nil || len(first) != 1 || first[0].New[0] != `"`+after+`"` {
		t.Fatal(first, err)
	}
	if again, err := Merge([]Edit{edit(SPFInsertTerm, after, "", "ip4:192.0.2.1")}, one(after)); err != nil || len(again) != 0 {
		t.Errorf("second run: %v, %v", again, err)
	}
	if _, err := Merge([]Edit{edit(SPFInsertTerm, r, "", "ip4:192.0.2.1")}, one(after)); !errors.Is(err, ErrConflict) {
		t.Errorf("edit of the old record: %v, want ErrConflict", err)
	}
	if c, err := Merge([]Edit{edit(AddRecord, "", "", after)}, one(after)); err != nil || len(c) != 0 {
		t.Errorf("adding what is there: %v, %v", c, err)
	}
}

func TestVerbs(t *testing.T) {
	for _, tt := range []struct {
		name string
		cur  Current
		edit Edit
		verb Verb
		zone string
	}{
		{"create", zone(), edit(AddRecord, "", "", "v=spf1 -all"), Create, `example.org. 3600 IN TXT "v=spf1 -all"`},
		{"update", one("v=spf1 -all"), edit(SPFSetAll, "v=spf1 -all", "", "~all"), Update, `example.org. 300 IN TXT "v=spf1 ~all"`},
		{"delete", one("v=spf1 -all"), edit(RemoveRecord, "v=spf1 -all", "", ""), Delete, `; delete: example.org. IN TXT "v=spf1 -all"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Merge([]Edit{tt.edit}, tt.cur)
			if err != nil || len(c) != 1 {
				t.Fatal(c, err)
			}
			if z := strings.Join(c[0].Zone(), "\n"); c[0].Verb != tt.verb || z != tt.zone {
				t.Errorf("%s\n%s\nwant %s\n%s", c[0].Verb, z, tt.verb, tt.zone)
			}
		})
	}
}

// FuzzSPF: an edit either fails or leaves a record that is no worse.
func FuzzSPF(f *testing.F) {
	f.Add("v=spf1 ip4: 192.0.2.1 a a -all", "a", "mx")
	f.Add("v=spf1 ~all", "~all", "-all")
	f.Add("v=spf1 redirect=a.example exp=%{i}.b.example x=y", "x=y", "ip6:::/0")
	f.Fuzz(func(t *testing.T, record, term, value string) {
		for _, op := range []Op{SPFRemoveTerm, SPFReplaceTerm, SPFInsertTerm, SPFSetAll} {
			text, err := edited(newRecord(record), edit(op, record, term, value))
			if err == nil && text != record && !strings.EqualFold(text[:6], "v=spf1") {
				t.Errorf("%s of %q: %q", op, record, text)
			}
		}
	})
}

func newRecord(text string) record { return record{was: text, text: text} }
