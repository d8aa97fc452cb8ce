package authres

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/message/internal/lex"
)

// Limits of one field.
const (
	MaxLength  = 16 << 10 // octets
	MaxResults = 200      // methods
	maxProps   = 50       // of one method
)

// Errors of [Parse]. An error means that nothing of the field is to be used.
var (
	ErrTooLong = errors.New("authres: field too long")
	ErrNesting = errors.New("authres: comments nested too deep")
	ErrOpen    = errors.New("authres: comment or quoted string without end")
	ErrSyntax  = errors.New("authres: not Authentication-Results")
)

// ParseError is the error of [Parse].
type ParseError struct {
	In       string // the value, shortened
	At       int    // offset in the value
	Expected string
	Reason   error // one of the errors above
}

// Error quotes the value.
func (e *ParseError) Error() string {
	return fmt.Sprintf("%v at offset %d of %q: expected %s", e.Reason, e.At, e.In, e.Expected)
}

// Unwrap returns the reason.
func (e *ParseError) Unwrap() error { return e.Reason }

// Results is one field.
type Results struct {
	ServID  string   `json:"authserv_id,omitempty"` // as written; empty if the field has none
	Version string   `json:"version,omitempty"`
	None    bool     `json:"none,omitempty"`    // "none": no authentication was done
	Results []Result `json:"results,omitempty"` // in the order of the field
	// Loose are words between the results that are none, such as the domain of the
	// recipient in fields of Outlook.
	Loose []string `json:"loose,omitempty"`
	// Notes say what was not by the letter.
	Notes []Note `json:"notes,omitempty"`
}

// Result is what one method said.
type Result struct {
	Method  string `json:"method"` // in lower case: dkim, spf, dmarc, compauth, x-…
	Version string `json:"version,omitempty"`
	// Value is the result in the words of RFC 8601, in lower case. Words of some
	// receivers are translated: dkim_pass is pass, hardfail is fail.
	Value    string   `json:"value"`
	Raw      string   `json:"raw,omitempty"` // the result as written, if that is not Value
	Reason   string   `json:"reason,omitempty"`
	Comments []string `json:"comments,omitempty"` // foreign text: a sender can have a say in it
	Props    []Prop   `json:"props,omitempty"`
}

