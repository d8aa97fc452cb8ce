package mailrules

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/message/trace"
	"github.com/mailcheck-go/mailcheck/message/verdict"
)

var filedAsSpam = audit.Rule{
	ID: "MSG023", Slug: "mail-filed-as-spam", Severity: audit.Error, Since: since,
	Title: "The receiver's filter took the mail for spam",
	Refs:  []audit.Ref{{Title: "Microsoft, anti-spam message headers", URL: "https://learn.microsoft.com/en-us/defender-office-365/message-headers-eop-mdo"}, {Title: "SpamAssassin, tests performed", URL: "https://spamassassin.apache.org/old/tests_3_3_x.html"}},
	Doc: audit.Doc{
		Impact: "The mail was put into the spam folder or into quarantine, by the word of the filter that stands in its header.",
		Remedy: "Repair first what the other findings name: authentication, the names of the sending host, the form of the mail. What is left is content and reputation: the tests that the filter lists say which.",
		Bad: []audit.Scenario{
			{Zone: zone, Mail: plain, Signers: signed, Changes: []string{"Return-Path:", "X-Spam-Flag: YES\nX-Spam-Status: Yes, score=9.1 required=5.0 tests=GTUBE,HTML_MESSAGE\nReturn-Path:"}},
		},
		Good: []audit.Scenario{good(), {Zone: zone, Mail: plain, Signers: signed, Changes: []string{"Return-Path:", "X-Spam-Status: No, score=0.1 required=5.0 tests=none\nReturn-Path:"}}},
	},
	Check: func(c *audit.Case) {
		r := c.Mail.Filters
		switch r.Placement {
		case verdict.Spam, verdict.Phish, verdict.Blocked:
			x := c.Report(field(short(r.Source)), "%s says: %s.%s", short(r.Source), r.Placement, reasons(r))
			if r.Void {
				x.At(audit.Notice)
			}
		case verdict.Unknown:
			c.NotApplicable("no field says where the mail was put; Gmail and Yahoo write none, and only the folder tells")
		}
	},
}

// reasons lists what the filter counted, the heaviest first as it wrote them.
func reasons(r verdict.Report) string {
	var tests []verdict.Test
	var out []string
	score := func(n verdict.Number, limit verdict.Number) {
		if n.Known && limit.Known {
			out = append(out, fmt.Sprintf("score %.1f of %.1f", n.Value, limit.Value))
		}
	}
	switch {
	case r.SpamAssassin != nil:
		tests = r.SpamAssassin.Tests
		score(r.SpamAssassin.Score, r.SpamAssassin.Required)
	case r.Rspamd != nil:
		tests = r.Rspamd.Tests
		score(r.Rspamd.Score, r.Rspamd.Threshold)
	case r.Fastmail != nil:
		tests = r.Fastmail.Hits
	}
	if m := r.Microsoft; m != nil {
		if m.SCL.Known {
			out = append(out, fmt.Sprintf("SCL %.0f", m.SCL.Value))
		}
		for _, p := range [][2]string{{"CAT", m.Category}, {"SFV", m.SFV}, {"compauth", strings.TrimSpace(m.CompAuth + " " + m.CompAuthReason)}} {
			if p[1] != "" {
				out = append(out, p[0]+" "+short(p[1]))
			}
		}
		if t := verdict.CompAuthMeaning(m.CompAuthReason); t != "" && m.CompAuth != "pass" {
			out = append(out, "which means: "+t)
		}
	}
	var names []string
	for _, t := range tests {
		if !t.Known || t.Score > 0 {
			names = append(names, t.Name)
		}
	}
	if len(names) > 0 {
		out = append(out, "tests "+some(names))
	}
	if len(out) == 0 {
		return ""
	}
	return " It gives: " + strings.Join(out, "; ") + "."
}

