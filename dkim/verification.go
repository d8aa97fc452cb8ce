package dkim

import (
	"time"
)

// Limits of a message. The RFCs set none; RFC 6376, Section 6.1, lets verifiers
// limit the signatures they try.
const (
	MaxSignatures  = 20      // real mail has up to five
	MaxHeaderBytes = 1 << 20 // octets; the default of Exim, the largest of the common servers
	MaxExplained   = 2 << 20 // octets of body that are kept for explanations
)

// VerifyOptions are the settings of [Verify]. The zero value is the usual one.
type VerifyOptions struct {
	Now func() time.Time // nil: time.Now; for x=

	MaxSignatures  int   // 0: the constant of that name
	MaxHeaderBytes int   // 0: the constant of that name
	MaxBodyBytes   int64 // 0: no limit
	MaxKeyBits     int   // 0: MaxVerifyBits

	// Explain looks for the change that explains a failed signature. The body is
	// then kept in memory, up to MaxExplained octets; a larger one is verified all
	// the same and explained as far as that goes without it.
	Explain bool
}

// Verification is the result of [Verify].
type Verification struct {
	Signatures []Signature // in the order of the message, the newest first
	Limits     []Limit     // what was not looked at, nil if everything was
	Notes      []Note      // about the message as a whole
	Seals      int         // ARC-Seal fields; package arc judges them
	BodySize   int64       // octets as read; 0 if the body was not needed
}

// Status sums up the signatures: pass if one passes, since others do not count
// against it (RFC 6376, Section 6.1), else the one that is worth a retry, else that
// of the first. A message of which not all was looked at is never "none".
func (v Verification) Status() Status {
	status := None
	if len(v.Limits) > 0 {
		status = Neutral
	}
	for _, s := range v.Signatures {
		switch {
		case s.Status == Pass:
			return Pass
		case s.Status == TempError, status == None, status == Neutral:
			status = s.Status
		}
	}
	return status
}

// Limit is a limit that was reached.
type Limit struct {
	Kind  string // "signatures", "header" or "body"
	Limit int64
	Found int64  // how much there is; 0 if unknown
	Text  string // what follows from it
}

// Signature is one DKIM-Signature field and the verdict on it. Text of the
// message is as it was written: escape it before showing.
type Signature struct {
	Status Status
	Reason Reason
	// Explanation is the reason in words, with what was found out about its cause.
	Explanation string
	// Change is the change to the message that explains a failure, nil if none was
	// found or looked for.
	Change *Change

	Domain           string // d=
	Selector         string // s=
	Identity         string // i=, or its default
	Algorithm        string // a=
	Canonicalization string // c= in full, "relaxed/simple"
	SignedHeaders    []string
	BodyLength       int64     // l=, negative if absent
	Time             time.Time // t=, zero if absent
	Expires          time.Time // x=, zero if absent

	BodyHash   Match // bh= against the body
	HeaderHash Match // b= against the fields of h=; compared even if the body differs

	KeyBits int
	Testing bool   // t=y: to be treated like unsigned mail (RFC 6376, Section 3.6.1)
	Key     Result // the lookup
	Record  Record // the key record that was used, or the one that could not be

	Notes []Note // risks that the signature leaves open
}

// Note is a risk or an oddity that does not change a verdict.
type Note struct {
	Kind   NoteKind
	Fields []string // header fields it is about
	Detail string
}

// NoteKind is a kind of note.
type NoteKind string

// The kinds.
const (
	NoteUnsigned      NoteKind = "unsigned-field"      // a field that matters is not signed
	NoteExtra         NoteKind = "extra-field"         // there are more fields of the name than are signed
	NoteNotOversigned NoteKind = "not-oversigned"      // such a field can be added without breaking the signature
	NoteUnsubscribe   NoteKind = "unsubscribe-partial" // one-click unsubscription needs both fields signed (RFC 8058, Section 3.1)
	NoteLength        NoteKind = "length-tag"          // l=: text can be appended (RFC 6376, Section 8.2)
	NoteAppended      NoteKind = "unsigned-text"       // the body is longer than l=
	NoteFuture        NoteKind = "from-the-future"     // t= is later than now
	NoteWeakKey       NoteKind = "weak-key"            // RSA under 2048 bits (RFC 8301, Section 3.2)
	NoteTesting       NoteKind = "testing"             // t=y of the key
	NoteSeveralKeys   NoteKind = "several-records"     // which of them counts is undefined
	NoteJunk          NoteKind = "junk-lines"          // header lines that are no field
	NoteMbox          NoteKind = "mbox-line"           // the message begins with the "From " line of a mailbox file
)

// Change is a change to a message that explains why a signature fails: without it
// the signature would verify.
type Change struct {
	Kind   ChangeKind
	Field  string // the name of the header field; empty for the body
	Detail string // in words, foreign text quoted
}

// ChangeKind is a kind of change.
type ChangeKind string

// The kinds.
const (
	ChangeCanonicalization ChangeKind = "canonicalization" // signed with the other form than c= says
	ChangeLineEnds         ChangeKind = "line-ends"        // CRLF, LF and CR were changed into each other
	ChangeFinalNewline     ChangeKind = "final-newline"    // line ends at the end of the body
	ChangeDots             ChangeKind = "dot-stuffing"     // dots at line starts doubled or taken away
	ChangeFromQuoted       ChangeKind = "from-quoting"     // "From " at line starts became ">From "
	ChangeAppended         ChangeKind = "text-appended"    // a footer
	ChangePrepended        ChangeKind = "text-prepended"   // a banner
	ChangeInserted         ChangeKind = "text-inserted"    // lines in the middle
	ChangeNoBody           ChangeKind = "empty-body"       // the signer saw no body
	ChangeLength           ChangeKind = "length"           // bh= is of the whole body, in spite of l=
	ChangeAdded            ChangeKind = "field-added"      // a field of a signed name was added
	ChangeOrder            ChangeKind = "field-order"      // fields of the same name changed places
	ChangePrefix           ChangeKind = "prefix"           // a tag such as "[list]" was put before the value
	ChangeSuffix           ChangeKind = "suffix"           // something was put after the value
	ChangeFolding          ChangeKind = "folding"          // other line breaks or white space
	ChangeEncoding         ChangeKind = "encoding"         // encoded words were decoded, or made
	ChangeQuoting          ChangeKind = "quoting"          // quotes or brackets were added or taken away
	ChangeCase             ChangeKind = "case"             // upper and lower case
	ChangeReplaced         ChangeKind = "replaced"         // another field or z= still has the signed value
	ChangeSelf             ChangeKind = "signature-field"  // the DKIM-Signature field itself
)