// Prop is a property of a result.
type Prop struct {
	Type  string `json:"type,omitempty"` // smtp, header, body, policy, …; empty as in action=none
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Note is the kind of a deviation from the letter. The words are stable.
type Note string

// Notes.
const (
	NoServID     Note = "no-authserv-id"   // the field begins with a result
	BadServID    Note = "bad-authserv-id"  // the identity is no token
	Translated   Note = "translated"       // a result in other words
	LooseWord    Note = "loose-word"       // text between results
	EmptyValue   Note = "empty-value"      // a property without a value
	Repeated     Note = "repeated-prop"    // a property given twice; the first counts
	Unterminated Note = "text-after-close" // text after a quoted value
	TooMany      Note = "limit"            // a limit cut the list
	NoResults    Note = "no-results"       // neither a result nor "none"
)

// Prop is the value of the first property of that type and name, empty if there is
// none.
func (r Result) Prop(ptype, name string) string {
	for _, p := range r.Props {
		if p.Type == ptype && p.Name == name {
			return p.Value
		}
	}
	return ""
}

// Domain is the domain that the result is about, in lower case: d= or the domain of
// i= for DKIM, that of the envelope sender or the name of HELO for SPF, that of the
// author for DMARC. Empty if the field does not say.
func (r Result) Domain() string {
	var tries [][2]string
	switch r.Method {
	case "dkim", "domainkeys", "dk", "dkim-adsp", "dkim-atps":
		tries = [][2]string{{"header", "d"}, {"header", "i"}, {"header", "from"}, {"header", "sender"}}
	case "spf", "sender-id":
		tries = [][2]string{{"smtp", "mailfrom"}, {"smtp", "mail"}, {"smtp", "helo"}}
	case "bimi":
		tries = [][2]string{{"header", "d"}}
	default:
		tries = [][2]string{{"header", "from"}, {"header", "d"}}
	}
	for _, t := range tries {
		v := r.Prop(t[0], t[1])
		if v == "" || v == "none" {
			continue
		}
		if i := strings.LastIndexByte(v, '@'); i >= 0 {
			v = v[i+1:]
		}
		if v = strings.ToLower(strings.Trim(v, "<>. ")); v != "" {
			return v
		}
	}
	return ""
}

// By are the results of one method, in the order of the field.
func (r Results) By(method string) []Result {
	var out []Result
	for _, x := range r.Results {
		if x.Method == method {
			out = append(out, x)
		}
	}
	return out
}

// Parse reads the value of an Authentication-Results field, unfolded or not. It
// takes what receivers write against the letter, and refuses a field as a whole
// when a comment or a quoted string in it does not end: then nobody can tell what
// is the receiver's word. Errors are *ParseError.
func Parse(value string) (Results, error) {
	if len(value) > MaxLength {
		return Results{}, &ParseError{shorten(value), MaxLength, fmt.Sprintf("at most %d octets", MaxLength), ErrTooLong}
	}
	p := &parser{Scanner: lex.Scanner{In: unfold.Replace(value)}}
	p.field()
	switch {
	case p.Deep:
		return Results{}, &ParseError{shorten(value), p.Pos, fmt.Sprintf("at most %d comments in each other", lex.MaxNesting), ErrNesting}
	case p.Open:
		return Results{}, &ParseError{shorten(value), p.Pos, "the end of a comment or of a quoted string", ErrOpen}
	case p.out.ServID == "" && len(p.out.Results) == 0 && !p.out.None:
		return Results{}, &ParseError{shorten(value), 0, "an authserv-id or method=result", ErrSyntax}
	}
	if len(p.out.Results) > 0 {
		p.out.None = false
	} else if !p.out.None {
		p.note(NoResults)
	}
	return p.out, nil
}

// unfold keeps offsets.
var unfold = strings.NewReplacer("\r", " ", "\n", " ")

// ParseARC reads the value of an ARC-Authentication-Results field: its instance, and
// what is behind it. The instance is 0 if it is none (RFC 8617, Section 4.1.1).
func ParseARC(value string) (int, Results, error) {
	s := lex.Scanner{In: value}
	s.Skip()
	instance := 0
	if start := s.Pos; strings.EqualFold(s.Word("=;"), "i") {
		s.Skip()
		if s.Peek() == '=' {
			s.Pos++
			s.Skip()
			instance = number(s.Word(";"))
			s.Skip()
		}
		if s.Peek() == ';' {
			s.Pos++
			value = value[s.Pos:]
		} else {
			instance = 0
			value = value[start:]
		}
	}
	r, err := Parse(value)
	return instance, r, err
}

// number is an ARC instance, 0 if it is none.
func number(s string) int {
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n <= 50 && len(s) <= 2 {
		return n
	}
	return 0
}

type parser struct {
	lex.Scanner
	out Results
}

func (p *parser) note(n Note) {
	for _, have := range p.out.Notes {
		if have == n {
			return
		}
	}
	p.out.Notes = append(p.out.Notes, n)
}

func (p *parser) field() {
	p.Skip()
	start := p.Pos
	word := p.token()
	p.Skip()
	// RFC 8601, Section 2.2: the authserv-id comes first. Outlook leaves it out, so
	// that the first word is a method.
	if p.Peek() == '=' || word == "" {
		p.Pos = start
		p.Take()
		p.note(NoServID)
		p.result()
	} else {
		p.out.ServID = word
		if strings.ContainsAny(word, "\"<>@, \t") {
			p.note(BadServID)
		}
		at := p.Pos
		if v := p.Word(";="); v != "" {
			p.Skip()
			if p.Peek() == '=' { // the semicolon is missing
				p.Pos = at
				p.note(LooseWord)
				p.result()
			} else {
				p.out.Version = v
			}
		}
		p.Take()
	}
	for !p.Done() && !p.Open && !p.Deep {
		if p.Peek() != ';' {
			p.loose()
			p.Skip()
			p.Take()
			continue
		}
		p.Pos++
		p.result()
	}
}

// token is a word, or a quoted string.
func (p *parser) token() string {
	if p.Peek() == '"' {
		return p.Quoted()
	}
	return p.Word(";=")
}

// loose passes what is no result up to the next white space.
func (p *parser) loose() {
	start := p.Pos
	switch w := p.token(); {
	case w != "":
		if len(p.out.Loose) < maxProps {
			p.out.Loose = append(p.out.Loose, w)
		}
		p.note(LooseWord)
	case p.Pos == start:
		p.Pos++ // a sign alone
	}
}

// result reads what is between two semicolons.
func (p *parser) result() {
	p.Skip()
	p.Take()
	method := p.Word(";=")
	p.Skip()
	if p.Peek() == '/' { // behind white space or a comment
		p.Pos++
		p.Skip()
		method += "/" + p.Word(";=")
		p.Skip()
	}
	if p.Peek() != '=' {
		switch {
		case method == "":
		case strings.EqualFold(method, "none") && len(p.out.Results) == 0:
			p.out.None = true
		default:
			if len(p.out.Loose) < maxProps {
				p.out.Loose = append(p.out.Loose, method)
			}
			p.note(LooseWord)
		}
		return
	}
	p.Pos++
	r := Result{}
	r.Method, r.Version, _ = strings.Cut(strings.ToLower(method), "/")
	p.Skip()
	raw := ""
	if !p.startsProp() {
		raw = p.value()
	}
	p.settle(&r, raw)
	for {
		p.Skip()
		r.Comments = append(r.Comments, p.Take()...)
		if p.Done() || p.Peek() == ';' || p.Open || p.Deep {
			break
		}
		p.prop(&r)
	}
	if r.Method == "" {
		p.note(LooseWord)
		return
	}
	if len(p.out.Results) >= MaxResults {
		p.note(TooMany)
		return
	}
	p.out.Results = append(p.out.Results, r)
}

// value reads what is behind an equals sign. RFC 8601 wants quotes around octets
// such as "/" and "=", which receivers leave out.
func (p *parser) value() string {
	if p.Peek() == '"' {
		v := p.Quoted()
		if c := p.Peek(); c != 0 && strings.IndexByte(" \t\r\n;(", c) < 0 {
			// "local part"@domain, or a slip.
			rest := p.Word(";")
			if strings.HasPrefix(rest, "@") {
				return v + rest
			}
			p.note(Unterminated)
		}
		return v
	}
	v := p.Word(";")
	// <"local part"@domain> and the like.
	for p.Peek() == '"' && v != "" && !p.Open {
		v += p.Quoted() + p.Word(";")
	}
	return v
}

// prop reads reason= or one property.
func (p *parser) prop(r *Result) {
	start := p.Pos
	name := p.Word(";=")
	if name == "" && p.Peek() == '"' {
		p.Quoted()
		p.note(LooseWord)
		return
	}
	p.Skip()
	// RFC 8601, Section 2.2: white space and comments may stand around the dot.
	if p.Peek() == '.' || strings.HasSuffix(name, ".") {
		if p.Peek() == '.' {
			p.Pos++
			name += "."
			p.Skip()
		}
		name += p.Word(";=")
		p.Skip()
	}
	if p.Peek() != '=' {
		if p.Pos == start {
			p.Pos++
		}
		p.note(LooseWord)
		return
	}
	p.Pos++
	name = strings.ToLower(name)
	// A value has to follow at once, or after white space if another word does not
	// follow that: "header.from= header.d=x" has an empty one.
	p.Skip()
	v := ""
	if !p.startsProp() {
		v = p.value()
	}
	if v == "" {
		p.note(EmptyValue)
	}
	if name == "reason" {
		if r.Reason == "" {
			r.Reason = v
		} else {
			p.note(Repeated)
		}
		return
	}
	prop := Prop{Name: name, Value: v}
	if i := strings.IndexByte(name, '.'); i >= 0 {
		prop.Type, prop.Name = name[:i], name[i+1:]
	}
	for _, have := range r.Props {
		if have.Type == prop.Type && have.Name == prop.Name {
			p.note(Repeated)
			break
		}
	}
	if len(r.Props) >= maxProps {
		p.note(TooMany)
		return
	}
	r.Props = append(r.Props, prop)
}

// startsProp reports whether a property of the usual types is next.
func (p *parser) startsProp() bool {
	rest := strings.ToLower(p.In[p.Pos:min(len(p.In), p.Pos+40)])
	if p.Pos > 0 && p.In[p.Pos-1] == '=' {
		return false // the value follows at once
	}
	for _, t := range []string{"header.", "smtp.", "policy.", "body."} {
		if name, ok := strings.CutPrefix(rest, t); ok {
			i := strings.IndexByte(name, '=')
			return i > 0 && !strings.ContainsAny(name[:i], " \t.;@")
		}
	}
	return strings.HasPrefix(rest, "reason=")
}

// translations are words for results of some receivers.
var translations = map[string]string{
	"dkim_pass": "pass", "dkim_fail": "fail", "dkim_neutral": "neutral", "dkim_none": "none",
	"success": "pass", "hardfail": "fail", "bestguesspass": "none", "perm_fail": "permerror", "temp_fail": "temperror",
	"error": "temperror", "unknown": "neutral", "invalid": "permerror", "permfail": "permerror",
}

// settle splits "success(p=reject)" forms, which the scanner has cut at the
// parenthesis already, and translates the word.
func (p *parser) settle(r *Result, raw string) {
	r.Value = strings.ToLower(raw)
	if t, ok := translations[r.Value]; ok {
		r.Value = t
		p.note(Translated)
	}
	if r.Value != raw {
		r.Raw = raw
	}
}

func shorten(s string) string {
	const n = 80
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
