package dkim

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/mailcheck-go/mailcheck/dkim/internal/message"
	"github.com/mailcheck-go/mailcheck/dkim/internal/signature"
)

// body finds the change that explains a body hash; looked is false when the body
// was not kept.
func (e *explainer) body(f *signature.Field, m *message.Message) (c *Change, looked bool) {
	if !m.Whole {
		return nil, false
	}
	for _, b := range e.bodies {
		if b.want == f.BodyHash && b.relaxed == f.RelaxedBody && b.length == f.Length {
			return b.change, true
		}
	}
	t := bodyTry{explainer: e, f: f, body: m.Kept}
	c = t.find()
	e.bodies = append(e.bodies, bodyFinding{f.BodyHash, f.RelaxedBody, f.Length, c})
	return c, true
}

type bodyTry struct {
	*explainer
	f    *signature.Field
	body []byte
}

// is reports whether text hashes to what was signed.
func (t *bodyTry) is(parts ...[]byte) bool {
	h := sha256.New()
	room := t.f.Length
	for _, p := range parts {
		if room >= 0 {
			p = p[:min(int64(len(p)), room)]
			room -= int64(len(p))
		}
		h.Write(p)
	}
	return [sha256.Size]byte(h.Sum(nil)) == t.f.BodyHash
}

func (t *bodyTry) find() *Change {
	for _, try := range []func() *Change{t.empty, t.forms, t.newlines, t.escapes, t.added} {
		if c := try(); c != nil {
			return c
		}
	}
	return nil
}

// empty recognizes the two hashes of no body (RFC 6376, Sections 3.4.3 and 3.4.4).
func (t *bodyTry) empty() *Change {
	if t.f.BodyHash != sha256.Sum256(nil) && t.f.BodyHash != sha256.Sum256([]byte("\r\n")) {
		return nil
	}
	return &Change{Kind: ChangeNoBody, Detail: "bh= is the hash of an empty body, so the signer saw no body"}
}

// forms tries the other canonical form, and all of the body in spite of l=.
func (t *bodyTry) forms() *Change {
	if !t.spend(2 * len(t.body)) {
		return nil
	}
	for _, relaxed := range []bool{t.f.RelaxedBody, !t.f.RelaxedBody} {
		h := message.NewHasher(relaxed, t.f.Length)
		h.Write(t.body)
		h.Finish()
		part, _ := h.Sum(t.f.Length)
		all, _ := h.Sum(-1)
		h.Close()
		switch {
		case !part.Short && part.Sum == t.f.BodyHash:
			return &Change{Kind: ChangeCanonicalization, Detail: fmt.Sprintf(
				"the hash fits the %s form of the body, c= says %s: white space was changed, or the signer is wrong",
				formName(relaxed), formName(t.f.RelaxedBody))}
		case t.f.Length >= 0 && all.Sum == t.f.BodyHash:
			return &Change{Kind: ChangeLength, Detail: "bh= is the hash of the whole body, in spite of l="}
		}
	}
	return nil
}

func formName(relaxed bool) string {
	if relaxed {
		return "relaxed"
	}
	return "simple"
}

// newlines tries other line ends in and after the body.
func (t *bodyTry) newlines() *Change {
	if !t.spend(8 * len(t.body)) {
		return nil
	}
	text := canonical(t.body, t.f.RelaxedBody, "\r\n")
	bare := bytes.TrimSuffix(text, []byte("\r\n"))
	if t.is(bare) {
		return &Change{Kind: ChangeFinalNewline, Detail: "the signer left out the line end after the last line"}
	}
	for n := 1; n <= maxBlank; n++ {
		if t.is(text, bytes.Repeat([]byte("\r\n"), n)) {
			return &Change{Kind: ChangeFinalNewline, Detail: fmt.Sprintf("the signer hashed %d more line ends at the end of the body", n)}
		}
	}
	if c := t.bareCR(); c != nil {
		return c
	}
	for _, x := range []struct {
		eol, detail string
	}{
		{"\n", "the signer hashed the lines with LF alone, they are sent with CRLF"},
		{"\r\r\n", "the signer hashed the lines with CR CRLF"},
		{"\r", "the signer hashed the lines with CR alone"},
	} {
		if alt := canonical(t.body, t.f.RelaxedBody, x.eol); t.is(alt) || t.is(bytes.TrimSuffix(alt, []byte(x.eol))) {
			return &Change{Kind: ChangeLineEnds, Detail: x.detail}
		}
	}
	return nil
}

