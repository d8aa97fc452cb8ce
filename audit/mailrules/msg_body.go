package mailrules

import (
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/message/content"
)

// Thresholds of what is worth a word.
const (
	clipped  = 102 << 10 // octets of HTML from which Gmail shows a part only
	similar  = 0.3       // share of common words below which two texts are not the same
	fewWords = 20
)

func noHTML(c *audit.Case) bool {
	if !c.Mail.Content.HTML.Present {
		c.NotApplicable("the mail has no HTML")
		return true
	}
	return false
}

var textPart = audit.Rule{
	ID: "MSG016", Slug: "mail-text-part", Severity: audit.Notice, Since: since,
	Title: "The mail has HTML and no text that says the same",
	Refs:  []audit.Ref{should(2046, "5.1.4")},
	Doc: audit.Doc{
		Impact: "Filters count HTML without a text part (MIME_HTML_ONLY in SpamAssassin), and one whose text says something else, as signs of spam. Watches, screen readers and previews show the text part.",
		Remedy: "Send multipart/alternative with the text first and the HTML second, both with the same words; most mail programs make the text from the HTML.",
		Bad: []audit.Scenario{
			mailed("text/plain", "text/html", "Hello Ann,", "<p>Hello Ann,"),
			html("<p>Buy cheap watches today, replica gold silver diamonds and much more in our great shop</p>"),
		},
		Good: []audit.Scenario{good(), html("<p>Hello Ann, your order is on its way.</p>")},
	},
	Check: func(c *audit.Case) {
		if noHTML(c) {
			return
		}
		x := c.Mail.Content
		switch {
		case !x.Plain.Present || x.Plain.Words == 0 && x.HTML.Words > 0:
			c.Report(part("body"), "There is a text/html part and no text/plain part with words in it.")
		case x.Similar >= 0 && x.Similar < similar:
			c.Report(part("body"), "The text and the HTML have %d %% of their words in common.", int(x.Similar*100))
		}
	},
}

var htmlActive = audit.Rule{
	ID: "MSG017", Slug: "mail-html-active", Severity: audit.Warning, Since: since,
	Title: "The HTML holds what mail programs do not run",
	Refs:  []audit.Ref{says(2046, "4.1.1")},
	Doc: audit.Doc{
		Impact: "Scripts, forms, frames and plug-ins are cut out by every mail program, so they do not work, and many filters refuse mail with them or mark it as phishing.",
		Remedy: "Link to a page of yours that holds the form or the script.",
		Bad:    []audit.Scenario{html("<p>Hello Ann, your order is on its way.</p><script>a()</script>"), html("<p>Hello Ann, your order is on its way.</p><form action=\"https://example.org/x\"><input></form>")},
		Good:   []audit.Scenario{html("<p>Hello Ann, your order is on its way.</p>")},
	},
	Check: func(c *audit.Case) {
		if noHTML(c) {
			return
		}
		h := c.Mail.Content.HTML
		var list []string
		for _, x := range []struct {
			n    int
			noun string
		}{{h.Scripts, "script"}, {h.Forms, "form"}, {h.Frames, "frame"}, {h.Objects, "embedded object"}, {h.Handlers, "event handler"},
			{h.Refreshes, "meta refresh"}, {h.BadURLs, "link to a script or to data"}} {
			if x.n > 0 {
				list = append(list, count(x.n, x.noun))
			}
		}
		if len(list) > 0 {
			c.Report(part("part %s", orElse(h.Path, "1")), "The HTML has %s.", strings.Join(list, ", "))
		}
	},
}

