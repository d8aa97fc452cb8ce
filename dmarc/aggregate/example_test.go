package aggregate_test

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
)

func ExampleRead() {
	const report = `<?xml version="1.0"?>
<feedback>
  <report_metadata>
    <org_name>receiver.example</org_name><email>dmarc@receiver.example</email><report_id>42</report_id>
    <date_range><begin>1700006400.0</begin><end>1700092799.0</end></date_range>
  </report_metadata>
  <policy_published><domain>example.org</domain><p>none</p></policy_published>
  <record>
    <row><source_ip>192.0.2.7</source_ip><count>3</count>
      <policy_evaluated><disposition>none</disposition><dkim>Pass</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><header_from>example.org</header_from></identifiers>
    <auth_results><spf><domain>example.org</domain><result>hardfail</result></spf></auth_results>
  </record>
</feedback>`
	rep, err := aggregate.Read(strings.NewReader(report), aggregate.Options{}, func(r *aggregate.Record) error {
		fmt.Println(r.SourceIP, r.Count, r.Identifiers.HeaderFrom, "DKIM", r.Evaluated.DKIM.Value, "SPF", r.SPF[0].Result.Value)
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rep.Metadata.Reporter(), rep.Metadata.Begin.Format(time.DateOnly), rep.Messages)
	for _, d := range rep.Diagnostics {
		fmt.Println(d)
	}
	// Output:
	// 192.0.2.7 3 example.org DKIM pass SPF fail
	// receiver.example 2023-11-15 3
	// number-form at report_metadata/date_range/begin: "1700006400.0"
	// number-form at report_metadata/date_range/end: "1700092799.0"
	// word-form at record/row/policy_evaluated/dkim: "Pass"
	// word-alias at record/auth_results/spf/result: "hardfail"
}

func ExampleWrite() {
	rep := &aggregate.Report{
		Metadata: aggregate.Metadata{OrgName: "receiver.example", Email: "dmarc@receiver.example", ReportID: "42@receiver.example",
			Begin: time.Unix(1700006400, 0), End: time.Unix(1700092799, 0)},
		Policy: aggregate.Published{Domain: "example.org", P: aggregate.Of(aggregate.Reject)},
	}
	rec := &aggregate.Record{
		SourceIP: netip.MustParseAddr("192.0.2.7"), Count: 3,
		Evaluated:   aggregate.Evaluated{Disposition: aggregate.Of(aggregate.Reject), DKIM: aggregate.Of(aggregate.Fail), SPF: aggregate.Of(aggregate.Fail)},
		Identifiers: aggregate.Identifiers{HeaderFrom: "example.org"},
	}
	if err := aggregate.Write(os.Stdout, rep, slices.Values([]*aggregate.Record{rec})); err != nil {
		fmt.Println(err)
	}
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
	// <feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
	//   <version>1.0</version>
	//   <report_metadata>
	//     <org_name>receiver.example</org_name>
	//     <email>dmarc@receiver.example</email>
	//     <report_id>42@receiver.example</report_id>
	//     <date_range>
	//       <begin>1700006400</begin>
	//       <end>1700092799</end>
	//     </date_range>
	//   </report_metadata>
	//   <policy_published>
	//     <domain>example.org</domain>
	//     <p>reject</p>
	//   </policy_published>
	//   <record>
	//     <row>
	//       <source_ip>192.0.2.7</source_ip>
	//       <count>3</count>
	//       <policy_evaluated>
	//         <disposition>reject</disposition>
	//         <dkim>fail</dkim>
	//         <spf>fail</spf>
	//       </policy_evaluated>
	//     </row>
	//     <identifiers>
	//       <header_from>example.org</header_from>
	//     </identifiers>
	//     <auth_results>
	//     </auth_results>
	//   </record>
	// </feedback>
}