// bareCR tries what became of line ends when CRs were added or mistaken.
func (t *bodyTry) bareCR() *Change {
	if message.CountEOLs(t.body).CR == 0 {
		return nil
	}
	for _, x := range []struct{ from, to, detail string }{
		{"\r\r\n", "\r\n", "a CR was added to each line end"},
		{"\r", "\n", "bare CRs were line ends when it was signed"},
		{"\r", "", "bare CRs were added"},
	} {
		plain := bytes.ReplaceAll(t.body, []byte("\r\n"), []byte("\n"))
		if x.from == "\r\r\n" {
			plain = bytes.ReplaceAll(t.body, []byte(x.from), []byte(x.to))
		} else {
			plain = bytes.ReplaceAll(plain, []byte(x.from), []byte(x.to))
		}
		if t.is(canonical(plain, t.f.RelaxedBody, "\r\n")) {
			return &Change{Kind: ChangeLineEnds, Detail: x.detail}
		}
	}
	return nil
}

// maxBlank is how many line ends after the body are tried.
const maxBlank = 8

// escapes tries what transports do to single lines.
func (t *bodyTry) escapes() *Change {
	for _, x := range []struct {
		kind             ChangeKind
		from, to, detail string
	}{
		{ChangeDots, "..", ".", "dots at the start of lines were doubled"},
		{ChangeDots, ".", "..", "dots at the start of lines were taken away"},
		{ChangeFromQuoted, ">From ", "From ", `lines beginning with "From " were changed to ">From "`},
		{ChangeFromQuoted, "From ", ">From ", `lines beginning with ">From " were changed to "From "`},
	} {
		at := []byte("\n" + x.from)
		if !bytes.Contains(t.body, at) && !bytes.HasPrefix(t.body, at[1:]) || !t.spend(4*len(t.body)) {
			continue
		}
		// A line end in front makes the first line like the others.
		alt := bytes.ReplaceAll(append([]byte("\n"), t.body...), at, []byte("\n"+x.to))[1:]
		if t.is(canonical(alt, t.f.RelaxedBody, "\r\n")) {
			return &Change{Kind: x.kind, Detail: x.detail}
		}
	}
	return nil
}

// added looks for a block of lines that was put in.
func (t *bodyTry) added() *Change {
	if t.f.Length >= 0 || !t.spend(6*len(t.body)) {
		return nil
	}
	text := canonical(t.body, t.f.RelaxedBody, "\r\n")
	ends := make([]int, 0, bytes.Count(text, []byte{'\n'})+1)
	h := sha256.New()
	var sum [sha256.Size]byte
	start, last := 0, 0
	for at, c := range text {
		if c != '\n' {
			continue
		}
		ends = append(ends, at+1)
		h.Write(text[start : at+1])
		start = at + 1
		// Empty lines at the end of the signed body do not show.
		if h.Sum(sum[:0]); sum == t.f.BodyHash {
			last = at + 1
			break
		}
	}
	if last > 0 {
		rest := text[last:]
		return &Change{Kind: ChangeAppended, Detail: fmt.Sprintf("%s after line %d %s added after signing, beginning with %s",
			plural(bytes.Count(rest, []byte{'\n'}), "line"), len(ends), wasWere(bytes.Count(rest, []byte{'\n'})), firstLine(rest))}
	}
	// With the block from line i to line j left out, the rest must fit.
	for i := 0; i < len(ends); i++ {
		from := 0
		if i > 0 {
			from = ends[i-1]
		}
		prefix := text[:from]
		for j := i; j < len(ends)-1; j++ {
			if !t.spend(len(text) - ends[j] + len(prefix)) {
				return nil
			}
			if !t.is(prefix, text[ends[j]:]) {
				continue
			}
			kind, where := ChangeInserted, fmt.Sprintf("after line %d", i)
			if i == 0 {
				kind, where = ChangePrepended, "at the beginning"
			}
			return &Change{Kind: kind, Detail: fmt.Sprintf("%s %s %s added after signing: %s",
				plural(j-i+1, "line"), where, wasWere(j-i+1), firstLine(text[from:]))}
		}
	}
	return nil
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// firstLine quotes the first line of text that is not empty.
func firstLine(text []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\r\n"))
	return fmt.Sprintf("%+q", shorten(string(line)))
}

// canonical is a body in canonical form, with another line end if wanted. It is
// for bodies that are in memory; verifying uses [message.Hasher].
func canonical(body []byte, relaxed bool, eol string) []byte {
	out := make([]byte, 0, len(body)+len(body)/16+2)
	end := 0 // after the last line that is not empty
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, []byte{'\n'})
		body = rest
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if relaxed {
			line = bytes.TrimRight(line, " \t")
			space := false
			for _, c := range line {
				if c == ' ' || c == '\t' {
					space = true
					continue
				}
				if space {
					out = append(out, ' ')
					space = false
				}
				out = append(out, c)
			}
		} else {
			out = append(out, line...)
		}
		out = append(out, eol...)
		if len(line) > 0 {
			end = len(out)
		}
	}
	if out = out[:end]; end == 0 && !relaxed {
		out = append(out, eol...)
	}
	return out
}
