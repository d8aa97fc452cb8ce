package message

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// outline draws a tree: path type, and problems.
func outline(p *Part) string {
	var b strings.Builder
	for c := range p.Walk(true) {
		fmt.Fprintf(&b, "[%s %s", c.Path, c.Type)
		if s := codes(c.Problems); s != "" {
			b.WriteString(" !" + s)
		}
		if c.Detached {
			b.WriteString(" detached")
		}
		b.WriteString("]")
	}
	return b.String()
}

func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func TestTree(t *testing.T) {
	tests := []struct{ name, mail, want string }{
		{"single", "Subject: x\n\ntext", "[ text/plain]"},
		{"alternative", "Content-Type: multipart/alternative; boundary=\"b 1\"\n\npreamble\n--b 1\nContent-Type: text/plain\n\na\n--b 1\nContent-Type: text/HTML\n\nb\n--b 1--\nepilogue",
			"[ multipart/alternative][1 text/plain][2 text/html]"},
		{"nested", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nx\n--b--\n--a\nContent-Type: image/png\n\ny\n--a--\n",
			"[ multipart/mixed][1 multipart/alternative][1.1 text/plain][2 image/png]"},
		{"mail inside", "Content-Type: message/rfc822\n\nFrom: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n",
			"[ message/rfc822][1 multipart/mixed][1.1 text/plain]"},
		{"mail inside in base64", "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0KDQpib2R5DQo=\n",
			"[ message/rfc822 !encoded-composite][1 text/plain detached]"},
		// RFC 2046, Section 5.1.1.
		{"not closed", "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n", "[ multipart/mixed !not-closed][1 text/plain]"},
		{"no boundary", "Content-Type: multipart/mixed\n\n--zzz\nContent-Type: text/html\n\nx\n--zzz--\n", "[ multipart/mixed !no-boundary guessed-boundary][1 text/html]"},
		{"wrong boundary", "Content-Type: multipart/mixed; boundary=other\n\n--zzz\nContent-Type: text/html\n\nx\n--zzz--\n", "[ multipart/mixed !guessed-boundary][1 text/html]"},
		{"no parts", "Content-Type: multipart/mixed; boundary=a\n\ntext\n", "[ multipart/mixed !no-parts]"},
		{"prefix is not the boundary", "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--ab\ny\n--a--\n", "[ multipart/mixed][1 text/plain]"},
		{"delimiter inside a line", "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx --a\n--a--\n", "[ multipart/mixed][1 text/plain]"},
		{"outer boundary ends inner part", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--a--\n",
			"[ multipart/mixed][1 multipart/mixed !not-closed][1.1 text/plain]"},
		{"bad type", "Content-Type: text\n\nx", "[ text/plain !content-type]"},
		{"two types", "Content-Type: text/plain\nContent-Type: text/html\n\nx", "[ text/plain !repeated-mime]"},
		{"two boundaries", "Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--a\n\nx\n--a--\n", "[ multipart/mixed !repeated-param][1 text/plain]"},
		{"comment before the boundary", "Content-Type: multipart/mixed (x; boundary=z); boundary=a\n\n--a\n\nx\n--a--\n", "[ multipart/mixed][1 text/plain]"},
		{"unknown encoding", "Content-Transfer-Encoding: x-uu\n\nx", "[ text/plain !transfer-encoding]"},
		{"bad base64", "Content-Transfer-Encoding: base64\n\nYWJj\n-- footer?", "[ text/plain !base64 charset]"},
		{"bad quoted-printable", "Content-Transfer-Encoding: quoted-printable\n\na=zz", "[ text/plain !quoted-printable]"},
		{"bad charset", "Content-Type: text/plain; charset=utf-8\n\n\xe9", "[ text/plain !charset]"},
	}
	for _, tt := range tests {
		for _, data := range [][]byte{[]byte(tt.mail), crlf(tt.mail)} {
			m := Parse(data, Options{})
			if got := outline(m.Root); got != tt.want {
				t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
			}
			for p := range m.Root.Walk(true) {
				if p.Start > p.Body || p.Body > p.End || !p.Detached && p.End > m.Size {
					t.Errorf("%s: part %q at %d, %d, %d", tt.name, p.Path, p.Start, p.Body, p.End)
				}
			}
		}
	}
}

func TestWalkOwn(t *testing.T) {
	m := Parse(crlf("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\nContent-Type: text/html\n\nx\n--a--\n"), Options{})
	if m.Find("text/html") != nil {
		t.Error("a part of a mail inside is found as one of the mail")
	}
	if m.Find("message/rfc822") == nil {
		t.Error("no mail found")
	}
	for p := range m.Root.Walk(true) { // stops when told to
		if p.Path == "1" {
			break
		}
	}
}

func TestContent(t *testing.T) {
	tests := []struct{ head, body, want string }{
		{"", "as it is\r\n", "as it is\n"},
		{"Content-Transfer-Encoding: base64", "YWJj\r\nZGVm", "abcdef"},
		{"Content-Transfer-Encoding: BASE64 (x)", "YW Jj", "abc"},
		{"Content-Transfer-Encoding: base64", "YQ==Yg==", "ab"},
		{"Content-Transfer-Encoding: base64", "YWI", "ab"},
		{"Content-Transfer-Encoding: base64", "", ""},
		{"Content-Transfer-Encoding: quoted-printable", "a=3Db=\r\nc =\n d=E4=zz=", "a=bc  dä=zz"},
		{"Content-Type: text/plain; charset=iso-8859-15\r\nContent-Transfer-Encoding: 8bit", "\xa4", "€"},
		{"Content-Type: text/plain; charset=\"x-none\"", "\xe4", "ä"},
	}
	for _, tt := range tests {
		m := Parse([]byte(tt.head+"\r\n\r\n"+tt.body), Options{})
		if tt.head == "" {
			m = Parse([]byte("A: b\r\n\r\n"+tt.body), Options{})
		}
		if got := m.Root.Text(1000); got != tt.want {
			t.Errorf("%q %q: %q, want %q", tt.head, tt.body, got, tt.want)
		}
	}
	m := Parse([]byte("Content-Transfer-Encoding: base64\r\n\r\nYWJjZGVm"), Options{})
	if data, whole := m.Root.Content(4); string(data) != "abcd" || whole {
		t.Errorf("limit: %q %v", data, whole)
	}
	if data, whole := m.Root.Content(6); string(data) != "abcdef" || !whole {
		t.Errorf("exact limit: %q %v", data, whole)
	}
}

