package smtp

// Limits of a transcript.
const (
	MaxEntries    = 200      // lines
	MaxTranscript = 16 << 10 // octets of text
	maxEntry      = 1 << 10  // octets of one line
)

// Direction tells who spoke.
type Direction string

// The directions.
const (
	Sent     Direction = "sent"
	Received Direction = "received"
	Note     Direction = "note" // not said by anybody: what the client did
)

// Transcript is what was said, in order, within the limits.
type Transcript struct {
	Entries []Entry `json:"entries,omitempty"`
	Dropped int     `json:"dropped,omitempty"` // lines that did not fit
}

// Entry is one line.
type Entry struct {
	AtMS      int64     `json:"at_ms"` // since the connection was made
	Direction Direction `json:"direction"`
	Text      Text      `json:"text"`                // without the end of the line
	Cut       int       `json:"cut,omitempty"`       // octets left out at the end of Text, at least
	Encrypted bool      `json:"encrypted,omitempty"` // said inside TLS
}

// add keeps an entry if it fits.
func (t *Transcript) add(e Entry, size *int) {
	if len(t.Entries) >= MaxEntries || *size >= MaxTranscript {
		t.Dropped++
		return
	}
	if room := min(maxEntry, MaxTranscript-*size); len(e.Text) > room {
		e.Cut += len(e.Text) - room
		e.Text = e.Text[:room]
	}
	// The text may be a part of a larger buffer, which must not live on.
	e.Text = Text([]byte(e.Text))
	*size += len(e.Text)
	t.Entries = append(t.Entries, e)
}

// ObservationKind names something odd that is no failure.
type ObservationKind string

// What can be observed.
const (
	InjectedPlaintext ObservationKind = "injected-plaintext"      // text in clear after the 220 of STARTTLS (CVE-2011-0411 and its kin)
	Unsolicited       ObservationKind = "unsolicited-text"        // text that no command asked for
	BareLF            ObservationKind = "bare-lf"                 // a line that ends without CR (RFC 5321, Section 2.3.8)
	BareCR            ObservationKind = "bare-cr"                 // a CR without LF inside a line
	ControlOctet      ObservationKind = "control-octet"           // NUL, ESC or another control in a line
	NotASCII          ObservationKind = "not-ascii"               // octets above 127 in a reply
	CodeMismatch      ObservationKind = "code-mismatch"           // a reply whose lines have different codes (RFC 5321, Section 4.2.1)
	LongLine          ObservationKind = "long-line"               // above 512 octets (RFC 5321, Section 4.5.3.1.5)
	MaskedExtension   ObservationKind = "masked-extension"        // an offer overwritten by a firewall, such as XXXXXXXA for STARTTLS
	HELOOnly          ObservationKind = "helo-only"               // EHLO was refused, HELO accepted
	StillSTARTTLS     ObservationKind = "starttls-offered-in-tls" // RFC 3207, Section 4.2 forbids it
	ChainTooLong      ObservationKind = "chain-too-long"          // more certificates than are kept
)

// Observation is one oddity.
type Observation struct {
	Kind ObservationKind `json:"kind"`
	Step Step            `json:"step"`
	Text Text            `json:"text,omitempty"` // what was seen, shortened; foreign
}

const (
	maxObservations = 20
	maxObserved     = 200 // octets of Text
)
