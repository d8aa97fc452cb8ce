package message_test

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
)

const mail = "From: =?utf-8?Q?J=C3=B6rg?= <joerg@example.org>\r\n" +
	"To: b@example.net\r\n" +
	"Subject: two\r\n\tlines\r\n" +
	"Content-Type: multipart/alternative; boundary=b\r\n" +
	"\r\n" +
	"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n" +
	"--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+SGVsbG88L2I+\r\n" +
	"--b--\r\n"

func ExampleRead() {
	m, err := message.Read(strings.NewReader(mail), message.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range m.Header.Fields[:3] {
		fmt.Printf("%3d %s: %s\n", f.Start, f.Name, f.Text())
	}
	for p := range m.Root.Walk(false) {
		fmt.Printf("%q %s %d octets\n", p.Path, p.Type, len(p.Raw()))
	}
	fmt.Println(m.Find("text/html").Text(1000))
	// Output:
	//   0 From: Jörg <joerg@example.org>
	//  49 To: b@example.net
	//  68 Subject: two	lines
	// "" multipart/alternative 132 octets
	// "1" text/plain 5 octets
	// "2" text/html 16 octets
	// <b>Hello</b>
}

func ExampleMessage_Author() {
	m := message.Parse([]byte("From: a@example.org, \"b@bank.example\" <c@example.net>\r\n\r\n"), message.Options{})
	fmt.Println(m.Author().Domains)
	// Output: [example.org example.net]
}

func ExampleParseAddresses() {
	for _, a := range message.ParseAddresses(`Team: "Doe, Jane" <jane@example.org>, "j d"@example.net;`).List {
		fmt.Printf("%s: %q %s\n", a.Group, a.Name, a)
	}
	// Output:
	// Team: "Doe, Jane" jane@example.org
	// Team: "" "j d"@example.net
}
