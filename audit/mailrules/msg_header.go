package mailrules

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/message"
)

var fromInvalid = audit.Rule{
	ID: "MSG001", Slug: "mail-from-invalid", Severity: audit.Error, Since: since,
	Title: "The mail has not exactly one author",
	Refs:  []audit.Ref{must(5322, "3.6.2"), says(9989, "5.3.1"), gmailSenders},
	Doc: audit.Doc{
		Impact: "DMARC is about the one domain in From. Without a From field that can be read, with two of them, or with addresses of several domains, receivers do not know whom to check and refuse the mail (Gmail: 550 5.7.1).",
		Remedy: "Write one From field with one address of a full domain: From: Name <user@example.org>. A name with a comma or a dot stands in quotes.",
		Bad: []audit.Scenario{
			unsigned(mailed("From: Example Shop <news@example.org>\n", "")),
			unsigned(mailed("From: Example", "From: other@example.com\nFrom: Example")),
			mailed("Shop <news@example.org>", "Shop <news>"),
			mailed("<news@example.org>\nTo", "<news@example.org>, b@example.com\nTo"),
		},
		Good: []audit.Scenario{good(), mailed("<news@example.org>\nTo", "<news@example.org>, second@example.org\nSender: news@example.org\nTo")},
	},
	Check: func(c *audit.Case) {
		a := c.Mail.Header.Author
		n := 0
		for _, x := range a.Addresses {
			if x.Domain != "" {
				n++
			}
		}
		switch {
		case a.Fields == 0:
			c.Report(field("From"), "There is no From field.")
		case a.Fields > 1:
			c.Report(field("From"), "There are %d From fields.", a.Fields)
		case n == 0:
			c.Report(field("From"), "From holds no address with a domain: %s.", problems(a.Problems))
		case len(a.Domains) > 1:
			var list []string
			for _, d := range a.Domains {
				list = append(list, d.String())
			}
			c.Report(field("From"), "From has addresses of %d domains: %s.", len(a.Domains), some(list))
		case len(a.Domains) == 0:
			c.Report(field("From"), "The domain in From, %s, is no domain name.", short(a.Addresses[0].Domain))
		case len(a.Problems) > 0:
			c.Report(field("From"), "From is not of the form of an address: %s.", problems(a.Problems)).At(audit.Warning)
		}
	},
}

// problems puts the first problem in words.
func problems(list []message.Problem) string {
	if len(list) == 0 {
		return "it is empty"
	}
	s := fmt.Sprintf("%q", short(list[0].Text))
	if len(list) > 1 {
		s += fmt.Sprintf(" and %d more", len(list)-1)
	}
	return s
}

var headerRepeated = audit.Rule{
	ID: "MSG002", Slug: "mail-header-repeated", Severity: audit.Error, Since: since,
	Title: "A field that may stand once stands there more often",
	Refs:  []audit.Ref{must(5322, "3.6"), gmailSenders},
	Doc: audit.Doc{
		Impact: "Gmail refuses such mail with 550 5.7.1. Which of the fields a program shows, and which it checks, differs, and that is how signatures are got round.",
		Remedy: "Write each of From, Sender, Reply-To, To, Cc, Subject, Date, Message-ID and the MIME fields once; To and Cc take several addresses.",
		Bad:    []audit.Scenario{mailed("Subject:", "Subject: Other\nSubject:")},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		for _, r := range c.Mail.Header.Repeated {
			if strings.EqualFold(r.Name, "From") {
				continue // MSG001
			}
			c.Report(field(short(r.Name)), "There are %d %s fields.", r.Count, short(r.Name))
		}
	},
}

// farDate is the distance of Date from the time of arrival from which filters mind.
const farDate = 12 * time.Hour

