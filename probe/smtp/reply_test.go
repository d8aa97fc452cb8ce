package smtp

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func read(in io.Reader) (r Reply, odd []ObservationKind, lines []string, err error) {
	rr := replyReader{br: bufio.NewReaderSize(in, MaxLine),
		odd:  func(k ObservationKind, _ []byte) { odd = append(odd, k) },
		line: func(l []byte, _ int) { lines = append(lines, string(l)) }}
	r, err = rr.read()
	return r, odd, lines, err
}

// TestReply covers RFC 5321, Section 4.2 and its neighbours.
func TestReply(t *testing.T) {
	many := func(n int, end string) string { return strings.Repeat("250-A\r\n", n) + end }
	cases := []struct {
		name, in string
		code     int
		lines    []Text
		enhanced string
		odd      []ObservationKind
		err      Cause // of a lineError; "eof" for the end of input
	}{
		{name: "one line", in: "250 ok\r\n", code: 250, lines: []Text{"ok"}},
		{name: "no text", in: "250 \r\n", code: 250, lines: []Text{""}},
		{name: "code alone", in: "250\r\n", code: 250, lines: []Text{""}},
		{name: "several", in: "250-a\r\n250-b\r\n250 c\r\n", code: 250, lines: []Text{"a", "b", "c"}},
		{name: "code alone at the end", in: "250-a\r\n250\r\n", code: 250, lines: []Text{"a", ""}},
		{name: "rest is left", in: "250 a\r\n354 b\r\n", code: 250, lines: []Text{"a"}},
		{name: "enhanced", in: "450 4.7.1 later\r\n", code: 450, lines: []Text{"4.7.1 later"}, enhanced: "4.7.1"},
		{name: "enhanced in a later line", in: "550-no\r\n550 5.7.26 no\r\n", code: 550, lines: []Text{"no", "5.7.26 no"}, enhanced: "5.7.26"},
		{name: "enhanced of another class", in: "450 5.7.1 later\r\n", code: 450, lines: []Text{"5.7.1 later"}},
		{name: "a version is no status", in: "220 2.0 x\r\n", code: 220, lines: []Text{"2.0 x"}},
		{name: "bare LF", in: "250-a\n250 b\r\n", code: 250, lines: []Text{"a", "b"}, odd: []ObservationKind{BareLF}},
		{name: "bare CR", in: "250 a\rb\r\n", code: 250, lines: []Text{"a\rb"}, odd: []ObservationKind{BareCR}},
		{name: "CR CR LF", in: "250 a\r\r\n", code: 250, lines: []Text{"a\r"}, odd: []ObservationKind{BareCR}},
		{name: "controls", in: "220 a\x00\x1b[2J\r\n", code: 220, lines: []Text{"a\x00\x1b[2J"}, odd: []ObservationKind{ControlOctet}},
		{name: "tab is text", in: "220 a\tb\r\n", code: 220, lines: []Text{"a\tb"}},
		{name: "octets", in: "220 \xff\x9b\r\n", code: 220, lines: []Text{"\xff\x9b"}, odd: []ObservationKind{NotASCII}},
		{name: "codes differ", in: "250-a\r\n550 b\r\n", code: 550, lines: []Text{"a", "b"}, odd: []ObservationKind{CodeMismatch}},
		{name: "long for the RFC", in: "250 " + strings.Repeat("x", 600) + "\r\n", code: 250, lines: []Text{Text(strings.Repeat("x", 600))}, odd: []ObservationKind{LongLine}},
		{name: "too long", in: "250 " + strings.Repeat("x", 5000) + "\r\n", err: TooLarge},
		{name: "most lines", in: many(99, "250 b\r\n"), code: 250, lines: append(slices.Repeat([]Text{"A"}, 99), "b")},
		{name: "too many lines", in: many(100, "250 b\r\n"), code: 250, err: TooLarge},
		{name: "too many octets", in: strings.Repeat("250-"+strings.Repeat("y", 1500)+"\r\n", 60), code: 250, err: TooLarge},
		{name: "other protocol", in: "SSH-2.0-OpenSSH_9.2\r\n", err: NotSMTP},
		{name: "web server", in: "HTTP/1.1 400 Bad Request\r\n", err: NotSMTP},
		{name: "code of two digits", in: "25 a\r\n", err: NotSMTP},
		{name: "code of four digits", in: "2500 a\r\n", err: NotSMTP},
		{name: "code out of range", in: "650 a\r\n", err: NotSMTP},
		{name: "no separator", in: "250a\r\n", err: NotSMTP},
		{name: "empty line", in: "\r\n", err: NotSMTP},
		{name: "end within a line", in: "250 a", err: "eof"},
		{name: "end within a reply", in: "250-a\r\n", code: 250, err: "eof"},
		{name: "CR only", in: "250 a\r250 b\r", err: "eof", odd: []ObservationKind{BareCR}},
		{name: "nothing", in: "", err: "eof"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
				r, odd, _, err := read(in)
				if c.err != "" {
					bad, ok := errors.AsType[*lineError](err)
					if c.err == "eof" && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || c.err != "eof" && (!ok || bad.cause != c.err) {
						t.Errorf("error %v, want %s", err, c.err)
					}
				} else if err != nil || r.Code != c.code || r.Enhanced != c.enhanced || !slices.Equal(r.Lines, c.lines) {
					t.Errorf("got %+v, %v", r, err)
				}
				slices.Sort(odd)
				if odd = slices.Compact(odd); c.err != TooLarge && !slices.Equal(odd, c.odd) {
					t.Errorf("observed %v, want %v", odd, c.odd)
				}
			}
		})
	}
}

