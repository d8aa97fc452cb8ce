package diagnose

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

// Bounce diagnoses the text of a bounce that people are meant to read: it looks for
// the reply or the wording that tells most and leaves out the copy of the mail.
func Bounce(text string) Result { return bounce(text, "") }

// maxParagraphs bounds how many parts of a bounce text are judged.
const maxParagraphs = 200

func bounce(text, server string) Result {
	best := judge(reply{}, "")
	score := -1
	n := 0
	late := false
	for p := range paragraphs(text) {
		if n++; n > maxParagraphs {
			break
		}
		if n <= 2 && isReport(p) {
			break
		}
		r := parseReply(p)
		if r.server == "" {
			r.server = server
		}
		if r.class() == '2' && !strings.HasPrefix(strings.TrimSpace(p), r.code) {
			continue
		}
		r.failed = r.class() != '4' && r.class() != '2'
		res := judge(r, "")
		late = late || stillTrying(r.folded)
		if r.class() == 0 && !telling(&res) {
			continue
		}
		if s := weight(&res); s > score {
			best, score = res, s
		}
	}
	if best.Cause == cause.Unknown && best.Code == "" {
		best.Temporary, best.RetryUnknown = late, !late
	}
	return best
}

// telling tells whether a verdict on words without a code may count: running text
// is full of words that mean something in a reply.
func telling(res *Result) bool {
	c := load()
	if i, ok := c.ids[res.Entry]; ok && (c.named(c.entries[i].op) || res.Cause == cause.ProtocolError && c.entries[i].Confidence == High) {
		return true
	}
	switch res.Cause {
	case cause.PolicyRecipient, cause.ReceiverError, cause.ProtocolError, cause.IPReputation, cause.MalformedMessage, cause.AuthRequired, cause.LocalError:
		return false
	}
	return true
}

// stillTrying tells whether a text says that the mail is not given up yet.
func stillTrying(low string) bool {
	for _, w := range []string{"not yet been delivered", "still undelivered", "will keep trying", "will continue trying", "do not need to resend", "will be retried", "only a temporary failure", "delivery is delayed", "delayed"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// reports are beginnings of mails that are no bounces.
var reports = []string{"email abuse report", "abusive behavior", "authentication-failure report", "sent this email to unsubscribe", "abuse report for"}

func isReport(p string) bool {
	low := fold(cut(p, 500))
	for _, w := range reports {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// weight orders verdicts on parts of one text by how much they tell.
func weight(res *Result) int {
	if res.Cause == cause.Unknown {
		if res.Code != "" || res.Enhanced != "" {
			return 1
		}
		return 0
	}
	w := 2
	if res.Code != "" || res.Enhanced != "" {
		w += 20
	}
	switch {
	case res.Entry != "":
		w += 10
	}
	switch res.Confidence {
	case High:
		w += 4
	case Medium:
		w += 2
	}
	switch res.Cause {
	case cause.Expired, cause.PolicyRecipient, cause.ReceiverError, cause.ConnectionTimeout, cause.ProtocolError:
		w -= 3 // what a better part explains
	case cause.Delivered:
		return 0
	}
	return w
}

// copies are the lines behind which the mail itself follows.
var copies = []string{
	"return-path:", "received: from", "received: by", "this is a copy of", "below this line is a copy", "original message follows", "original message follows",
	"message header follows", "message headers follow", "original message headers", "returned mail follows", "unsent message", "mensaje original", "below the next line is a copy", "undelivered message", "unsent message follows",
	"message text follows", "original e-mail header", "your original message", "the header of the original", "undelivered message follows",
	"mime-version:", "the original message follows", "the original message was attached", "your message reads", "content-type:",
	"the attached file contains the original", "first few lines of the original"}

// paragraphs yields the parts of a text: lines that belong together, joined.
func paragraphs(text string) func(func(string) bool) {
	if len(text) > MaxText {
		text = text[:MaxText]
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	return func(yield func(string) bool) {
		var part strings.Builder
		flush := func() bool {
			s := part.String()
			part.Reset()
			return s == "" || yield(s)
		}
		for line := range strings.SplitSeq(text, "\n") {
			low := fold(strings.TrimLeft(line, "-*> \t"))
			for _, c := range copies {
				if strings.HasPrefix(low, c) || strings.HasPrefix(c, "original") && strings.Contains(low, c) {
					flush()
					return
				}
			}
			trimmed := strings.TrimSpace(line)
			switch {
			case trimmed == "":
				if !flush() {
					return
				}
				continue
			case part.Len() > 0 && begins(trimmed):
				if !flush() {
					return
				}
			}
			part.WriteString(trimmed)
			part.WriteByte(' ')
		}
		flush()
	}
}

// begins tells whether a line starts a part of its own: a reply that does not go
// on from the line before, or a field.
func begins(s string) bool {
	low := lower(s)
	for _, p := range []string{"<<< ", ">>> ", "diagnostic-code:", "status:", "action:", "final-recipient:", "remote-mta:", "... while talking"} {
		if strings.HasPrefix(low, p) {
			return true
		}
	}
	return false
}
