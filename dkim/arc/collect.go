package arc

import (
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/internal/message"
	"github.com/mailcheck-go/mailcheck/dkim/internal/signature"
)

// The fields of a set, in the order in which a seal covers them (RFC 8617,
// Section 5.1.1).
const (
	fieldResults = iota
	fieldMessage
	fieldSeal
)

var fieldNames = [...]string{"arc-authentication-results", "arc-message-signature", "arc-seal"}

// set is what was collected for an instance.
type set struct {
	index  [3]int // of each field in the header
	count  [3]int
	fields [3]*signature.Field
	faults [3]*signature.Fault
	text   string // of the results
}

// chain is what was collected of a message.
type chain struct {
	sets  [MaxSets + 1]set // by instance; 0 is unused
	top   int              // the highest instance
	total int              // fields of ARC
	over  bool             // more than there can be
	stray string           // why a field has no instance
}

// collect finds the ARC fields of a header.
func (c *chain) collect(h *message.Header) {
	for i := range h.Fields {
		for kind, name := range fieldNames {
			if !h.Is(i, name) {
				continue
			}
			if c.total++; c.total > len(fieldNames)*MaxSets {
				c.over = true
				return
			}
			c.add(h, i, kind)
		}
	}
}

func (c *chain) add(h *message.Header, i, kind int) {
	var f *signature.Field
	var bad *signature.Fault
	instance, text := 0, ""
	switch kind {
	case fieldResults:
		instance, text = results(h.Value(i))
	case fieldMessage:
		f, bad = signature.Parse(h, i, signature.AMS)
		instance = f.Instance
	case fieldSeal:
		f, bad = signature.Parse(h, i, signature.Seal)
		instance = f.Instance
	}
	if instance == 0 {
		if c.stray == "" {
			c.stray = "a field has no instance from 1 to 50: " + string(h.Name(i))
			if bad != nil {
				c.stray = fmt.Sprintf("%s: %s", h.Name(i), bad.Detail)
			}
		}
		return
	}
	s := &c.sets[instance]
	c.top = max(c.top, instance)
	if s.count[kind]++; s.count[kind] > 1 {
		return
	}
	s.index[kind], s.fields[kind], s.faults[kind] = i, f, bad
	if kind == fieldResults {
		s.text = text
	}
}

// results reads the instance of ARC-Authentication-Results.
// RFC 8617, Section 4.1.1: i=N comes first, then a semicolon and the payload.
func results(value []byte) (instance int, payload string) {
	flat := string(message.AppendRelaxed(nil, nil, value)[1:])
	rest := skipComments(flat)
	if rest == "" || rest[0] != 'i' {
		return 0, ""
	}
	if rest = skipComments(rest[1:]); rest == "" || rest[0] != '=' {
		return 0, ""
	}
	rest = skipComments(rest[1:])
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	instance, ok := signature.Instance(rest[:n])
	rest = skipComments(rest[n:])
	if !ok || rest == "" || rest[0] != ';' {
		return 0, ""
	}
	return instance, rest[1:]
}

// maxNesting bounds comments in comments.
const maxNesting = 16

// skipComments goes over white space and comments (RFC 5322, Section 3.2.2).
func skipComments(s string) string {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(':
			if depth++; depth > maxNesting {
				return ""
			}
		case depth > 0 && c == '\\':
			i++
		case depth > 0 && c == ')':
			depth--
		case depth == 0 && c != ' ' && c != '\t':
			return s[i:]
		}
	}
	return ""
}

// structure checks what can be checked without keys (RFC 8617, Section 5.2, steps
// 1 to 3). It returns an empty reason for a sound chain.
func (c *chain) structure() (why Reason, at int, text string) {
	if c.over {
		return ReasonTooMany, 0, fmt.Sprintf("there are more than %d ARC sets", MaxSets)
	}
	if c.stray != "" {
		return ReasonInstance, 0, fmt.Sprintf("%+.200q", c.stray)
	}
	if seal := c.sets[c.top].fields[fieldSeal]; seal != nil && seal.CV == "fail" {
		return ReasonSaidFail, c.top, fmt.Sprintf("%+.80q found the chain broken already when it sealed set %d", seal.Domain, c.top)
	}
	return c.upTo(c.top)
}

// below reports whether the sets below n are a sound chain of their own.
func (c *chain) below(n int) bool {
	why, _, _ := c.upTo(n - 1)
	return why == ""
}

// upTo checks the structure of the sets 1 to last.
func (c *chain) upTo(last int) (why Reason, at int, text string) {
	for i := 1; i <= last; i++ {
		s := &c.sets[i]
		if s.count == [3]int{} {
			return ReasonGap, i, fmt.Sprintf("set %d is missing, there are sets up to %d", i, c.top)
		}
		for kind, n := range s.count {
			switch {
			case n == 0:
				return ReasonMissing, i, fmt.Sprintf("set %d has no %s", i, fieldNames[kind])
			case n > 1:
				return ReasonDuplicate, i, fmt.Sprintf("set %d has %d fields %s", i, n, fieldNames[kind])
			}
		}
	}
	for i := 1; i <= last; i++ {
		want := "pass"
		if i == 1 {
			want = "none"
		}
		seal := c.sets[i].fields[fieldSeal]
		if seal.CV != want && c.sets[i].faults[fieldSeal] == nil {
			return ReasonCV, i, fmt.Sprintf("the seal of set %d by %+.80q says cv=%+.20q, it must be %s", i, seal.Domain, seal.CV, want)
		}
	}
	return "", 0, ""
}

// describe is the public form of the sets.
func (c *chain) describe() []Set {
	var out []Set
	for i := 1; i <= c.top; i++ {
		s := &c.sets[i]
		if s.count == [3]int{} {
			continue
		}
		d := Set{Instance: i, AuthResults: s.text, Message: describe(s.fields[fieldMessage]), Seal: describe(s.fields[fieldSeal])}
		d.Seal.Canonicalization = ""
		if f := s.fields[fieldSeal]; f != nil {
			d.CV = f.CV
		}
		out = append(out, d)
	}
	return out
}

func describe(f *signature.Field) Signature {
	if f == nil {
		return Signature{Status: dkim.None}
	}
	form := map[bool]string{false: "simple", true: "relaxed"}
	s := Signature{
		Present: true, Status: dkim.None, Domain: f.Domain, Selector: f.Selector, Algorithm: f.Algorithm,
		Canonicalization: form[f.RelaxedHeader] + "/" + form[f.RelaxedBody], SignedHeaders: f.Names,
	}
	if f.Time >= 0 {
		const maxTime = 253402300799 // the end of the year 9999
		s.Time = time.Unix(min(f.Time, maxTime), 0).UTC()
	}
	return s
}