var verdictVoid = audit.Rule{
	ID: "MSG024", Slug: "mail-verdict-void", Severity: audit.Notice, Since: since,
	Title: "A rule of the mailbox overruled the filter",
	Refs:  []audit.Ref{{Title: "Microsoft, anti-spam message headers", URL: "https://learn.microsoft.com/en-us/defender-office-365/message-headers-eop-mdo"}},
	Doc: audit.Doc{
		Impact: "The recipient or its organisation has a rule for this sender, so where the mail was put says nothing about other mailboxes.",
		Remedy: "Test with a mailbox that has no allow or block rule for the sender.",
		Bad:    []audit.Scenario{{Zone: zone, Mail: plain, Signers: signed, Changes: []string{"Return-Path:", "X-Forefront-Antispam-Report: CIP:192.0.2.25;SCL:-1;SFV:SKA;\nReturn-Path:"}}},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		if r := c.Mail.Filters; r.Void {
			c.Report(field(short(orElse(r.Source, "filter"))), "The filter's verdict is void: %s.", short(r.VoidWhy))
		}
	},
}

// slow is the delay of one hop that is worth a word. Greylisting takes a minute to an
// hour.
const slow = 2 * time.Minute

var delayed = audit.Rule{
	ID: "MSG025", Slug: "mail-delayed", Severity: audit.Notice, Since: since,
	Title: "The mail was held up on its way",
	Refs:  []audit.Ref{must(5321, "4.4"), says(6647, "2")},
	Doc: audit.Doc{
		Impact: "The mail came late. At the step into the receiver's net this is often greylisting, which asks unknown senders to come again; at a step inside the sender's net it is a queue.",
		Remedy: "Look into the log of the host before the slow step for deferred mail of that time. Greylisting ends by itself when a sender comes again from the same address; a pool of many sending addresses makes it long.",
		Bad:    []audit.Scenario{mailed("by mx.example.net (Postfix)", "by mx.example.net (Postfix)", "for <ann@example.net>; Sun, 01 Nov 2026 12:00:02 +0000 (UTC)\n", "for <ann@example.net>; Sun, 01 Nov 2026 12:20:02 +0000 (UTC)\nReceived: from app.example.org (localhost [127.0.0.1]) by mail.example.org (Postfix)\n\twith ESMTP id 1; Sun, 01 Nov 2026 12:00:01 +0000\n")},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		t := c.Mail.Trace
		for i := range t.Hops {
			h := &t.Hops[i]
			if h.Timing != trace.Delayed || h.Delay < slow {
				continue
			}
			x := c.Report(part("Received field by %s", orElse(short(h.By), "an unnamed host")), "%s passed before %s had the mail.", span(h.Delay), orElse(short(h.By), "the next host"))
			if i == t.Border {
				x.Message += " It is the step to the receiver: greylisting, or a queue at the sender."
			}
		}
	},
}

var clockBackwards = audit.Rule{
	ID: "MSG026", Slug: "mail-clock-backwards", Severity: audit.Notice, Since: since,
	Title: "The dates on the way of the mail run backwards",
	Refs:  []audit.Ref{must(5321, "4.4")},
	Doc: audit.Doc{
		Impact: "A host on the way has a clock that is wrong by more than five minutes, or a Received field is invented. Filters count both.",
		Remedy: "Set the clocks of your hosts by NTP; look whether the field below is by a host that you know.",
		Bad:    []audit.Scenario{mailed("12:00:02 +0000 (UTC)\n", "12:00:02 +0000 (UTC)\nReceived: from app.example.org (localhost [127.0.0.1]) by mail.example.org (Postfix)\n\twith ESMTP id 1; Sun, 01 Nov 2026 12:30:01 +0000\n")},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		t := c.Mail.Trace
		for i := range t.Hops {
			if h := &t.Hops[i]; h.Timing == trace.Backwards {
				c.Report(part("Received field by %s", orElse(short(h.By), "an unnamed host")), "%s has the mail %s before the host below it.", orElse(short(h.By), "A host"), span(h.Delay))
			}
		}
	},
}
