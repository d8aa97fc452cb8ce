package content

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/facts"
)

// Limits.
const (
	MaxText   = 4 << 20 // octets of one text that are looked at
	MaxLinks  = 1000
	MaxImages = 1000
	maxWords  = 50_000
	maxShown  = 200 // octets of a link's text
)

// Options are the settings of [Read].
type Options struct {
	MaxText int64 // octets of one text that are looked at; 0: MaxText
}

// Content is what a mail shows.
type Content struct {
	Plain       Text         `json:"plain"` // the first text/plain part
	HTML        HTML         `json:"html"`  // the first text/html part
	Links       []Link       `json:"links,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`

	// Alternative is true if plain text and HTML are alternatives of each other.
	Alternative bool `json:"alternative"`
	// Similar is the share of the words of the shorter of the two texts that the
	// other has too, from 0 to 1; -1 if one of them is missing or has no words.
	Similar float64 `json:"similar"`
	// Placeholders are pieces of text with a variable of a template.
	Placeholders []string `json:"placeholders,omitempty"`
	// UnsubscribeLink is true if a link of the body says that it unsubscribes.
	UnsubscribeLink bool `json:"unsubscribe_link"`
	Cut             bool `json:"cut,omitempty"` // a limit cut something
}

// Text is a text part.
type Text struct {
	Present bool   `json:"present"`
	Path    string `json:"path,omitempty"` // of the part
	Octets  int64  `json:"octets"`         // decoded
	Words   int    `json:"words"`
	Charset string `json:"charset,omitempty"`
	words   map[string]bool
}

// HTML is the HTML part.
type HTML struct {
	Text
	Scripts   int  `json:"scripts"` // script elements
	Forms     int  `json:"forms"`
	Frames    int  `json:"frames"`  // iframe and frame
	Objects   int  `json:"objects"` // object, embed, applet, svg with a script, video, audio
	Handlers  int  `json:"handlers"`
	Sheets    int  `json:"sheets"`     // style sheets to be fetched
	Refreshes int  `json:"refreshes"`  // meta refresh
	BaseURLs  int  `json:"base_urls"`  // base elements
	BadURLs   int  `json:"bad_urls"`   // javascript:, vbscript: and data: in links
	Unclosed  int  `json:"unclosed"`   // elements that have to be closed and are not
	Stray     int  `json:"stray"`      // end tags of elements that are not open
	NoDoctype bool `json:"no_doctype"` // no document type

	// HiddenWords are words in elements that styles hide, or that are too small or
	// too pale to be read; the first line of mail programs is often one.
	HiddenWords int     `json:"hidden_words"`
	Images      []Image `json:"images,omitempty"`
}

// Image is an image of the HTML part.
type Image struct {
	Source   string `json:"source"` // shortened
	Scheme   string `json:"scheme,omitempty"`
	Host     string `json:"host,omitempty"`
	Width    int    `json:"width"`  // -1 if it is not given
	Height   int    `json:"height"` // the same
	NoAlt    bool   `json:"no_alt"` // no alt attribute
	Tracking bool   `json:"tracking"`
}

// Link is a link, or a URL in the plain text.
type Link struct {
	URL    string `json:"url"`
	Scheme string `json:"scheme,omitempty"`
	Host   string `json:"host,omitempty"` // in lower case
	Text   string `json:"text,omitempty"` // what the reader sees, shortened
	HTML   bool   `json:"html"`           // of the HTML part
	// Problems are words of this package.
	Problems []string `json:"problems,omitempty"`
}

// Words of Link.Problems.
const (
	Unparsed    = "unparsed"      // not a URL
	IPHost      = "ip-host"       // an address in place of a name, in any form
	Punycode    = "punycode"      // the host has A-labels, or octets that are not ASCII
	Shortener   = "shortener"     // a host that hides the true one
	Mismatch    = "text-mismatch" // the text names another host
	UserInfo    = "userinfo"      // a user name before the host
	OddPort     = "port"          // a port of its own
	PlainHTTP   = "http"          // not encrypted
	Placeholder = "placeholder"   // a variable of a template
	Empty       = "empty"         // no target
	Dangerous   = "dangerous"     // javascript:, vbscript:, data: or file:
)

// Attachment is a part that is no text of the mail.
type Attachment struct {
	Path     string   `json:"path"`
	Filename string   `json:"filename,omitempty"`
	Type     string   `json:"type"`
	Octets   int64    `json:"octets"` // encoded
	Inline   bool     `json:"inline,omitempty"`
	Problems []string `json:"problems,omitempty"`
}

// Words of Attachment.Problems.
const (
	Executable      = "executable"
	DoubleExtension = "double-extension"
	Macros          = "macros"
	Archive         = "archive"
	HTMLFile        = "html-file"
	BidiName        = "bidi-name" // characters in the name that turn its direction
)

