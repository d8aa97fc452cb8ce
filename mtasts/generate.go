package mtasts

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Defaults of [NewPolicy]. RFC 8461, Section 3.2 asks for weeks or more once the
// policy is proven; a short time in the test makes a mistake pass soon.
const (
	DefaultMaxAge = 14 * 24 * time.Hour
	TestingMaxAge = 24 * time.Hour
)

// PolicyOptions say what policy to make.
type PolicyOptions struct {
	Mode     Mode           // empty: testing
	MaxAge   time.Duration  // 0: TestingMaxAge for testing and none, else DefaultMaxAge
	Hosts    []resolve.Name // MX hosts, each a line of its own
	Patterns []Pattern      // more lines
}

// NewPolicy makes a policy file, its lines ending in CRLF. Errors match [ErrEdit].
func NewPolicy(opt PolicyOptions) (Policy, error) {
	if opt.Mode == "" {
		opt.Mode = Testing
	}
	if opt.MaxAge == 0 {
		opt.MaxAge = TestingMaxAge
		if opt.Mode == Enforce {
			opt.MaxAge = DefaultMaxAge
		}
	}
	seconds := int64(opt.MaxAge / time.Second)
	if seconds < 0 || seconds > maxAgeLimit {
		return Policy{}, fmt.Errorf("%w: max_age of %d seconds, the limit is %d", ErrEdit, seconds, maxAgeLimit)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "version: %s\r\nmode: %s\r\nmax_age: %d\r\n", version, opt.Mode, seconds)
	seen := map[Pattern]bool{}
	add := func(p Pattern) {
		if !seen[p] {
			seen[p] = true
			fmt.Fprintf(&b, "mx: %s\r\n", p)
		}
	}
	for _, h := range opt.Hosts {
		if h.IsRoot() {
			continue // a null MX: no host
		}
		add(Pattern{Name: h})
	}
	for _, p := range opt.Patterns {
		add(p)
	}
	p, err := ParsePolicy(b.String())
	if err != nil {
		return Policy{}, fmt.Errorf("%w: %w", ErrEdit, err)
	}
	for _, q := range p.Problems {
		if q.Effect == AtRisk {
			return Policy{}, fmt.Errorf("%w: %s", ErrEdit, q)
		}
	}
	return p, nil
}

// Set gives a key a value and leaves every other byte as it is. A key that is not
// there is added at the end. For mx see AddMX and RemoveMX. Errors match [ErrEdit].
func (p Policy) Set(key, value string) (Policy, error) {
	if key == "mx" || !isKey(key) || value == "" || strings.Trim(value, wsp) != value || badControl(value) >= 0 || strings.Contains(value, "\t") {
		return p, fmt.Errorf("%w: %s: %s", ErrEdit, clip(key), clip(value))
	}
	line := key + ": " + value
	for _, l := range p.Lines {
		if l.Key == key {
			return p.splice(l.Offset, l.Offset+len(l.Raw), line)
		}
	}
	return p.append(line)
}

// AddMX adds a pattern behind the last one. Errors match [ErrEdit].
func (p Policy) AddMX(m Pattern) (Policy, error) {
	last := -1
	for i, l := range p.Lines {
		if l.Key == "mx" {
			last = i
		}
		if l.Key == "mx" && l.Value == m.String() {
			return p, nil
		}
	}
	if _, bad := parsePattern(m.String()); bad.Kind != "" {
		return p, fmt.Errorf("%w: %s", ErrEdit, bad)
	}
	if last < 0 {
		return p.append("mx: " + m.String())
	}
	end := p.Lines[last].Offset + len(p.Lines[last].Raw)
	return p.splice(end, end, p.ending()+"mx: "+m.String())
}

// RemoveMX takes out every line of a pattern. Errors match [ErrEdit]: a policy
// without mx is not valid unless its mode is none.
func (p Policy) RemoveMX(m Pattern) (Policy, error) {
	var b strings.Builder
	from := 0
	for _, l := range p.Lines {
		if have, bad := parsePattern(l.Value); l.Key != "mx" || bad.Effect == Ignored || have != m {
			continue
		}
		b.WriteString(p.text[from:l.Offset])
		from = l.Offset + len(l.Raw)
		rest := p.text[from:]
		from += len(rest) - len(strings.TrimPrefix(strings.TrimPrefix(rest, "\r"), "\n"))
	}
	b.WriteString(p.text[from:])
	return p.reread(b.String())
}

func (p Policy) append(line string) (Policy, error) {
	text, end := p.text, p.ending()
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += end
	}
	return p.reread(text + line + end)
}

func (p Policy) splice(from, to int, s string) (Policy, error) {
	return p.reread(p.text[:from] + s + p.text[to:])
}

// ending follows the style of the policy.
func (p Policy) ending() string {
	if strings.Contains(p.text, "\n") && !strings.Contains(p.text, "\r\n") {
		return "\n"
	}
	return "\r\n"
}

// reread refuses an edit that breaks a policy which was valid, or adds to its faults.
func (p Policy) reread(text string) (Policy, error) {
	for _, q := range p.Problems {
		if q.Effect == Ignored && (q.Kind == Document || q.Kind == BadCharacter) {
			return p, fmt.Errorf("%w: this is no policy that can be changed: %s", ErrEdit, q)
		}
	}
	out, err := ParsePolicy(text)
	if err != nil && (p.err() == nil || len(out.Problems) > len(p.Problems)) {
		return p, fmt.Errorf("%w: %w", ErrEdit, err)
	}
	return out, nil
}