// TestHello covers RFC 5321, Section 4.1.1.1.
func TestHello(t *testing.T) {
	r, _, _, err := read(strings.NewReader("250-mx.example.org at your service\r\n250-SIZE 1000\r\n250-auth PLAIN  LOGIN\r\n" +
		"250-AUTH=CRAM-MD5\r\n250-\r\n250-XXXXXXXA\r\n250-no good!\r\n250-bad_word x\r\n250 STARTTLS\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	h := parseHello("EHLO", r)
	b, _ := json.Marshal(h.Extensions)
	const want = `[{"keyword":"SIZE","params":["1000"]},{"keyword":"AUTH","params":["PLAIN","LOGIN"]},{"keyword":"AUTH","params":["CRAM-MD5"]},` +
		`{"keyword":"XXXXXXXA"},{"keyword":"NO","params":["good!"]},{"keyword":"STARTTLS"}]`
	if h.Domain != "mx.example.org" || string(b) != want {
		t.Errorf("domain %q, extensions\n%s, want\n%s", h.Domain, b, want)
	}
	if x, ok := h.Extension("AUTH"); !ok || len(x.Params) != 2 {
		t.Errorf("AUTH: %v, %v", x, ok)
	}
	if _, ok := h.Extension("CHUNKING"); ok {
		t.Error("CHUNKING was not offered")
	}
	if h := parseHello("HELO", r); len(h.Extensions) != 0 {
		t.Error("HELO has no extensions")
	}
	for keyword, want := range map[string]bool{"XXXXXXXA": true, "XXXX": true, "XCLIENT": false, "X": false, "XA": false, "": false, "SIZE": false} {
		if masked(keyword) != want {
			t.Errorf("masked(%q) = %v", keyword, !want)
		}
	}
}

func TestText(t *testing.T) {
	for _, s := range []string{"", "plain", "Grüße", `C:\x41`, "\x00\x1b[2J", "\xff\xfe", `\\`, `\`, "a\xffb\\c", "\u202e", "\uFFFD"} {
		b, err := json.Marshal(Text(s))
		if err != nil {
			t.Fatal(err)
		}
		var back Text
		if err := json.Unmarshal(b, &back); err != nil || string(back) != s {
			t.Errorf("%q is %s and comes back as %q, %v", s, b, back, err)
		}
	}
	var odd Text
	if err := odd.UnmarshalText([]byte(`a\xg0\n\x4`)); err != nil || odd != `a\xg0\n\x4` {
		t.Errorf("got %q", odd)
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"mail.example.org": true, "localhost": true, "a_b.example": true, "[192.0.2.1]": true, "[IPv6:2001:db8::1]": true,
		"": false, "[]": false, "a b": false, "a\r\nMAIL FROM:<x@y>": false, "a\x00": false, "ü.example": false, "a:b": false,
		"[192.0.2.1": false, strings.Repeat("a", 256): false, "[a]\r\n]": false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("CheckName(%q) = %v", name, err)
		}
	}
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{"220 mx ESMTP\r\n", "250-mx\r\n250-SIZE 1\r\n250 STARTTLS\r\n", "421 4.3.2 x\n", "250-a\r\n550 b\r\n",
		"220-\x00\x1b\r\r\n220 \xff\r\n", "999 x\r\n", "250", "250-", strings.Repeat("250-a\r\n", 101)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r, _, lines, err := read(strings.NewReader(string(in)))
		if len(lines) > MaxLines+1 || len(r.Lines) > MaxLines {
			t.Fatalf("%d lines", len(lines))
		}
		b, jsonErr := json.Marshal(parseHello("EHLO", r))
		var back Hello
		if jsonErr != nil || json.Unmarshal(b, &back) != nil || back.Reply.String() != r.String() {
			t.Fatalf("%+v does not survive JSON: %s", r, b)
		}
		if err != nil || slices.ContainsFunc(lines, func(l string) bool { return len(l) > MaxLine-8 }) {
			return // printed with CR LF a line may not fit any more
		}
		again, _, _, err := read(strings.NewReader(r.String()))
		if err != nil || again.String() != r.String() || again.Enhanced != r.Enhanced {
			t.Fatalf("%q is printed as %q and read as %+v, %v", in, r.String(), again, err)
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add("a\\x41\xff")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := json.Marshal(Text(s))
		var back Text
		if err != nil || json.Unmarshal(b, &back) != nil || string(back) != s {
			t.Fatalf("%q is %s and comes back as %q", s, b, back)
		}
	})
}
