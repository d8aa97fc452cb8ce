package dkim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/dkim/internal/message"
	"github.com/mailcheck-go/mailcheck/dkim/internal/signature"
)

// important are the fields that readers see or act on; a signature that leaves
// one out lets anybody change it (RFC 6376, Section 5.4.1).
var important = [...]string{"Subject", "Date", "To", "Cc", "Reply-To", "Content-Type", "List-Unsubscribe", "List-Unsubscribe-Post"}

// single are the fields of which a message has one at most, and of which a second
// one misleads readers (RFC 5322, Section 3.6; RFC 6376, Section 8.15).
var single = [...]string{"From", "Subject", "Date", "To", "Cc", "Reply-To"}

// coverage makes the notes about what a signature leaves open.
func (v *verifier) coverage(f *signature.Field, s *Signature, sum message.BodySum) {
	h := &v.m.Header
	var unsigned, extra, open []string
	for _, name := range important {
		if h.Last(name) >= 0 && !lists(f.Names, name) {
			unsigned = append(unsigned, name)
		}
	}
	for _, name := range single {
		have, signed := h.Count(name), times(f.Names, name)
		switch {
		case signed == 0 && name != "From":
		case have > signed:
			extra = append(extra, name)
		case have == signed:
			open = append(open, name)
		}
	}
	if len(unsigned) > 0 {
		s.Notes = append(s.Notes, Note{NoteUnsigned, unsigned, "these fields are not signed: they can be changed without breaking the signature"})
	}
	if len(extra) > 0 {
		s.Notes = append(s.Notes, Note{NoteExtra, extra, "there are more of these fields than are signed: the lowest ones are, the others may be forged"})
	}
	if len(open) > 0 {
		s.Notes = append(s.Notes, Note{NoteNotOversigned, open, "another of these fields can be added without breaking the signature: list them once more in h="})
	}
	link, post := lists(f.Names, "List-Unsubscribe"), lists(f.Names, "List-Unsubscribe-Post")
	// RFC 8058, Section 3.1: a valid signature covers both fields.
	if h.Last("List-Unsubscribe-Post") >= 0 && !(link && post) {
		s.Notes = append(s.Notes, Note{NoteUnsubscribe, []string{"List-Unsubscribe", "List-Unsubscribe-Post"},
			"one-click unsubscription counts only if both fields are signed"})
	}
	v.length(f, s, sum)
}

func (v *verifier) length(f *signature.Field, s *Signature, sum message.BodySum) {
	if f.Length < 0 {
		return
	}
	detail := "l= covers the beginning of the body only: anybody can append text"
	if f.Length == 0 {
		detail = "l=0 covers nothing of the body: anybody can replace it"
	}
	s.Notes = append(s.Notes, Note{Kind: NoteLength, Detail: detail})
	if sum.Length > f.Length {
		s.Notes = append(s.Notes, Note{Kind: NoteAppended,
			Detail: fmt.Sprintf("%d of %d octets of the body are not signed", sum.Length-f.Length, sum.Length)})
	}
}

func (v *verifier) keyNotes(s *Signature) {
	if s.Record.Key.Type == KeyRSA && s.KeyBits < goodBits {
		s.Notes = append(s.Notes, Note{Kind: NoteWeakKey, Detail: fmt.Sprintf("the key has %d bits, %d are recommended", s.KeyBits, goodBits)})
	}
	if s.Testing {
		s.Notes = append(s.Notes, Note{Kind: NoteTesting, Detail: "the key has t=y: receivers may treat the mail as unsigned"})
	}
}

// notes makes the notes about the message as a whole.
func (v *verifier) notes() {
	h := &v.m.Header
	if h.Mbox {
		v.out.Notes = append(v.out.Notes, Note{Kind: NoteMbox, Detail: "the first line is of a mailbox file and was passed over"})
	}
	if h.Junk > 0 {
		v.out.Notes = append(v.out.Notes, Note{Kind: NoteJunk, Detail: fmt.Sprintf("%d lines of the header are no field, the first at offset %d", h.Junk, h.JunkAt)})
	}
}

func lists(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

func times(names []string, name string) (n int) {
	for _, s := range names {
		if strings.EqualFold(s, name) {
			n++
		}
	}
	return n
}
