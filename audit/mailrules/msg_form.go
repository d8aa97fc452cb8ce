package mailrules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/message"
)

var lineEnds = audit.Rule{
	ID: "MSG008", Slug: "mail-line-ends", Severity: audit.Warning, Since: since,
	Title: "The mail has bare line ends or NUL octets",
	Refs:  []audit.Ref{must(5322, "2.3"), must(5321, "2.3.8")},
	Doc: audit.Doc{
		Impact: "A bare LF or CR inside a mail is what SMTP smuggling is made of. Servers with a defence refuse it (550 5.5.2 or 521 in Postfix with smtpd_forbid_bare_newline) or replace it, which breaks the DKIM signature. NUL octets are cut or refused.",
		Remedy: "Let the sending program end every line with CRLF, and encode content that is not text in base64.",
		Bad:    []audit.Scenario{unsigned(mailed("your order is", "your order\ris")), mailed("your order is", "your\x00order is")},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		l := c.Mail.Message.Lines
		if l.Mixed() {
			at, what := l.BareLFAt, fmt.Sprintf("%d of %d lines end in LF alone", l.BareLF, l.Count)
			if l.BareCR > 0 {
				at, what = l.BareCRAt, count(int(l.BareCR), "bare CR")
			}
			c.Report(part("line ends"), "%s, the first at octet %d.", what, at)
		} else if l.BareCR > 0 {
			c.Report(part("line ends"), "%s, the first at octet %d.", count(int(l.BareCR), "bare CR"), l.BareCRAt)
		}
		if l.NUL > 0 {
			c.Report(part("NUL octets"), "%s, the first at octet %d.", count(int(l.NUL), "NUL octet"), l.NULAt)
		}
	},
}

var longLines = audit.Rule{
	ID: "MSG009", Slug: "mail-long-lines", Severity: audit.Warning, Since: since,
	Title: "The mail has lines that are too long to be sent",
	Refs:  []audit.Ref{must(5322, "2.1.1"), must(5321, "4.5.3.1.6")},
	Doc: audit.Doc{
		Impact: "A line may have 998 octets. Servers break longer ones in two, which breaks the DKIM signature and the HTML, or refuse the mail (500 line too long; Exim: message has lines too long for transport).",
		Remedy: "Send HTML and long text in quoted-printable or base64, which every mail library can do.",
		Bad:    []audit.Scenario{mailed("your order is", "your order "+strings.Repeat("word ", 220)+"is")},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		if l := c.Mail.Message.Lines; l.Long > 0 {
			c.Report(part("lines"), "%s above %d octets; the longest has %d, at octet %d.", count(int(l.Long), "line"), message.MaxLine, l.Longest, l.LongestAt)
		}
	},
}

var mimeBroken = audit.Rule{
	ID: "MSG010", Slug: "mail-mime-broken", Severity: audit.Warning, Since: since,
	Title: "The MIME structure of the mail is broken",
	Refs:  []audit.Ref{must(2045, "6"), must(2046, "5.1")},
	Doc: audit.Doc{
		Impact: "Programs differ in what they make of it: a reader sees nothing or raw code, a filter sees another mail than the reader. Some receivers refuse such mail.",
		Remedy: "Let a mail library build the mail: one boundary that stands in no part, closed at the end, and an encoding that is what it says.",
		Bad: []audit.Scenario{
			mailed("text/plain; charset=utf-8", "multipart/mixed; boundary=b", body, "\n--b\nContent-Type: text/plain\n\nHello\n"),
			mailed("text/plain; charset=utf-8", "text/plain; charset=utf-8\nContent-Transfer-Encoding: base64"),
		},
		Good: []audit.Scenario{good(), html("<p>Hello Ann, your order is on its way.</p>")},
	},
	Check: func(c *audit.Case) {
		words := map[message.Code]string{
			message.BadType: "a Content-Type that cannot be read", message.RepeatedType: "a MIME field given twice", message.RepeatedParam: "a parameter given twice",
			message.BadEncoding: "an unknown Content-Transfer-Encoding", message.EncodedComposite: "an encoding that a multipart may not have",
			message.BadBase64: "text that is no base64", message.BadQuoted: "an = that begins no code of quoted-printable", message.NoBoundary: "a multipart without a boundary",
			message.GuessedBoundary: "a boundary that is not the one Content-Type names", message.NoParts: "a multipart with nothing in it",
			message.NotClosed: "a multipart that is not closed", message.BadCharset: "octets that are not of the charset",
		}
		seen := map[string]bool{}
		for p := range c.Mail.Message.Root.Walk(false) {
			for _, x := range p.Problems {
				w, ok := words[x.Code]
				where := "mail"
				if p.Path != "" {
					where = "part " + p.Path
				}
				if key := where + w; ok && !seen[key] {
					seen[key] = true
					f := c.Report(part("%s, %s", where, x.Code), "%s has %s.", strings.ToUpper(where[:1])+where[1:], w)
					if slices.Contains([]message.Code{message.BadQuoted, message.RepeatedParam, message.BadCharset}, x.Code) {
						f.At(audit.Notice)
					}
				}
			}
		}
	},
}