var htmlLarge = audit.Rule{
	ID: "MSG018", Slug: "mail-html-large", Severity: audit.Notice, Since: since,
	Title: "The HTML is larger than Gmail shows",
	Refs:  []audit.Ref{gmailSenders},
	Doc: audit.Doc{
		Impact: "Gmail shows about the first 102 KB of HTML and hides the rest, the link to unsubscribe at the end among it.",
		Remedy: "Leave out styles that nobody needs and data: images, and shorten the mail.",
		Bad:    []audit.Scenario{html("<p>Hello Ann, your order is on its way.</p><style>" + strings.Repeat("p.a { margin: 0 0 0 0 }\n", 4600) + "</style>")},
		Good:   []audit.Scenario{html("<p>Hello Ann, your order is on its way.</p>")},
	},
	Check: func(c *audit.Case) {
		if noHTML(c) {
			return
		}
		if h := c.Mail.Content.HTML; h.Octets > clipped {
			c.Report(part("part %s", orElse(h.Path, "1")), "The HTML has %d octets.", h.Octets)
		}
	},
}

var links = audit.Rule{
	ID: "MSG019", Slug: "mail-links", Severity: audit.Warning, Since: since,
	Title: "A link looks like one of phishing",
	Refs:  []audit.Ref{gmailSenders, says(3986, "7.6")},
	Doc: audit.Doc{
		Impact: "A link whose text names another host, that leads to a bare address, through a shortener or with a user name before the host is what filters look for first. Tracking of clicks by a service's domain does that to honest mail.",
		Remedy: "Let the text of a link be words or the true host, track clicks through a host of your own domain, and use https.",
		Bad: []audit.Scenario{
			html(`<p>Hello Ann, your order is on its way: <a href="https://track.example.com/1">www.example.org</a></p>`),
			html(`<p>Hello Ann, your order is on its way: <a href="http://192.0.2.80/x">here</a></p>`),
		},
		Good: []audit.Scenario{html(`<p>Hello Ann, your order is on its way: <a href="https://www.example.org/1">www.example.org</a></p>`), good()},
	},
	Check: func(c *audit.Case) {
		words := []struct {
			problem, text string
			at            audit.Severity
		}{
			{content.Mismatch, "the text names another host", audit.Warning},
			{content.IPHost, "the host is an address", audit.Warning},
			{content.UserInfo, "a user name stands before the host", audit.Warning},
			{content.Dangerous, "it is no link to a page", audit.Warning},
			{content.Shortener, "a shortener hides the true host", audit.Warning},
			{content.Placeholder, "it holds a variable of a template", audit.Warning},
			{content.Punycode, "the host is an internationalized name", audit.Notice},
			{content.OddPort, "it names a port", audit.Notice},
			{content.Empty, "it leads nowhere", audit.Notice},
		}
		seen := map[string]bool{}
		for _, l := range c.Mail.Content.Links {
			for _, w := range words {
				if !slices.Contains(l.Problems, w.problem) || seen[w.problem+l.Host] {
					continue
				}
				seen[w.problem+l.Host] = true
				x := c.Report(part("link to %s, %s", orElse(short(l.Host), "nowhere"), w.problem), "%s: %s", w.text, short(l.URL)).At(w.at)
				if l.Text != "" && w.problem == content.Mismatch {
					x.Message += " is shown as " + short(l.Text)
				}
				x.Message = strings.ToUpper(x.Message[:1]) + x.Message[1:] + "."
			}
		}
	},
}

