package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func codes(list []Problem) string {
	var out []string
	for _, p := range list {
		out = append(out, string(p.Code))
	}
	return strings.Join(out, " ")
}

func TestHeader(t *testing.T) {
	tests := []struct {
		name, mail string
		fields     string // name=value, joined by |
		body       string
		problems   string
	}{
		{"plain", "From: a@example.org\r\nSubject: x\r\n\r\nbody", "From=a@example.org|Subject=x", "body", ""},
		{"LF alone", "From: a@example.org\nSubject: x\n\nbody", "From=a@example.org|Subject=x", "body", ""},
		{"CR alone in a mail without LF", "From: a\rSubject: x\r\rbody\r", "From=a|Subject=x", "body\r", ""},
		// RFC 5322, Section 2.2.3: unfolding removes the line end and nothing else.
		{"folded", "Subject: one\r\n two\r\n\tthree\r\n\r\n", "Subject=one two\tthree", "", ""},
		{"CR in a value is text", "Subject: a\rBcc: evil@example.net\r\n\r\n", "Subject=a\rBcc: evil@example.net", "", ""},
		{"NUL is text", "Subject: a\x00b\r\n\r\n", "Subject=a\x00b", "", ""},
		{"mbox line", "From a@example.org Mon Jan  1 00:00:00 2024\nFrom: b@example.org\n\nx", "From=b@example.org", "x", "mbox-line"},
		{"empty lines in front", "\n \nFrom: b@example.org\n\nx", "From=b@example.org", "x", "leading-lines"},
		{"space before the colon", "From : b@example.org\n\nx", "From=b@example.org", "x", "space-in-name"},
		{"junk in the header", "From: b@example.org\nthis is no field\nTo: c\n\nx", "From=b@example.org|To=c", "x", "junk-line"},
		{"junk first", "no field\nTo: c\n\nx", "To=c", "x", "junk-line"},
		{"no header", "Hello,\nhow are you?\n\nbye", "", "Hello,\nhow are you?\n\nbye", "no-header"},
		{"empty header", "\r\nbody: x\r\n", "body=x", "", "leading-lines"},
		{"white space line goes on", "A: b\r\n \r\n c\r\n\r\nx", "A=b  c", "x", "blank-fold"},
		{"no body", "From: b@example.org", "From=b@example.org", "", ""},
		{"boundary without empty line", "From: b\n--x\nContent-Type: text/plain\n", "From=b", "--x\nContent-Type: text/plain\n", "no-blank-line"},
		{"nothing", "", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Parse([]byte(tt.mail), Options{})
			var got []string
			for i, f := range m.Header.Fields {
				got = append(got, f.Name+"="+f.Value)
				if f.Index != i || !strings.HasPrefix(tt.mail[f.Start:], f.Name) {
					t.Errorf("field %d %q: index %d, offset %d", i, f.Name, f.Index, f.Start)
				}
			}
			if s := strings.Join(got, "|"); s != tt.fields {
				t.Errorf("fields %q, want %q", s, tt.fields)
			}
			if s := tt.mail[m.Header.End:]; s != tt.body {
				t.Errorf("body %q, want %q", s, tt.body)
			}
			if s := codes(m.Header.Problems); s != tt.problems {
				t.Errorf("problems %q, want %q", s, tt.problems)
			}
		})
	}
}

