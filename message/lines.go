package message

import "bytes"

// Lines are counts over the octets of a mail, in the form it was read. A mail
// saved by a program of the system often has LF alone although it was sent with
// CRLF: LF in all lines is a property of the file, LF in some is one of the mail.
type Lines struct {
	Count     int64 `json:"count"`
	CRLF      int64 `json:"crlf"`
	BareLF    int64 `json:"bare_lf"`
	BareCR    int64 `json:"bare_cr"`
	BareLFAt  int64 `json:"bare_lf_at"`  // offset of the first; -1 if none
	BareCRAt  int64 `json:"bare_cr_at"`  // offset of the first; -1 if none
	Longest   int64 `json:"longest"`     // octets without line end
	LongestAt int64 `json:"longest_at"`  // offset of that line
	Long      int64 `json:"long"`        // lines above MaxLine
	NUL       int64 `json:"nul"`         // octets of value 0
	NULAt     int64 `json:"nul_at"`      // offset of the first; -1 if none
	Header8   int64 `json:"header_8bit"` // octets of 128 and above in the header
	Body8     int64 `json:"body_8bit"`   // the same in the body
	// Unfinished is true if the last line has no line end.
	Unfinished bool `json:"unfinished,omitempty"`
}

// Mixed reports whether some lines end in CRLF and others in LF or CR alone: what
// one system takes for a line, another does not.
func (l Lines) Mixed() bool {
	return l.CRLF > 0 && (l.BareLF > 0 || l.BareCR > 0) || l.BareLF > 0 && l.BareCR > 0
}

func countLines(b []byte, header int, eol byte) Lines {
	l := Lines{BareLFAt: -1, BareCRAt: -1, NULAt: -1}
	for at := 0; at < len(b); {
		i := bytes.IndexByte(b[at:], eol)
		end, next := len(b), len(b)
		if i >= 0 {
			end, next = at+i, at+i+1
		}
		if eol == '\n' && i >= 0 {
			if end > at && b[end-1] == '\r' {
				end--
				l.CRLF++
			} else {
				if l.BareLF == 0 {
					l.BareLFAt = int64(end)
				}
				l.BareLF++
			}
		} else if i >= 0 {
			if l.BareCR == 0 {
				l.BareCRAt = int64(end)
			}
			l.BareCR++
		} else {
			l.Unfinished = true
		}
		line := b[at:end]
		l.Count++
		if n := int64(len(line)); n > l.Longest {
			l.Longest, l.LongestAt = n, int64(at)
		}
		if len(line) > MaxLine {
			l.Long++
		}
		if n := bytes.Count(line, []byte{'\r'}); n > 0 {
			if l.BareCR == 0 {
				l.BareCRAt = int64(at + bytes.IndexByte(line, '\r'))
			}
			l.BareCR += int64(n)
		}
		if n := bytes.Count(line, []byte{0}); n > 0 {
			if l.NUL == 0 {
				l.NULAt = int64(at + bytes.IndexByte(line, 0))
			}
			l.NUL += int64(n)
		}
		at = next
	}
	l.Header8, l.Body8 = count8(b[:header]), count8(b[header:])
	return l
}

func count8(b []byte) (n int64) {
	for _, c := range b {
		if c >= 0x80 {
			n++
		}
	}
	return n
}
