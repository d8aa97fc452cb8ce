package safe

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "v=spf1 include:_spf.example.org -all", "v=spf1 include:_spf.example.org -all"},
		{"letters", "bücher 例え пример", "bücher 例え пример"},
		{"emoji", "ok 🎉", "ok 🎉"},
		{"clear screen and colour", "\x1b[2J\x1b[1;32mPASS", `\x1b[2J\x1b[1;32mPASS`},
		{"clipboard", "\x1b]52;c;ZXZpbA==\x07", `\x1b]52;c;ZXZpbA==\x07`},
		{"title", "\x1b]0;t\x07", `\x1b]0;t\x07`},
		{"link", "\x1b]8;;http://evil\x07x\x1b]8;;\x07", `\x1b]8;;http://evil\x07x\x1b]8;;\x07`},
		{"raw C1", "\x9b31m", `\x9b31m`},
		{"C1 rune", "\u009b31m", `\u{9b}31m`},
		{"NEL", "a\u0085b", `a\u{85}b`},
		{"bidi override", "\u202Epxe", `\u{202e}pxe`},
		{"bidi isolates", "\u2066a\u2069\u2067", `\u{2066}a\u{2069}\u{2067}`},
		{"bidi marks", "\u200e\u200f\u061c", `\u{200e}\u{200f}\u{61c}`},
		{"separators", "a\u2028b\u2029", `a\u{2028}b\u{2029}`},
		{"zero width", "pay\u200bpal\u200c\u200d\u2060\ufeff", `pay\u{200b}pal\u{200c}\u{200d}\u{2060}\u{feff}`},
		{"soft hyphen", "pay\u00adpal", `pay\u{ad}pal`},
		{"no-break space", "p=\u00a0MII", `p=\u{a0}MII`},
		{"tag characters", "\U000e0041", `\u{e0041}`},
		{"variation selector", "x\ufe0f\U000e0100", `x\u{fe0f}\u{e0100}`},
		{"fillers", "\u3164\u115f\uffa0\u2800\u034f", `\u{3164}\u{115f}\u{ffa0}\u{2800}\u{34f}`},
		{"private", "\ue000", `\u{e000}`},
		{"noncharacter", "\uffff", `\u{ffff}`},
		{"replacement rune itself", "\ufffd", "\ufffd"},
		{"TAB LF CR", "a\tb\r\nc", `a\tb\r\nc`},
		{"NUL DEL", "\x00\x7f", `\x00\x7f`},
		{"invalid UTF-8", "\xff\xc3(", `\xff\xc3(`},
		{"overlong", "\xc0\x9b", `\xc0\x9b`},
		{"surrogate", "\xed\xa0\x80", `\xed\xa0\x80`},
		{"backslash stays", `k=rsa\; p=`, `k=rsa\; p=`},
		{"TXT escape", "v=spf1 \x1b[31m -all", `v=spf1 \x1b[31m -all`},
		{"TXT escape as text", `v=spf1 \027[31m -all`, `v=spf1 \027[31m -all`},
		{"accents stay", "e\u0301", "e\u0301"},
		{"piled marks", "e" + strings.Repeat("\u0301", 10), "e" + strings.Repeat("\u0301", 8) + `\u{301}\u{301}`},
		{"script", "</script><img src=x onerror=alert(1)>", "</script><img src=x onerror=alert(1)>"},
		{"drop", `"; DROP`, `"; DROP`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Text(tt.in)
			if got != tt.want {
				t.Errorf("Text(%q) = %q, want %q", tt.in, got, tt.want)
			}
			harmless(t, got, false)
			if again := Text(got); again != got {
				t.Errorf("Text of %q again is %q", got, again)
			}
		})
	}
}

