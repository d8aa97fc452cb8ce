package ingest

import (
	"bytes"
	"testing"

	"github.com/mailcheck-go/mailcheck/reports/source"
)

var sampleParts = []source.Parts{
	{Feedback: []byte("Feedback-Type: auth-failure\r\nVersion: 1\r\nUser-Agent: x\r\n")},
	{Text: []byte("A text\nwith lines"), Feedback: []byte("Feedback-Type: auth-failure\nVersion: 1\n"), Original: []byte("From: a@example.org\r\n\r\nbody\r\n")},
	{Text: []byte("--report-1\r\n"), Feedback: []byte("Feedback-Type: abuse\r\n\r\n--report-1--\r\n"), Original: []byte("Subject: \xff\x00\r\n")},
	{Text: []byte("IP address: 192.0.2.1\nDMARC failure\n")},
	{Feedback: []byte("Feedback-Type: auth-failure\r\n"), Original: []byte("Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n--b--\r\n")},
}

func TestMailRoundTrip(t *testing.T) {
	for i, p := range sampleParts {
		got, err := readMail(bytes.NewReader(writeMail(&p)))
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		if !bytes.Equal(got.Text, p.Text) || !bytes.Equal(got.Feedback, p.Feedback) || !bytes.Equal(got.Original, p.Original) {
			t.Errorf("%d: got %q %q %q", i, got.Text, got.Feedback, got.Original)
		}
		if !bytes.Equal(writeMail(got), writeMail(&p)) {
			t.Errorf("%d: not the same mail again", i)
		}
	}
}

// What source.Read gives for a mail is what it gives for the mail that is kept.
func FuzzMailRoundTrip(f *testing.F) {
	for _, p := range sampleParts {
		f.Add(writeMail(&p))
	}
	f.Fuzz(func(t *testing.T, mail []byte) {
		for d, err := range source.Read("f", bytes.NewReader(mail), source.Options{}) {
			if err != nil || d.Kind != source.Failure {
				continue
			}
			p := *d.Failure
			kept := writeMail(&p)
			got, err := readMail(bytes.NewReader(kept))
			if err != nil {
				t.Fatalf("%v: %q", err, kept)
			}
			if !bytes.Equal(got.Text, p.Text) || !bytes.Equal(got.Feedback, p.Feedback) || !bytes.Equal(got.Original, p.Original) {
				t.Fatalf("%q %q %q became %q %q %q", p.Text, p.Feedback, p.Original, got.Text, got.Feedback, got.Original)
			}
		}
	})
}
