package mailrules_test

import (
	"context"
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/audit/mailrules"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func ExampleAll() {
	m := message.Parse([]byte("From: a@example.org\r\nFrom: b@example.org\r\nTo: c@example.net\r\nSubject: Hi {{name}}\r\n\r\nHello\r\n"), message.Options{})
	facts := mail.Gather(context.Background(), resolve.Offline, m, mail.Options{})
	report := audit.RunMail(facts, mailrules.All(), audit.Options{Only: []string{"MSG"}})
	for _, f := range report.Findings {
		fmt.Println(f.Severity, f.Rule, f.Message)
	}
	// Output:
	// error MSG001 There are 2 From fields.
	// error MSG004 There is no Message-ID field.
	// warning MSG003 There is no Date field.
	// warning MSG013 The field Subject holds a variable that was not filled in.
}

func ExampleProfiles() {
	m := message.Parse([]byte("From: a@example.org\r\nTo: c@example.net\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n"), message.Options{})
	facts := mail.Gather(context.Background(), resolve.Offline, m, mail.Options{})
	report := audit.RunMail(facts, mailrules.All(), audit.Options{Profiles: mailrules.Profiles()})
	for _, q := range report.Profiles[0].Requirements {
		if q.ID == "gmail-format" || q.ID == "gmail-bulk-dkim" || q.ID == "gmail-spam-rate" {
			fmt.Println(q.ID, q.Verdict)
		}
	}
	// Output:
	// gmail-spam-rate not-in-mail
	// gmail-format pass
	// gmail-bulk-dkim fail
}
