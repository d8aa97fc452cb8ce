package dane

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Parse reads a TLSA record as it stands in a zone file (RFC 6698, Section 2.2):
// "3 1 1 0c72...", the hexadecimal digits in any number of pieces and in
// parentheses, the numbers also as the acronyms of RFC 7218, an owner, TTL and class
// before them, or the form for unknown types (RFC 3597, Section 5). The error is a
// *[ParseError] with all that is wrong. Whether senders can use the record is
// another matter: see [Record.Unusable].
func Parse(text string) (Record, error) {
	s := &scanner{in: text}
	if len(text) > maxText {
		s.in = text[:maxText]
		s.fault(maxText, fmt.Sprintf("%d octets are more than a record can have", len(text)), "")
		return Record{}, s.err()
	}
	if at, generic := s.skipOwner(); generic {
		return s.generic(at)
	}
	r := Record{Params: s.params()}
	r.Data = s.hex()
	if err := s.err(); err != nil {
		return Record{}, err
	}
	return r, nil
}

// scanner cuts a text into tokens.
type scanner struct {
	in     string
	at     int
	faults []Fault
}

func (s *scanner) fault(at int, message, hint string) {
	if len(s.faults) < maxFaults {
		s.faults = append(s.faults, Fault{Offset: at, Message: message, Hint: hint})
	}
}

func (s *scanner) err() error {
	if len(s.faults) == 0 {
		return nil
	}
	return &ParseError{In: s.in[:min(len(s.in), maxQuoted+1)], Faults: s.faults}
}

// next returns the next token and its offset; it is empty at the end. Parentheses
// and line ends separate tokens, and a comment ends with its line (RFC 1035,
// Section 5.1).
func (s *scanner) next() (string, int) {
	for s.at < len(s.in) {
		switch c := s.in[s.at]; {
		case strings.IndexByte(" \t\r\n()", c) >= 0:
			s.at++
		case c == ';':
			end := strings.IndexByte(s.in[s.at:], '\n')
			if end < 0 {
				end = len(s.in) - s.at
			}
			s.at += end
		default:
			start := s.at
			for s.at < len(s.in) && strings.IndexByte(" \t\r\n();", s.in[s.at]) < 0 {
				s.at++
			}
			return s.in[start:s.at], start
		}
	}
	return "", len(s.in)
}

const maxBefore = 4 // tokens before the data: owner, TTL, class, type

// skipOwner goes behind the type if it is named. It reports the form for unknown
// types and where its length stands.
func (s *scanner) skipOwner() (int, bool) {
	start := s.at
	for range maxBefore + 1 {
		t, _ := s.next()
		switch {
		case t == `\#`:
			return s.at, true
		case strings.EqualFold(t, "TLSA"), strings.EqualFold(t, "TYPE52"):
			end := s.at
			if t, _ := s.next(); t == `\#` {
				return s.at, true
			}
			s.at = end
			return 0, false
		}
	}
	s.at = start
	return 0, false
}

// params reads the three numbers.
func (s *scanner) params() Params {
	return Params{
		Usage(s.number("usage", usageWords)),
		Selector(s.number("selector", selectorWords)),
		Matching(s.number("matching type", matchingWords)),
	}
}

func (s *scanner) number(what string, words map[uint8]string) uint8 {
	t, at := s.next()
	if t == "" {
		s.fault(at, "the "+what+" is missing", "")
		return 0
	}
	for n, w := range words {
		if strings.EqualFold(t, w) {
			return n
		}
	}
	n, err := strconv.ParseUint(t, 10, 8)
	if err != nil {
		hint := ""
		if len(t) > 16 && strings.Trim(t, hexDigits) == "" {
			hint = "the three numbers stand before the data, as in 3 1 1"
			s.at = at // it is the data
		}
		s.fault(at, fmt.Sprintf("%s is no %s from 0 to 255", clip(t), what), hint)
	}
	return uint8(n)
}

const hexDigits = "0123456789abcdefABCDEF"

// hex reads the rest as hexadecimal digits.
func (s *scanner) hex() []byte {
	var b strings.Builder
	start, bad := -1, false
	for {
		t, at := s.next()
		if t == "" {
			break
		}
		if start < 0 {
			start = at
		}
		if i := strings.IndexFunc(t, func(c rune) bool { return !strings.ContainsRune(hexDigits, c) }); i >= 0 {
			hint := "the digits stand without separators"
			if t[i] != ':' {
				hint = ""
			}
			bad = true
			s.fault(at+i, clip(t)+" has something else than hexadecimal digits in it", hint)
		}
		b.WriteString(t)
	}
	digits := b.String()
	switch {
	case digits == "":
		s.fault(len(s.in), "the data is missing", "")
	case bad:
	case len(digits)%2 != 0:
		s.fault(start, fmt.Sprintf("the data has %d hexadecimal digits, an odd number", len(digits)), "a digit is missing or one too many")
	case len(digits)/2 > maxData:
		s.fault(start, fmt.Sprintf("%d octets of data are more than a record can have", len(digits)/2), "")
	default:
		data, _ := hex.DecodeString(digits) // all are digits, and of an even number
		return data
	}
	return nil
}

// generic reads the form for unknown types.
func (s *scanner) generic(at int) (Record, error) {
	t, where := s.next()
	size, err := strconv.ParseUint(t, 10, 16)
	if err != nil {
		s.fault(where, fmt.Sprintf("%s is no length", clip(t)), "")
		size = 0
	}
	data := s.hex()
	switch {
	case len(s.faults) > 0:
	case int(size) != len(data):
		s.fault(at, fmt.Sprintf("the length is %d, the data has %d octets", size, len(data)), "")
	case len(data) < 4:
		s.fault(at, "the data is too short for a TLSA record", "")
	}
	if err := s.err(); err != nil {
		return Record{}, err
	}
	return Record{Params{Usage(data[0]), Selector(data[1]), Matching(data[2])}, data[3:]}, nil
}
