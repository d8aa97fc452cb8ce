package source

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// content is what content looks like. Kinds that are known and not read are named
// by their sentence for people.
type content string

const (
	isEmpty    content = "empty"
	isGzip     content = "gzip"
	isZlib     content = "zlib"
	isZip      content = "zip"
	isTar      content = "tar"
	isXML      content = "xml"
	isJSON     content = "json"
	isMbox     content = "mbox"
	isMail     content = "mail"
	isBase64   content = "base64"
	isFeedback content = "feedback"
	isText     content = "text"
	isBinary   content = "binary"
)

// magics begin formats that are named in an error.
var magics = []struct{ magic, name string }{
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Outlook .msg or other OLE file; save the mail as .eml"},
	{"\x78\x9f\x3e\x22", "an Outlook winmail.dat; have the sender turn off rich text"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"},
	{"Rar!\x1a\x07", "a rar archive; unpack it first"},
	{"\xfd7zXZ\x00", "xz compression; unpack it first"},
	{"\x28\xb5\x2f\xfd", "zstd compression; unpack it first"},
	{"BZh", "bzip2 compression; unpack it first"},
	{"%PDF-", "a PDF file"},
	{"\x89PNG", "a PNG image"},
	{"\xff\xd8\xff", "a JPEG image"},
	{"GIF8", "a GIF image"},
	{"SQLite format 3\x00", "an SQLite database"},
}

// sniff tells what content is from its first octets.
func sniff(b []byte) content {
	switch {
	case len(b) == 0:
		return isEmpty
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		return isGzip
	case bytes.HasPrefix(b, []byte("PK\x03\x04")), bytes.HasPrefix(b, []byte("PK\x05\x06")), bytes.HasPrefix(b, []byte("PK00PK\x03\x04")):
		return isZip
	case len(b) > 2 && b[0]&0x0f == 8 && b[0] <= 0x78 && b[1]&0x20 == 0 && (int(b[0])<<8|int(b[1]))%31 == 0 && !ascii(b[:min(len(b), 16)]):
		// RFC 1950, Section 2.2: the check value of the first two octets.
		return isZlib
	case len(b) > 262 && string(b[257:262]) == "ustar":
		return isTar
	}
	for _, m := range magics {
		if bytes.HasPrefix(b, []byte(m.magic)) {
			return content(m.name)
		}
	}
	return sniffText(b)
}

// sniffText tells kinds of text apart.
func sniffText(b []byte) content {
	t := bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(t, []byte("\xff\xfe")) || bytes.HasPrefix(t, []byte("\xfe\xff")) || len(t) > 1 && t[0]|t[1] == '<' {
		return isXML // UTF-16
	}
	t = bytes.TrimLeft(t, " \t\r\n\x00")
	switch {
	case len(t) == 0:
		return isEmpty
	case t[0] == '<':
		return isXML
	case t[0] == '{', t[0] == '[' && bytes.IndexByte(t, '{') > 0:
		return isJSON
	case bytes.HasPrefix(t, []byte("From ")) && fromLine(line(t)):
		return isMbox
	case hasFold(t, "feedback-type:") || hasFold(t, "user-agent:") && containsFold(t, "\nfeedback-type:"):
		return isFeedback
	case headerLine(t):
		return isMail
	case bytes.Contains(t, []byte("<feedback")), bytes.Contains(t, []byte("<?xml")):
		return isXML // behind something stray
	case base64Like(t):
		return isBase64
	case printable(t):
		return isText
	}
	return isBinary
}

// headerLine reports whether t begins with a header field (RFC 5322, Section
// 2.2), and another one or the end of the header follows.
func headerLine(t []byte) bool {
	for n := 0; n < 3; n++ {
		l := line(t)
		if len(l) == 0 {
			return n > 0
		}
		i := bytes.IndexByte(l, ':')
		if i <= 0 || !fieldName(bytes.TrimRight(l[:i], " \t")) {
			return false
		}
		// Folded lines belong to the field.
		for {
			rest := bytes.IndexByte(t, '\n')
			if rest < 0 {
				return n > 0 || i < 60
			}
			t = t[rest+1:]
			if len(t) == 0 {
				return true
			}
			if t[0] != ' ' && t[0] != '\t' {
				break
			}
		}
	}
	return true
}

func fieldName(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == '<' || c == '{' || c == '"' {
			return false
		}
	}
	return len(b) > 0 && len(b) < 80
}

// line is the first line without its end.
func line(b []byte) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	return bytes.TrimSuffix(b, []byte("\r"))
}

// fromLine reports whether a line separates mails in an mbox: "From ", an address
// and a date with a time of day.
func fromLine(l []byte) bool {
	if !bytes.HasPrefix(l, []byte("From ")) || len(l) > 500 {
		return false
	}
	fields := strings.Fields(string(l))
	if len(fields) < 5 {
		return false
	}
	for _, f := range fields[2:] {
		if len(f) >= 4 && f[0] >= '0' && f[0] <= '9' && (f[1] == ':' || f[2] == ':') {
			return true
		}
	}
	return false
}

// base64Heads are gzip, zip, "<?xml", "<feedback", a byte order mark and "{" with
// what may follow, in base64.
var base64Heads = []string{"H4sI", "UEsD", "PD94", "PGZl", "77u/", "eyJ", "ewog", "ewo", "ew0K"}

func base64Like(t []byte) bool {
	found := false
	for _, h := range base64Heads {
		found = found || bytes.HasPrefix(t, []byte(h))
	}
	if !found || len(t) < 40 {
		return false
	}
	for _, c := range t[:min(len(t), 256)] {
		if !base64Char(c) && c != '=' && c != '\r' && c != '\n' && c != ' ' {
			return false
		}
	}
	return true
}

func base64Char(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// printable reports whether b is text: no control characters but white space.
func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' || c == 0x7f {
			return false
		}
	}
	return true
}

// ascii reports whether b is text in ASCII.
func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return printable(b)
}

func hasFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && strings.EqualFold(string(b[:len(prefix)]), prefix)
}

func containsFold(b []byte, s string) bool {
	return bytes.Contains(bytes.ToLower(b), []byte(s))
}

// firstLine is the beginning of a text, for an error.
func firstLine(b []byte) string {
	s := strings.TrimSpace(string(line(bytes.TrimLeft(b, " \t\r\n"))))
	for len(s) > 60 || !utf8.ValidString(s) && len(s) > 0 {
		s = s[:min(len(s)-1, 60)]
	}
	return s
}
