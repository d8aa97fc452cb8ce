package mailrules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
)

// letter is a newsletter of the example shop; fields are added to its header.
func letter(fields string) audit.Scenario {
	s := html(`<p>Hello Ann, your order is on its way. <a href="https://www.example.org/u?id=1">Unsubscribe</a></p>`)
	s.Mail = strings.Replace(s.Mail, "MIME-Version", "List-Id: <news.example.org>\n"+fields+"MIME-Version", 1)
	return s
}

const (
	uri  = "List-Unsubscribe: <https://www.example.org/u?id=1>, <mailto:leave@example.org>\n"
	post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
)

// notBulk says that the rules do not concern a mail to one person.
func notBulk(c *audit.Case) bool {
	if c.Mail.Report != "" {
		c.NotApplicable("the mail is a report of a mail system")
		return true
	}
	if !c.Mail.Bulk && c.Mail.Header.Unsubscribe.Fields == 0 {
		c.NotApplicable("nothing says that the mail was sent to many; if it was, give --bulk")
		return true
	}
	return false
}

// noList says that there is no List-Unsubscribe that could be judged.
func noList(c *audit.Case) bool {
	if notBulk(c) {
		return true
	}
	if c.Mail.Header.Unsubscribe.Fields == 0 {
		c.NotApplicable("there is no List-Unsubscribe field: see UNS001")
		return true
	}
	return false
}

var unsubMissing = audit.Rule{
	ID: "UNS001", Slug: "unsubscribe-missing", Severity: audit.Warning, Since: since,
	Title: "Mail to many has no List-Unsubscribe field",
	Refs:  []audit.Ref{says(2369, "3.2"), gmailSenders, yahooSenders},
	Doc: audit.Doc{
		Impact: "Gmail and Yahoo ask for it on marketing and subscribed mail of bulk senders. Without it the reader who wants no more has one button left: report as spam, and above 0.3 % of that all your mail is filed as spam.",
		Remedy: "Add List-Unsubscribe: <https://www.example.org/u?id=TOKEN> and List-Unsubscribe-Post: List-Unsubscribe=One-Click, and sign both with DKIM. Mail about one's own orders and logins needs none of it.",
		Bad:    []audit.Scenario{letter("")},
		Good:   []audit.Scenario{letter(uri + post), good()},
	},
	Check: func(c *audit.Case) {
		if notBulk(c) {
			return
		}
		if c.Mail.Header.Unsubscribe.Fields == 0 {
			c.Report(field("List-Unsubscribe"), "The mail was sent to many, and there is no List-Unsubscribe field.")
		}
	},
}

var oneClickMissing = audit.Rule{
	ID: "UNS002", Slug: "one-click-missing", Severity: audit.Warning, Since: since,
	Title: "List-Unsubscribe does not work with one click",
	Refs:  []audit.Ref{must(8058, "3.1"), gmailSenders},
	Doc: audit.Doc{
		Impact: "Gmail wants one-click unsubscription on marketing mail of bulk senders since June 2024; an address to write to, or a page to click through, is not enough. Without it there is no mitigation when the mail is filed as spam.",
		Remedy: "Add an https URI that takes a POST without login, cookie or page, and List-Unsubscribe-Post: List-Unsubscribe=One-Click.",
		Bad: []audit.Scenario{
			letter(uri),
			letter("List-Unsubscribe: <mailto:leave@example.org>\n"),
		},
		Good: []audit.Scenario{letter(uri + post)},
	},
	Check: func(c *audit.Case) {
		if noList(c) {
			return
		}
		u := c.Mail.Header.Unsubscribe
		https := false
		for _, x := range u.URIs {
			https = https || x.Scheme == "https" || x.Scheme == "http"
		}
		switch {
		case !https && u.PostFields == 0:
			c.Report(field("List-Unsubscribe"), "List-Unsubscribe has no https URI, and there is no List-Unsubscribe-Post field.")
		case !https:
			c.Report(field("List-Unsubscribe"), "List-Unsubscribe has no https URI.")
		case u.PostFields == 0:
			c.Report(field("List-Unsubscribe-Post"), "There is no List-Unsubscribe-Post field.")
		}
	},
}

