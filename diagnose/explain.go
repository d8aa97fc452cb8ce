package diagnose

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Errors of [Explain].
var (
	ErrCode     = errors.New("diagnose: not a reply code")
	ErrOperator = errors.New("diagnose: operator not known")
)

// InputError is an input that cannot be understood. It unwraps to one of the errors
// above.
type InputError struct {
	Input    string // shortened
	Offset   int
	Expected string
	Hint     string
	Err      error
}

func (e *InputError) Error() string {
	return fmt.Sprintf("%v: %q at %d: expected %s; %s", e.Err, e.Input, e.Offset, e.Expected, e.Hint)
}

func (e *InputError) Unwrap() error { return e.Err }

func inputError(err error, input, expected, hint string) error {
	if len(input) > 60 {
		input = input[:60]
		for !utf8.ValidString(input) && len(input) > 56 {
			input = input[:len(input)-1]
		}
	}
	return &InputError{Input: input, Expected: expected, Hint: hint, Err: err}
}

// Explanation tells what a code can mean.
type Explanation struct {
	Code     string  `json:"code,omitempty"`
	Enhanced string  `json:"enhanced,omitempty"`
	General  Result  `json:"general"`            // by the registry, or by the operator's use of the code
	Operator string  `json:"operator,omitempty"` // ID
	Entries  []Entry `json:"entries,omitempty"`  // wordings that come with this code: the operator's, or all
}

// Explain tells what a code means: "5.7.26", "550" or "550 5.7.26". operator is an
// ID or alias of [Operators], or empty for all.
func Explain(code, operator string) (Explanation, error) {
	var r reply
	in := strings.TrimSpace(code)
	if at, end := r.findCode(clean(in)); at != 0 || end < len(clean(in)) {
		return Explanation{}, inputError(ErrCode, code, `"5.7.26", "550" or "550 5.7.26"`, "a whole reply goes to Reply")
	}
	x := Explanation{Code: r.code, Enhanced: r.enhanced}
	c := load()
	op := -1
	if operator != "" {
		if op = c.byName(operator); op < 0 {
			return Explanation{}, inputError(ErrOperator, operator, "an ID or alias of a receiver", "Operators lists them")
		}
		x.Operator = c.operators[op].ID
	}
	x.General = judge(r, x.Operator)
	for _, e := range c.entries {
		if len(e.Match) == 0 || op >= 0 && !c.sameFamily(op, e.op) {
			continue
		}
		if r.enhanced != "" && !e.hasEnhanced(r.enhanced) || r.enhanced == "" && !e.codesMatch(&r) {
			continue
		}
		x.Entries = append(x.Entries, e)
	}
	return x, nil
}

// sameFamily tells whether the row of operator b speaks for operator a too.
func (c *catalogue) sameFamily(a, b int) bool {
	return a == b || c.operators[a].Family != "" && c.operators[a].Family == c.operators[b].Family
}

// byName finds an operator by ID, alias or name, whatever the case; -1 for none.
func (c *catalogue) byName(name string) int {
	name = strings.ReplaceAll(fold(name), " ", "-")
	if i, ok := c.opIndex[name]; ok {
		return i
	}
	for i, o := range c.operators {
		for _, a := range o.Aliases {
			if a == name {
				return i
			}
		}
	}
	if i, ok := c.byHost(name); ok {
		return i
	}
	return -1
}
