package ingest

import (
	"bytes"
	"io"
	"net/mail"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/source"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// alien tells whether a policy domain is none of ours.
func (r *run) alien(domain string) bool {
	if len(r.ours) == 0 {
		return false
	}
	domain = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(domain), "."))
	return !slices.ContainsFunc(r.ours, func(o string) bool {
		return domain == o || strings.HasSuffix(domain, "."+o)
	})
}

// alienTLS is alien for a TLS report. The policy domain of a tlsa policy is a mail
// exchanger (RFC 8460, Section 1.1), which need not be ours: it proves nothing.
func (r *run) alienTLS(rep *tlsrpt.Report, o archive.Origin) bool {
	if len(r.ours) == 0 || o.Extra != "" && !r.alien(o.Extra) {
		return false
	}
	told := o.Extra != ""
	for _, p := range rep.Policies {
		switch {
		case p.Domain == "":
		case !r.alien(p.Domain):
			return false
		case p.Type.Value != tlsrpt.TLSA:
			told = true
		}
	}
	return told
}

// outer is the header of the outermost mail of an input.
type outer struct {
	head   *headReader
	ready  bool
	fields []string // its Authentication-Results
	valid  bool
}

// maxHead is how much of an input is looked at for its header; source reads as
// much at most.
const maxHead = 1 << 20

// newOuter returns what is to be read in place of r.
func newOuter(r io.Reader) (io.Reader, *outer) {
	type random interface {
		io.Reader
		io.ReaderAt
		io.Seeker
	}
	if ra, ok := r.(random); ok {
		return ra, &outer{head: &headReader{at: ra}}
	}
	h := &headReader{r: r}
	return h, &outer{head: h}
}

// headReader remembers the head of what is read.
type headReader struct {
	r    io.Reader
	at   io.ReaderAt
	head []byte
}

func (h *headReader) Read(b []byte) (int, error) {
	n, err := h.r.Read(b)
	if room := maxHead - len(h.head); room > 0 {
		h.head = append(h.head, b[:min(n, room)]...)
	}
	return n, err
}

func (h *headReader) bytes() []byte {
	if h.at != nil {
		b := make([]byte, 64<<10)
		n, _ := h.at.ReadAt(b, 0)
		return b[:n]
	}
	return h.head
}

// is tells whether a mail is the outermost one of the input: a mail within it, or
// one of several in an mbox, has a header that the sender may have written.
func (o *outer) is(m *source.Mail) bool {
	if len(m.AuthenticationResults) == 0 {
		return false
	}
	if !o.ready {
		o.ready = true
		b := bytes.TrimLeft(o.head.bytes(), "\r\n")
		if !bytes.HasPrefix(b, []byte("From ")) {
			if i := headerEnd(b); i > 0 {
				// The same reader gives the same values: a header and a body with a report.
				probe := slices.Concat([]byte("Content-Type: message/feedback-report\r\n"), b[:i], []byte("\r\n\r\nFeedback-Type: auth-failure\r\n"))
				for d := range source.Read("", bytes.NewReader(probe), source.Options{}) {
					if d != nil && d.Mail != nil {
						o.fields, o.valid = d.Mail.AuthenticationResults, true
					}
					break
				}
			}
		}
	}
	return o.valid && slices.Equal(o.fields, m.AuthenticationResults)
}

func headerEnd(b []byte) int {
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		return i
	}
	return bytes.Index(b, []byte("\n\n"))
}

// TrustedResults makes an Options.Prove that believes the Authentication-Results
// of the servers named, those on top of the header and no others (RFC 8601,
// Sections 1.6 and 5): a receiving server removes fields that carry its name from
// mail that comes in. Without a server nothing is believed.
//
// RFC 9990, Section 3.5: the mail of a report has an aligned DMARC pass itself.
func TrustedResults(servers []string) func(source.Mail) archive.Proof {
	trusted := map[string]bool{}
	for _, s := range servers {
		trusted[strings.ToLower(strings.TrimSpace(s))] = true
	}
	return func(m source.Mail) archive.Proof {
		from := fromDomain(m.From)
		for _, f := range m.AuthenticationResults {
			id, rest, _ := strings.Cut(stripComments(f), ";")
			if name, _, _ := strings.Cut(strings.TrimSpace(id), " "); !trusted[strings.ToLower(name)] {
				return archive.Unproven // fields below may be anybody's
			}
			for part := range strings.SplitSeq(rest, ";") {
				words := strings.Fields(strings.ToLower(part))
				if len(words) == 0 || !strings.HasPrefix(words[0], "dmarc=") {
					continue
				}
				if i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "header.from=") }); i > 0 {
					if d := strings.Trim(strings.TrimPrefix(words[i], "header.from="), `"`); from == "" || d != from {
						continue // about another mail
					}
				}
				switch words[0] {
				case "dmarc=pass":
					return archive.Proven
				case "dmarc=fail":
					return archive.Forged
				}
				return archive.Unproven
			}
		}
		return archive.Unproven
	}
}

// stripComments removes comments (RFC 5322, Section 3.2.2), which may hold words
// that look like results, and quoted text.
func stripComments(s string) string {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (depth > 0 || quoted):
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func fromDomain(from string) string {
	if a, err := mail.ParseAddress(from); err == nil {
		from = a.Address
	}
	i := strings.LastIndexByte(from, '@')
	if i < 0 {
		return ""
	}
	return strings.ToLower(strings.TrimRight(from[i+1:], "> ."))
}