var oneClickForm = audit.Rule{
	ID: "UNS003", Slug: "one-click-form", Severity: audit.Warning, Since: since,
	Title: "The fields for unsubscription are malformed",
	Refs:  []audit.Ref{must(8058, "3.1"), must(2369, "2")},
	Doc: audit.Doc{
		Impact: "Receivers show no button for a field that they cannot read: a URI without angle brackets, broken in two by a line break, with http: in place of https:, or with a variable that nobody filled in.",
		Remedy: "Write one field each: List-Unsubscribe: <https://...>, <mailto:...> and List-Unsubscribe-Post: List-Unsubscribe=One-Click, to the letter.",
		Bad: []audit.Scenario{
			letter("List-Unsubscribe: https://www.example.org/u?id=1\n" + post),
			letter("List-Unsubscribe: <http://www.example.org/u?id=1>\n" + post),
			letter("List-Unsubscribe: <https://www.example.org/u?id={unsubscribe}>\n" + post),
			letter(uri + "List-Unsubscribe-Post: One-Click\n"),
		},
		Good: []audit.Scenario{letter(uri + post)},
	},
	Check: func(c *audit.Case) {
		if noList(c) {
			return
		}
		u := c.Mail.Header.Unsubscribe
		if u.Fields > 1 {
			c.Report(field("List-Unsubscribe"), "There are %d List-Unsubscribe fields.", u.Fields)
		}
		if u.PostFields > 1 {
			c.Report(field("List-Unsubscribe-Post"), "There are %d List-Unsubscribe-Post fields.", u.PostFields)
		}
		if u.PostFields > 0 && !u.PostExact {
			c.Report(field("List-Unsubscribe-Post").WithTerm("List-Unsubscribe-Post value"), "List-Unsubscribe-Post says %q.", short(u.Post))
		}
		if len(u.URIs) == 0 {
			c.Report(field("List-Unsubscribe").WithTerm("List-Unsubscribe value"), "List-Unsubscribe holds no URI.")
		}
		for i, x := range u.URIs {
			at := part("List-Unsubscribe URI %d", i+1)
			switch {
			case len(x.Problems) > 0:
				c.Report(at, "The URI %s is not usable: %s.", short(x.Raw), strings.Join(x.Problems, ", "))
			case x.Scheme == "http" && u.HTTPS == 0:
				c.Report(at, "The URI %s is http and not https.", short(x.Raw))
			}
		}
	},
}

var oneClickUnsigned = audit.Rule{
	ID: "UNS004", Slug: "one-click-unsigned", Severity: audit.Warning, Since: since,
	Title: "No signature that verifies covers both fields for one click",
	Refs:  []audit.Ref{must(8058, "4"), gmailSenders},
	Doc: audit.Doc{
		Impact: "A receiver must not offer the button unless a DKIM signature that verifies covers List-Unsubscribe and List-Unsubscribe-Post: otherwise anybody could point it elsewhere. So Gmail and Yahoo treat the mail as one without one-click.",
		Remedy: "Add both names to the signed fields (h=) of the signer, and see that the fields are added before it signs, not after.",
		Bad: []audit.Scenario{
			{Zone: zone, Mail: letter(uri + post).Mail},
			func() audit.Scenario {
				s := letter("")
				s.Signers, s.Changes = []string{"example.org from-only"}, []string{"List-Id:", uri + post + "List-Id:"}
				return s
			}(),
		},
		Good: []audit.Scenario{letter(uri + post)},
	},
	Check: func(c *audit.Case) {
		if noList(c) || noOneClick(c) || unjudged(c) {
			return
		}
		o := c.Mail.OneClick
		switch {
		case o.Signature >= 0:
		case o.Unknown:
			c.Unknown("a signature that covers both fields could not be judged")
		case len(passing(c.Mail)) == 0:
			c.Report(field("List-Unsubscribe-Post"), "No DKIM signature of the mail verifies.")
		case o.Partly >= 0:
			c.Report(field("List-Unsubscribe-Post"), "The signature of %s covers one of List-Unsubscribe and List-Unsubscribe-Post only.", short(c.Mail.DKIM.Signatures[o.Partly].Domain))
		default:
			c.Report(field("List-Unsubscribe-Post"), "%s, and none covers List-Unsubscribe and List-Unsubscribe-Post.", verified(c.Mail))
		}
	},
}

