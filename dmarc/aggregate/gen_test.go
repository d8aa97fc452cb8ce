package aggregate_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
)

// makeReport makes an RFC 7489 report of n records of about 800 octets, as the
// large receivers send them. The same n and seed give the same octets.
func makeReport(w io.Writer, n int, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	one := func(words ...string) string { return words[rng.IntN(len(words))] }
	begin := 1_750_000_000 + 86400*int(seed%300)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <version>1.0</version>
  <report_metadata>
    <org_name>receiver%d.example</org_name>
    <email>dmarc-reports@receiver.example</email>
    <extra_contact_info>https://receiver.example/dmarc</extra_contact_info>
    <report_id>%d.%d</report_id>
    <date_range>
      <begin>%d</begin>
      <end>%d</end>
    </date_range>
  </report_metadata>
  <policy_published>
    <domain>example.org</domain>
    <adkim>r</adkim>
    <aspf>r</aspf>
    <p>reject</p>
    <sp>reject</sp>
    <pct>100</pct>
  </policy_published>
`, seed%7, seed, rng.Uint64(), begin, begin+86399)
	for range n {
		ip := fmt.Sprintf("198.%d.%d.%d", 18+rng.IntN(2), rng.IntN(256), rng.IntN(256))
		if rng.IntN(8) == 0 {
			ip = fmt.Sprintf("2001:db8:%x::%x", rng.IntN(65536), rng.IntN(65536))
		}
		dkim, spf, reason, second := one("pass", "pass", "pass", "fail"), one("pass", "pass", "pass", "fail"), "", ""
		if rng.IntN(10) == 0 {
			reason = `
        <reason>
          <type>local_policy</type>
          <comment>arc=pass &amp; as.1.lists.example=pass</comment>
        </reason>`
		}
		if rng.IntN(3) == 0 {
			second = fmt.Sprintf(`
      <dkim>
        <domain>mailer%d.example</domain>
        <selector>s1</selector>
        <result>pass</result>
      </dkim>`, rng.IntN(12))
		}
		host := rng.IntN(24)
		fmt.Fprintf(w, `  <record>
    <row>
      <source_ip>%s</source_ip>
      <count>%d</count>
      <policy_evaluated>
        <disposition>%s</disposition>
        <dkim>%s</dkim>
        <spf>%s</spf>%s
      </policy_evaluated>
    </row>
    <identifiers>
      <envelope_to>inbox%d.example</envelope_to>
      <envelope_from>bounce%d.example.org</envelope_from>
      <header_from>example.org</header_from>
    </identifiers>
    <auth_results>
      <dkim>
        <domain>example.org</domain>
        <selector>key%d</selector>
        <result>%s</result>
      </dkim>%s
      <spf>
        <domain>bounce%d.example.org</domain>
        <scope>mfrom</scope>
        <result>%s</result>
      </spf>
    </auth_results>
  </record>
`, ip, 1+rng.IntN(300), one("none", "none", "quarantine", "reject"), dkim, spf, reason,
			rng.IntN(40), host, rng.IntN(4), dkim, second, host, spf)
	}
	io.WriteString(w, "</feedback>\n")
}

func reportBytes(n int) []byte {
	var b bytes.Buffer
	makeReport(&b, n, uint64(n))
	return b.Bytes()
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}
