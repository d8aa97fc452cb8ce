package dnssec

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Anchor is a key that is trusted without proof, named by its digest as a DS
// record names one.
type Anchor struct {
	Zone      resolve.Name // no name: the root
	KeyTag    uint16
	Algorithm Algorithm
	Digest    uint8  // digest type: 1, 2 or 4
	Value     string // digest in hexadecimal

	// From and Until bound the use of the anchor; a zero time is no bound.
	From, Until time.Time
}

// RootAnchors returns the root's trust anchors, of 2017 and 2024, as IANA
// publishes them in root-anchors.xml (RFC 9718).
func RootAnchors() []Anchor {
	return []Anchor{
		{Zone: resolve.Root, KeyTag: 20326, Algorithm: 8, Digest: 2,
			Value: "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
			From:  time.Date(2017, 2, 2, 0, 0, 0, 0, time.UTC)},
		{Zone: resolve.Root, KeyTag: 38696, Algorithm: 8, Digest: 2,
			Value: "683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
			From:  time.Date(2024, 7, 18, 0, 0, 0, 0, time.UTC)},
	}
}

// ParseAnchor reads a DS record in master file form, such as
// ". IN DS 20326 8 2 E06D…".
func ParseAnchor(text string) (Anchor, error) {
	fields := strings.Fields(text)
	at := -1
	for i, f := range fields {
		if strings.EqualFold(f, "DS") && i > 0 {
			at = i
			break
		}
	}
	if at < 1 || len(fields)-at < 5 {
		return Anchor{}, anchorError(text, "not a DS record")
	}
	zone, err := resolve.NameFromMaster(fields[0])
	if err != nil {
		return Anchor{}, anchorError(text, err.Error())
	}
	var n [3]uint64
	for i, bits := range []int{16, 8, 8} {
		if n[i], err = strconv.ParseUint(fields[at+1+i], 10, bits); err != nil {
			return Anchor{}, anchorError(text, fmt.Sprintf("%q is not a number of %d bits", shorten(fields[at+1+i]), bits))
		}
	}
	a := Anchor{Zone: zone, KeyTag: uint16(n[0]), Algorithm: Algorithm(n[1]), Digest: uint8(n[2]),
		Value: strings.ToUpper(strings.Join(fields[at+4:], ""))}
	return a, a.check()
}

// String is the DS record in master file form.
func (a Anchor) String() string {
	return fmt.Sprintf("%s IN DS %d %d %d %s", a.zone().FQDN(), a.KeyTag, uint8(a.Algorithm), a.Digest, a.Value)
}

func (a Anchor) zone() resolve.Name {
	if a.Zone.IsZero() {
		return resolve.Root
	}
	return a.Zone
}

// check refuses an anchor that could never match.
func (a Anchor) check() error {
	b, err := hex.DecodeString(a.Value)
	switch {
	case err != nil:
		return anchorError(a.String(), "the digest is not hexadecimal")
	case digestLen(a.Digest) == 0:
		return anchorError(a.String(), "the digest type is not supported")
	case len(b) != digestLen(a.Digest):
		return anchorError(a.String(), fmt.Sprintf("the digest has %d octets, not %d", len(b), digestLen(a.Digest)))
	case !a.Algorithm.Supported():
		return anchorError(a.String(), "the algorithm is not supported")
	}
	return nil
}

// AnchorError tells why a text or value is no trust anchor.
type AnchorError struct {
	In     string // shortened
	Reason string
}

// Error quotes the text, so it is safe to show.
func (e *AnchorError) Error() string {
	return fmt.Sprintf("dnssec: trust anchor %q: %s", e.In, e.Reason)
}

func anchorError(in, reason string) error {
	return &AnchorError{In: shorten(in), Reason: reason}
}

// ds is the anchor as a record, to be matched like one.
func (a Anchor) ds() *dns.DS {
	return &dns.DS{Hdr: dns.RR_Header{Name: a.zone().FQDN(), Rrtype: dns.TypeDS, Class: dns.ClassINET},
		KeyTag: a.KeyTag, Algorithm: uint8(a.Algorithm), DigestType: a.Digest, Digest: strings.ToLower(a.Value)}
}

// usable reports whether the anchor may be used now.
func (a Anchor) usable(now time.Time) bool {
	return (a.From.IsZero() || !now.Before(a.From)) && (a.Until.IsZero() || now.Before(a.Until))
}

// digestLen is the length of a digest type that is supported, 0 for any other.
func digestLen(digest uint8) int {
	switch digest {
	case dns.SHA1:
		return 20
	case dns.SHA256:
		return 32 // RFC 4509
	case dns.SHA384:
		return 48 // RFC 6605
	}
	return 0
}

func shorten(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
