package message

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// naive is a body in canonical form, written as RFC 6376, Section 3.4, tells it.
func naive(body []byte, relaxed bool) []byte {
	s := strings.ReplaceAll(string(body), "\r\n", "\n")
	s = strings.ReplaceAll(s, "\n", "\r\n")
	if relaxed {
		s = regexp.MustCompile(`[ \t]+`).ReplaceAllString(s, " ")
		s = strings.ReplaceAll(s, " \r\n", "\r\n")
		s = strings.TrimSuffix(s, " ")
	}
	for strings.HasSuffix(s, "\r\n") {
		s = s[:len(s)-2]
	}
	if s == "" && relaxed {
		return nil
	}
	return []byte(s + "\r\n")
}

func feed(h *Hasher, body []byte, parts []int) {
	for _, n := range parts {
		n = min(n, len(body))
		h.Write(body[:n])
		body = body[n:]
	}
	h.Write(body)
	h.Finish()
}

func checkBody(t *testing.T, body []byte, length int64, parts []int) {
	t.Helper()
	for _, relaxed := range []bool{false, true} {
		want := naive(body, relaxed)
		h := NewHasher(relaxed, length, 5, 0)
		feed(h, body, parts)
		sum, ok := h.Sum(-1)
		if !ok || sum.Sum != sha256.Sum256(want) || sum.Length != int64(len(want)) {
			t.Errorf("relaxed=%v, %q in parts %v: %d octets, want %d", relaxed, body, parts, sum.Length, len(want))
		}
		for _, l := range []int64{length, 5, 0} {
			part, ok := h.Sum(l)
			switch {
			case !ok:
				t.Errorf("no sum for length %d", l)
			case l > int64(len(want)):
				if !part.Short {
					t.Errorf("length %d of %d is not short", l, len(want))
				}
			case l >= 0 && (part.Short || part.Sum != sha256.Sum256(want[:l])):
				t.Errorf("relaxed=%v, %q in parts %v: wrong sum for length %d", relaxed, body, parts, l)
			}
		}
		h.Close()
	}
}

func TestBody(t *testing.T) {
	bodies := []string{
		"", "\r\n", "\r\n\r\n", "\n", " ", " \r\n", "\t \r\n\r\n", "a", "a\r\n", "a\n", "a \r\n b\t\tc \r\n\r\n\r\n", "a\r\n\r\nb\r\n", "a\r",
		"\r", "\ra\r\n", "a\r\r\n", "a\r\rb\n\r\n", "a  b\r\n \r\n\r\nc", "\r\n\r\na", " a", "a b", "\x00 \x01\r\n\x00", "caf\xc3\xa9  \r\n", "\r\n \r\n\tx",
		" C \r\nD \t E\r\n\r\n\r\n", // RFC 6376, Section 3.4.6
		strings.Repeat("word word  word \r\n", 300), strings.Repeat("\r\n", 5000) + "x", strings.Repeat(" ", 50) + "x", "a" + strings.Repeat("\n", 41) + "b" + strings.Repeat("\t", 33) + "\r\n",
		"a " + strings.Repeat("\r\n", 9) + strings.Repeat(" ", 40) + strings.Repeat("\n", 17) + "c" + strings.Repeat("\r", 20) + "\n" + strings.Repeat("\r", 9), strings.Repeat("A", 5000) + " " + strings.Repeat("B", 5000),
	}
	for _, b := range bodies {
		checkBody(t, []byte(b), 7, nil)
		checkBody(t, []byte(b), 3, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
		checkBody(t, []byte(b), 2000, []int{9, 700, 64, 2100})
	}
}

func FuzzBody(f *testing.F) {
	f.Add([]byte("a \r\n b\t\tc \r\n\r\n\r\n"), uint16(3), byte(5))
	f.Add([]byte("12345678 2345678\r\n345678\r\n\n\r \r"), uint16(12), byte(8))
	f.Fuzz(func(t *testing.T, body []byte, length uint16, part byte) {
		checkBody(t, body, int64(length), []int{int(part), 1, int(part) / 2, 2})
	})
}

func read(t testing.TB, r io.Reader, l Limits) *Message {
	t.Helper()
	m := New()
	if err := m.Read(context.Background(), r, l, func() []BodySpec { return []BodySpec{{true, -1}} }); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestHeader(t *testing.T) {
	text := "From me Mon Jan 1\nA: 1\r\nb\t : x\r\n  y\r\n\tz \r\na:2\nno field\n continued\nA:\n\nbody"
	for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), bytes.NewReader([]byte(text))} {
		m := read(t, r, Limits{Keep: 100})
		h := &m.Header
		var got []string
		for i := range h.Fields {
			got = append(got, fmt.Sprintf("%s=%q", h.Name(i), h.Relaxed(i)))
		}
		want := []string{`A="a:1\r\n"`, `b="b:x y z\r\n"`, `a="a:2\r\n"`, `A="a:\r\n"`}
		if !slices.Equal(got, want) || !h.Mbox || h.Junk != 2 || string(m.Kept) != "body" {
			t.Errorf("got %q, mbox %v, junk %d, body %q", got, h.Mbox, h.Junk, m.Kept)
		}
		h.Begin()
		if p := []int{h.Pick("a"), h.Pick("A"), h.Pick("b"), h.Pick("a"), h.Pick("a"), h.Pick("B"), h.Pick("c")}; !slices.Equal(p, []int{3, 2, 1, 0, -1, -1, -1}) {
			t.Errorf("picked %v", p)
		}
		h.Begin()
		if i := h.Pick("a"); i != 3 || h.Count("a") != 3 || h.Last("zz") != -1 {
			t.Errorf("picked %d", i)
		}
		m.Close()
	}
}