func verified(f *mail.Facts) string {
	n := len(passing(f))
	if n == 1 {
		return "1 signature verifies"
	}
	return fmt.Sprintf("%d signatures verify", n)
}

// noOneClick says that the mail does not try to offer it.
func noOneClick(c *audit.Case) bool {
	if c.Mail.Header.Unsubscribe.PostFields == 0 {
		c.NotApplicable("there is no List-Unsubscribe-Post field: see UNS002")
		return true
	}
	return false
}

var oneClickUnaligned = audit.Rule{
	ID: "UNS005", Slug: "one-click-unaligned", Severity: audit.Notice, Since: since,
	Title: "The signature over the unsubscribe fields is not of the domain in From",
	Refs:  []audit.Ref{says(8058, "4"), gmailSenders},
	Doc: audit.Doc{
		Impact: "RFC 8058 is content with any signature that verifies. Gmail counts one-click for the domain in From, and reputation goes to the domain that signs.",
		Remedy: "Let the service that sends sign with a key of the domain in From.",
		Bad: []audit.Scenario{func() audit.Scenario {
			s := letter(uri + post)
			s.Signers = []string{"esp.example s1"}
			return s
		}()},
		Good: []audit.Scenario{letter(uri + post)},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if noList(c) || noOneClick(c) || unjudged(c) {
			return
		}
		if f.OneClick.Signature < 0 {
			c.NotApplicable("no signature covers both fields: see UNS004")
			return
		}
		if !f.OneClick.Aligned {
			s := &f.DKIM.Signatures[f.OneClick.Signature]
			c.Report(signature(s).WithTerm("one-click "+short(s.Domain)), "The signature over the fields is of %s, and From is of %s.", short(s.Domain), f.Author)
		}
	},
}

var unsubLink = audit.Rule{
	ID: "UNS006", Slug: "unsubscribe-link", Severity: audit.Notice, Since: since,
	Title: "The text of a mail to many has no link to unsubscribe",
	Refs:  []audit.Ref{gmailSenders, yahooSenders, outlookSenders},
	Doc: audit.Doc{
		Impact: "Gmail, Yahoo and Outlook.com ask for a visible link in the text beside the header fields, and laws of many countries do.",
		Remedy: "Add a link with the word unsubscribe, or that of the reader's language, to the text.",
		Bad:    []audit.Scenario{added("List-Id: <news.example.org>\n" + uri + post)},
		Good:   []audit.Scenario{letter(uri + post)},
	},
	Check: func(c *audit.Case) {
		if notBulk(c) {
			return
		}
		if !c.Mail.Content.UnsubscribeLink {
			c.Report(part("body"), "No link of the text is called unsubscribe, in any of the languages that are known here.")
		}
	},
}

var unsubToken = audit.Rule{
	ID: "UNS007", Slug: "unsubscribe-token", Severity: audit.Notice, Since: since,
	Title: "The unsubscribe URI names neither recipient nor list",
	Refs:  []audit.Ref{must(8058, "3.1")},
	Doc: audit.Doc{
		Impact: "The receiver sends a POST without cookies and without asking: a URI that is the same for everybody cannot know who wants to leave.",
		Remedy: "Put a token for recipient and list, hard to guess, into the path or the query of the URI.",
		Bad:    []audit.Scenario{letter("List-Unsubscribe: <https://www.example.org/>\n" + post)},
		Good:   []audit.Scenario{letter(uri + post)},
	},
	Check: func(c *audit.Case) {
		if noList(c) {
			return
		}
		for i, x := range c.Mail.Header.Unsubscribe.URIs {
			if x.Scheme == "https" && len(x.Problems) == 0 && !x.Query {
				c.Report(part("List-Unsubscribe URI %d", i+1), "The URI %s has neither path nor query.", short(x.Raw))
			}
		}
	},
}
