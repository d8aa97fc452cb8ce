package bimi_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/bimi"
)

const goodSVG = `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" version="1.2" baseProfile="tiny-ps" viewBox="0 0 64 64">
  <title>Example</title>
  <desc>A circle</desc>
  <defs><linearGradient id="g"><stop offset="0" stop-color="#fff"/></linearGradient><circle id="c" r="3"/></defs>
  <rect width="64" height="64" fill="#000"/>
  <g fill="url(#g)"><path d="M0 0L10 10z"/><use href="#c"/></g>
</svg>
`

// svg makes a picture of attributes and content.
func svg(attrs, content string) string {
	return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` + attrs + `>` + content + `</svg>`
}

const (
	rootAttrs = `version="1.2" baseProfile="tiny-ps" viewBox="0 0 64 64"`
	titled    = "<title>Example</title>"
)

func zip(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

func TestCheckSVG(t *testing.T) {
	valid, err := bimi.CheckSVG([]byte(goodSVG))
	if err != nil || len(valid.Problems) > 0 || valid.Title != "Example" || valid.Compressed || len(valid.ViewBox) != 4 {
		t.Errorf("%+v, %v", valid.Problems, err)
	}
	packed, err := bimi.CheckSVG(zip(t, []byte(goodSVG)))
	if err != nil || !packed.Compressed || packed.Hash != valid.Hash {
		t.Errorf("%+v, %v", packed.Problems, err)
	}
	cases := []struct {
		name, text string
		kind       bimi.Kind
		effect     bimi.Effect
	}{
		{"no profile", svg(`version="1.2" viewBox="0 0 1 1"`, titled), bimi.Missing, bimi.Ignored},
		{"tiny", svg(`version="1.2" baseProfile="tiny" viewBox="0 0 1 1"`, titled), bimi.Invalid, bimi.Ignored},
		{"version", svg(`version="1.1" baseProfile="tiny-ps" viewBox="0 0 1 1"`, titled), bimi.Invalid, bimi.Ignored},
		{"no title", svg(rootAttrs, ""), bimi.Missing, bimi.Ignored},
		{"title elsewhere", svg(rootAttrs, "<g><title>x</title></g>"), bimi.Missing, bimi.Ignored},
		{"empty title", svg(rootAttrs, "<title> </title>"), bimi.Missing, bimi.AtRisk},
		{"long title", svg(rootAttrs, "<title>"+strings.Repeat("x", 65)+"</title>"), bimi.TooLong, bimi.Harmless},
		{"x", svg(rootAttrs+` x="0"`, titled), bimi.Profile, bimi.Ignored},
		{"y", svg(rootAttrs+` y="0px"`, titled), bimi.Profile, bimi.Ignored},
		{"not square", svg(`version="1.2" baseProfile="tiny-ps" viewBox="0 0 2 1"`, titled), bimi.Shape, bimi.AtRisk},
		{"no viewBox", svg(`version="1.2" baseProfile="tiny-ps"`, titled), bimi.Missing, bimi.AtRisk},
		{"bad viewBox", svg(`version="1.2" baseProfile="tiny-ps" viewBox="0 0 NaN 1"`, titled), bimi.Invalid, bimi.AtRisk},
		{"relative", svg(rootAttrs+` width="100%"`, titled), bimi.Invalid, bimi.AtRisk},
		{"script", svg(rootAttrs, titled+"<script>alert(1)</script>"), bimi.Script, bimi.Ignored},
		{"handler", svg(rootAttrs+` onload="x()"`, titled), bimi.Script, bimi.Ignored},
		{"javascript", svg(rootAttrs, titled+`<path fill="javascript:x"/>`), bimi.Script, bimi.Ignored},
		{"animate", svg(rootAttrs, titled+`<rect><animate attributeName="x"/></rect>`), bimi.Animation, bimi.Ignored},
		{"image", svg(rootAttrs, titled+`<image xlink:href="data:image/png;base64,AA"/>`), bimi.Raster, bimi.Ignored},
		{"link", svg(rootAttrs, titled+`<a xlink:href="https://evil.example/"/>`), bimi.Profile, bimi.Ignored},
		{"style", svg(rootAttrs, titled+`<style>@import url(https://evil.example)</style>`), bimi.Profile, bimi.Ignored},
		{"style attribute", svg(rootAttrs, titled+`<rect style="fill:red"/>`), bimi.Profile, bimi.Ignored},
		{"foreignObject", svg(rootAttrs, titled+`<foreignObject/>`), bimi.Profile, bimi.Ignored},
		{"use outside", svg(rootAttrs, titled+`<use xlink:href="https://evil.example/x.svg#a"/>`), bimi.External, bimi.Ignored},
		{"use of a file", svg(rootAttrs, titled+`<use href="file:///etc/passwd#a"/>`), bimi.External, bimi.Ignored},
		{"paint outside", svg(rootAttrs, titled+`<rect fill="url( 'http://evil.example/#g')"/>`), bimi.External, bimi.Ignored},
		{"base", svg(rootAttrs+` xml:base="https://evil.example/"`, titled), bimi.External, bimi.Ignored},
		{"filter", svg(rootAttrs, titled+`<filter/>`), bimi.Profile, bimi.Ignored},
		{"opacity", svg(rootAttrs, titled+`<rect opacity="1"/>`), bimi.Profile, bimi.AtRisk},
		{"editor", svg(rootAttrs+` xmlns:i="http://inkscape.example/"`, titled+`<i:view/>`), bimi.Profile, bimi.AtRisk},
		{"style sheet", `<?xml-stylesheet href="https://evil.example/"?>` + svg(rootAttrs, titled), bimi.External, bimi.Ignored},
		{"doctype", `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">` + svg(rootAttrs, titled), bimi.Entity, bimi.Ignored},
		{"entity", svg(rootAttrs, "<title>&xxe;</title>"), bimi.Entity, bimi.Ignored},
		{"no namespace", `<svg version="1.2" baseProfile="tiny-ps"><title>x</title></svg>`, bimi.Missing, bimi.Ignored},
		{"web page", `<html><body>404</body></html>`, bimi.Format, bimi.Ignored},
		{"PNG", "\x89PNG\r\n\x1a\n", bimi.BadCharacter, bimi.Ignored},
		{"empty", "", bimi.Format, bimi.Ignored},
		{"cut off", goodSVG[:200], bimi.Format, bimi.Ignored},
		{"two roots", svg(rootAttrs, titled) + svg(rootAttrs, titled), bimi.Format, bimi.Ignored},
		{"text outside", svg(rootAttrs, titled) + "x", bimi.Format, bimi.Ignored},
		{"nested svg", svg(rootAttrs, titled+`<svg/>`), bimi.Profile, bimi.Ignored},
		{"twice", svg(rootAttrs+` viewBox="0 0 1 1"`, titled), bimi.Format, bimi.Ignored},
		{"Latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>` + svg(rootAttrs, titled), bimi.Format, bimi.Ignored},
		{"too large", svg(rootAttrs, titled+strings.Repeat("<g/>", 9000)), bimi.TooLong, bimi.AtRisk},
		{"no gzip", "\x1f\x8b nothing", bimi.Format, bimi.Ignored},
		{"escape", svg(rootAttrs, titled+"<x\u202e/>"), bimi.Format, bimi.Ignored},
	}
	for _, c := range cases {
		x, err := bimi.CheckSVG([]byte(c.text))
		if len(x.Problems) == 0 || x.Problems[0].Kind != c.kind || x.Problems[0].Effect != c.effect {
			t.Errorf("%s: %v", c.name, x.Problems)
		}
		if (err != nil) != (c.effect == bimi.Ignored) || err != nil && !errors.Is(err, bimi.ErrSVG) || x.Valid() != (err == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// endless is a reader of one octet over and over.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// Small texts that stand for something huge: refused at once, and without memory.
func TestHostileSVG(t *testing.T) {
	var bomb bytes.Buffer
	z, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	io.CopyN(z, endless('a'), 16<<20)
	z.Close()
	var entities strings.Builder
	entities.WriteString(`<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">`)
	for c := 'b'; c < 'k'; c++ {
		fmt.Fprintf(&entities, `<!ENTITY %c "%s">`, c, strings.Repeat("&"+string(c-1)+";", 10))
	}
	entities.WriteString("]>" + svg(rootAttrs, "<title>&j;</title>"))
	var uses strings.Builder
	uses.WriteString(titled + `<defs><g id="a0"><path d="M0 0"/></g>`)
	for i := range 40 {
		fmt.Fprintf(&uses, `<g id="a%d">%s</g>`, i+1, strings.Repeat(fmt.Sprintf(`<use href="#a%d"/>`, i), 10))
	}
	uses.WriteString(`</defs><use href="#a40"/>`)
	cases := []struct {
		name string
		data []byte
		kind bimi.Kind
	}{
		{"gzip bomb", bomb.Bytes(), bimi.TooLong},
		{"entity bomb", []byte(entities.String()), bimi.Entity},
		{"external entity", []byte(`<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + svg(rootAttrs, "<title>&x;</title>")), bimi.Entity},
		{"1 M deep", []byte(strings.Repeat("<g>", 1<<20)), bimi.TooLong},
		{"deep", []byte(svg(rootAttrs, strings.Repeat("<g>", 50000))), bimi.Bomb},
		{"many elements", []byte(svg(rootAttrs, titled+strings.Repeat("<g/>", 100000))), bimi.Bomb},
		{"uses", []byte(svg(rootAttrs, uses.String())), bimi.Bomb},
		{"use of itself", []byte(svg(rootAttrs, titled+`<g id="a"><use href="#a"/></g>`)), bimi.Bomb},
		{"many attributes", []byte(svg(rootAttrs, titled+"<rect "+strings.Repeat(`onload="x" `, 30000)+"/>")), bimi.Script},
		{"zeros", make([]byte, 1<<20), bimi.TooLong},
		{"long name", []byte(svg(rootAttrs, "<"+strings.Repeat("a", 400000)+"/>")), bimi.Profile},
	}
	for _, c := range cases {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		x, err := bimi.CheckSVG(c.data)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if err == nil || x.Problems[0].Kind != c.kind {
			t.Errorf("%s: %.300v", c.name, x.Problems)
		}
		if t.Logf("%s: %s", c.name, took); took > 5*time.Second {
			t.Errorf("%s: %s", c.name, took)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: %d MiB", c.name, used>>20)
		}
		if len(err.Error()) > 1000 || len(x.Problems) > 100 {
			t.Errorf("%s: %d octets, %d problems", c.name, len(err.Error()), len(x.Problems))
		}
	}
}

// A text does not become valid by having too many faults before the one that counts.
func TestManyProblems(t *testing.T) {
	noise := strings.Repeat(`<rect opacity="1"/>`, 300)
	if _, err := bimi.CheckSVG([]byte(svg(rootAttrs, titled+noise+"<script/>"))); err == nil {
		t.Error("the script is not seen")
	}
	var b strings.Builder
	b.WriteString("v=BIMI1; l=https://example.org/l.svg;")
	for i := range 200 {
		fmt.Fprintf(&b, " x%d=1;", i)
	}
	if _, err := bimi.Parse(b.String() + " l=https://example.org/m.svg"); !errors.Is(err, bimi.ErrRecord) {
		t.Errorf("the second location is not seen: %v", err)
	}
}

func TestSameSVG(t *testing.T) {
	a := []byte(goodSVG)
	for _, c := range []struct {
		b           []byte
		same, alike bool
	}{
		{a, true, true},
		{zip(t, a), true, true},
		{[]byte(strings.ReplaceAll(goodSVG, "\n", "\r\n")), false, true},
		{append([]byte("\ufeff"), a...), false, true},
		{[]byte(strings.ReplaceAll(goodSVG, "#fff", "#eee")), false, false},
		{nil, false, false},
	} {
		if same, alike := bimi.SameSVG(a, c.b); same != c.same || alike != c.alike {
			t.Errorf("%.40q: %t %t", c.b, same, alike)
		}
	}
}

func FuzzCheckSVG(f *testing.F) {
	f.Add([]byte(goodSVG))
	f.Add(zip(f, []byte(goodSVG)))
	f.Add([]byte(svg(rootAttrs, titled+`<use xlink:href="#a"/><g id="a"><use href="#b"/></g>`)))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "b">]><svg>&a;</svg>`))
	f.Add([]byte(`<a:b xmlns:a="x" a:c="1"><!-- --><![CDATA[x]]></a:b>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := bimi.CheckSVG(data)
		if (err == nil) != x.Valid() {
			t.Errorf("%v", x.Problems)
		}
		for _, p := range x.Problems {
			if strings.IndexFunc(p.Message, func(c rune) bool { return c < ' ' || c > '~' }) >= 0 {
				t.Errorf("%q", p.Message)
			}
		}
		if err == nil && !x.Compressed && !bytes.Equal(x.SVG, data) {
			t.Error("the text is not the one that was read")
		}
	})
}
