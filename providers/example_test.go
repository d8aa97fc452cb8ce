package providers_test

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func ExampleSelectors() {
	mx := []resolve.Name{resolve.MustName("in1-smtp.messagingengine.com")}
	for _, c := range providers.Selectors(mx, nil) {
		fmt.Println(c.Provider, c.Selector, c.Type)
	}
	// Output:
	// fastmail fm1 CNAME
	// fastmail fm2 CNAME
	// fastmail fm3 CNAME
}

func ExampleBySelectorTarget() {
	p, ok := providers.BySelectorTarget(resolve.MustName("dkim.infra.sendgrid.net"))
	fmt.Println(p.Name, ok)
	// Output: Twilio SendGrid true
}