var attachments = audit.Rule{
	ID: "MSG020", Slug: "mail-attachment", Severity: audit.Warning, Since: since,
	Title: "An attachment is of a kind that receivers refuse",
	Refs:  []audit.Ref{gmailBlocked},
	Doc: audit.Doc{
		Impact: "Gmail refuses mail with programs in it, in archives too, with 552 5.7.0; other receivers strip them or put the mail into quarantine. Documents with macros and HTML files are refused or marked by many.",
		Remedy: "Put the file on a server and send a link, or send a format that runs nothing.",
		Bad: []audit.Scenario{mailed("text/plain; charset=utf-8", `multipart/mixed; boundary="b"`, body,
			"\n--b\nContent-Type: text/plain\n\nHello Ann, your order is on its way.\n--b\nContent-Type: application/octet-stream; name=\"invoice.pdf.exe\"\nContent-Disposition: attachment; filename=\"invoice.pdf.exe\"\n\nMZ\n--b--\n")},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		words := map[string]string{content.Executable: "is a program", content.DoubleExtension: "hides its kind behind a second ending", content.Macros: "can hold macros",
			content.HTMLFile: "is an HTML file", content.BidiName: "turns its name around with control characters", content.Archive: "is an archive"}
		for _, a := range c.Mail.Content.Attachments {
			var list []string
			at := audit.Notice
			for _, p := range a.Problems {
				switch p {
				case content.Executable, content.BidiName, content.DoubleExtension:
					at = audit.Error
				case content.Macros, content.HTMLFile:
					at = max(at, audit.Warning)
				case content.Archive:
					continue // archives are usual; what is in them is not looked at
				}
				list = append(list, words[p])
			}
			if len(list) > 0 {
				c.Report(part("part %s", a.Path), "%s %s.", orElse(short(a.Filename), short(a.Type)), strings.Join(list, " and ")).At(at)
			}
		}
	},
}

var hiddenText = audit.Rule{
	ID: "MSG021", Slug: "mail-hidden-text", Severity: audit.Notice, Since: since,
	Title: "The HTML hides text from its reader",
	Refs:  []audit.Ref{gmailSenders},
	Doc: audit.Doc{
		Impact: "Google asks senders not to hide content with HTML and CSS, and may mark such mail as spam. The short line for previews is hidden by nearly every newsletter and is taken for what it is; long texts are not.",
		Remedy: "Show the text or leave it out; keep a preview line under some 20 words.",
		Bad:    []audit.Scenario{html("<p>Hello Ann, your order is on its way.</p><div style=\"display:none\">" + strings.Repeat("lorem ipsum dolor ", 20) + "</div>")},
		Good:   []audit.Scenario{html("<div style=\"display:none\">Two more days</div><p>Hello Ann, your order is on its way.</p>")},
	},
	Check: func(c *audit.Case) {
		if noHTML(c) {
			return
		}
		if h := c.Mail.Content.HTML; h.HiddenWords > fewWords {
			c.Report(part("part %s", orElse(h.Path, "1")), "Styles hide %d words.", h.HiddenWords)
		}
	},
}

var images = audit.Rule{
	ID: "MSG022", Slug: "mail-images", Severity: audit.Notice, Since: since,
	Title: "The mail is of images with hardly any text",
	Refs:  []audit.Ref{gmailSenders},
	Doc: audit.Doc{
		Impact: "Most mail programs show no images of unknown senders: the reader sees an empty mail. Filters count images without text (HTML_IMAGE_ONLY in SpamAssassin) as a sign of spam.",
		Remedy: "Write the message as text beside the images, and give each image an alt text.",
		Bad:    []audit.Scenario{html(`<p><img src="https://www.example.org/a.png"></p>`)},
		Good:   []audit.Scenario{html(`<p>Hello Ann, your order is on its way. <img src="https://www.example.org/a.png" alt="a parcel"></p>` + "<p>It left our store this morning and will be with you in two days from now, says the carrier.</p>")},
	},
	Check: func(c *audit.Case) {
		if noHTML(c) {
			return
		}
		h := c.Mail.Content.HTML
		shown, bare := 0, 0
		for _, i := range h.Images {
			if i.Tracking {
				continue
			}
			shown++
			if i.NoAlt {
				bare++
			}
		}
		where := part("part %s", orElse(h.Path, "1"))
		switch {
		case shown > 0 && h.Words < fewWords:
			c.Report(where, "%s and %s.", count(shown, "image"), count(h.Words, "word"))
		case bare > 0 && bare*2 > shown:
			c.Report(where, "%d of %s have no alt text.", bare, count(shown, "image"))
		}
	},
}
