package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"github.com/mailcheck-go/mailcheck/reports/source"
)

// writeMail makes the mail that a failure report is kept as: the parts and
// nothing else, so that the same report is the same octets whatever way it came.
// Package source reads the same parts out of it.
func writeMail(p *source.Parts) []byte {
	h := sha256.New()
	for _, b := range [][]byte{p.Text, p.Feedback, p.Original} {
		h.Write(b)
		h.Write([]byte{0})
	}
	boundary := "report-" + hex.EncodeToString(h.Sum(nil)[:16]) // in base64 there is no "-"
	var w bytes.Buffer
	w.WriteString("MIME-Version: 1.0\r\nSubject: DMARC failure report\r\n")
	// RFC 5965, Section 2: a text for people, the report, the mail it is about.
	w.WriteString("Content-Type: multipart/report; report-type=feedback-report;\r\n boundary=\"" + boundary + "\"\r\n\r\n")
	part := func(mediaType string, b []byte) {
		w.WriteString("--" + boundary + "\r\nContent-Type: " + mediaType + "\r\nContent-Transfer-Encoding: base64\r\n\r\n")
		encode(&w, b)
	}
	if p.Text != nil {
		part("text/plain; charset=utf-8", p.Text)
	}
	part("message/feedback-report", p.Feedback) // empty for a report of a text alone, which reads the same
	if p.Original != nil {
		part("message/rfc822", p.Original)
	}
	w.WriteString("--" + boundary + "--\r\n")
	return w.Bytes()
}

const base64Line = 57 // octets that make 76 characters (RFC 2045, Section 6.8)

func encode(w *bytes.Buffer, b []byte) {
	for len(b) > 0 {
		n := min(len(b), base64Line)
		w.WriteString(base64.StdEncoding.EncodeToString(b[:n]))
		w.WriteString("\r\n")
		b = b[n:]
	}
}
