package diagnose

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

//go:embed catalogue.json
var embedded []byte

// load parses the catalogue on first use. The tests prove that the embedded file
// parses.
var load = sync.OnceValue(func() *catalogue {
	c, err := parseCatalogue(embedded)
	if err != nil {
		panic("diagnose: embedded catalogue: " + err.Error())
	}
	return c
})

// Entry is one row of the catalogue: a wording or a code of one receiver. Its
// slices are shared: do not change them.
type Entry struct {
	ID       string   `json:"id"`       // permanent
	Operator string   `json:"operator"` // ID of an operator; "generic" for wordings that many use
	Codes    []string `json:"codes,omitempty"`
	Enhanced []string `json:"enhanced,omitempty"` // a final number may be a range: "5.7.606-649"

	// Match lists the wordings, one of which is enough; empty when the codes alone
	// decide. They are matched against the text in lower case with single spaces: "*"
	// stands for any run, "#" for digits, "^" and "$" for the ends.
	Match []string `json:"match,omitempty"`
	// Strict rows count only when a code of the reply is among Codes or Enhanced.
	Strict bool `json:"strict,omitempty"`
	// Only rows count only when the receiver is known to be the operator.
	Only bool `json:"only,omitempty"`

	Cause cause.Cause `json:"cause"`
	Whose cause.Whose `json:"whose,omitempty"` // when it differs from the cause's
	// Temporary is nil when the wording goes with both.
	Temporary *bool `json:"temporary,omitempty"`

	Meaning string        `json:"meaning"`
	Advice  string        `json:"advice,omitempty"` // when there is more to say than the cause's remedy
	Checks  []cause.Check `json:"checks,omitempty"` // likewise
	Refs    []string      `json:"refs,omitempty"`

	Source     string     `json:"source"`
	Seen       string     `json:"seen"` // date, "2026-02-12"
	Confidence Confidence `json:"confidence"`
	Example    string     `json:"example"`

	alts []alternative
	op   int
}

// Operator is a receiver, a mail server program or a blocklist whose wordings the
// catalogue knows.
type Operator struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Family  string   `json:"family,omitempty"` // several IDs that people call by one name
	Kind    string   `json:"kind"`             // "receiver", "gateway", "software", "list" or "generic"
	Aliases []string `json:"aliases,omitempty"`
	Hosts   []string `json:"hosts,omitempty"` // MX hosts are these names or below them
	Hints   []string `json:"hints,omitempty"` // in the text of a reply
}

// anywhere tells whether the operator's wordings may come from any host: an own
// server, or a gateway under a customer's name.
func (o *Operator) anywhere() bool {
	return o.Kind != "receiver"
}

type catalogue struct {
	reviewed  string
	entries   []Entry
	operators []Operator
	opIndex   map[string]int // by ID
	ids       map[string]int // entries by ID
	hosts     map[string]int // by host suffix
	hints     []hint
	codeOnly  []int // rows without wording
}

type hint struct {
	text  string
	marks marks
	op    int
}

func parseCatalogue(data []byte) (*catalogue, error) {
	var file struct {
		Version   int        `json:"version"`
		Reviewed  string     `json:"reviewed"`
		Operators []Operator `json:"operators"`
		Entries   []Entry    `json:"entries"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.Version != 1 {
		return nil, fmt.Errorf("version %d, want 1", file.Version)
	}
	c := &catalogue{
		reviewed: file.Reviewed, entries: file.Entries, operators: file.Operators,
		opIndex: make(map[string]int), ids: make(map[string]int), hosts: make(map[string]int),
	}
	for i, o := range c.operators {
		c.opIndex[o.ID] = i
		for _, h := range o.Hosts {
			c.hosts[h] = i
		}
		for _, h := range o.Hints {
			c.hints = append(c.hints, hint{h, marksOf(h), i})
		}
	}
	for i := range c.entries {
		e := &c.entries[i]
		op, ok := c.opIndex[e.Operator]
		if !ok {
			return nil, fmt.Errorf("entry %s: operator %q is not listed", e.ID, e.Operator)
		}
		e.op = op
		c.ids[e.ID] = i
		for _, m := range e.Match {
			e.alts = append(e.alts, compile(m))
		}
		if len(e.alts) == 0 {
			c.codeOnly = append(c.codeOnly, i)
		}
	}
	return c, nil
}

// byHost finds the operator of a host by the nearest listed name above it.
func (c *catalogue) byHost(host string) (int, bool) {
	host = strings.TrimSuffix(host, ".")
	for host != "" {
		if i, ok := c.hosts[host]; ok {
			return i, true
		}
		_, rest, ok := strings.Cut(host, ".")
		if !ok {
			break
		}
		host = rest
	}
	return 0, false
}

// byHint finds the operator that a text (folded) gives away.
func (c *catalogue) byHint(text string, sk *sketch) (int, bool) {
	for i := range c.hints {
		h := &c.hints[i]
		if sk.may(h.marks) && strings.Contains(text, h.text) {
			return h.op, true
		}
	}
	return 0, false
}

// Entries lists the catalogue in its order.
func Entries() []Entry { return load().entries }

// Operators lists the operators that the catalogue knows.
func Operators() []Operator { return load().operators }

// Reviewed is the date of the catalogue's last review, as in "2026-01-31".
func Reviewed() string { return load().reviewed }
