package content

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
	"golang.org/x/net/html"
)

// walker goes through the tokens of an HTML text. It builds no tree: nesting has no
// bound in hostile text.
type walker struct {
	c      *Content
	h      *HTML
	open   []element
	depth  int // elements above maxOpen
	hidden int // open elements that hide their text
	text   strings.Builder
	link   *Link
	anchor strings.Builder
	skip   string // script, style or title: their text is not shown
}

type element struct {
	name   string
	hidden bool
}

const (
	maxOpen   = 1000
	maxTokens = 500_000
)

func (c *Content) html(p *message.Part, limit int64) {
	t, s := c.text(p, limit)
	c.HTML = HTML{Text: t, NoDoctype: true}
	w := &walker{c: c, h: &c.HTML}
	z := html.NewTokenizer(strings.NewReader(s))
	z.SetMaxBuf(1 << 20)
	for n := 0; ; n++ {
		kind := z.Next()
		if kind == html.ErrorToken || n >= maxTokens {
			c.Cut = c.Cut || n >= maxTokens
			break
		}
		switch kind {
		case html.DoctypeToken:
			w.h.NoDoctype = false
		case html.TextToken:
			w.words(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			w.start(z, kind == html.SelfClosingTagToken)
		case html.EndTagToken:
			name, _ := z.TagName()
			w.end(string(name))
		}
	}
	w.endLink()
	for _, e := range w.open {
		if !optional[e.name] {
			w.h.Unclosed++
		}
	}
	shown := html.UnescapeString(w.text.String())
	c.HTML.count(shown)
	c.placeholders(shown)
}

// optional are elements whose end tag may be left out, and those that have none.
var (
	optional = words("html head body p li dt dd option thead tbody tfoot tr td th colgroup rt rp optgroup")
	void     = words("area base br col embed hr img input link meta source track wbr param bgsound basefont frame keygen")
)

func (w *walker) start(z *html.Tokenizer, closed bool) {
	raw, more := z.TagName()
	name := string(raw)
	attrs := map[string]string{}
	for more && len(attrs) < 100 {
		var k, v []byte
		k, v, more = z.TagAttr()
		if _, twice := attrs[string(k)]; !twice {
			attrs[string(k)] = string(v)
		}
		if len(k) > 2 && strings.HasPrefix(string(k), "on") {
			w.h.Handlers++
		}
	}
	w.count(name, attrs)
	switch name {
	case "a", "area":
		w.endLink()
		if href, ok := attrs["href"]; ok {
			w.link = &Link{URL: href, HTML: true}
			if bad(href) {
				w.h.BadURLs++
			}
		}
		if name == "area" {
			w.endLink()
		}
	case "img":
		w.image(attrs)
	case "br", "p", "div", "td", "tr", "li", "h1", "h2", "h3":
		w.text.WriteByte('\n')
	}
	if void[name] || closed {
		return
	}
	if len(w.open) >= maxOpen {
		w.depth++
		return
	}
	e := element{name, hides(attrs)}
	w.open = append(w.open, e)
	if e.hidden {
		w.hidden++
	}
	if name == "script" || name == "style" || name == "title" {
		w.skip = name
	}
}

func (w *walker) count(name string, attrs map[string]string) {
	switch name {
	case "script":
		w.h.Scripts++
	case "form":
		w.h.Forms++
	case "iframe", "frame":
		w.h.Frames++
	case "object", "embed", "applet", "video", "audio":
		w.h.Objects++
	case "base":
		w.h.BaseURLs++
	case "link":
		if strings.Contains(strings.ToLower(attrs["rel"]), "stylesheet") {
			w.h.Sheets++
		}
	case "meta":
		if strings.EqualFold(attrs["http-equiv"], "refresh") {
			w.h.Refreshes++
		}
	}
}

func (w *walker) end(name string) {
	if name == w.skip {
		w.skip = ""
	}
	if name == "a" {
		w.endLink()
	}
	if w.depth > 0 {
		w.depth--
		return
	}
	// The innermost open element of that name; those inside it end too.
	for i := len(w.open) - 1; i >= 0 && i > len(w.open)-100; i-- {
		if w.open[i].name != name {
			continue
		}
		for _, e := range w.open[i:] {
			if e.hidden {
				w.hidden--
			}
			if e.name != name && !optional[e.name] {
				w.h.Unclosed++
			}
		}
		w.open = w.open[:i]
		return
	}
	if !void[name] && name != "p" {
		w.h.Stray++
	}
}

func (w *walker) words(s string) {
	if w.skip != "" {
		return
	}
	if w.hidden > 0 {
		w.h.HiddenWords += len(strings.Fields(s))
		return
	}
	w.text.WriteString(s)
	if w.link != nil && w.anchor.Len() < maxShown*4 {
		w.anchor.WriteString(s)
	}
}

func (w *walker) endLink() {
	if w.link == nil {
		return
	}
	w.link.Text = strings.Join(strings.Fields(html.UnescapeString(w.anchor.String())), " ")
	w.c.link(*w.link)
	w.link = nil
	w.anchor.Reset()
}

func bad(href string) bool {
	s := strings.ToLower(strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, href))
	return strings.HasPrefix(s, "javascript:") || strings.HasPrefix(s, "vbscript:") || strings.HasPrefix(s, "data:")
}

// hides reports whether an element's own style keeps its text from the reader.
func hides(attrs map[string]string) bool {
	if _, ok := attrs["hidden"]; ok {
		return true
	}
	style, ok := attrs["style"]
	if !ok {
		return false
	}
	s := strings.ToLower(strings.Join(strings.Fields(style), ""))
	for _, decl := range strings.Split(s, ";") {
		k, v, _ := strings.Cut(decl, ":")
		v = strings.TrimSuffix(v, "!important")
		switch k {
		case "display":
			if v == "none" {
				return true
			}
		case "visibility":
			if v == "hidden" {
				return true
			}
		case "opacity", "font-size":
			if n, unit := split(v); unit != "" || v == "0" || k == "opacity" {
				if n == 0 || k == "font-size" && n <= 1 && (unit == "px" || unit == "pt") {
					return true
				}
			}
		}
	}
	return false
}

// split cuts "1.5px".
func split(v string) (float64, string) {
	i := 0
	for i < len(v) && (v[i] >= '0' && v[i] <= '9' || v[i] == '.') {
		i++
	}
	n, err := strconv.ParseFloat(v[:i], 64)
	if err != nil {
		return 1e9, ""
	}
	return n, v[i:]
}

func (w *walker) image(attrs map[string]string) {
	if len(w.h.Images) >= MaxImages {
		w.c.Cut = true
		return
	}
	src := strings.TrimSpace(attrs["src"])
	i := Image{Source: shorten(src, maxShown), Width: size(attrs["width"]), Height: size(attrs["height"])}
	if u, err := url.Parse(src); err == nil {
		i.Scheme, i.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Hostname())
	}
	_, alt := attrs["alt"]
	i.NoAlt = !alt
	// A remote image too small to be seen tells the sender that the mail was read.
	tiny := i.Width >= 0 && i.Width <= 2 && i.Height >= 0 && i.Height <= 2
	i.Tracking = (tiny || hides(attrs)) && i.Host != ""
	w.h.Images = append(w.h.Images, i)
}

func size(s string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(s), "px"))
	if err != nil || n < 0 {
		return -1
	}
	return n
}
