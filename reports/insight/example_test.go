package insight_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/memory"
	"github.com/mailcheck-go/mailcheck/reports/insight"
)

const report = `<feedback>
<report_metadata><org_name>Example</org_name><email>dmarc@receiver.example</email><report_id>1</report_id>
<date_range><begin>1791504000</begin><end>1791590399</end></date_range></report_metadata>
<policy_published><domain>example.org</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.10</source_ip><count>90</count>
<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row>
<identifiers><header_from>example.org</header_from></identifiers>
<auth_results><dkim><domain>example.org</domain><selector>s1</selector><result>pass</result></dkim>
<spf><domain>example.org</domain><scope>mfrom</scope><result>pass</result></spf></auth_results></record>
<record><row><source_ip>167.89.1.1</source_ip><count>10</count>
<policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>example.org</header_from></identifiers>
<auth_results><dkim><domain>sendgrid.net</domain><selector>smtpapi</selector><result>pass</result></dkim>
<spf><domain>em1.sendgrid.net</domain><scope>mfrom</scope><result>pass</result></spf></auth_results></record>
</feedback>`

func load() (archive.Store, error) {
	s := memory.New()
	b, err := s.Begin(context.Background())
	if err != nil {
		return nil, err
	}
	_, err = b.Aggregate(context.Background(), archive.Origin{}, func(each func(*aggregate.Record) error) (*aggregate.Report, error) {
		return aggregate.Read(strings.NewReader(report), aggregate.Options{}, each)
	})
	if err != nil {
		return nil, err
	}
	return s, b.Commit()
}

// Who sends, and what is to be done about it.
func ExampleQuery_Sources() {
	store, err := load()
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := insight.Query{Archive: store}.Sources(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range answer.List {
		fmt.Printf("%s: %d of %d pass, %s (%s)\n", s.Name, s.Passed, s.Messages, s.Class, s.Confidence)
		for _, f := range s.Fixes {
			fmt.Println("-", f.Text)
		}
	}
	// Output:
	// 192.0.2.0/24: 90 of 90 pass, passing (high)
	// Twilio SendGrid: 0 of 10 pass, misconfigured (low)
	// - set up DKIM for example.org at Twilio SendGrid, in its settings of the sending domain; it usually asks for CNAME records at s1._domainkey.example.org, s2._domainkey.example.org. Its mail is signed by sendgrid.net, which is not aligned
	// - for SPF as well, set up a return path (bounce domain) below example.org at Twilio SendGrid; an include in the record of example.org does not align
}

// One report is not enough to say yes.
func ExampleQuery_Readiness() {
	store, err := load()
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := insight.Query{Archive: store}.Readiness(context.Background(), insight.ReadyOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	d := answer.Domains[0]
	fmt.Printf("%s: from %s to %s is %s, %d of %d messages would be hit\n", d.Domain, d.Stage, d.Next, d.Answer, d.Hit, d.Real)
	for _, r := range d.Reasons {
		fmt.Printf("- %s: %s\n", r.Answer, r.Text)
	}
	// Output:
	// example.org: from none to quarantine; t=y is not-safe, 10 of 100 messages would be hit
	// - not-safe: Twilio SendGrid sends for you, and 10 of its 10 messages pass by nothing: they would be put aside as spam
	// - not-known: there are reports of 1 day in the window: it takes 10
	// - not-known: only 1 reporter saw mail: it takes 3
}
