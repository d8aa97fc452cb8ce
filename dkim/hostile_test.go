package dkim

import (
	"bytes"
	"crypto/rand"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// maxTook is what a hostile message may cost; more with the race detector.
const maxTook = 50 * time.Millisecond

// TestHostile is mail made to be expensive. Each is verified or refused with a
// reason in little time and memory.
func TestHostile(t *testing.T) {
	z := testZone(t)
	one := func(sig, msg string) string {
		s := craft(t, sig, msg, edKey())
		return strings.TrimSuffix(s, msg)
	}
	plain := one(edSig, mail)
	crlfs := strings.Repeat("\r\n", 4<<20)
	head := mail[:strings.Index(mail, "\r\n\r\n")+4]
	var noise strings.Builder
	for noise.Len() < 8<<20 {
		noise.WriteString(rand.Text() + " \t" + rand.Text() + " \r\n")
	}
	simple := edit(edSig, "relaxed/relaxed", "simple/simple")
	manyLengths := ""
	for i := range MaxSignatures { // the beginning of the body is enough for these
		manyLengths += one(edit(edSig, "v=1;", "v=1; l="+strconv.Itoa(i*1000+7)+";"), head+noise.String()[:40000])
	}
	for _, c := range []struct {
		name, msg string
		status    Status
		limit     string
	}{
		{"2 MB in one folded field", plain + "X: a\r\n" + strings.Repeat(" aaaaaa\r\n", 2<<20/9) + mail, Neutral, "header"},
		{"1 MB of signature", "DKIM-Signature: v=1;" + strings.Repeat(" aaaaaa\r\n", 1<<20/9-100) + "\r\n" + mail, PermError, ""},
		{"1 MB of tags", "DKIM-Signature: v=1;" + strings.Repeat("a=b;", 200000) + "\r\n" + mail, PermError, ""},
		{"1 MB of different tags", "DKIM-Signature: v=1;" + func() string {
			var b strings.Builder
			for i := range 60000 {
				b.WriteString("t" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("0", i%11) + "=1;")
			}
			return b.String()
		}() + "\r\n" + mail, PermError, ""},
		{"20,000 fields and 20,000 names", edit(plain, "h=from:", "h=from:"+strings.Repeat("x-a:", 20000)) + strings.Repeat("X-A: b\r\n", 20000) + mail, Neutral, ""},
		{"20,000 fields and 1,000 names", edit(plain, "h=from:", "h=from:"+strings.Repeat("x-a:", 900)) + strings.Repeat("X-A: b\r\n", 20000) + mail, Fail, ""},
		{"170,000 names of fields", plain + func() string {
			var b strings.Builder
			for i := range 170000 {
				b.WriteString(string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + string(rune('a'+i/17576)) + ":\n")
			}
			return b.String()
		}() + mail, Pass, ""},
		{"1,000 signatures", strings.Repeat(plain, 1000) + mail, Pass, "signatures"},
		{"4,000 signatures", strings.Repeat(plain, 4000) + mail, Pass, "signatures"},
		{"20 different lengths of 8 MB", manyLengths + head + noise.String(), Pass, ""},
		{"8 MB of CRLF, simple", one(simple, head+crlfs) + head + crlfs, Pass, ""},
		{"8 MB of CRLF, relaxed", one(edSig, head+crlfs) + head + crlfs, Pass, ""},
		{"8 MB of spaces", plain + head + strings.Repeat(" ", 8<<20), Fail, ""},
		{"8 MB of CR", plain + head + strings.Repeat("\r", 8<<20), Fail, ""},
		{"8 MB of bare LF", plain + head + strings.Repeat("\n", 8<<20), Fail, ""},
		{"8 MB of tabs and CRLF", plain + head + strings.Repeat("\t\r\n", 8<<20/3), Fail, ""},
		{"8 MB of a and tab", plain + head + strings.Repeat("a\t", 8<<20/2), Fail, ""},
		{"16384-bit key", strings.ReplaceAll(plain, "s=ed", "s=long") + mail, PermError, ""},
		{"16384-bit key for RSA", edit(plain, "s=ed", "s=long", "a=ed25519", "a=rsa") + mail, Policy, ""},
		{"NUL and CR in the header", plain + "X: \x00\r \x00\r\n\x00: x\r\n" + mail, Pass, ""},
		{"NUL and CR in the signature", edit(plain, "h=from", "h=\x00\rfrom") + mail, PermError, ""},
		{"no line ends", strings.Repeat("a", 8<<20), Neutral, "header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, stream := range []bool{false, true} {
				for _, explain := range []bool{false, true} {
					if raceFactor > 10 && !(stream && explain) { // one of them is enough there
						continue
					}
					runtime.GC()
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					var r io.Reader = bytes.NewReader([]byte(c.msg))
					if stream {
						r = iotest.HalfReader(strings.NewReader(c.msg))
					}
					start := time.Now()
					v, err := Verify(t.Context(), r, z, VerifyOptions{Now: clock, Explain: explain})
					took := time.Since(start)
					runtime.ReadMemStats(&after)
					mb := float64(after.TotalAlloc-before.TotalAlloc-map[bool]uint64{false: uint64(len(c.msg))}[stream]) / (1 << 20)
					t.Logf("stream %v, explain %v: %v, %.1f MB in all", stream, explain, took.Round(10*time.Microsecond), mb)
					if slow := raceFactor * maxTook; took > slow {
						t.Errorf("took %v", took)
					}
					if mb > 32*(1+float64(bit(explain))) { // all that was allocated, freed or not
						t.Errorf("%.1f MB", mb)
					}
					limit := ""
					if len(v.Limits) > 0 {
						limit = v.Limits[0].Kind
					}
					if err != nil || v.Status() != c.status || limit != c.limit {
						t.Errorf("%s, limit %q, %v, %.300v", v.Status(), limit, err, v.Signatures)
					}
				}
			}
		})
	}
}