// Read looks at the parts of a mail. Mails inside the mail are attachments.
func Read(m *message.Message, opt Options) Content {
	limit := opt.MaxText
	if limit <= 0 {
		limit = MaxText
	}
	c := Content{Similar: -1}
	for p := range m.Root.Walk(false) {
		switch {
		case p.IsMultipart() && len(p.Parts) > 0:
			if p.Type == "multipart/alternative" {
				c.Alternative = c.Alternative || alternatives(p)
			}
		case p.Type == "text/plain" && p.Disposition != "attachment" && !c.Plain.Present:
			c.plain(p, limit)
		case p.Type == "text/html" && p.Disposition != "attachment" && !c.HTML.Present:
			c.html(p, limit)
		default:
			c.attach(p)
		}
	}
	c.similar()
	for _, l := range c.Links {
		c.UnsubscribeLink = c.UnsubscribeLink || unsubscribes(l)
	}
	return c
}

func alternatives(p *message.Part) bool {
	plain, html := false, false
	for x := range p.Walk(false) {
		plain = plain || x.Type == "text/plain"
		html = html || x.Type == "text/html"
	}
	return plain && html
}

func (c *Content) text(p *message.Part, limit int64) (Text, string) {
	data, whole := p.Content(limit)
	c.Cut = c.Cut || !whole
	return Text{Present: true, Path: p.Path, Octets: int64(len(data)), Charset: p.Params["charset"]}, p.Text(limit)
}

func (c *Content) plain(p *message.Part, limit int64) {
	t, s := c.text(p, limit)
	t.count(withoutURLs(s))
	c.Plain = t
	c.placeholders(s)
	for _, u := range plainURLs(s) {
		c.link(Link{URL: u})
	}
}

// withoutURLs drops the words that are URLs: HTML has them in its links.
func withoutURLs(s string) string {
	words := strings.Fields(s)
	kept := words[:0]
	for _, w := range words {
		if !strings.Contains(w, "://") {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}

// count counts the words.
func (t *Text) count(s string) {
	if t.words == nil {
		t.words = map[string]bool{}
	}
	for _, w := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !letter(r) }) {
		t.Words++
		if len(w) > 2 && len(t.words) < maxWords {
			t.words[w] = true
		}
	}
}

func letter(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 0x80 && r != 0xa0
}

// similar compares the words of both texts.
func (c *Content) similar() {
	a, b := c.Plain.words, c.HTML.words
	if len(a) == 0 || len(b) == 0 {
		return
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	n := 0
	for w := range a {
		if b[w] {
			n++
		}
	}
	c.Similar = float64(n) / float64(len(a))
}

// placeholders looks for variables of templates, line by line.
func (c *Content) placeholders(s string) {
	for _, l := range strings.Split(s, "\n") {
		if len(c.Placeholders) >= 20 {
			return
		}
		if l = strings.TrimSpace(l); len(l) < 2000 && facts.IsPlaceholder(l) {
			c.Placeholders = append(c.Placeholders, shorten(l, maxShown))
		}
	}
}

func shorten(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

var (
	executables = words("exe com scr bat cmd pif vbs vbe js jse wsf wsh msi msp hta cpl jar lnk ps1 reg iso img dll app dmg apk chm ade adp mde one xll iqy")
	macros      = words("docm dotm xlsm xltm xlam pptm potm ppam ppsm sldm")
	archives    = words("zip rar 7z gz tgz tar bz2 xz arj ace cab lzh z")
)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

func (c *Content) attach(p *message.Part) {
	if len(c.Attachments) >= 500 {
		c.Cut = true
		return
	}
	a := Attachment{Path: p.Path, Filename: p.Filename, Type: p.Type, Octets: p.End - p.Body, Inline: p.Disposition == "inline"}
	note := func(is bool, word string) {
		if is {
			a.Problems = append(a.Problems, word)
		}
	}
	name := strings.ToLower(strings.TrimRight(p.Filename, ". "))
	ext := extension(name)
	note(executables[ext], Executable)
	note(macros[ext], Macros)
	note(archives[ext], Archive)
	note(ext == "html" || ext == "htm" || ext == "shtml" || ext == "svg", HTMLFile)
	if inner := extension(strings.TrimSuffix(name, "."+ext)); ext != "" && (executables[ext] || ext == "html" || ext == "htm") {
		note(len(inner) >= 2 && len(inner) <= 4 && inner != ext, DoubleExtension)
	}
	note(strings.ContainsAny(p.Filename, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"), BidiName)
	c.Attachments = append(c.Attachments, a)
}

func extension(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 || i+1 == len(name) {
		return ""
	}
	return name[i+1:]
}
