package failure

import (
	"encoding/base64"
	"net/mail"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// aliases are historic and wrong names (RFC 5965, Section 3.2 for Received-Date).
var aliases = map[string]string{
	"Received-Date": "Arrival-Date", "Source": "", "Reported-Uri": "Reported-URI", "Source-Ip": "Source-IP",
	"Original-Envelope-Id": "Original-Envelope-ID", "Reporting-Mta": "Reporting-MTA",
	"Dkim-Domain": "DKIM-Domain", "Dkim-Identity": "DKIM-Identity", "Dkim-Selector": "DKIM-Selector",
	"Dkim-Canonicalized-Header": "DKIM-Canonicalized-Header", "Dkim-Canonicalized-Body": "DKIM-Canonicalized-Body",
	"Spf-Dns": "SPF-DNS", "Dkim-Selector-Dns": "DKIM-Selector-DNS",
}

// feedback takes the meaning of the feedback part.
func (r *Report) feedback(fields []Field) {
	seen := map[string]bool{}
	for _, f := range fields {
		name := f.Name
		if alias := aliases[name]; alias != "" {
			name = alias
		}
		if f.Name == "Received-Date" {
			r.note(FieldAlias, name, f.Name)
		}
		if r.repeatable(name, f.Value) {
			continue
		}
		if seen[name] {
			// RFC 5965, Section 3.1 and 3.2: once.
			r.note(RepeatedField, name, f.Value)
			continue
		}
		if r.single(name, f.Value) {
			seen[name] = true
		} else if len(r.Other) < maxFields {
			r.Other = append(r.Other, Field{f.Name, f.Value})
		}
	}
}

// repeatable stores the fields of RFC 5965, Section 3.3 and SPF-DNS.
func (r *Report) repeatable(name, value string) bool {
	var list *[]string
	switch name {
	case "Authentication-Results":
		list = &r.AuthenticationResults
	case "Original-Rcpt-To":
		list, value = &r.OriginalRcptTo, address(value)
	case "Reported-Domain":
		list, value = &r.ReportedDomain, domain(value)
	case "Reported-URI":
		list = &r.ReportedURI
	case "SPF-DNS":
		list = &r.SPFDNS
	default:
		return false
	}
	if len(*list) == maxRepeated {
		r.note(TooMany, name, "")
	} else if value != "" {
		*list = append(*list, value)
	}
	return true
}

func (r *Report) single(name, value string) bool {
	switch name {
	case "Feedback-Type":
		r.FeedbackType = r.word(name, value, feedbackTypes)
	case "User-Agent":
		r.UserAgent = value
	case "Version":
		r.Version = value
	case "Arrival-Date":
		r.ArrivalDate = r.date(name, value)
	case "Source-IP":
		r.source(value)
	case "Source-Port":
		r.SourcePort = int(r.number(name, value, 65535))
	case "Incidents":
		r.Incidents = r.number(name, value, 1<<32-1) // RFC 5965, Section 3.2: 32 bits
	case "Reporting-MTA":
		r.ReportingMTA = value
	case "Original-Envelope-ID":
		r.OriginalEnvelopeID = value
	case "Original-Mail-From":
		r.OriginalMailFrom = address(value)
		r.NullMailFrom = r.OriginalMailFrom == ""
	case "Auth-Failure":
		r.AuthFailure = r.words(name, value, authFailures)
	case "Identity-Alignment":
		r.IdentityAlignment = r.words(name, value, alignments)
	case "Delivery-Result":
		r.DeliveryResult = r.word(name, value, deliveryResults)
	case "DKIM-Domain":
		r.DKIMDomain = domain(value)
	case "DKIM-Identity":
		r.DKIMIdentity = value
	case "DKIM-Selector":
		r.DKIMSelector = value
	case "DKIM-Canonicalized-Header":
		r.DKIMCanonicalHeader = r.base64(name, value)
	case "DKIM-Canonicalized-Body":
		r.DKIMCanonicalBody = r.base64(name, value)
	default:
		return false
	}
	return true
}

var (
	// feedbackTypes: RFC 5965, Section 7.3, RFC 6591, Section 3.1 and the registry.
	feedbackTypes = []string{"auth-failure", "abuse", "fraud", "virus", "other", "not-spam", "opt-out"}
	// authFailures: RFC 6591, Section 3.2.1; RFC 9991, Section 4 adds dmarc.
	authFailures = []string{"dmarc", "adsp", "bodyhash", "revoked", "signature", "spf"}
	// alignments: RFC 9991, Section 4.
	alignments = []string{"none", "dkim", "spf"}
	// deliveryResults: RFC 6591, Section 3.2.2.
	deliveryResults = []string{"delivered", "spam", "policy", "reject", "other"}
)

func (r *Report) word(name, value string, known []string) Word {
	w := Word{Raw: value}
	lower := strings.ToLower(strings.Trim(stripComments(value), " \t\"'.;"))
	switch {
	case value == "":
	case slices.Contains(known, lower):
		if w.Value = lower; lower != value {
			r.note(WordForm, name, value)
		}
	default:
		r.note(WordUnknown, name, value)
	}
	return w
}

// words reads a comma list with comments.
func (r *Report) words(name, value string, known []string) (out []Word) {
	for part := range strings.SplitSeq(stripComments(value), ",") {
		if part = strings.TrimSpace(part); part != "" && len(out) < 16 {
			out = append(out, r.word(name, part, known))
		}
	}
	return out
}

// stripComments leaves out what is in parentheses (RFC 5322, Section 3.2.2).
func stripComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	var b strings.Builder
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '(':
			depth++
		case s[i] == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(s[i])
		}
	}
	return strings.TrimSpace(b.String())
}