func TestRelaxedHeader(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"A", " X ", "a:X"}, // RFC 6376, Section 3.4.5
		{"B", " Y\t\r\n\tZ  ", "b:Y Z"},
		{"Subject", "", "subject:"},
		{"Subject", " \r\n \r\n x\r\n ", "subject:x"},
		{"x", "a\rb \r c", "x:a\rb \r c"},
		{"x", "a\n\tb\x00 c", "x:a b\x00 c"},
	} {
		if got := string(AppendRelaxed(nil, []byte(c.name), []byte(c.value))); got != c.want {
			t.Errorf("%q: %q is not %q", c.value, got, c.want)
		}
	}
}

func TestSimpleHeader(t *testing.T) {
	m := read(t, strings.NewReader("Sub : a \n  b\r\n\tc\nX: 1\n\n"), Limits{})
	defer m.Close()
	w, want := sha256.New(), sha256.Sum256([]byte("Sub : a \r\n  b\r\n\tc\r\n"))
	m.Header.Write(w, 0, false)
	if !bytes.Equal(w.Sum(nil), want[:]) {
		t.Error("not the field with CRLF")
	}
}

func TestLimits(t *testing.T) {
	m := read(t, strings.NewReader("a: b\r\n"+strings.Repeat(" c\r\n", 100)+"\r\nbody"), Limits{Header: 50})
	if !m.HeaderOver || len(m.Header.Raw) > 50 {
		t.Errorf("over %v with %d octets", m.HeaderOver, len(m.Header.Raw))
	}
	if _, ok := m.BodySum(BodySpec{true, -1}); ok {
		t.Error("a sum of a body that was not read")
	}
	m = read(t, strings.NewReader("a: b\r\n\r\nbody"), Limits{Body: 3, Keep: 3})
	if _, ok := m.BodySum(BodySpec{true, -1}); ok || !m.BodyOver {
		t.Error("a sum of a body over the limit")
	}
	m = read(t, strings.NewReader("a: b\r\n\r\nbody"), Limits{Keep: 3})
	if m.Whole || m.Kept != nil {
		t.Errorf("kept %q", m.Kept)
	}
}

func TestEOLs(t *testing.T) {
	for text, want := range map[string]EOLs{"a\r\nb\nc\rd\r": {1, 1, 2}, "": {}, "\r\r\n\n": {1, 1, 1}} {
		if got := CountEOLs([]byte(text)); got != want {
			t.Errorf("%q: %+v", text, got)
		}
		m := New()
		m.CountEOL()
		err := m.Read(t.Context(), iotest.OneByteReader(strings.NewReader("\n"+text)), Limits{}, func() []BodySpec { return []BodySpec{} })
		if got := (EOLs{m.CRLF, m.LF, m.CR}); err != nil || got != want {
			t.Errorf("%q by octets: %+v, %v", text, got, err)
		}
	}
}

