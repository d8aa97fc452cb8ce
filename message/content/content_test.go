package content

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/message"
)

func read(s string) Content { return Read(message.Parse([]byte(s), message.Options{}), Options{}) }

func page(body string) Content {
	return read("Content-Type: text/html; charset=utf-8\n\n<!doctype html>" + body)
}

func TestLinks(t *testing.T) {
	tests := []struct{ html, want string }{
		{`<a href="https://example.org/x">here</a>`, "example.org "},
		{`<a href="http://example.org/x">here</a>`, "example.org http"},
		{`<a href="https://evil.example/x">https://bank.example/login</a>`, "evil.example text-mismatch"},
		{`<a href="https://evil.example/x">www.bank.com</a>`, "evil.example text-mismatch"},
		{`<a href="https://mail.example.org/x">example.org</a>`, "mail.example.org "},
		{`<a href="https://example.org/x">read more. Now</a>`, "example.org "},
		// Addresses in all their forms.
		{`<a href="https://192.0.2.1/">x</a>`, "192.0.2.1 ip-host"},
		{`<a href="https://2130706433/">x</a>`, "2130706433 ip-host"},
		{`<a href="https://0x7f.1/">x</a>`, "0x7f.1 ip-host"},
		{`<a href="https://127.1/">x</a>`, "127.1 ip-host"},
		{`<a href="http://[::ffff:127.0.0.1]/">x</a>`, "::ffff:127.0.0.1 http ip-host"},
		{`<a href="https://a@b@169.254.169.254/">x</a>`, "169.254.169.254 userinfo ip-host"},
		{`<a href="https://xn--bcher-kva.example/">x</a>`, "xn--bcher-kva.example punycode"},
		{`<a href="https://bücher.example/">x</a>`, "bücher.example punycode"},
		{`<a href="https://bit.ly/x">x</a>`, "bit.ly shortener"},
		{`<a href="https://example.org:8443/x">x</a>`, "example.org port"},
		{`<a href="">x</a>`, " empty"},
		{`<a href="{{link_url}}">x</a>`, " placeholder"},
		{`<a href="java&#10;script:alert(1)">x</a>`, " dangerous"},
		{`<a href="https://example.org/a"><b>x</b>`, "example.org "},
		{`<a href="mailto:a@example.org">a@example.org</a>`, " "},
	}
	for _, tt := range tests {
		c := page(tt.html)
		if len(c.Links) != 1 {
			t.Errorf("%s: %d links", tt.html, len(c.Links))
			continue
		}
		if got := c.Links[0].Host + " " + strings.Join(c.Links[0].Problems, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.html, got, tt.want)
		}
	}
}

func TestHTML(t *testing.T) {
	tests := []struct{ html, want string }{
		{"<p>Hello world</p>", "words 2"},
		{"<script>alert(1)</script><form></form><iframe></iframe><object></object>x", "scripts 1 forms 1 frames 1 objects 1 words 1"},
		{"<p onclick=x>x</p><meta http-equiv=Refresh content=0><base href=x><link rel=stylesheet href=x>", "handlers 1 refreshes 1 bases 1 sheets 1 words 1"},
		{"<style>a b c</style><title>t</title>x", "words 1"},
		{`<div style="display: none">one two</div>x`, "hidden 2 words 1"},
		{`<div style="font-size:0">one</div><span hidden>two</span><p style="opacity:0">three</p>x`, "hidden 3 words 1"},
		{`<div style="font-size:0.9em">one</div>`, "words 1"},
		{"<div><b>x</div>", "unclosed 1 words 1"},
		{"x</div>", "stray 1 words 1"},
		{"<ul><li>a<li>b</ul><p>c", "words 3"},
		{"<a href='javascript:x'>y</a>", "bad 1 words 1"},
	}
	for _, tt := range tests {
		h := page(tt.html).HTML
		var out []string
		for _, x := range []struct {
			name string
			n    int
		}{{"scripts", h.Scripts}, {"forms", h.Forms}, {"frames", h.Frames}, {"objects", h.Objects}, {"handlers", h.Handlers}, {"refreshes", h.Refreshes},
			{"bases", h.BaseURLs}, {"sheets", h.Sheets}, {"hidden", h.HiddenWords}, {"unclosed", h.Unclosed}, {"stray", h.Stray}, {"bad", h.BadURLs}, {"words", h.Words}} {
			if x.n > 0 {
				out = append(out, fmt.Sprintf("%s %d", x.name, x.n))
			}
		}
		if got := strings.Join(out, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.html, got, tt.want)
		}
	}
	if page("x").HTML.NoDoctype || !read("Content-Type: text/html\n\nx").HTML.NoDoctype {
		t.Error("document type")
	}
}

