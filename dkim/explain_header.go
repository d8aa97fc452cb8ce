package dkim

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/dkim/internal/message"
	"github.com/mailcheck-go/mailcheck/dkim/internal/signature"
)

// headerTry tries changes of one field. The signed text is a list of pieces, one
// for each name of h= and one for the signature itself.
type headerTry struct {
	*explainer
	f      *signature.Field
	h      *message.Header
	accept func([sha256.Size]byte) bool
	picks  []int // of each name of h=, -1 if absent
	pieces [][]byte
	size   int
}

// header finds the change of a single field that explains a signature.
func (e *explainer) header(f *signature.Field, h *message.Header, accept func([sha256.Size]byte) bool) *Change {
	t := headerTry{explainer: e, f: f, h: h, accept: accept}
	t.picks = t.pick(-1)
	t.pieces = t.render(t.picks, f.RelaxedHeader)
	for _, p := range t.pieces {
		t.size += len(p)
	}
	for _, try := range []func() *Change{t.forms, t.instances, t.copies, t.values} {
		if c := try(); c != nil {
			return c
		}
	}
	return nil
}

// pick selects the fields as if field without were not there.
func (t *headerTry) pick(without int) []int {
	picks := make([]int, len(t.f.Names))
	t.h.Begin()
	for i, name := range t.f.Names {
		picks[i] = t.h.Pick(name)
		if picks[i] >= 0 && picks[i] == without {
			picks[i] = t.h.Pick(name)
		}
	}
	return picks
}

func (t *headerTry) render(picks []int, relaxed bool) [][]byte {
	pieces := make([][]byte, 0, len(picks)+1)
	for _, i := range picks {
		if i < 0 {
			pieces = append(pieces, nil)
			continue
		}
		pieces = append(pieces, t.piece(t.h.Name(i), t.h.Value(i), relaxed))
	}
	cut, end := t.f.Cut()
	f := t.h.Fields[t.f.Index]
	value := append(bytes.Clone(t.h.Raw[f.Value:cut]), t.h.Raw[end:f.End]...)
	self := t.piece(t.h.Name(t.f.Index), value, relaxed)
	return append(pieces, bytes.TrimSuffix(self, []byte("\r\n")))
}

// piece is a field in canonical form with its CRLF.
func (t *headerTry) piece(name, value []byte, relaxed bool) []byte {
	var b []byte
	if relaxed {
		b = message.AppendRelaxed(nil, name, value)
	} else {
		b = bytes.ReplaceAll(slices.Concat(name, []byte(":"), value), []byte("\r\n"), []byte("\n"))
		b = bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
	}
	return append(b, '\r', '\n')
}

// fits reports whether the pieces hash to what was signed.
func (t *headerTry) fits(pieces [][]byte) bool {
	if !t.spend(t.size + 64*len(pieces)) {
		return false
	}
	h := sha256.New()
	for _, p := range pieces {
		h.Write(p)
	}
	return t.accept([sha256.Size]byte(h.Sum(nil)))
}

// swap is fits with another piece at k.
func (t *headerTry) swap(k int, piece []byte) bool {
	old := t.pieces[k]
	t.pieces[k] = piece
	ok := t.fits(t.pieces)
	t.pieces[k] = old
	return ok
}

// forms tries the other canonical form, for all fields and for the signature.
func (t *headerTry) forms() *Change {
	other := t.render(t.picks, !t.f.RelaxedHeader)
	if t.fits(other) {
		return &Change{Kind: ChangeCanonicalization, Detail: fmt.Sprintf(
			"the signature fits the %s form of the header, c= says %s: white space was changed, or the signer is wrong",
			formName(!t.f.RelaxedHeader), formName(t.f.RelaxedHeader))}
	}
	last := len(t.pieces) - 1
	name := string(t.h.Name(t.f.Index))
	for _, self := range [][]byte{other[last], append(bytes.Clone(t.pieces[last]), '\r', '\n'), bytes.ReplaceAll(t.pieces[last], []byte("\r\n"), nil),
		bytes.ReplaceAll(t.pieces[last], []byte("\r\n\t"), []byte("\r\n ")), bytes.ReplaceAll(t.pieces[last], []byte("\r\n "), []byte("\r\n\t"))} {
		if t.swap(last, self) {
			return &Change{Kind: ChangeSelf, Field: name, Detail: "the signature field itself was folded in another way after signing, or the signer hashed it so"}
		}
	}
	return nil
}

// instances tries the message without one field of a signed name, and fields of
// the same name in another order.
func (t *headerTry) instances() *Change {
	done, tries := make(map[string]bool), 0
	for _, name := range t.f.Names {
		low := strings.ToLower(name)
		if done[low] {
			continue
		}
		done[low] = true
		for i := t.h.Last(low); i >= 0; i = t.h.Up(i) {
			if tries++; tries > maxNamesTried {
				return nil
			}
			if t.fits(t.render(t.pick(i), t.f.RelaxedHeader)) {
				return &Change{Kind: ChangeAdded, Field: name, Detail: fmt.Sprintf("the field %s %s was added after signing", safeName(name), t.quote(i))}
			}
		}
		if c := t.order(low); c != nil {
			return c
		}
	}
	return nil
}

