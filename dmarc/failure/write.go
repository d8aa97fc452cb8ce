package failure

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrWrite matches the error of every report that cannot be written.
var ErrWrite = errors.New("failure: cannot be written")

// Feedback writes the report's message/feedback-report part, in CRLF lines. It
// fails when a field that RFC 5965, RFC 6591 or RFC 9991 requires is missing.
// Reporters put it between a text for people and the reported message (RFC 5965,
// Section 2).
func (r *Report) Feedback() ([]byte, error) {
	w := &writer{}
	w.must("Feedback-Type", r.FeedbackType.Value)
	w.must("User-Agent", r.UserAgent)
	w.add("Version", "1") // RFC 5965, Section 3.1
	w.may("Original-Envelope-Id", r.OriginalEnvelopeID)
	if r.OriginalMailFrom != "" || r.NullMailFrom {
		w.add("Original-Mail-From", "<"+r.OriginalMailFrom+">")
	}
	for _, s := range r.OriginalRcptTo {
		w.add("Original-Rcpt-To", "<"+s+">")
	}
	if !r.ArrivalDate.IsZero() {
		w.add("Arrival-Date", r.ArrivalDate.Format(time.RFC1123Z))
	}
	w.may("Reporting-MTA", r.ReportingMTA)
	if r.SourceIP.IsValid() {
		w.add("Source-IP", r.SourceIP.String())
	}
	if r.SourcePort > 0 {
		w.add("Source-Port", strconv.Itoa(r.SourcePort))
	}
	if r.Incidents > 1 {
		w.add("Incidents", strconv.FormatInt(r.Incidents, 10))
	}
	if r.FeedbackType.Value == "auth-failure" {
		w.authFailure(r)
	}
	w.each("Authentication-Results", r.AuthenticationResults)
	w.each("Reported-Domain", r.ReportedDomain)
	w.each("Reported-URI", r.ReportedURI)
	w.may("DKIM-Domain", r.DKIMDomain)
	w.may("DKIM-Identity", r.DKIMIdentity)
	w.may("DKIM-Selector", r.DKIMSelector)
	w.base64("DKIM-Canonicalized-Header", r.DKIMCanonicalHeader)
	w.base64("DKIM-Canonicalized-Body", r.DKIMCanonicalBody)
	w.each("SPF-DNS", r.SPFDNS)
	for _, f := range r.Other {
		w.add(f.Name, f.Value)
	}
	if w.err != nil {
		return nil, w.err
	}
	return []byte(w.b.String()), nil
}

type writer struct {
	b   strings.Builder
	err error
}

func (w *writer) authFailure(r *Report) {
	w.must("Auth-Failure", join(r.AuthFailure))
	if len(r.AuthenticationResults) == 0 {
		w.refuse("Authentication-Results")
	}
	for _, f := range r.AuthFailure {
		if f.Value == "dmarc" {
			w.must("Identity-Alignment", join(r.IdentityAlignment)) // RFC 9991, Section 4
			break
		}
	}
	w.may("Delivery-Result", r.DeliveryResult.Value)
}

func join(words []Word) string {
	var list []string
	for _, w := range words {
		if w.Value != "" {
			list = append(list, w.Value)
		}
	}
	return strings.Join(list, ", ")
}

func (w *writer) refuse(name string) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: %s is required", ErrWrite, name)
	}
}

func (w *writer) must(name, value string) {
	if value == "" {
		w.refuse(name)
		return
	}
	w.add(name, value)
}

func (w *writer) may(name, value string) {
	if value != "" {
		w.add(name, value)
	}
}

func (w *writer) each(name string, values []string) {
	for _, v := range values {
		w.may(name, v)
	}
}

// add writes a field. White space in a value becomes one space, so that none can
// end the field; long ones are folded (RFC 5322, Section 2.2.3).
func (w *writer) add(name, value string) {
	line := name + ":"
	for _, word := range strings.Fields(value) {
		if len(line)+1+len(word) > 78 && strings.TrimSpace(line) != "" && line != name+":" {
			w.b.WriteString(line + "\r\n")
			line = ""
		}
		line += " " + word
	}
	w.b.WriteString(line + "\r\n")
}

func (w *writer) base64(name string, b []byte) {
	if len(b) == 0 {
		return
	}
	s := base64.StdEncoding.EncodeToString(b)
	w.b.WriteString(name + ":")
	for room := 76 - len(name); len(s) > 0; room = 76 {
		n := min(len(s), room)
		w.b.WriteString(" " + s[:n] + "\r\n")
		s = s[n:]
	}
}
