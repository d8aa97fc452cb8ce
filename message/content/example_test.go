package content_test

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/content"
)

func ExampleRead() {
	m := message.Parse([]byte("Content-Type: text/html\r\n\r\n<a href='http://192.0.2.1/x'>https://bank.example/</a><img src='https://t.example/1.gif' width=1 height=1>"), message.Options{})
	c := content.Read(m, content.Options{})
	for _, l := range c.Links {
		fmt.Println(l.URL, l.Problems)
	}
	fmt.Println("tracking", c.HTML.Images[0].Tracking)
	// Output:
	// http://192.0.2.1/x [http ip-host text-mismatch]
	// tracking true
}