func TestFilename(t *testing.T) {
	tests := []struct{ head, want string }{
		{`Content-Disposition: attachment; filename="a b.txt"`, "a b.txt"},
		{`Content-Disposition: attachment; filename=a b.txt`, "a b.txt"},
		{`Content-Type: text/plain; name="=?utf-8?Q?=C3=A4.txt?="`, "ä.txt"},
		// RFC 2231, Sections 3 and 4.
		{`Content-Disposition: attachment; filename*=utf-8'en'%C3%A4.txt`, "ä.txt"},
		{`Content-Disposition: attachment; filename*1="b.txt"; filename*0="a"`, "ab.txt"},
		{`Content-Disposition: attachment; filename*0*=iso-8859-1''%E4; filename*1=".txt"`, "ä.txt"},
		{`Content-Disposition: attachment; filename="a\"b`, `a"b`},
		{`Content-Disposition: attachment; filename="../../etc/passwd"`, "../../etc/passwd"},
	}
	for _, tt := range tests {
		m := Parse([]byte(tt.head+"\r\n\r\nx"), Options{})
		if m.Root.Filename != tt.want {
			t.Errorf("%s: %q, want %q", tt.head, m.Root.Filename, tt.want)
		}
	}
}

// TestBombs: each of these mails is hostile in one way; reading ends soon, within
// the limits, and says what was cut.
func TestBombs(t *testing.T) {
	var deep strings.Builder
	for i := range 200 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	var continued strings.Builder
	continued.WriteString("Content-Type: text/plain")
	for i := range 20_000 {
		fmt.Fprintf(&continued, ";\r\n name*%d=x", i)
	}
	tests := []struct {
		name, mail string
		limit      bool
	}{
		{"multiparts in each other", deep.String(), true},
		{"mails in each other", strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 500), true},
		{"many parts", "Content-Type: multipart/mixed; boundary=a\r\n\r\n" + strings.Repeat("--a\r\n\r\nx\r\n", 5000), true},
		{"boundary of one character", "Content-Type: multipart/mixed; boundary=-\r\n\r\n" + strings.Repeat("-", 1<<20), false},
		{"continued parameters", continued.String() + "\r\n\r\nx", true},
		{"encoded words", "Subject: " + strings.Repeat("=?utf-8?Q?=41?= ", 10_000) + "\r\n\r\nx", false},
		{"open encoded words", "Subject: " + strings.Repeat("=?", 60_000) + "\r\n\r\nx", false},
		{"addresses", "From: " + strings.Repeat("a@b.example, ", 15_000) + "\r\n\r\nx", false},
		{"open comments", "From: " + strings.Repeat("(", 100_000) + "\r\n\r\nx", false},
		{"open quotes in addresses", "From: " + strings.Repeat(`<"`, 50_000) + "\r\n\r\nx", false},
		{"open brackets", "From: " + strings.Repeat("<,", 100_000) + "\r\n\r\nx", false},
		{"open quotes with escapes", "From: " + strings.Repeat(`"\`, 100_000) + "\r\n\r\nx", false},
		{"open domain literals", "From: " + strings.Repeat("[", 200_000) + "\r\n\r\nx", false},
		{"fields", strings.Repeat("Received: x\r\n", 10_000) + "\r\nx", true},
		{"signatures", strings.Repeat("DKIM-Signature: v=1\r\n", 1000) + "\r\nx", false},
		{"soft line breaks", "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.Repeat("= ", 1<<19), false},
		{"junk lines", "A: b\r\n" + strings.Repeat("junk\r\n", 50_000) + "\r\nx", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			m := Parse([]byte(tt.mail), Options{})
			a := m.Author()
			for p := range m.Root.Walk(true) {
				p.Text(1 << 16)
			}
			for _, f := range m.Header.Fields {
				f.Text()
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("took %v", d)
			}
			if len(a.Addresses) > maxAddresses || len(m.Header.Fields) > MaxFields {
				t.Errorf("%d addresses, %d fields", len(a.Addresses), len(m.Header.Fields))
			}
			all := codes(m.Problems) + codes(m.Header.Problems)
			parts := 0
			for p := range m.Root.Walk(true) {
				all += codes(p.Problems)
				parts++
			}
			if strings.Contains(all, "limit") != tt.limit {
				t.Errorf("limit told: %v, want %v", !tt.limit, tt.limit)
			}
			if parts > MaxParts+1 {
				t.Errorf("%d parts", parts)
			}
		})
	}
}

func TestDecodedLimit(t *testing.T) {
	inner := strings.Repeat("WA==", 10_000)
	mail := "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + inner
	m := Parse([]byte(mail), Options{MaxDecoded: 100})
	if got := m.Root.Parts[0].End; got != 100 {
		t.Errorf("%d octets decoded", got)
	}
	if s := codes(m.Root.Problems); !strings.Contains(s, "limit") {
		t.Errorf("problems %s", s)
	}
}
