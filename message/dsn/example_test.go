package dsn_test

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/dsn"
)

func ExampleRead() {
	m := message.Parse([]byte("Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: a@example.org\nSubject: failure notice\n\n"+
		"Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n"+
		"<b@example.com>:\nRemote host said: 552 5.2.2 mailbox full\n"), message.Options{})
	r := dsn.Read(m)
	fmt.Println(r.Kind, r.Confidence, r.System)
	for _, x := range r.Recipients {
		fmt.Println(x.Address(), x.Status, x.Reply.Text)
	}
	// Output:
	// failed likely qmail
	// b@example.com 5.2.2 552 5.2.2 mailbox full
}

func ExampleParseReply() {
	r, ok := dsn.ParseReply("host mx.example.com[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command)")
	fmt.Println(ok, r.Code, r.Enhanced)
	// Output: true 550 5.1.1
}
