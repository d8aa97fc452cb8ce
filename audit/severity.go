package audit

import (
	"fmt"
	"strings"
)

// Severity is the effect of a defect on delivery.
type Severity uint8

// The severities, least first. The zero value is none of them.
const (
	Notice  Severity = iota + 1 // hardening: mail flows, more could be protected
	Warning                     // at risk: some receivers, some mail, or after the next change
	Error                       // mail is refused, junked or can be forged now
)

var severityNames = [...]string{"none", "notice", "warning", "error"}

// String is "notice", "warning" or "error"; "none" for the zero value.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// ParseSeverity reads the words of String.
func ParseSeverity(text string) (Severity, error) {
	for i, n := range severityNames {
		if strings.EqualFold(text, n) {
			return Severity(i), nil
		}
	}
	return 0, fmt.Errorf("audit: unknown severity %q: it is error, warning, notice or none", text)
}

// MarshalText writes the word of String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word of String.
func (s *Severity) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSeverity(string(b))
	return err
}

// Outcome is what became of one rule on one domain.
type Outcome string

// The outcomes.
const (
	Pass          Outcome = "pass"
	Fail          Outcome = "fail"           // there are findings
	NotApplicable Outcome = "not-applicable" // the rule says nothing of such a domain
	Unknown       Outcome = "unknown"        // what the rule needs could not be found out
)