// TestTags cites the grammar of RFC 6376, Section 3.2.
func TestTags(t *testing.T) {
	for _, c := range []struct {
		text, want string // names and values; empty for an error
		duplicate  bool
	}{
		{"a=1", "a=1", false}, {"a=1;", "a=1", false}, {" a = 1 ; b=\r\n\t2 3\r\n ; ", "a=1|b=2 3", false}, {"a=;b=x=y", "a=|b=x=y", false},
		{"A=1;a=2", "A=1|a=2", false}, {"a_1=x", "a_1=x", false}, {"s=caf\xc3\xa9", "s=caf\xc3\xa9", false},
		{"", "", false}, {" ", "", false}, {";", "", false}, {"a=1;;b=2", "", false}, {"a=1;;", "", false}, {";a=1", "", false}, {"a", "", false}, {"a=1;b", "", false}, {"=1", "", false},
		{"1a=x", "", false}, {"a b=x", "", false}, {"a-b=x", "", false}, {"a=1;a=1", "", true}, {"a=\x00", "", false}, {"a=x\ry", "", false}, {"a=\x7f", "", false},
		{strings.Repeat("a", 70) + "=1;" + func() (s string) {
			for i := range 80 {
				s += fmt.Sprintf("t%d=;", i)
			}
			return s
		}(), "", false},
	} {
		spans, err := ParseTags([]byte(c.text), nil)
		var got []string
		for _, s := range spans {
			got = append(got, c.text[s.Name:s.NameEnd]+"="+c.text[s.Value:max(s.Value, s.End)])
		}
		if (err == nil) != (c.want != "") || err == nil && strings.Join(got, "|") != c.want {
			t.Errorf("%q: %q, %v", c.text, got, err)
		}
		if e, ok := errors.AsType[*TagError](err); ok && e.Duplicate != c.duplicate {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}

func FuzzTags(f *testing.F) {
	f.Add([]byte(" v = 1 ; a=rsa-sha256;\r\n b=x; bh=;"))
	f.Fuzz(func(t *testing.T, text []byte) {
		spans, err := ParseTags(text, nil)
		if err != nil {
			return
		}
		// What parses prints, and parses to the same.
		var out []string
		for _, s := range spans {
			if s.Name > s.NameEnd || s.NameEnd > s.Eq || s.Eq >= s.Value || s.Eq >= s.Semi || s.Semi > len(text) || text[s.Eq] != '=' {
				t.Fatalf("%+v", s)
			}
			out = append(out, string(text[s.Name:s.NameEnd])+"="+string(text[s.Value:max(s.Value, s.End)]))
		}
		again, err := ParseTags([]byte(strings.Join(out, ";")), nil)
		if err != nil || len(again) != len(spans) {
			t.Fatalf("%q: %v", out, err)
		}
	})
}

func FuzzBase64(f *testing.F) {
	f.Add([]byte("AAE="))
	f.Add([]byte("A A\r\n E ="))
	f.Fuzz(func(t *testing.T, value []byte) {
		var dst [64]byte
		n, ok := Base64(dst[:], value)
		flat := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(string(value))
		want, err := base64.StdEncoding.DecodeString(flat)
		if ok != (err == nil && len(want) <= len(dst) && len(want) > 0) || ok && !bytes.Equal(dst[:n], want) {
			t.Fatalf("%q: %q %v, want %q %v", value, dst[:n], ok, want, err)
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte("A: b\r\n c\r\nd : e\nnot\n f\r\n\r\nbody"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m := read(t, bytes.NewReader(text), Limits{Header: 1 << 16})
		defer m.Close()
		h := &m.Header
		h.Begin()
		end := 0
		for i, f := range h.Fields {
			if f.Start < end || f.NameEnd <= f.Start || f.Value <= f.NameEnd || f.End < f.Value || f.End > len(h.Raw) {
				t.Fatalf("%+v", f)
			}
			end = f.End
			rel := h.Relaxed(i)
			if name := bytes.ToLower(h.Name(i)); !bytes.HasPrefix(rel, append(name, ':')) || !bytes.HasSuffix(rel, crlf) {
				t.Fatalf("%q", rel)
			}
			if i := h.Pick(string(h.Name(i))); i < 0 {
				t.Fatal("a field that cannot be picked")
			}
		}
	})
}