func (r *Report) base64(name, value string) []byte {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
	if err != nil {
		r.note(Base64Bad, name, value)
		return nil
	}
	return b
}

func (r *Report) number(name, value string, limit int64) int64 {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || n > limit {
		r.note(NumberBad, name, value)
		return 0
	}
	return n
}

// date reads the date of a mail, also with a trailing comment or zone name, or
// RFC 3339.
func (r *Report) date(name, value string) time.Time {
	for _, s := range []string{value, stripComments(value)} {
		if t, err := mail.ParseDate(s); err == nil && t.Year() > 1969 && t.Year() < 10000 {
			return t.UTC()
		}
		for _, layout := range []string{time.RFC3339, time.DateTime, "Mon Jan _2 15:04:05 2006"} {
			if t, err := time.Parse(layout, s); err == nil {
				r.note(WordForm, name, value)
				return t.UTC()
			}
		}
	}
	r.note(DateBad, name, value)
	return time.Time{}
}

func (r *Report) source(value string) {
	s := strings.TrimSpace(stripComments(value))
	a, err := netip.ParseAddr(s)
	if err != nil {
		s = strings.Trim(s, "[]<>\"' ")
		if len(s) > 5 && strings.EqualFold(s[:5], "ipv6:") {
			s = s[5:]
		}
		if a, err = netip.ParseAddr(s); err == nil {
			r.note(AddressForm, "Source-IP", value)
		}
	}
	if err != nil {
		r.SourceText = value
		r.note(AddressBad, "Source-IP", value)
		return
	}
	r.SourceIP = a.Unmap().WithZone("")
}

// address is an address without its angle brackets and type.
func address(s string) string {
	if len(s) > 7 && strings.EqualFold(s[:7], "rfc822;") {
		s = strings.TrimSpace(s[7:])
	}
	return strings.TrimSpace(strings.Trim(s, "<>"))
}

func domain(s string) string {
	return strings.ToLower(strings.TrimSuffix(strings.Trim(stripComments(s), " \t<>\"'"), "."))
}

// check notes the required fields that are missing.
func (r *Report) check() {
	need := func(name string, ok bool) {
		if !ok {
			r.note(MissingField, name, "")
		}
	}
	// RFC 5965, Section 3.1.
	need("Feedback-Type", r.FeedbackType.Raw != "")
	need("User-Agent", r.UserAgent != "")
	need("Version", r.Version != "")
	if r.FeedbackType.Value != "auth-failure" {
		return
	}
	// RFC 6591, Section 3.1.
	need("Authentication-Results", len(r.AuthenticationResults) > 0)
	need("Auth-Failure", len(r.AuthFailure) > 0)
	need("Reported-Domain", len(r.ReportedDomain) > 0)
	for _, w := range r.AuthFailure {
		if w.Value == "dmarc" {
			// RFC 9991, Section 4.
			need("Identity-Alignment", len(r.IdentityAlignment) > 0)
		}
	}
}
