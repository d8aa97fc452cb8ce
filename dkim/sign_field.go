package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim/internal/message"
)

// names are the names of h=: one for each field to sign, and one more where a
// field must not be added.
func (o *SignOptions) names(h *message.Header) []string {
	sign, over := o.Headers, o.Oversign
	if sign == nil {
		sign = SignedHeaders()
	}
	if over == nil {
		over = OversignedHeaders()
	}
	var out []string
	for i, n := range sign {
		if lists(sign[:i], n) {
			continue
		}
		for range h.Count(n) {
			out = append(out, n)
		}
	}
	for i, n := range over {
		if lists(over[:i], n) {
			continue
		}
		if !lists(sign, n) {
			for range h.Count(n) {
				out = append(out, n)
			}
		}
		out = append(out, n)
	}
	return out
}

// field makes the DKIM-Signature field.
func (o *SignOptions) field(m *message.Message, algorithm string, names []string, body [sha256.Size]byte) (string, error) {
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	at := now().Unix()
	var f folder
	f.text("DKIM-Signature:")
	f.tag("v=1;")
	f.tag("a=" + algorithm + ";")
	f.tag("c=" + canonNames[bit(!o.SimpleHeader)][bit(!o.SimpleBody)] + ";")
	f.tag("d=" + o.Domain.String() + ";")
	name, _ := KeyName(o.Domain, o.Selector) // in A-labels
	f.tag("s=" + strings.TrimSuffix(name.String(), "."+domainkey+"."+o.Domain.String()) + ";")
	if o.Identity != "" {
		f.tag("i=" + o.Identity + ";")
	}
	f.tag("t=" + strconv.FormatInt(at, 10) + ";")
	if o.Expires > 0 {
		f.tag("x=" + strconv.FormatInt(at+int64(o.Expires/time.Second), 10) + ";")
	}
	f.list("h=", names)
	f.tag("bh=" + base64.StdEncoding.EncodeToString(body[:]) + ";")
	f.tag("b=")

	s := sha256.New()
	m.Header.Begin()
	for _, n := range names {
		if i := m.Header.Pick(n); i >= 0 {
			m.Header.Write(s, i, !o.SimpleHeader)
		}
	}
	o.self(s, f.String())
	sig, err := o.signature(s.Sum(nil))
	if err != nil {
		return "", fmt.Errorf("dkim: signing: %w", err)
	}
	f.base64(base64.StdEncoding.EncodeToString(sig))
	return f.String() + "\r\n", nil
}

// self hashes the field with an empty b=.
func (o *SignOptions) self(s hash.Hash, field string) {
	if o.SimpleHeader {
		io.WriteString(s, field)
		return
	}
	name, value, _ := strings.Cut(field, ":")
	s.Write(message.AppendRelaxed(nil, []byte(name), []byte(value)))
}

func (o *SignOptions) signature(digest []byte) ([]byte, error) {
	if _, ok := o.Key.Public().(ed25519.PublicKey); ok {
		// RFC 8463, Section 3: Ed25519 signs the hash itself.
		return o.Key.Sign(rand.Reader, digest, crypto.Hash(0))
	}
	return o.Key.Sign(rand.Reader, digest, crypto.SHA256)
}

// lineLength is where lines are folded (RFC 5322, Section 2.1.1, recommends 78).
const lineLength = 76

// folder writes a field and folds its lines.
type folder struct {
	strings.Builder
	col int
}

func (f *folder) text(s string) {
	f.WriteString(s)
	f.col += len(s)
}

func (f *folder) fold() {
	f.WriteString("\r\n\t")
	f.col = 8
}

func (f *folder) tag(s string) {
	if f.col+1+len(s) > lineLength {
		f.fold()
	} else {
		f.text(" ")
	}
	f.text(s)
}

func (f *folder) list(tag string, names []string) {
	for i, n := range names {
		if i == 0 {
			n = tag + n
		}
		end := ":"
		if i == len(names)-1 {
			end = ";"
		}
		if i == 0 {
			f.tag(n + end)
			continue
		}
		if f.col+len(n)+1 > lineLength {
			f.fold()
		}
		f.text(n + end)
	}
}

func (f *folder) base64(s string) {
	for len(s) > 0 {
		n := min(len(s), lineLength-f.col)
		if n <= 0 {
			f.fold()
			continue
		}
		f.text(s[:n])
		s = s[n:]
	}
}
