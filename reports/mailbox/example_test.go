package mailbox_test

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/reports/mailbox"
)

func ExampleParseURL() {
	a, err := mailbox.ParseURL("imaps://dmarc@example.org@imap.example.org/Reports")
	if err != nil {
		panic(err)
	}
	fmt.Println(a.User, a.Host, a.Port, a.Folder)
	_, err = mailbox.ParseURL("imaps://dmarc:secret@imap.example.org")
	fmt.Println(err)
	// Output:
	// dmarc@example.org imap.example.org 993 Reports
	// mailbox: not the URL of a folder: a password does not belong into it
}
