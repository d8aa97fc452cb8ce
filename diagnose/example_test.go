package diagnose_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/diagnose"
)

func ExampleReply() {
	r := diagnose.Reply(`550-5.7.26 The MAIL FROM domain [example.org] has an SPF record with a hard
550-5.7.26 fail policy (-all) but it fails to pass SPF checks with the ip:
550 5.7.26 [192.0.2.25]. x - gsmtp`)
	fmt.Println(r.Cause, r.Whose, r.Operator, r.Confidence)
	fmt.Println(r.Said.Domain, r.Said.IP)
	fmt.Println(r.Remedies[0].Check, r.Remedies[0].Subject, r.Remedies[0].Against)
	// Output:
	// spf-fail sender-domain gmail high
	// example.org 192.0.2.25
	// spf example.org 192.0.2.25
}

func ExampleLogLine() {
	l, ok := diagnose.LogLine(`Nov 23 10:00:01 mx1 postfix/smtp[99]: 4F1A2B3C4D: to=<user@example.com>, relay=mx.example.com[198.51.100.10]:25, delay=1, dsn=4.2.0, status=deferred (host mx.example.com[198.51.100.10] said: 450 4.2.0 <user@example.com>: Recipient address rejected: Greylisted (in reply to RCPT TO command))`)
	fmt.Println(ok, l.Outcome, l.Recipient, l.Result.Cause, l.Result.Said.Stage)
	// Output: true deferred user@example.com greylisted RCPT TO
}

func ExampleDSN() {
	r := diagnose.DSN(diagnose.Recipient{
		Action: "failed", Status: "5.2.2",
		DiagnosticCode: "smtp; 552 5.2.2 Over quota",
		RemoteMTA:      "dns; mx.example.com",
	})
	fmt.Println(r.Cause, r.Whose, r.Temporary)
	// Output: mailbox-full recipient false
}

func ExampleBounce() {
	r := diagnose.Bounce(`Hi. This is the program at mail.example.org.
I'm afraid I wasn't able to deliver your message.

<user@example.com>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.
Virus! Spam! Mailbox full!`)
	fmt.Println(r.Cause, r.Enhanced)
	// Output: no-such-user 5.1.1
}

func ExampleExplain() {
	general, _ := diagnose.Explain("5.7.27", "")
	fmt.Println(general.General.Cause)
	gmail, _ := diagnose.Explain("5.7.27", "gmail")
	fmt.Println(gmail.General.Cause, gmail.Entries[0].ID)
	// Output:
	// sender-domain-unresolvable
	// spf-fail gmail-spf-required
}

func ExampleLog() {
	const log = `2026-11-23 10:00:00 1tABcd-000123-4E <= news@example.org H=web.example.org [192.0.2.80] P=esmtps
2026-11-23 10:00:01 1tABcd-000123-4E ** user@example.com R=dnslookup T=remote_smtp H=mx.example.com [198.51.100.10]: SMTP error from remote mail server after RCPT TO:<user@example.com>: 550 5.1.1 User unknown
2026-11-23 10:00:02 1tABcd-000123-4E => other@example.com R=dnslookup T=remote_smtp H=mx.example.com [198.51.100.10] C="250 ok"
`
	s, err := diagnose.Log(context.Background(), strings.NewReader(log), diagnose.Options{})
	if err != nil {
		fmt.Println(err)
	}
	for _, g := range s.Groups {
		fmt.Println(g.Day, g.Receiver, g.Cause, g.Sent, g.Bounced, g.Recipients)
	}
	// Output:
	// 2026-11-23 example.com no-such-user 0 1 1
	// 2026-11-23 example.com delivered 1 0 1
}
