package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash"
)

// Digest sums up what a report says, so that the same report is known again
// when it comes with other line ends, compression or white space.
type Digest struct {
	h   hash.Hash
	buf []byte
}

// NewDigest starts a digest. Row is called for each record, in order, Sum at
// the end.
func NewDigest() *Digest { return &Digest{h: sha256.New()} }

// Row adds a record.
func (d *Digest) Row(count int64, l *Look) {
	d.buf = l.AppendKey(binary.AppendVarint(d.buf[:0], count))
	d.h.Write(d.buf)
}

// AppendKey appends a form of the look that is equal for equal looks alone.
func (l *Look) AppendKey(b []byte) []byte {
	if l.Source.IsValid() {
		b = text(b, string(l.Source.AsSlice()))
	} else {
		b = text(text(b, ""), l.SourceText)
	}
	b = text(b, l.Disposition)
	b = append(b, flag(l.DKIM)|flag(l.SPF)<<1)
	b = text(b, l.HeaderFrom)
	b = text(b, l.EnvelopeFrom)
	b = text(b, l.EnvelopeTo)
	b = binary.AppendUvarint(b, uint64(len(l.Reasons)))
	for _, r := range l.Reasons {
		b = text(text(b, r.Type), r.Comment)
	}
	b = binary.AppendUvarint(b, uint64(len(l.Signatures)))
	for _, s := range l.Signatures {
		b = text(text(text(b, s.Domain), s.Selector), string(s.Result))
	}
	b = binary.AppendUvarint(b, uint64(len(l.Checks)))
	for _, s := range l.Checks {
		b = text(text(text(b, s.Domain), s.Scope), string(s.Result))
	}
	return b
}

// Sum ends the digest with the head of the report. Body is what else the report
// says, in a form that encoding/json writes: its sessions or sample.
func (d *Digest) Sum(r *Report, body any) Sum {
	b := d.buf[:0]
	for _, s := range []string{string(r.Kind), r.Reporter, r.ReportID, r.Domain, r.Policy.P, r.Policy.SP, r.Policy.NP,
		r.Policy.ADKIM, r.Policy.ASPF, r.Policy.Testing} {
		b = text(b, s)
	}
	b = binary.AppendVarint(b, r.Begin.Unix())
	b = binary.AppendVarint(b, r.End.Unix())
	d.h.Write(b)
	if body != nil {
		j, err := json.Marshal(body)
		if err != nil { // only a type that json cannot write: a mistake of the engine
			panic("archive: digest: " + err.Error())
		}
		d.h.Write(j)
	}
	return Sum(d.h.Sum(nil))
}

func text(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}
