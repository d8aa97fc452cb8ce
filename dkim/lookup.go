package dkim

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// MaxTexts is how many TXT records at one name are read. More than one key
// record is already an error (RFC 6376, Section 3.6.2.2).
const MaxTexts = 16

// domainkey is the label under which selectors live (RFC 6376, Section 3.6.2.1).
const domainkey = "_domainkey"

// Result is what is known of one selector.
type Result struct {
	Selector string
	Name     resolve.Name // "<selector>._domainkey.<domain>"
	Given    bool         // named by the caller, not guessed

	State  resolve.State // of TXT records at the name, whatever they hold
	Err    error         // why the state is not present
	Answer resolve.Answer

	Texts   []string // the text of every TXT record, at most MaxTexts
	Records []Record // those of them that are key records, usable or not

	// Target is the name that a CNAME at the selector leads to, zero without one.
	Target resolve.Name
	// Dangling says that the CNAME leads to a name without TXT records: the key is
	// missing at the target, not here. Some providers leave the selector of the
	// next rotation so (Microsoft 365).
	Dangling bool

	// Wildcard says that a random selector got the same answer, so this one does
	// not prove that the selector was set up.
	Wildcard bool
}

// Several reports a key record beside other TXT records at the selector. Which
// one a verifier takes is undefined (RFC 6376, Section 3.6.2.2).
func (r Result) Several() bool { return len(r.Texts) > 1 && len(r.Records) > 0 }

// NotKey reports TXT records of which none is a key record, such as an SPF
// record or the text of a wildcard.
func (r Result) NotKey() bool { return r.State == resolve.Present && len(r.Records) == 0 }

// Exists reports whether there is something at the name: TXT records or a CNAME.
func (r Result) Exists() bool { return r.State == resolve.Present || !r.Target.IsZero() }

// Usable reports whether verifiers can use a key of the selector.
func (r Result) Usable() bool {
	for _, rec := range r.Records {
		if rec.Usable() {
			return true
		}
	}
	return false
}

// ErrSelector is matched by every *[SelectorError].
var ErrSelector = errors.New("dkim: not a selector")

// SelectorError tells why a text is not a selector.
type SelectorError struct {
	In     string // the text, shortened
	Reason string
	Hint   string // a selector that was probably meant; empty if none is clear
}

// Error quotes the text, so it is safe to show.
func (e *SelectorError) Error() string {
	return fmt.Sprintf("dkim: %+q is not a selector: %s", e.In, e.Reason)
}

// Unwrap returns [ErrSelector].
func (e *SelectorError) Unwrap() error { return ErrSelector }

// KeyName is the name at which the key of a selector is published. The selector
// may have dots (RFC 6376, Section 3.1) and U-labels (RFC 8616, Section 5).
// Errors are *[SelectorError].
func KeyName(domain resolve.Name, selector string) (resolve.Name, error) {
	fail := func(reason, hint string) (resolve.Name, error) {
		if hint != "" {
			if _, err := KeyName(domain, hint); err != nil { // no better than what was given
				hint = ""
			}
		}
		return resolve.Name{}, &SelectorError{In: shorten(selector), Reason: reason, Hint: hint}
	}
	s := strings.TrimSpace(selector)
	switch {
	case s == "":
		return fail("it is empty", "")
	case len(s) > resolve.MaxName*4: // U-labels are up to four octets a character
		return fail("it is too long", "")
	case domain.IsZero() || domain.IsRoot():
		return fail("no domain for it", "")
	}
	if i := strings.Index(strings.ToLower(s), "."+domainkey); i >= 0 {
		return fail("it is the name of a key record", s[:i])
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) {
		n, err := resolve.ParseName(s)
		if err != nil {
			return fail("not a valid internationalized name", "")
		}
		s = n.String()
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-' && s[i] != '_' && s[i] != '.' {
			hint := ""
			if at := strings.LastIndex(s, "s="); at >= 0 {
				hint, _, _ = strings.Cut(s[at+2:], ";")
			}
			return fail(fmt.Sprintf("character %+q at offset %d", s[i], i), hint)
		}
	}
	if strings.HasSuffix(s, ".") {
		return fail("it ends in a dot", strings.TrimRight(s, "."))
	}
	n, err := domain.Below(s + "." + domainkey)
	if err != nil {
		reason := "it makes no valid name"
		if e, ok := errors.AsType[*resolve.NameError](err); ok {
			reason = e.Reason
		}
		return fail(reason, "")
	}
	return n, nil
}

// Lookup asks for the key of one selector. It costs one query. A selector that is
// none gives state [resolve.Unavailable] and a *[SelectorError].
func Lookup(ctx context.Context, r resolve.Resolver, domain resolve.Name, selector string) Result {
	name, err := KeyName(domain, selector)
	if err != nil {
		return Result{Selector: selector, Given: true, Err: err}
	}
	res := ask(ctx, r, name)
	res.Selector, res.Given = selector, true
	return res
}

// ask reads the TXT records of a name as key records.
func ask(ctx context.Context, r resolve.Resolver, name resolve.Name) Result {
	a, err := r.Resolve(ctx, resolve.Question{Name: name, Type: resolve.TypeTXT})
	res := Result{Name: name, Answer: a, Err: err, State: resolve.StateOf(err)}
	if len(a.Chain) > 0 {
		res.Target = a.Owner()
		res.Dangling = res.State == resolve.Absent
	}
	if res.State != resolve.Present {
		return res
	}
	for i, txt := range a.TXT() {
		if i == MaxTexts {
			break
		}
		text := txt.Joined()
		res.Texts = append(res.Texts, text)
		if rec, err := ParseRecord(text); !foreign(err) {
			res.Records = append(res.Records, rec)
		}
	}
	return res
}

// foreign reports the error of a text that is no key record at all. An empty
// record and one of another version were meant as one.
func foreign(err error) bool {
	p, ok := errors.AsType[*Problem](err)
	return ok && p.Kind == NotKey
}