// maxNamesTried bounds the names and the fields that are looked at one by one.
const maxNamesTried = 100

// order tries the fields of a name from the top down.
func (t *headerTry) order(low string) *Change {
	if n := t.h.Count(low); n < 2 || n > maxNamesTried {
		return nil
	}
	var all []int
	for i := t.h.Last(low); i >= 0; i = t.h.Up(i) {
		all = append(all, i)
	}
	picks := slices.Clone(t.picks)
	for k, name := range t.f.Names {
		if strings.EqualFold(name, low) && picks[k] >= 0 {
			picks[k] = all[len(all)-1]
			all = all[:len(all)-1]
		}
	}
	if !t.fits(t.render(picks, t.f.RelaxedHeader)) {
		return nil
	}
	return &Change{Kind: ChangeOrder, Field: low, Detail: fmt.Sprintf("the %s fields were put in another order, or signed from the top down", safeName(low))}
}

// copies tries what other fields and z= still hold of a field.
func (t *headerTry) copies() *Change {
	kept := t.f.Copies()
	for k, name := range t.f.Names {
		if k > maxNamesTried {
			break
		}
		for _, c := range kept {
			if !strings.EqualFold(c[0], name) {
				continue
			}
			for _, value := range []string{c[1], " " + c[1]} {
				if t.swap(k, t.piece([]byte(c[0]), []byte(value), t.f.RelaxedHeader)) {
					return t.replaced(k, fmt.Sprintf("z= says that it was %+q", shorten(strings.Trim(value, " "))))
				}
			}
		}
		for _, from := range []string{"x-original-" + name, "original-" + name, "x-google-original-" + name, "x-mailman-original-" + name, "old-" + name, "reply-to", "x-envelope-" + name} {
			i := t.h.Last(strings.ToLower(from))
			if i >= 0 && t.swap(k, t.piece([]byte(name), t.h.Value(i), t.f.RelaxedHeader)) {
				return t.replaced(k, fmt.Sprintf("%s has what was signed, %s", safeName(string(t.h.Name(i))), t.quote(i)))
			}
		}
	}
	return nil
}

func (t *headerTry) replaced(k int, detail string) *Change {
	did := "was rewritten"
	if t.picks[k] < 0 {
		did = "was removed"
	}
	name := t.f.Names[k]
	return &Change{Kind: ChangeReplaced, Field: name, Detail: fmt.Sprintf("%s %s after signing: %s", safeName(name), did, detail)}
}

// values tries other values of each field.
func (t *headerTry) values() *Change {
	for k, i := range t.picks {
		if k > maxNamesTried {
			break
		}
		if i < 0 {
			if c := t.missing(k); c != nil {
				return c
			}
			continue
		}
		name, value := t.h.Name(i), t.h.Value(i)
		if len(value) > maxValue {
			continue
		}
		for _, c := range variants(string(value), t.f.RelaxedHeader) {
			if t.swap(k, t.piece(name, []byte(c.value), t.f.RelaxedHeader)) {
				n := string(name)
				return &Change{Kind: c.kind, Field: n, Detail: fmt.Sprintf("%s: %s", safeName(n), c.detail)}
			}
		}
		if !t.f.RelaxedHeader && t.swap(k, t.piece([]byte(t.f.Names[k]), value, false)) {
			return &Change{Kind: ChangeCase, Field: string(name), Detail: fmt.Sprintf("the name was written %s when it was signed", safeName(t.f.Names[k]))}
		}
	}
	return nil
}

// maxValue is the length up to which values are changed.
const maxValue = 4096

// missing tries usual values of a field that is not there.
func (t *headerTry) missing(k int) *Change {
	var usual []string
	switch strings.ToLower(t.f.Names[k]) {
	case "mime-version":
		usual = []string{" 1.0"}
	case "content-transfer-encoding":
		usual = []string{" 7bit", " 8bit", " quoted-printable", " base64", " binary"}
	case "content-type":
		usual = []string{" text/plain", " text/plain; charset=utf-8", " text/plain; charset=UTF-8", ` text/plain; charset="utf-8"`, ` text/plain; charset="UTF-8"`,
			" text/plain; charset=us-ascii", " text/html; charset=utf-8", " text/html; charset=UTF-8", ` text/html; charset="utf-8"`}
	}
	for _, value := range usual {
		if t.swap(k, t.piece([]byte(t.f.Names[k]), []byte(value), t.f.RelaxedHeader)) {
			return t.replaced(k, "it was"+value)
		}
	}
	return nil
}

func (t *headerTry) quote(i int) string {
	return fmt.Sprintf("%+q", shorten(string(message.AppendRelaxed(nil, nil, t.h.Value(i))[1:])))
}

// safeName shows a field name, which is foreign text.
func safeName(name string) string { return strings.Trim(fmt.Sprintf("%+q", shorten(name)), `"`) }
