package dnssec_test

import (
	"slices"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
)

// FuzzValidate changes octets of the responses: three of the input say where and
// how. Whatever comes of it, what is secure is true, and a signed zone never
// becomes insecure.
func FuzzValidate(f *testing.F) {
	clean := newWorld(f, zones()...)
	questions := []string{"mx.good.test A", "nothing.good.test A", "any.wild.good3.test TXT", "nothing.salt3.test TXT", "far.good.test A", "mx.old.good.test A", "mx.signed.opt3.test A", "ent.good3.test MX"}
	truth := map[string]dnssec.Result{}
	for _, q := range questions {
		truth[q] = newValidator(f, clean, dnssec.Options{}).Validate(f.Context(), question(q))
	}
	for i := range questions {
		f.Add(uint8(i), uint8(0), []byte{0, 3, 3})
		f.Add(uint8(i), uint8(1), []byte{0, 60, 0xff, 0, 200, 1})
		f.Add(uint8(i), uint8(2), []byte{0, 9, 1, 0, 7, 1, 1, 0, 0x80})
	}
	f.Fuzz(func(t *testing.T, which, from uint8, changes []byte) {
		q := questions[int(which)%len(questions)]
		w := *clean
		n := 0
		w.Tamper = func(_ resolve.Question, msg []byte) []byte {
			if n++; n <= int(from) {
				return msg
			}
			msg = slices.Clone(msg)
			for c := changes; len(c) >= 3; c = c[3:] {
				msg[(int(c[0])<<8|int(c[1]))%len(msg)] ^= c[2]
			}
			return msg
		}
		r := newValidator(t, &w, dnssec.Options{}).Validate(t.Context(), question(q))
		want := truth[q]
		switch r.Status {
		case dnssec.Secure:
			if !slices.Equal(texts(r), texts(want)) || resolve.StateOf(r.Err) != resolve.StateOf(want.Err) {
				t.Errorf("%v, %v is not the truth: %v, want %v", r, r.Err, texts(r), texts(want))
			}
		case dnssec.Insecure:
			t.Errorf("%v", r)
		}
	})
}

// FuzzResponse puts a response of any kind in place of the true one.
func FuzzResponse(f *testing.F) {
	clean := newWorld(f, zones()...)
	for _, q := range []string{"mx.good.test A", "nothing.good.test A", "www.good.test A", "mx.old.good.test A", "nothing.opt3.test A", "good.test DS"} {
		_, msg, err := clean.Exchange(f.Context(), question(q))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msg, false)
		f.Add(msg, true)
	}
	const asked = "mx.good.test A"
	want := newValidator(f, clean, dnssec.Options{}).Validate(f.Context(), question(asked))
	f.Fuzz(func(t *testing.T, body []byte, ds bool) {
		w := *clean
		at := question(asked)
		if ds {
			at = question("good.test DS")
		}
		w.Tamper = func(q resolve.Question, msg []byte) []byte {
			if q != at || len(body) < 12 {
				return msg
			}
			return body
		}
		r := newValidator(t, &w, dnssec.Options{}).Validate(t.Context(), question(asked))
		if r.Status == dnssec.Insecure || r.Status == dnssec.Secure && !slices.Equal(texts(r), texts(want)) {
			t.Errorf("%v: %v", r, texts(r))
		}
	})
}

// texts is the records without their TTLs, which nobody signs.
func texts(r dnssec.Result) []string {
	var out []string
	for _, rec := range r.Answer.Records {
		rec.TTL = 0
		out = append(out, rec.String())
	}
	slices.Sort(out)
	return out
}
