package authres_test

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/authres"
)

func ExampleParse() {
	// The comment is text of the sender, and no result.
	r, err := authres.Parse("mx.example.net; spf=fail (policy; dkim=pass header.d=bank.example) smtp.mailfrom=x@evil.example")
	fmt.Println(r.ServID, err)
	for _, x := range r.Results {
		fmt.Println(x.Method, x.Value, x.Domain())
	}
	// Output:
	// mx.example.net <nil>
	// spf fail evil.example
}

func ExampleRead() {
	m := message.Parse([]byte("Authentication-Results: mx.example.net; dkim=pass header.d=example.org\r\n"+
		"Received: from mail.example.org (mail.example.org [192.0.2.1]) by mx.example.net with ESMTPS; Thu, 1 Feb 2024 10:00:00 +0000\r\n"+
		"Authentication-Results: mx.example.net; dkim=pass header.d=bank.example\r\n\r\n"), message.Options{})
	for _, f := range authres.Read(&m.Header, authres.Options{}).Fields {
		fmt.Println(f.Trusted, f.Why, f.Results.Results[0].Domain())
	}
	// Output:
	// true above-border example.org
	// false unproven bank.example
}