// TestLimits sets each limit and looks for its outcome.
func TestLimits(t *testing.T) {
	z := testZone(t)
	msg := craft(t, edSig, mail, edKey())
	two := strings.TrimSuffix(msg, mail) + msg
	for _, c := range []struct {
		name  string
		opts  VerifyOptions
		want  string
		limit Limit
	}{
		{"header", VerifyOptions{MaxHeaderBytes: 500}, "neutral:limit neutral:limit", Limit{Kind: "header", Limit: 500}},
		{"body", VerifyOptions{MaxBodyBytes: 10}, "neutral:limit neutral:limit", Limit{Kind: "body", Limit: 10}},
		{"signatures", VerifyOptions{MaxSignatures: 1}, "pass", Limit{Kind: "signatures", Limit: 1, Found: 2}},
		{"bits", VerifyOptions{MaxKeyBits: 128}, "policy:key-too-long policy:key-too-long", Limit{}},
	} {
		v := check(t, two, z, c.opts)
		got := Limit{}
		if len(v.Limits) > 0 {
			got = v.Limits[0]
			if got.Text == "" {
				t.Errorf("%s: no text", c.name)
			}
			got.Text = ""
		}
		if verdict(v) != c.want || got != c.limit {
			t.Errorf("%s: %s %+v", c.name, verdict(v), got)
		}
	}
}

// TestFlatMemory streams a large body.
func TestFlatMemory(t *testing.T) {
	z := testZone(t)
	line := strings.Repeat("A line of text. ", 4) + "\r\n"
	const size = 64 << 20
	msg := strings.TrimSuffix(craft(t, edSig, mail, edKey()), mail) + mail
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	v, err := Verify(t.Context(), io.MultiReader(strings.NewReader(msg), io.LimitReader(&repeat{text: line}, size)), z, VerifyOptions{Now: clock})
	runtime.ReadMemStats(&after)
	if err != nil || verdict(v) != "fail:body-altered" || v.BodySize < size {
		t.Errorf("%s of %d octets, %v", verdict(v), v.BodySize, err)
	}
	if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 1 {
		t.Errorf("%d MB allocated for a body of 64", mb)
	}
}

type repeat struct {
	text string
	at   int
}

func (r *repeat) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c := copy(p[n:], r.text[r.at:])
		n += c
		r.at = (r.at + c) % len(r.text)
	}
	return n, nil
}

// FuzzVerify: any message gives the same verdict in one part and in many, with
// and without explanations.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(craft(f, edSig, mail, edKey())))
	f.Add([]byte(edit(craft(f, edit(edSig, "v=1;", "v=1; l=3; z=From:x|To:y;"), mail, edKey()), "the", "[x] the")))
	f.Add([]byte(edit(craft(f, rsaSig, mail, rsaKeys(2048)), "Hello", ".Hello", "Bob", "B\rob")))
	f.Add([]byte(rfc6376))
	z := testZone(f)
	var _ resolve.Resolver = z
	f.Fuzz(func(t *testing.T, msg []byte) {
		a := check(t, string(msg), z, VerifyOptions{})
		b, err := Verify(t.Context(), iotest.OneByteReader(bytes.NewReader(msg)), z, VerifyOptions{Now: clock})
		if err != nil || verdict(a) != verdict(b) {
			t.Fatalf("%s, in parts %s, %v", verdict(a), verdict(b), err)
		}
		c := check(t, string(msg), z, VerifyOptions{Explain: true})
		for i, s := range a.Signatures {
			e := c.Signatures[i]
			if s.Status != e.Status || s.Reason != e.Reason && s.Reason != ReasonMismatch || s.Status == "" || (s.Status == Pass) != (s.Reason == "") {
				t.Fatalf("%+v\n%+v", s, e)
			}
		}
	})
}
