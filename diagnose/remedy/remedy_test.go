package remedy_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/diagnose"
	"github.com/mailcheck-go/mailcheck/diagnose/remedy"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const zone = `
$ORIGIN example.org.
@ 3600 IN SOA ns1 admin 1 7200 3600 1209600 300
@ MX 10 mail
mail A 192.0.2.25
mail TXT "v=spf1 a -all"
@ TXT "v=spf1 ip4:192.0.2.25 -all"
_dmarc TXT "v=DMARC1; p=none; rua=mailto:d@example.org"
25.2.0.192.in-addr.arpa. PTR mail.example.org.
$ORIGIN bare.example.
@ 3600 IN SOA ns1 admin 1 7200 3600 1209600 300
@ MX 10 mail.example.org.
@ TXT "v=spf1 mx -all"
`

const gmail = "550-5.7.26 This mail has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM. " +
	"Authentication results: DKIM = did not pass SPF [%s] with ip: [%s] = did not pass"

func TestFind(t *testing.T) {
	z, err := zonetest.Parse(zone, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	broken, err := zonetest.Parse(zone, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	broken.Inject(resolve.MustName("example.org"), 0, zonetest.Fault{RCode: resolve.ServFail})
	for _, c := range []struct {
		name, reply string
		z           *zonetest.Zone
		verdict     remedy.Verdict
		fix         string // in the change or the command
	}{
		{"an address that SPF leaves out", fmt.Sprintf(gmail, "example.org", "198.51.100.7"), z, remedy.Confirmed, "v=spf1 ip4:192.0.2.25 ip4:198.51.100.7 -all"},
		{"SPF passes and nothing is signed", fmt.Sprintf(gmail, "example.org", "192.0.2.25"), z, remedy.Confirmed, "fix plan example.org --ip 192.0.2.25 --key-dir"},
		{"no policy where one is asked for", "550-5.7.40 The sending domain bare.example does not have a DMARC record, or the DMARC record doesn't specify a DMARC policy. " +
			"To set up a DMARC record, visit https://support.google.com/mail", z, remedy.Confirmed, "p=none"},
		{"the mailbox is full", "552 5.2.2 Mailbox full", z, remedy.NotOurs, ""},
		{"nothing is known", "550 something else entirely", z, remedy.Undecided, ""},
		{"the name servers fail", fmt.Sprintf(gmail, "example.org", "198.51.100.7"), broken, remedy.Undecided, ""},
		{"the reply names nobody", "550 5.7.26 Unauthenticated email is not accepted due to DMARC policy.", z, remedy.Undecided, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := diagnose.Reply(c.reply)
			opt := remedy.Options{Resolver: c.z, Rules: rules.All()}
			if strings.Contains(c.reply, "bare.example") {
				opt.Domain = resolve.MustName("bare.example")
			}
			a, err := remedy.Find(context.Background(), r, opt)
			if err != nil {
				t.Fatal(err)
			}
			got := a.Fix.Command
			for _, x := range a.Fix.Changes {
				got += strings.Join(x.New, " ")
			}
			if a.Verdict != c.verdict || !strings.Contains(got, c.fix) || c.fix == "" && len(a.Fix.Changes) > 0 {
				t.Errorf("%s (%s): %s, %s; fix %q", r.Cause, r.Whose, a.Verdict, a.Why, got)
			}
		})
	}
}

func ExampleFind() {
	dns := zonetest.MustParse(zone) // a resolver of package resolve/client in a program
	verdict := diagnose.Reply(fmt.Sprintf(gmail, "example.org", "198.51.100.7"))
	advice, err := remedy.Find(context.Background(), verdict, remedy.Options{Resolver: dns, Rules: rules.All()})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(verdict.Cause, advice.Verdict, advice.Why)
	fmt.Println(advice.Fix.Text, advice.Fix.Changes[0].New)
	// Output:
	// unauthenticated confirmed SPF of example.org gives fail for 198.51.100.7
	// let 198.51.100.7 pass SPF, if it is yours ["v=spf1 ip4:192.0.2.25 ip4:198.51.100.7 -all"]
}

// TestFindAlso: what the reply does not speak of is named too, if a receiver
// judges a sender by it.
func TestFindAlso(t *testing.T) {
	z, err := zonetest.Parse(`
$ORIGIN example.org.
@ 3600 IN SOA ns1 admin 1 7200 3600 1209600 300
@ MX 10 mail
mail A 192.0.2.25
mail AAAA 2001:db8::25
@ TXT "v=spf1 ip4:192.0.2.25 ip4:203.0.0.0/8 ?all"
25.2.0.192.in-addr.arpa. PTR mail.example.org.
`, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	a, err := remedy.Find(t.Context(), diagnose.Reply(fmt.Sprintf(gmail, "example.org", "2001:db8::25")), remedy.Options{Resolver: z, Rules: rules.All()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range a.Findings {
		got = append(got, string(f.Rule))
	}
	got = append(got, "also")
	for _, f := range a.Also {
		got = append(got, string(f.Rule))
	}
	if want := "DKIM001 SPF024 also SPF015 DMARC001 IP001"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", strings.Join(got, " "), want)
	}
}
