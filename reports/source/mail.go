package source

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"
)

func (w *walker) mail(a at, r *bufio.Reader) {
	w.top = nil
	b, ok := w.all(a, r)
	if ok {
		w.message(a, b)
	}
}

// message looks for reports in one mail.
func (w *walker) message(a at, b []byte) {
	h, body := splitHeader(bytes.TrimLeft(b, "\r\n"))
	a.mail = h.mail()
	t := tree{}
	t.add(h, body, 0)
	_, ct := h.contentType()
	kind := strings.ToLower(ct["report-type"])
	switch {
	case w.failureReport(a, &t, kind):
		return
	case kind == "delivery-status" || kind == "disposition-notification" || t.find("message/delivery-status") != nil:
		w.fail(a, ErrNotReport, nil, "a delivery status notification, subject %s", quote(a.mail.Subject))
		return
	}
	told := w.told
	for i := range t.parts {
		if w.stopped {
			return
		}
		w.part(a, &t.parts[i], i)
	}
	if t.cut {
		w.fail(a, ErrLimit, nil, "more than %d parts", maxParts)
	}
	if w.told > told || w.stopped {
		return
	}
	if text := t.text(); failureText(a.mail.Subject, text) {
		w.document(a.note("failure report without its machine-readable part"), Document{Kind: Failure, Failure: &Parts{Text: text}})
		return
	}
	w.fail(a, ErrNotReport, nil, "mail without a report, subject %s, parts: %s", quote(a.mail.Subject), t.types())
}

// failureReport hands out the mail as a failure report, if it is one.
func (w *walker) failureReport(a at, t *tree, kind string) bool {
	feedback := t.find("message/feedback-report")
	if feedback == nil && kind == "feedback-report" {
		for i := range t.parts {
			if c := sniff(t.parts[i].data[:min(len(t.parts[i].data), peekSize)]); c == isFeedback {
				feedback = &t.parts[i]
			}
		}
	}
	if feedback == nil {
		return false
	}
	p := &Parts{Feedback: feedback.data, Text: t.text()}
	// RFC 6591, Section 3.1: the third part is the reported mail or its header.
	for _, name := range []string{"message/rfc822", "message/global", "text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers"} {
		if o := t.find(name); o != nil && o != feedback {
			p.Original = o.data
			break
		}
	}
	a.notes = append(a.notes, feedback.notes...)
	w.document(a, Document{Kind: Failure, Failure: p})
	return true
}

// feedback is the machine-readable part of a failure report as a file.
func (w *walker) feedback(a at, r *bufio.Reader) {
	w.top = nil
	if b, ok := w.all(a, r); ok {
		w.document(a, Document{Kind: Failure, Failure: &Parts{Feedback: b}})
	}
}

// failureText recognises the failure reports of systems that send a text alone.
func failureText(subject string, text []byte) bool {
	s := strings.ToLower(subject)
	return strings.Contains(s, "dmarc") && (strings.Contains(s, "forensic") || strings.Contains(s, "failure")) &&
		containsFold(text, "ip address:")
}

// part opens one leaf of a mail, if there may be a report in it.
func (w *walker) part(a at, p *part, n int) {
	name := p.name
	if name == "" {
		name = "part " + strconv.Itoa(n+1)
	}
	a = a.in(name)
	a.notes = append(a.notes, p.notes...)
	if p.mediaType == "message/rfc822" || p.mediaType == "message/global" {
		if a.depth > w.opt.Depth {
			w.fail(a, ErrLimit, nil, "more than %d containers in each other", w.opt.Depth)
			return
		}
		w.message(a, p.data)
		return
	}
	c := sniff(p.data[:min(len(p.data), peekSize)])
	label := p.labelled()
	want := false
	switch c {
	case isGzip, isZip, isZlib, isTar, isBase64:
		want = true
	case isXML:
		want = label && p.mediaType != "text/html" || bytes.Contains(p.data, []byte("<feedback"))
	case isJSON:
		want = label || bytes.Contains(p.data, []byte(`"policies"`)) || bytes.Contains(p.data, []byte(`"organization-name"`))
	case isMail, isMbox:
		want = label || strings.HasSuffix(strings.ToLower(p.name), ".eml") || wholeMail(p.data)
	default:
		want = label
	}
	switch {
	case want:
		w.open(a, bufio.NewReader(bytes.NewReader(p.data)))
	case p.name != "" && p.mediaType != "text/plain" && p.mediaType != "text/html":
		w.fail(a, ErrSkipped, nil, "attachment of type %s", quote(p.mediaType))
	}
}

// labelled reports whether type or name promise a report.
func (p *part) labelled() bool {
	for _, word := range []string{"zip", "gzip", "xml", "tlsrpt", "json"} {
		if strings.HasSuffix(p.mediaType, word) && !strings.Contains(p.mediaType, "svg") && !strings.Contains(p.mediaType, "xhtml") {
			return true
		}
	}
	lower := strings.ToLower(p.name)
	for _, ext := range []string{".xml", ".gz", ".zip", ".json", ".xml.gzip"} {
		if strings.HasSuffix(lower, ext) {
			return true
		}
	}
	return false
}

// wholeMail reports whether a text is a mail in itself: some systems put the mail
// with the report into the body of another.
func wholeMail(b []byte) bool {
	h, _ := splitHeader(b[:min(len(b), 64<<10)])
	n := 0
	for _, name := range []string{"received", "from", "to", "subject", "date", "message-id", "mime-version", "content-type"} {
		if h.get(name) != "" {
			n++
		}
	}
	return n >= 4 && h.get("content-type") != ""
}