func TestLines(t *testing.T) {
	for in, want := range map[string]string{
		"a\nb\r\nc\rd": "a\nb\nc\\rd",
		"a\r\r\n":      "a\\r\n",
		"\x1b\n\x1b":   "\\x1b\n\\x1b",
		"plain\ntext":  "plain\ntext",
	} {
		if got := Lines(in); got != want {
			t.Errorf("Lines(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLimit(t *testing.T) {
	tests := []struct {
		in   string
		n    int
		want string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc… (4 octets)"},
		{"äöü", 3, "äöü"},
		{"äöüß", 3, "äöü… (8 octets)"},
		{"abc", 0, "… (3 octets)"},
		{"abc", -1, "… (3 octets)"},
		{"\x1b[2J", 2, `\x1b[… (4 octets)`},
		{"\xff\xff\xff", 2, `\xff\xff… (3 octets)`},
	}
	for _, tt := range tests {
		if got := Limit(tt.in, tt.n); got != tt.want {
			t.Errorf("Limit(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func TestFormats(t *testing.T) {
	tests := []struct {
		name     string
		f        func(string) string
		in, want string
	}{
		{"CSV formula", CSV, `=HYPERLINK("http://x")`, `'=HYPERLINK("http://x")`},
		{"CSV at", CSV, "@SUM(1)", "'@SUM(1)"},
		{"CSV plus", CSV, "+1", "'+1"},
		{"CSV minus", CSV, "-all", "'-all"},
		{"CSV tab", CSV, "\t=1", `'\t=1`},
		{"CSV return", CSV, "\r=1", `'\r=1`},
		{"CSV spaces", CSV, "  =1", "'  =1"},
		{"CSV full width", CSV, "＝1", "'＝1"},
		{"CSV plain", CSV, "v=spf1 -all", "v=spf1 -all"},
		{"Markdown pipe", Markdown, "a|b", `a\|b`},
		{"Markdown code", Markdown, "a`b`", "a\\`b\\`"},
		{"Markdown html", Markdown, "</script><img src=x>", "&lt;/script&gt;&lt;img src=x&gt;"},
		{"Markdown link", Markdown, "![x](http://evil.example)", `\!\[x\]\(http&#58;//evil.example\)`},
		{"Markdown bare www", Markdown, "see WWW.evil.example", "see WWW&#46;evil.example"},
		{"Markdown mention", Markdown, "@all *a* _b_ ~c~", `&#64;all \*a\* \_b\_ \~c\~`},
		{"Markdown entity", Markdown, "&lt;", "&amp;lt;"},
		{"Markdown list", Markdown, "- a - b", `\- a - b`},
		{"Markdown number", Markdown, "1. a", `1\. a`},
		{"Markdown address", Markdown, "192.0.2.1", "192.0.2.1"},
		{"Markdown heading", Markdown, "# a", `\# a`},
		{"Markdown code block", Markdown, "    a", "&#32;&#32;&#32;&#32;a"},
		{"Markdown escape", Markdown, "\x1b[0m\n", `\\x1b\[0m\\n`},
		{"Markdown plain", Markdown, "bücher", "bücher"},
		{"Nagios", Nagios, "OK | x=1;;\n", `OK / x=1;;\n`},
		{"PromLabel", PromLabel, "a\"b\\c\n", `a\"b\\c\\n`},
		{"Quote", Quote, "a\"\x1b\u202e", `"a\"\x1b\u202e"`},
		{"Quote letters", Quote, "bücher", `"bücher"`},
		{"Quote filler", Quote, "ü\u3164", `"\u00fc\u3164"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.f(tt.in)
			if got != tt.want {
				t.Errorf("%q gives %q, want %q", tt.in, got, tt.want)
			}
			harmless(t, got, false)
		})
	}
}

func TestJSON(t *testing.T) {
	for _, in := range []string{"plain", "\u202epxe", "\u009b31m", "\x7f", "🎉\U000e0041", "bücher", "\ue000"} {
		doc, err := json.MarshalIndent(map[string]string{"k": in}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		out := JSON(doc)
		harmless(t, string(out), true)
		var a, b any
		if err := json.Unmarshal(out, &a); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if err := json.Unmarshal(doc, &b); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%q changed its value: %v", in, a)
		}
	}
	if got := string(JSON([]byte("\"\xff\""))); got != `"\ufffd"` {
		t.Errorf("invalid octet became %s", got)
	}
}

func TestNoAllocation(t *testing.T) {
	for _, s := range []string{"v=spf1 -all", "bücher 例え", strings.Repeat("x", 4096)} {
		if n := testing.AllocsPerRun(50, func() { _ = Text(s); _ = Lines(s); _ = Limit(s, len(s)); _ = CSV(s); _ = Nagios(s) }); n != 0 {
			t.Errorf("%d allocations for a clean text of %d octets", int(n), len(s))
		}
	}
	doc := []byte(`{"a": "b"}`)
	if n := testing.AllocsPerRun(50, func() { JSON(doc) }); n != 0 {
		t.Errorf("JSON allocates %v times for a clean document", n)
	}
}

// harmless fails the test when s holds what must never be shown.
func harmless(t *testing.T, s string, lines bool) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Fatalf("%q is not valid UTF-8", s)
	}
	for i, r := range s {
		switch {
		case lines && r == '\n':
		case r < ' ', r >= 0x7f && r <= 0x9f:
			t.Fatalf("%q holds control %U at %d", s, r, i)
		case unicode.In(r, unicode.Bidi_Control, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs):
			t.Fatalf("%q holds %U at %d", s, r, i)
		case r >= 0x200b && r <= 0x200d, r == 0x2060, r == 0xfeff:
			t.Fatalf("%q holds the invisible %U at %d", s, r, i)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{
		"\x1b[2J\x1b[1;32mPASS", "\x9b31m", "\u202Epxe", "a\r\n\tb", `\x1b`, "=1", "| x", "\xff\ufffd",
		"e" + strings.Repeat("\u0301", 12), "\ue000\u3164", "    1. <b>", "\"\\",
	} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		for name, fn := range map[string]func(string) string{
			"Text": Text, "CSV": CSV, "Markdown": Markdown, "Nagios": Nagios, "PromLabel": PromLabel, "Quote": Quote,
			"Limit": func(s string) string { return Limit(s, n) },
		} {
			got := fn(s)
			harmless(t, got, false)
			if name == "Text" || name == "Nagios" {
				if again := fn(got); again != got {
					t.Fatalf("%s is not idempotent: %q, then %q", name, got, again)
				}
			}
			if Text(got) != got {
				t.Fatalf("%s left something for Text: %q", name, got)
			}
		}
		harmless(t, Lines(s), true)
		if got := Lines(Lines(s)); got != Lines(s) {
			t.Fatalf("Lines is not idempotent: %q", got)
		}
		if back, err := strconv.Unquote(Quote(s)); err != nil || back != s {
			t.Fatalf("Quote(%q) reads back as %q, %v", s, back, err)
		}
		doc, _ := json.Marshal(s)
		if out := JSON(doc); !json.Valid(out) {
			t.Fatalf("JSON(%q) = %q", doc, out)
		}
	})
}
