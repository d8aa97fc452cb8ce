package facts_test

import (
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/facts"
)

func ExampleRead() {
	m := message.Parse([]byte("From: news@example.org\r\nFrom: a@example.net\r\nDate: Thu, 1 Feb 2024 12:00:00 +0000\r\nSubject: Hi {{name}}\r\n"+
		"List-Unsubscribe: <http://example.org/u?id=1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\n"), message.Options{})
	f := facts.Read(m, time.Date(2024, 2, 1, 10, 0, 0, 0, time.UTC))
	fmt.Println("missing", f.Missing, "repeated", f.Repeated)
	fmt.Println("date off by", f.Date.Off, "placeholders in", f.Placeholders)
	fmt.Println("one-click", f.Unsubscribe.OneClick, "https", f.Unsubscribe.HTTPS)
	// Output:
	// missing [Message-ID To] repeated [{From 2}]
	// date off by 2h0m0s placeholders in [Subject]
	// one-click false https 0
}
