package raw_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/raw"
)

var (
	ctx = context.Background()
	at  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func open(t *testing.T) *raw.Dir {
	t.Helper()
	d, err := raw.Open(filepath.Join(t.TempDir(), "raw"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func spool(t *testing.T, d *raw.Dir, kind archive.Kind, text string) *raw.Document {
	t.Helper()
	doc, err := d.Spool(kind, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { doc.Close() })
	return doc
}

// noise does not compress, and is larger than what is held in memory.
func noise() string {
	b := make([]byte, 3<<20)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func TestRoundTrip(t *testing.T) {
	d := open(t)
	texts := map[archive.Kind]string{archive.Aggregate: "<feedback/>", archive.TLS: "{}", archive.Failure: noise()}
	w := d.Begin(at)
	for kind, text := range texts {
		doc := spool(t, d, kind, text)
		if doc.Large() != (len(text) > 1<<20) || doc.Size != int64(len(text)) {
			t.Errorf("%s: %+v", kind, doc)
		}
		for range 2 { // each sum once
			if err := w.Add(doc, kind == archive.TLS); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := io.ReadAll(doc.Open()); err != nil || string(b) != text {
			t.Errorf("%s: %d octets, %v", kind, len(b), err)
		}
		if err := w.Line(raw.Line{Input: archive.Input{At: at, Path: "a\n\"b", Outcome: archive.New, Sum: doc.Sum}, Proof: archive.Forged, TLSDomain: "example.org"}); err != nil {
			t.Fatal(err)
		}
	}
	name, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	if packs, err := d.Packs(); err != nil || len(packs) != 1 || packs[0] != name {
		t.Errorf("%v, %v", packs, err)
	}
	p, err := d.Pack(name)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	n := 0
	for m := range p.Members() {
		n++
		rc, err := p.Open(m.Sum)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(rc)
		rc.Close()
		if err != nil || string(b) != texts[m.Kind] || m.Rejected != (m.Kind == archive.TLS) || !m.At.Equal(at) {
			t.Errorf("%+v: %d octets, %v", m, len(b), err)
		}
	}
	if n != 3 {
		t.Errorf("%d members", n)
	}
	lines := 0
	for l, err := range p.Lines() {
		lines++
		if err != nil || l.Path != "a\n\"b" || l.Proof != archive.Forged || l.TLSDomain != "example.org" || !l.At.Equal(at) {
			t.Errorf("%+v, %v", l, err)
		}
	}
	if lines != 3 {
		t.Errorf("%d lines", lines)
	}
	if known, count, err := d.Rejected(ctx, spool(t, d, archive.TLS, "{}").Sum); !known || count != 1 || err != nil {
		t.Errorf("%v %d %v", known, count, err)
	}
}

func TestGet(t *testing.T) {
	d := open(t)
	doc := spool(t, d, archive.Aggregate, "<feedback/>")
	if _, _, err := d.Get(ctx, doc.Sum); !errors.Is(err, raw.ErrMissing) {
		t.Error(err)
	}
	w := d.Begin(at)
	if err := w.Add(doc, false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	rc, m, err := d.Get(ctx, doc.Sum)
	if err != nil || m.Kind != archive.Aggregate {
		t.Fatal(m, err)
	}
	defer rc.Close()
	if b, err := io.ReadAll(rc); string(b) != "<feedback/>" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// What runs that crashed have left is removed, and nothing else is.
func TestClean(t *testing.T) {
	d := open(t)
	w := d.Begin(at)
	if err := w.Add(spool(t, d, archive.Aggregate, "<feedback/>"), false); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".spool-123", "notes.txt", ".pack-x", "20261123.zip"} {
		if err := os.WriteFile(filepath.Join(d.Path(), name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Clean(); err != nil { // the writer is dead to it
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(d.Path())
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if strings.Join(left, " ") != ".pack-x 20261123.zip notes.txt" {
		t.Errorf("%q", left)
	}
	if packs, _ := d.Packs(); len(packs) != 0 {
		t.Errorf("%q", packs)
	}
	if _, err := w.Commit(); err == nil {
		t.Error("a pack that is gone was committed")
	}
}

func TestNothing(t *testing.T) {
	d := open(t)
	if name, err := d.Begin(at).Commit(); name != "" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
	if _, err := d.Pack("../../etc/passwd"); !errors.Is(err, raw.ErrMissing) {
		t.Error(err)
	}
}

// Names sort in the order the packs were made, whatever the clock says.
func TestNames(t *testing.T) {
	d := open(t)
	var made []string
	for i := range 20 {
		w := d.Begin(at.Add(-time.Duration(i) * time.Hour))
		if err := w.Line(raw.Line{}); err != nil {
			t.Fatal(err)
		}
		name, err := w.Commit()
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, name)
	}
	if packs, _ := d.Packs(); strings.Join(packs, " ") != strings.Join(made, " ") {
		t.Errorf("%v, made %v", packs, made)
	}
}

func TestRemove(t *testing.T) {
	d := open(t)
	for i, text := range []string{"<a/>", "<b/>", "<c/>"} {
		w := d.Begin(at.AddDate(0, 0, i))
		for _, s := range []string{text, text + "x"} {
			if err := w.Add(spool(t, d, archive.Aggregate, s), false); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Line(raw.Line{Input: archive.Input{At: at.AddDate(0, 0, i), Path: text}}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := d.Packs()
	gone := spool(t, d, archive.Aggregate, "<b/>").Sum
	got, err := d.Remove(ctx, raw.Keep{
		Document: func(m raw.Member) (bool, error) { return m.Sum != gone && m.At.After(at), nil },
		Line:     func(l raw.Line) bool { return l.At.After(at) },
	})
	if err != nil || got.Documents != 3 || got.Lines != 1 || got.Packs != 1 || len(got.Damaged) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	after, _ := d.Packs()
	if strings.Join(after, " ") != strings.Join(before[1:], " ") {
		t.Errorf("%v, before %v", after, before)
	}
	left := ""
	for _, name := range after {
		p, err := d.Pack(name)
		if err != nil {
			t.Fatal(err)
		}
		for m := range p.Members() {
			rc, err := p.Open(m.Sum)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(rc)
			if err != nil {
				t.Fatal(err)
			}
			left += string(b) + " "
			rc.Close()
		}
		for l := range p.Lines() {
			left += l.Path + ";"
		}
		p.Close()
	}
	if left != "<b/>x <b/>;<c/> <c/>x <c/>;" {
		t.Errorf("%q", left)
	}
}

// A pack that somebody made by hand: no name in it is a path, and what is not
// what its name says is not given out.
func TestForeignPack(t *testing.T) {
	d := open(t)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	sum := strings.Repeat("ab", 32)
	for _, name := range []string{"../../x.xml", "/etc/passwd", sum + ".xml", sum + ".exe", strings.ToUpper(sum) + ".json", "ledger.jsonl", sum + "/../x.xml"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "{\"at\": 5}\n")
	}
	z.Close()
	name := "20261123T120000.000Z-00000000.zip"
	if err := os.WriteFile(filepath.Join(d.Path(), name), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := d.Pack(name)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	n := 0
	for m := range p.Members() {
		n++
		rc, err := p.Open(m.Sum)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(rc); !errors.Is(err, raw.ErrDamaged) {
			t.Errorf("%v", err)
		}
		rc.Close()
	}
	if n != 1 {
		t.Errorf("%d members", n)
	}
	for _, err := range p.Lines() {
		if !errors.Is(err, raw.ErrDamaged) {
			t.Errorf("%v", err)
		}
	}
}

// A document whose reading fails is what came before.
func TestSpoolError(t *testing.T) {
	d, failed := open(t), errors.New("failed")
	for _, n := range []int{10, 3 << 20} {
		doc, err := d.Spool(archive.Aggregate, io.MultiReader(strings.NewReader(strings.Repeat("x", n)), broken{failed}))
		if !errors.Is(err, failed) || doc == nil || doc.Size != int64(n) {
			t.Fatalf("%d: %+v, %v", n, doc, err)
		}
		if b, err := io.ReadAll(doc.Open()); len(b) != n || err != nil {
			t.Errorf("%d: %d, %v", n, len(b), err)
		}
		doc.Close()
	}
	os.RemoveAll(d.Path())
	if doc, err := d.Spool(archive.Aggregate, strings.NewReader(strings.Repeat("x", 3<<20))); doc != nil || err == nil {
		t.Errorf("%+v, %v", doc, err)
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }
