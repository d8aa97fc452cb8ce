package setup_test

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func ExampleMake() {
	g, err := setup.Make("opendkim", resolve.MustName("example.org"), setup.Key{Selector: "s1", File: "/root/s1.pem"})
	if err != nil {
		panic(err)
	}
	fmt.Print(g.Steps[1].File, " ", g.Steps[1].Mode, ": ", g.Steps[1].Text)
	fmt.Println(g.Reload[0])
	// Output:
	// /etc/opendkim/key.table 0644: s1._domainkey.example.org example.org:s1:/etc/dkimkeys/example.org/s1.private
	// systemctl restart opendkim
}

func ExampleFormsOf() {
	r, err := dkim.ParseRecord("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
	if err != nil {
		panic(err)
	}
	name, err := dkim.KeyName(resolve.MustName("mail.example.org"), "s1")
	if err != nil {
		panic(err)
	}
	f := setup.FormsOf(name, resolve.MustName("example.org"), r)
	fmt.Println(f.Relative)
	fmt.Println(f.Zone)
	// Output:
	// s1._domainkey.mail
	// s1._domainkey.mail.example.org. 3600 IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
}
