package listen_test

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/probe/listen"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func Example() {
	l, err := listen.New(listen.Options{
		Domain:  resolve.MustName("probe.example.org"),
		Deliver: func(m listen.Mail) { fmt.Println("from", m.Peer, m.Envelope.MailFrom, len(m.Raw)) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	address, err := l.Issue("") // and then l.Serve(ctx, listener)
	fmt.Println(strings.HasSuffix(address, "@probe.example.org"), err)
	// Output: true <nil>
}