var dateWrong = audit.Rule{
	ID: "MSG003", Slug: "mail-date-wrong", Severity: audit.Warning, Since: since,
	Title: "The date of the mail is missing or wrong",
	Refs:  []audit.Ref{must(5322, "3.6.1")},
	Doc: audit.Doc{
		Impact: "Filters count a missing date, or one that is hours away from the time of arrival, as a sign of spam, and mail programs sort the mail to where nobody looks.",
		Remedy: "Let the program that writes the mail set Date in the form of RFC 5322 (Sun, 01 Nov 2026 12:00:00 +0000), and set the clock of its host and its time zone.",
		Bad: []audit.Scenario{
			mailed("Date: Sun, 01 Nov 2026 12:00:00 +0000\n", ""),
			mailed("Date: Sun, 01 Nov 2026", "Date: Mon, 02 Nov 2026"),
			mailed("Sun, 01 Nov 2026 12:00:00 +0000\nMessage", "yesterday\nMessage"),
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		d := c.Mail.Header.Date
		switch {
		case d.Problem == "missing":
			c.Report(field("Date"), "There is no Date field.")
		case d.Problem == "unreadable":
			c.Report(field("Date"), "The date cannot be read: %q.", short(d.Raw))
		case d.Off.Abs() > farDate:
			word := "before"
			if d.Off > 0 {
				word = "after"
			}
			c.Report(field("Date"), "The date is %s %s the time of arrival.", span(d.Off), word)
		case d.Problem != "":
			c.Report(field("Date"), "The date is not of the form of RFC 5322: %q.", short(d.Raw)).At(audit.Notice)
		}
	},
}

var messageID = audit.Rule{
	ID: "MSG004", Slug: "mail-message-id", Severity: audit.Error, Since: since,
	Title: "The mail has no valid Message-ID",
	Refs:  []audit.Ref{should(5322, "3.6.4"), gmailSenders},
	Doc: audit.Doc{
		Impact: "Gmail refuses mail without a valid Message-ID with 550 5.7.1. Replies, threads and the search for a mail in logs all hang on it.",
		Remedy: "Let the program that writes the mail set Message-ID: <unique@example.org>, with a domain of yours. A mail server adds a missing one for its own users only.",
		Bad: []audit.Scenario{
			mailed("Message-ID: <1@example.org>\n", ""),
			mailed("<1@example.org>\nMIME", "1 example\nMIME"),
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		m := c.Mail.Header.MessageID
		switch m.Problem {
		case "":
		case "missing":
			c.Report(field("Message-ID"), "There is no Message-ID field.")
		case "no-brackets":
			c.Report(field("Message-ID"), "The Message-ID is not in angle brackets: %q.", short(m.Raw))
		case "no-domain":
			c.Report(field("Message-ID"), "The Message-ID has no domain: %q.", short(m.Raw)).At(audit.Warning)
		default:
			c.Report(field("Message-ID"), "The Message-ID is not of the form <left@right>: %q.", short(m.Raw)).At(audit.Warning)
		}
	},
}

var headerMissing = audit.Rule{
	ID: "MSG005", Slug: "mail-header-missing", Severity: audit.Notice, Since: since,
	Title: "A field that readers and filters expect is missing",
	Refs:  []audit.Ref{says(5322, "3.6"), must(2045, "4")},
	Doc: audit.Doc{
		Impact: "Mail without To, without Subject or without MIME-Version is valid or nearly so, and filters count each as a small sign of spam.",
		Remedy: "Write To (or a group: To: undisclosed-recipients:;), a Subject, and MIME-Version: 1.0 in mail that has a Content-Type.",
		Bad: []audit.Scenario{
			mailed("Subject: Your order\n", ""),
			mailed("MIME-Version: 1.0\n", ""),
			mailed("Subject: Your order\n", "Subject:\n"),
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		h := c.Mail.Header
		for _, name := range h.Missing {
			switch name {
			case "From", "Date", "Message-ID": // rules of their own
			default:
				c.Report(field(name), "There is no %s field.", name)
			}
		}
		for _, name := range h.Empty {
			switch name {
			case "From", "Date", "Message-ID":
			default:
				c.Report(field(name), "The field %s is empty.", name)
			}
		}
		if _, typed := c.Mail.Message.Header.Get("Content-Type"); typed && h.MIMEVersion == "" {
			c.Report(field("MIME-Version"), "The mail has a Content-Type and no MIME-Version.")
		}
	},
}

var headerEightBit = audit.Rule{
	ID: "MSG006", Slug: "mail-header-8bit", Severity: audit.Warning, Since: since,
	Title: "A header field holds characters that are not ASCII and not encoded",
	Refs:  []audit.Ref{must(5322, "2.2"), must(2047, "5"), says(6532, "3")},
	Doc: audit.Doc{
		Impact: "Such a field may be sent only over SMTPUTF8, which many servers do not offer; others refuse it, or replace the characters and so break the DKIM signature. Readers see signs without meaning.",
		Remedy: "Encode names and subjects as RFC 2047 says (=?utf-8?q?...?=); every mail library does it when it is given text and not finished lines.",
		Bad:    []audit.Scenario{mailed("Subject: Your order", "Subject: Ihre Bestellung für \xc3\xbcber 5 \xe2\x82\xac")},
		Good:   []audit.Scenario{good(), mailed("Subject: Your order", "Subject: =?utf-8?q?F=C3=BCr_Sie?=")},
	},
	Check: func(c *audit.Case) {
		for _, e := range c.Mail.Header.EightBit {
			what := "text of UTF-8"
			if !e.UTF8 {
				what = "octets that are not even UTF-8"
			}
			c.Report(field(short(e.Name)).WithTerm(fmt.Sprintf("%s field at octet %d", short(e.Name), e.At)), "The field %s holds %s, not encoded.", short(e.Name), what)
		}
	},
}

var headerMalformed = audit.Rule{
	ID: "MSG007", Slug: "mail-header-malformed", Severity: audit.Warning, Since: since,
	Title: "The header is malformed",
	Refs:  []audit.Ref{must(5322, "2.2")},
	Doc: audit.Doc{
		Impact: "A line in the header that is no field ends the header for some programs: what follows becomes text of the mail, or part of another field. Signatures break, and filters distrust what programs read in different ways.",
		Remedy: "Write fields as Name: value with folded lines that begin with a space, and one empty line before the body. Values that come from users must not bring line breaks with them.",
		Bad: []audit.Scenario{
			unsigned(mailed("Subject: Your order\n", "Subject: Your order\nthis is no field\n")),
			mailed("Subject: Your", "Subject : Your"),
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		words := map[message.Code]string{
			message.NoHeader: "The first line is no header field, so that all is body", message.JunkLine: "A line of the header is no field",
			message.SpaceBeforeColon: "White space stands before the colon of a field", message.BlankFold: "A folded line is of white space alone",
			message.NoBlankLine: "The body begins without an empty line", message.LeadingLines: "Empty lines stand before the header",
		}
		for _, p := range c.Mail.Message.Header.Problems {
			if w, ok := words[p.Code]; ok {
				c.Report(part("header, octet %d", p.At), "%s: %q.", w, short(p.Text))
			}
		}
		if n := c.Mail.Message.Header.Dropped; n > 0 {
			c.Report(part("header"), "The header has %s more than are read: no honest mail is like that.", count(n, "field"))
		}
	},
}
