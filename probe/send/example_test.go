package send_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/probe/send"
)

// A dry run shows what would be said, and asks nothing of anybody.
func Example() {
	r, err := send.Send(context.Background(), send.Message{
		From: "probe@example.org", To: "postmaster@example.net", Token: "aaaaaaaaaaaaaaaaaaaaaaaaaa",
	}, send.Options{
		DryRun: true, Name: "mail.example.org", DSN: send.DSN{Notify: []string{"failure"}},
		Now: func() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) },
	})
	fmt.Println(err, r.Outcome)
	fmt.Println(strings.Join(r.Commands[:5], "\n"))
	// Output:
	// <nil> planned
	// EHLO mail.example.org
	// STARTTLS
	// EHLO mail.example.org
	// MAIL FROM:<probe@example.org> SIZE=842 ENVID=aaaaaaaaaaaaaaaaaaaaaaaaaa
	// RCPT TO:<postmaster@example.net> NOTIFY=FAILURE ORCPT=rfc822;postmaster@example.net
}
