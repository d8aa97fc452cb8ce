package mailrules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/message"
)

var addressMalformed = audit.Rule{
	ID: "MSG011", Slug: "mail-address-malformed", Severity: audit.Notice, Since: since,
	Title: "An address in the header cannot be read",
	Refs:  []audit.Ref{must(5322, "3.4")},
	Doc: audit.Doc{
		Impact: "Replies to all fail or go astray, and some receivers refuse the mail (Postfix content checks, Exim verify = header_syntax).",
		Remedy: "Write addresses as user@example.org or \"Name, with comma\" <user@example.org>, separated by commas, never by semicolons.",
		Bad:    []audit.Scenario{mailed("To: Ann <ann@example.net>", "To: Ann <ann@@example net>")},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		h := c.Mail.Header
		for _, x := range []struct {
			name string
			list message.Addresses
		}{{"To", h.To}, {"Cc", h.Cc}, {"Reply-To", h.ReplyTo}, {"Sender", h.Sender}} {
			if n := len(x.list.Problems); n > 0 {
				f := c.Report(field(x.name), "%s cannot be read in full: %s.", x.name, problems(x.list.Problems))
				if x.name == "Reply-To" || x.name == "Sender" {
					f.At(audit.Warning)
				}
			}
		}
	},
}

var addressInName = audit.Rule{
	ID: "MSG012", Slug: "mail-address-in-name", Severity: audit.Warning, Since: since,
	Title: "The display name of From shows another address",
	Refs:  []audit.Ref{says(5322, "3.4"), gmailSenders},
	Doc: audit.Doc{
		Impact: "Phishing puts the address of a bank where readers look and its own where they do not; filters mark every mail that looks so.",
		Remedy: "Write a name into the display name, or the same address. A list or a ticket system that sends for others writes \"Ann via List\".",
		Bad:    []audit.Scenario{mailed("From: Example Shop", `From: "service@bank.example"`)},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		if a := c.Mail.Header.AddressInName; a != "" {
			c.Report(field("From"), "The name shows %s, and the address is another.", short(a))
		}
	},
}

var placeholder = audit.Rule{
	ID: "MSG013", Slug: "mail-placeholder", Severity: audit.Warning, Since: since,
	Title: "A variable of a template was not filled in",
	Refs:  []audit.Ref{says(5322, "3.6.5")},
	Doc: audit.Doc{
		Impact: "Readers see {{name}} and take the mail for spam, and say so to their provider. In a link or in List-Unsubscribe nothing works.",
		Remedy: "Fill in the variable, give it a default, and let the sending program refuse mail in which one is left.",
		Bad: []audit.Scenario{
			mailed("Subject: Your order", "Subject: Hello {{first_name}}"),
			mailed("Hello Ann", "Hello *|FNAME|*"),
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		for _, name := range c.Mail.Header.Placeholders {
			c.Report(field(short(name)), "The field %s holds a variable that was not filled in.", short(name))
		}
		if l := c.Mail.Content.Placeholders; len(l) > 0 {
			c.Report(part("body"), "The text holds %s: %s.", count(len(l), "variable"), some(l))
		}
	},
}

var replyAlone = audit.Rule{
	ID: "MSG014", Slug: "mail-reply-alone", Severity: audit.Notice, Since: since,
	Title: "The subject says Re: and the mail answers nothing",
	Refs:  []audit.Ref{should(5322, "3.6.4"), says(5322, "3.6.5"), gmailSenders},
	Doc: audit.Doc{
		Impact: "A subject that begins with Re: in a mail without In-Reply-To and References is an old trick of spammers, and Google asks senders not to use it.",
		Remedy: "Leave Re: out, or set In-Reply-To and References if the mail is an answer.",
		Bad:    []audit.Scenario{mailed("Subject: Your", "Subject: Re: your")},
		Good:   []audit.Scenario{good(), mailed("Subject: Your", "In-Reply-To: <0@example.net>\nSubject: Re: your")},
	},
	Check: func(c *audit.Case) {
		if c.Mail.Header.ReplyAlone {
			c.Report(field("Subject"), "There is neither In-Reply-To nor References.")
		}
	},
}

var noReply = audit.Rule{
	ID: "MSG015", Slug: "mail-no-reply", Severity: audit.Notice, Since: since,
	Title: "The mail is from an address that takes no answers",
	Refs:  []audit.Ref{outlookSenders},
	Doc: audit.Doc{
		Impact: "Outlook.com asks bulk senders for an address in From or Reply-To that can take replies. Readers who cannot answer press the spam button.",
		Remedy: "Send from an address that somebody reads, or name one in Reply-To.",
		Bad:    []audit.Scenario{mailed("Shop <news@", "Shop <no-reply@")},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		if c.Mail.Header.NoReply {
			c.Report(field("From"), "By its name the address for answers takes none.")
		}
	},
}