func TestImages(t *testing.T) {
	c := page(`<img src="https://t.example/p.gif" width=1 height=1><img src="cid:1" alt="" width="100px" height=50><img src="https://t.example/l.png" style="display:none" alt=x>`)
	var got []string
	for _, i := range c.HTML.Images {
		got = append(got, fmt.Sprintf("%s %d %d %v %v", i.Host, i.Width, i.Height, i.NoAlt, i.Tracking))
	}
	if s := strings.Join(got, "; "); s != "t.example 1 1 true true;  100 50 false false; t.example -1 -1 false true" {
		t.Error(s)
	}
}

func TestTwoTexts(t *testing.T) {
	mail := "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee our new offers at https://example.org/a.\n--b\nContent-Type: text/html\n\n<p>See our <b>new</b> offers <a href='https://example.org/unsubscribe'>unsubscribe</a> {{name}}</p>\n--b--\n"
	c := read(mail)
	if !c.Alternative || c.Similar < 0.7 || !c.UnsubscribeLink || len(c.Placeholders) != 1 || len(c.Links) != 2 || c.Links[0].URL != "https://example.org/a" {
		t.Errorf("%+v", c)
	}
	if c := read("Content-Type: text/plain\n\nx"); c.Similar != -1 || c.Alternative {
		t.Errorf("%+v", c)
	}
	if _, err := json.Marshal(c); err != nil {
		t.Error(err)
	}
}

func TestAttachments(t *testing.T) {
	tests := []struct{ name, want string }{
		{"a.pdf", ""}, {"a.exe", "executable"}, {"invoice.pdf.exe", "executable double-extension"}, {"a.docm", "macros"}, {"a.zip", "archive"},
		{"a.html", "html-file"}, {"x\u202egpj.exe", "executable bidi-name"}, {"a.exe. ", "executable"}, {"", ""},
	}
	for _, tt := range tests {
		c := read("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"" + tt.name + "\"\n\ny\n--b--\n")
		if len(c.Attachments) != 1 || strings.Join(c.Attachments[0].Problems, " ") != tt.want {
			t.Errorf("%q: %+v", tt.name, c.Attachments)
		}
	}
}

func TestBombs(t *testing.T) {
	start := time.Now()
	for _, s := range []string{
		strings.Repeat("<div style='display:none'>", 20_000), strings.Repeat("<a href=x>", 20_000), strings.Repeat("<b></i>", 20_000),
		"<a " + strings.Repeat("x=y ", 20_000) + ">", strings.Repeat("<img>", 20_000), strings.Repeat("http://x ", 20_000), "<" + strings.Repeat("x", 1<<19),
	} {
		for _, kind := range []string{"html", "plain"} {
			c := read("Content-Type: text/" + kind + "\n\n" + s)
			if len(c.Links) > MaxLinks || len(c.HTML.Images) > MaxImages {
				t.Errorf("%.20s: %d links", s, len(c.Links))
			}
		}
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("<a href='http://x'>y</a><img width=1 height=1 src=http://z><div style='font-size:0'>w")
	f.Add("http://a:b@[::1]:99/ {{x}} <!-- <![CDATA[")
	f.Fuzz(func(t *testing.T, s string) {
		for _, kind := range []string{"html", "plain"} {
			c := read("Content-Type: text/" + kind + "\n\n" + s)
			if c.Similar != -1 || c.HTML.HiddenWords < 0 {
				t.Fatalf("%+v", c)
			}
			if _, err := json.Marshal(c); err != nil {
				t.Fatal(err)
			}
		}
	})
}
