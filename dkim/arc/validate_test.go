package arc

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

const original = "From: Alice <alice@author.example>\r\nTo: list@list.example\r\nSubject: figures\r\n\r\nHello,\r\nworld\r\n"

var (
	edKey  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	})
)

// anyKey answers with the same keys for every domain: selector "ed" or "rsa".
var anyKey = resolve.Func(func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
	text := ""
	switch first := q.Name.First(); first {
	case "ed":
		text = "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(edKey.Public().(ed25519.PublicKey))
	case "rsa":
		der, _ := x509.MarshalPKIXPublicKey(&rsaKey().PublicKey)
		text = "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	case "slow":
		return resolve.Answer{}, &resolve.Error{Reason: resolve.ErrTimeout, Question: q}
	default:
		return resolve.Answer{}, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q}
	}
	return resolve.Answer{Records: []resolve.Record{{Name: q.Name, Type: resolve.TypeTXT, Data: resolve.SplitTXT(text)}}}, nil
})

// relax is the relaxed form of a field, written without the code under test.
func relax(field string) string {
	name, value, _ := strings.Cut(field, ":")
	return strings.ToLower(strings.TrimSpace(name)) + ":" + strings.Join(strings.Fields(value), " ")
}

func sign(selector, text string) string {
	sum := sha256.Sum256([]byte(text))
	var k crypto.Signer = edKey
	opt := crypto.SignerOpts(crypto.Hash(0))
	if selector == "rsa" {
		k, opt = rsaKey(), crypto.SHA256
	}
	sig, err := k.Sign(rand.Reader, sum[:], opt)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// hop adds a set to a message.
type hop struct {
	domain, selector, cv string
	ams, as, aar         func(string) string // change a field before it is signed
	headers              string              // h=
}

// sealed is a message with sets, and the text that the next seal covers.
type sealed struct {
	msg  string
	sets string
	n    int
}

func (s sealed) add(h hop) sealed {
	s.n++
	if h.selector == "" {
		h.selector = "ed"
	}
	if h.cv == "" {
		if h.cv = "pass"; s.n == 1 {
			h.cv = "none"
		}
	}
	if h.headers == "" {
		h.headers = "from:to:subject"
	}
	change := func(f func(string) string, text string) string {
		if f != nil {
			return f(text)
		}
		return text
	}
	alg := "ed25519-sha256"
	if h.selector == "rsa" {
		alg = "rsa-sha256"
	}
	head, body, _ := strings.Cut(s.msg, "\r\n\r\n")
	bh := sha256.Sum256([]byte(body)) // relaxed already
	aar := change(h.aar, fmt.Sprintf("ARC-Authentication-Results: i=%d; %s; spf=pass", s.n, h.domain))
	ams := change(h.ams, fmt.Sprintf("ARC-Message-Signature: i=%d; a=%s; c=relaxed/relaxed;\r\n d=%s; s=%s; t=1500000000; h=%s; bh=%s; b=",
		s.n, alg, h.domain, h.selector, h.headers, base64.StdEncoding.EncodeToString(bh[:])))
	fields := map[string]string{}
	for line := range strings.SplitSeq(head, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		if _, ok := fields[strings.ToLower(name)]; !ok || !strings.HasPrefix(name, "ARC") {
			fields[strings.ToLower(name)] = line
		}
	}
	text := ""
	for name := range strings.SplitSeq(h.headers, ":") {
		if f := fields[name]; f != "" {
			text += relax(f) + "\r\n"
		}
	}
	ams += sign(h.selector, text+relax(ams))
	as := change(h.as, fmt.Sprintf("ARC-Seal: i=%d; a=%s; t=1500000000; cv=%s; d=%s; s=%s; b=", s.n, alg, h.cv, h.domain, h.selector))
	own := relax(aar) + "\r\n" + relax(ams) + "\r\n" + relax(as)
	scope := s.sets + own
	if h.cv == "fail" {
		scope = own // RFC 8617, Section 5.1.2
	}
	b := sign(h.selector, scope)
	as += b
	s.sets += own + b + "\r\n"
	s.msg = as + "\r\n" + ams + "\r\n" + aar + "\r\n" + s.msg
	return s
}

func chainOf(hops ...hop) sealed {
	s := sealed{msg: original}
	for _, h := range hops {
		s = s.add(h)
	}
	return s
}

func validate(t testing.TB, msg string) Result {
	t.Helper()
	r, err := Validate(t.Context(), strings.NewReader(msg), anyKey, Options{Now: func() time.Time { return time.Unix(1600000000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func replace(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

// TestValidate goes through RFC 8617, Section 5.2, step by step.
func TestValidate(t *testing.T) {
	one, two := hop{domain: "list.example"}, hop{domain: "forward.example", selector: "rsa"}
	three := hop{domain: "third.example"}
	good := chainOf(one, two, three).msg
	drop := func(msg, prefix string) string {
		i := strings.Index(msg, prefix)
		j := i + strings.Index(msg[i:], "\r\n")
		for msg[j+2] == ' ' {
			j += 2 + strings.Index(msg[j+2:], "\r\n")
		}
		return msg[:i] + msg[j+2:]
	}
	changed := func(k int) string { // the list puts a tag before the subject
		s := chainOf(one)
		s.msg = strings.Replace(s.msg, "Subject: ", "Subject: [list] ", 1)
		for i := range k {
			s = s.add([]hop{two, three}[i])
		}
		return s.msg
	}
	edited := func(at int, kind string, f func(string) string) string {
		hops := []hop{one, two, three}
		switch kind {
		case "ams":
			hops[at-1].ams = f
		case "as":
			hops[at-1].as = f
		case "aar":
			hops[at-1].aar = f
		case "cv":
			hops[at-1].cv = f("")
		case "h":
			hops[at-1].headers = f("")
		}
		return chainOf(hops...).msg
	}
	set := func(v string) func(string) string { return func(string) string { return v } }
	for _, c := range []struct {
		name, msg string
		status    Status
		reason    Reason
		at        int
		oldest    int
	}{
		{"no sets", original, None, "", 0, 0},
		{"no header end", "From: a@b.example\r\n", None, "", 0, 0},
		{"one set", chainOf(one).msg, Pass, "", 0, 0},
		{"three sets", good, Pass, "", 0, 0},
		{"LF only", strings.ReplaceAll(good, "\r\n", "\n"), Pass, "", 0, 0},
		{"changed by the second hop", changed(1), Pass, "", 0, 2},
		{"changed by the second of three", changed(2), Pass, "", 0, 2},
		{"changed after the last", strings.Replace(good, "world", "World", 1), Fail, ReasonMessage, 3, 0},
		{"subject changed after the last", strings.Replace(good, "figures", "numbers", 1), Fail, ReasonMessage, 3, 0},
		{"AAR changed", strings.Replace(good, "list.example; spf=pass", "list.example; spf=fail", 1), Fail, ReasonSeal, 3, 0},

		{"no AAR in 1", drop(good, "ARC-Authentication-Results: i=1"), Fail, ReasonMissing, 1, 0},
		{"no AMS in 2", drop(good, "ARC-Message-Signature: i=2"), Fail, ReasonMissing, 2, 0},
		{"no AS in 3", drop(good, "ARC-Seal: i=3"), Fail, ReasonMissing, 3, 0},
		{"no set 1", drop(drop(drop(good, "ARC-Authentication-Results: i=1"), "ARC-Message-Signature: i=1"), "ARC-Seal: i=1"), Fail, ReasonGap, 1, 0},
		{"two AAR in 1", "ARC-Authentication-Results: i=1; x\r\n" + good, Fail, ReasonDuplicate, 1, 0},
		{"cv=none in 2", edited(2, "cv", set("none")), Fail, ReasonCV, 2, 0},
		{"cv=pass in 1", edited(1, "cv", set("pass")), Fail, ReasonCV, 1, 0},
		{"cv=fail in 3", edited(3, "cv", set("fail")), Fail, ReasonSaidFail, 3, 0},
		{"cv=fail in 2", edited(2, "cv", set("fail")), Fail, ReasonCV, 2, 0},
		{"cv unknown", edited(3, "cv", set("maybe")), Fail, ReasonCV, 3, 0},
		{"cv in upper case", edited(3, "cv", set("PASS")), Fail, ReasonCV, 3, 0},
		{"cv missing", edited(3, "as", replace("cv=pass; ", "")), Fail, ReasonSeal, 3, 0},

		{"instance 0", edited(1, "ams", replace("i=1", "i=0")), Fail, ReasonInstance, 0, 0},
		{"instance 51", edited(3, "as", replace("i=3", "i=51")), Fail, ReasonInstance, 0, 0},
		{"instance with text", edited(3, "as", replace("i=3", "i=3a")), Fail, ReasonInstance, 0, 0},
		{"no instance", edited(3, "ams", replace("i=3; ", "")), Fail, ReasonInstance, 0, 0},
		{"AAR without instance", edited(2, "aar", replace("i=2; ", "")), Fail, ReasonInstance, 0, 0},
		{"AAR with comments", edited(2, "aar", replace("i=2;", "(a (b) \\) c) i (x) = 2 (y) ;")), Pass, "", 0, 0},
		{"AAR instance not first", edited(2, "aar", replace("i=2; forward.example", "forward.example; i=2")), Fail, ReasonInstance, 0, 0},

		{"AS with h=", edited(2, "as", replace("cv=", "h=from; cv=")), Fail, ReasonSeal, 2, 0},
		{"newest AS with h=", edited(3, "as", replace("cv=", "h=from; cv=")), Fail, ReasonSeal, 3, 0},
		{"AS with unknown tag", edited(2, "as", replace("cv=", "zz=from; cv=")), Pass, "", 0, 0},
		{"AS with duplicate tag", edited(3, "as", replace("cv=", "t=1; cv=")), Fail, ReasonSeal, 3, 0},
		{"AS with ;;", edited(3, "as", replace("cv=", "; cv=")), Fail, ReasonSeal, 3, 0},
		{"AS without t=", edited(2, "as", replace("t=1500000000; ", "")), Pass, "", 0, 0},
		{"AS with bad t=", edited(3, "as", replace("t=1500000000", "t=soon")), Fail, ReasonSeal, 3, 0},
		{"AS with sha1", edited(3, "as", replace("ed25519-sha256", "rsa-sha1")), Fail, ReasonSeal, 3, 0},
		{"AS without key", edited(3, "as", replace("s=ed", "s=none")), Fail, ReasonSeal, 3, 0},
		{"AS with slow key", edited(3, "as", replace("s=ed", "s=slow")), Fail, ReasonSeal, 3, 0},
		{"AS of wrong type", edited(3, "as", replace("s=ed", "s=rsa")), Fail, ReasonSeal, 3, 0},

		{"AMS with v=", edited(3, "ams", replace("d=", "v=7; d=")), Pass, "", 0, 0},
		{"AMS without From", edited(3, "h", set("to:subject")), Fail, ReasonMessage, 3, 0},
		{"AMS with ARC-Seal", edited(3, "h", set("from:arc-seal")), Fail, ReasonMessage, 3, 0},
		{"AMS with its own kind", edited(3, "h", set("from:arc-message-signature")), Fail, ReasonMessage, 3, 0},
		{"AMS with absent field", edited(3, "h", set("from:cc:x-none")), Pass, "", 0, 0},
		{"AMS expired", edited(3, "ams", replace("t=1500000000", "x=1500000001; t=1500000000")), Fail, ReasonMessage, 3, 0},
		{"AMS of 2 expired", edited(2, "ams", replace("t=1500000000", "x=1500000001; t=1500000000")), Pass, "", 0, 3},
		{"AMS without bh=", edited(3, "ams", replace("bh=", "xh=")), Fail, ReasonMessage, 3, 0},
		{"AMS with bad c=", edited(3, "ams", replace("relaxed/relaxed", "relaxed/loose")), Fail, ReasonMessage, 3, 0},
		{"AMS folded in b=", edited(3, "ams", replace("h=from:to", "h=from :\r\n\tto")), Pass, "", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := validate(t, c.msg)
			if c.name == "AMS with its own kind" { // signed in another order here: only that it is no syntax error counts
				if r.Sets[2].Message.Reason != dkim.ReasonMismatch {
					t.Errorf("%+v", r)
				}
				return
			}
			if r.Status != c.status || r.Reason != c.reason || r.Instance != c.at || r.OldestPass != c.oldest {
				t.Errorf("%s %s at %d, oldest %d: %s\n%+v", r.Status, r.Reason, r.Instance, r.OldestPass, r.Explanation, r.Sets)
			}
			if r.Explanation == "" {
				t.Error("no explanation")
			}
		})
	}
}

func TestExplanation(t *testing.T) {
	s := chainOf(hop{domain: "list.example"})
	s.msg = strings.Replace(s.msg, "world", "world\r\n--\r\na footer", 1)
	changed := s.add(hop{domain: "forward.example"})
	for _, c := range []struct{ msg, want, by string }{
		{changed.msg, `after "list.example" (set 1) and before or by "forward.example" (set 2)`, "forward.example"},
		{s.msg, `after "list.example" sealed it in set 1, by a host that added no set`, ""},
		{s.add(hop{domain: "forward.example", cv: "fail"}).msg, `found the chain broken already when it sealed set 2; the message was changed after "list.example" sealed it in set 1, before or by "forward.example" (set 2)`, ""},
		{chainOf(hop{domain: "list.example"}).msg, `"list.example" vouches for it`, ""},
	} {
		r := validate(t, c.msg)
		if !strings.Contains(r.Explanation, c.want) || r.ChangedBy != c.by {
			t.Errorf("got  %s (%s)\nwant %s", r.Explanation, r.ChangedBy, c.want)
		}
	}
}

// TestHostile bounds the work for chains at and over the limits.
func TestHostile(t *testing.T) {
	hops := make([]hop, 50)
	for i := range hops {
		hops[i] = hop{domain: fmt.Sprintf("d%d.example", i), selector: "rsa"}
	}
	full := chainOf(hops...).msg
	for _, c := range []struct {
		name, msg string
		status    Status
		reason    Reason
	}{
		{"50 sets", full, Pass, ""},
		{"51 sets", "ARC-Seal: i=51; x\r\n" + full, Fail, ReasonTooMany},
		{"20,000 seals", strings.Repeat("ARC-Seal: i=1; cv=none\r\n", 20000) + original, Fail, ReasonTooMany},
		{"header over the limit", "ARC-Seal: i=1\r\n" + strings.Repeat(" a\r\n", 1<<20) + original, Fail, ReasonLimit},
		{"nested comments", "ARC-Authentication-Results: " + strings.Repeat("(", 100000) + "\r\n" + original, Fail, ReasonInstance},
		{"NUL and CR", "ARC-Seal: i=1\x00;\r cv=none\r\n" + original, Fail, ReasonInstance},
	} {
		start := time.Now()
		r := validate(t, c.msg)
		if took := time.Since(start); took > 500*time.Millisecond { // 50 ms without the race detector
			t.Errorf("%s took %v", c.name, took)
		}
		if r.Status != c.status || r.Reason != c.reason {
			t.Errorf("%s: %s %s: %s", c.name, r.Status, r.Reason, r.Explanation)
		}
	}
}

func TestErrors(t *testing.T) {
	boom := io.MultiReader(strings.NewReader(chainOf(hop{domain: "a.example"}).msg), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := Validate(t.Context(), boom, anyKey, Options{}); err == nil {
		t.Error("no error of the reader")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Validate(ctx, strings.NewReader(chainOf(hop{domain: "a.example"}).msg), anyKey, Options{}); err == nil {
		t.Error("no error of the context")
	}
	r, err := Validate(t.Context(), strings.NewReader(chainOf(hop{domain: "a.example"}).msg), anyKey, Options{MaxBodyBytes: 3})
	if err != nil || r.Status != Fail || r.Reason != ReasonLimit || len(r.Limits) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

func FuzzValidate(f *testing.F) {
	f.Add([]byte(chainOf(hop{domain: "a.example"}, hop{domain: "b.example"}).msg))
	f.Add([]byte("ARC-Seal: i=1; cv=none; h=a\r\nARC-Authentication-Results: (i=1) i=1;\r\n\r\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		r, err := Validate(t.Context(), bytes.NewReader(msg), anyKey, Options{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := Validate(t.Context(), iotest.OneByteReader(bytes.NewReader(msg)), anyKey, Options{})
		if err != nil || again.Status != r.Status || again.Reason != r.Reason || again.Explanation != r.Explanation {
			t.Fatalf("%+v\nin parts %+v, %v", r, again, err)
		}
		if (r.Status == Fail) != (r.Reason != "") {
			t.Fatalf("%+v", r)
		}
	})
}