func TestOffsetsCoverTheHeader(t *testing.T) {
	mail := "A: 1\r\nB: 2\r\n 3\r\nC:4\r\n\r\nbody\r\n"
	m := Parse([]byte(mail), Options{})
	at := int64(0)
	for _, f := range m.Header.Fields {
		if f.Start != at {
			t.Errorf("%s starts at %d, want %d", f.Name, f.Start, at)
		}
		at = f.End
	}
	if m.Header.End != at+2 {
		t.Errorf("body at %d, want %d", m.Header.End, at+2)
	}
	if got := m.Header.Fields[1].Raw; got != " 2\r\n 3" {
		t.Errorf("raw %q", got)
	}
	if f := m.Header.All("b"); len(f) != 1 || f[0].Value != "2 3" {
		t.Errorf("All: %v", f)
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", MaxLine+1)
	tests := []struct {
		mail string
		want Lines
	}{
		{"A: b\r\n\r\nc\r\n", Lines{Count: 3, CRLF: 3, BareLFAt: -1, BareCRAt: -1, NULAt: -1, Longest: 4}},
		{"A: b\r\n\r\nc\n", Lines{Count: 3, CRLF: 2, BareLF: 1, BareLFAt: 9, BareCRAt: -1, NULAt: -1, Longest: 4}},
		{"A: b\r\n\r\nc\rd\r\n", Lines{Count: 3, CRLF: 3, BareCR: 1, BareLFAt: -1, BareCRAt: 9, NULAt: -1, Longest: 4}},
		{"A: b\r\n\r\nc\r\r\n", Lines{Count: 3, CRLF: 3, BareCR: 1, BareLFAt: -1, BareCRAt: 9, NULAt: -1, Longest: 4}},
		{"A: b\n\n\x00\xff", Lines{Count: 3, BareLF: 2, BareLFAt: 4, BareCRAt: -1, NUL: 1, NULAt: 6, Longest: 4, Body8: 1, Unfinished: true}},
		{"A: \xc3\xbc\n\n" + long + "\n", Lines{Count: 3, BareLF: 3, BareLFAt: 5, BareCRAt: -1, NULAt: -1, Longest: MaxLine + 1, LongestAt: 7, Long: 1, Header8: 2}},
	}
	for _, tt := range tests {
		if got := Parse([]byte(tt.mail), Options{}).Lines; got != tt.want {
			t.Errorf("%.30q:\n%+v, want\n%+v", tt.mail, got, tt.want)
		}
	}
	if !(Lines{CRLF: 3, BareLF: 1}).Mixed() || (Lines{BareLF: 3}).Mixed() {
		t.Error("Mixed")
	}
}

func TestLimits(t *testing.T) {
	many := strings.Repeat("X-A: b\r\n", 50)
	t.Run("fields", func(t *testing.T) {
		m := Parse([]byte(many+"\r\nbody"), Options{MaxFields: 10})
		if len(m.Header.Fields) != 10 || m.Header.Dropped != 40 || !strings.Contains(codes(m.Header.Problems), "limit") {
			t.Errorf("%d fields, %d dropped, %v", len(m.Header.Fields), m.Header.Dropped, m.Header.Problems)
		}
		if string(m.Root.Raw()) != "body" {
			t.Errorf("body %q: a cut header hides where the body begins", m.Root.Raw())
		}
	})
	t.Run("header", func(t *testing.T) {
		m := Parse([]byte(many+"\r\nbody"), Options{MaxHeader: 80})
		if len(m.Header.Fields) != 10 || m.Header.Dropped != 40 {
			t.Errorf("%d fields, %d dropped", len(m.Header.Fields), m.Header.Dropped)
		}
	})
	t.Run("octets", func(t *testing.T) {
		m, err := Read(strings.NewReader(many+"\r\nbody"), Options{MaxBytes: 100})
		if err != nil || m.Size != 100 || codes(m.Problems) != "limit" {
			t.Errorf("%v, %d, %v", err, m.Size, m.Problems)
		}
	})
	t.Run("unlimited", func(t *testing.T) {
		m, err := Read(strings.NewReader(many+"\r\nbody"), Options{MaxBytes: -1, MaxHeader: -1, MaxFields: -1, MaxParts: -1, MaxDepth: -1, MaxDecoded: -1})
		if err != nil || len(m.Header.Fields) != 50 || len(m.Problems) != 0 {
			t.Errorf("%v, %d, %v", err, len(m.Header.Fields), m.Problems)
		}
	})
	t.Run("reader", func(t *testing.T) {
		cause := errors.New("broken")
		if _, err := Read(iotest.ErrReader(cause), Options{}); !errors.Is(err, ErrRead) || !errors.Is(err, cause) {
			t.Errorf("error %v", err)
		}
	})
}

func TestDecodeWords(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain", "plain"},
		// RFC 2047, Section 8.
		{"=?ISO-8859-1?Q?a?=", "a"},
		{"=?ISO-8859-1?Q?a?= b", "a b"},
		{"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"},
		{"=?ISO-8859-1?Q?a?=\r\n   =?ISO-8859-1?Q?b?=", "ab"},
		{"=?ISO-8859-1?Q?a_b?=", "a b"},
		{"=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"},
		{"=?iso-8859-1?q?J=F6rg?=", "Jörg"},
		{"=?utf-8?B?SsO2cmc=?=", "Jörg"},
		// A character cut in two by two words.
		{"=?utf-8?Q?J=C3?= =?utf-8?Q?=B6rg?=", "Jörg"},
		{"=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "テスト"},
		{"=?windows-1252?Q?=80?=", "€"},
		{"\"=?utf-8?Q?in_quotes?=\"", "\"in quotes\""},
		{"x=?utf-8?Q?y?=z", "xyz"},
		// Broken ones stay.
		{"=?utf-8?X?abc?=", "=?utf-8?X?abc?="},
		{"=?utf-8?Q?abc", "=?utf-8?Q?abc"},
		{"=??Q?abc?=", "=??Q?abc?="},
		{"=?no such?Q?abc?=", "=?no such?Q?abc?="},
		{"=?unknown-8bit?Q?=E9?=", "é"},
		{"raw \xe9", "raw é"},
	}
	for _, tt := range tests {
		if got := DecodeWords(tt.in); got != tt.want {
			t.Errorf("DecodeWords(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestDates(t *testing.T) {
	const want = "2024-02-01T10:00:00Z"
	tests := []struct {
		in     string
		strict bool
		want   string
	}{
		{"Thu, 1 Feb 2024 10:00:00 +0000", true, want},
		{"Thu, 01 Feb 2024 12:00:00 +0200 (EET)", true, want},
		{"1 Feb 2024 10:00:00 -0000", true, want},
		{"Thu, 1 Feb 2024 10:00:00 GMT", false, want},
		// RFC 5322, Section 4.3: the old zones have a meaning, and letters have none.
		{"Thu, 1 Feb 2024 02:00:00 PST", false, want},
		{"Thu, 1 Feb 2024 06:00:00 EDT", false, "2024-02-01T10:00:00Z"},
		{"Thu, 1 Feb 2024 10:00:00 Q", false, want},
		{"Thu, 1 Feb 24 10:00:00 +0000", true, want},
		{"Thu Feb  1 10:00:00 2024", false, want},
		{"Thu, 1 Feb 2024 10:00:00", false, want},
		{"2024-02-01T11:00:00+01:00", false, want},
		{"Thursday, 1 February 2024 10:00:00 +0000", false, want},
		{"Thu, 1 Feb 2024 10:00 +0000", true, want},
		{"yesterday", false, ""},
		{"", false, ""},
		{"Thu, 32 Feb 2024 10:00:00 +0000", false, ""},
		{"1 Feb 0001 10:00:00 +0000", false, ""},
	}
	for _, tt := range tests {
		got, strict, ok := ParseDate(tt.in)
		if ok != (tt.want != "") || ok && got.Format("2006-01-02T15:04:05Z07:00") != tt.want {
			t.Errorf("%q: %v, %v, want %s", tt.in, got, ok, tt.want)
		}
		if ok && strict != tt.strict {
			t.Errorf("%q: strict %v", tt.in, strict)
		}
	}
}

func TestJSON(t *testing.T) {
	m := Parse([]byte("From: \xff@example.org\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--\r\n"), Options{})
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back Message
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Root.Parts) != 1 || back.Root.Parts[0].Path != "1" || back.Size != m.Size {
		t.Errorf("%+v", back.Root)
	}
}

func TestProblemString(t *testing.T) {
	p := Problem{JunkLine, 7, "\x1b[2J"}
	if got := p.String(); strings.ContainsRune(got, 0x1b) || got != fmt.Sprintf("junk-line at offset 7: %q", "\x1b[2J") {
		t.Errorf("%s", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	m := Parse([]byte("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n"), Options{})
	done := make(chan string)
	for range 4 {
		go func() { done <- m.Root.Text(100) }()
	}
	var got []string
	for range 4 {
		got = append(got, <-done)
	}
	if slices.ContainsFunc(got, func(s string) bool { return s != "abc" }) {
		t.Errorf("%q", got)
	}
}
