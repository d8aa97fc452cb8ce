// Package world makes up mail domains as they are found in practice, for
// measurements: of each ten, four have their mail at Google, three at Microsoft,
// two run their own servers with a deep SPF record, and one is broken. They share
// the providers' records, and four in ten send reports to another domain.
// Everything follows from the index.
package world

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Domain is the name of domain i.
func Domain(i int) string { return fmt.Sprintf("d%05d.test", i) }

// Zone is the text of one zone that holds n domains and all they refer to.
func Zone(n int) string {
	var b strings.Builder
	b.WriteString("$TTL 300\n. SOA ns1.dns.test. hostmaster.dns.test. 1 7200 3600 1209600 300\n. NS ns1.dns.test.\nns1.dns.test. A 127.0.0.1\n")
	providers(&b)
	for i := range n {
		domain(&b, i)
	}
	return b.String()
}

func txt(b *strings.Builder, name, text string) {
	fmt.Fprintf(b, "%s. TXT %s\n", name, resolve.SplitTXT(text))
}

// key is a DKIM key record of 2048 bits; verifies nothing.
const key = "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA6l0o8zP5bYxVn1mJ4sQ7uRkTfWcHdEgA2iBvCpXqZyLrNwOeStGhKjUaMbFxDv3I9cQ8oP1lYnW5zRtJkVfHsXmCgBaEuLdOyTiZpQrNwKvSjAhGbMxFlDcUeRnWoPzYtIsJkVqHgXmCaBuEdLyOiTpZrQwNvKjShAbGxMlFcDeUnRoWzPtYsIkJqVgHmXaCuBdEyLiOpTrZwQvNjKhSbAxGlMcFeDnUoRzWtPsYkIqJgVmHaXuCdByEiLpOrTwZvQjNhKbSxAlGcMeFnDoUzRtWsPkYqIgJmVaHuXdCyBiEpLrOwTvZjQhNbKxSlAcGeMnFoDzUtRsWkPqYgImJaVuHdXyCiBpErLwOvTjZhQbNxKlScAeGnMoFzDtUsRkWqPgYmIaJuVdHyXiCpBrEwIDAQAB"

func providers(b *strings.Builder) {
	txt(b, "_spf.google.com", "v=spf1 include:_netblocks.google.com include:_netblocks2.google.com include:_netblocks3.google.com ~all")
	txt(b, "_netblocks.google.com", "v=spf1 ip4:192.0.2.0/26 ip4:192.0.2.64/26 ip4:198.51.100.0/25 ip4:203.0.113.0/26 ~all")
	txt(b, "_netblocks2.google.com", "v=spf1 ip6:2001:db8:4000::/36 ip6:2001:db8:5000::/36 ip6:2001:db8:6000::/36 ~all")
	txt(b, "_netblocks3.google.com", "v=spf1 ip4:192.0.2.128/26 ip4:198.51.100.128/25 ip4:203.0.113.64/26 ~all")
	for i, h := range googleMX {
		fmt.Fprintf(b, "%s. A 192.0.2.%d\n%s. AAAA 2001:db8:4001::%d\n", h, i+1, h, i+1)
	}
	txt(b, "spf.protection.outlook.com", "v=spf1 ip4:198.51.100.0/26 ip4:198.51.100.64/26 ip6:2001:db8:f400::/48 ip6:2001:db8:f403::/49 -all")
	txt(b, "sendgrid.net", "v=spf1 ip4:203.0.113.128/26 ip4:203.0.113.192/27 include:ab.sendgrid.net ~all")
	txt(b, "ab.sendgrid.net", "v=spf1 ip4:203.0.113.224/28 ip4:203.0.113.240/29 ~all")
	txt(b, "servers.mcsv.net", "v=spf1 ip4:192.0.2.192/27 ip4:192.0.2.224/27 ?all")
	b.WriteString("reports.test. MX 10 mx.reports.test.\nmx.reports.test. A 192.0.2.250\n")
}

var googleMX = []string{"aspmx.l.google.com", "alt1.aspmx.l.google.com", "alt2.aspmx.l.google.com", "alt3.aspmx.l.google.com", "alt4.aspmx.l.google.com"}

func domain(b *strings.Builder, i int) {
	d := Domain(i)
	fmt.Fprintf(b, "%s. A 192.0.2.%d\nwww.%s. A 192.0.2.%d\n", d, i%250+1, d, i%250+1)
	txt(b, d, fmt.Sprintf("site-verification=%032x", i))
	dmarc := "v=DMARC1; p=reject; sp=reject; adkim=s; rua=mailto:dmarc@" + d
	switch kind := i % 10; {
	case kind < 4:
		for j, h := range googleMX {
			fmt.Fprintf(b, "%s. MX %d %s.\n", d, 1+5*j, h)
		}
		txt(b, d, "v=spf1 include:_spf.google.com ~all")
		txt(b, "google._domainkey."+d, key)
		dmarc = "v=DMARC1; p=none; rua=mailto:" + strings.TrimSuffix(d, ".test") + "@reports.test"
		txt(b, d+"._report._dmarc.reports.test", "v=DMARC1")
	case kind < 7:
		dashed := strings.ReplaceAll(d, ".", "-")
		fmt.Fprintf(b, "%s. MX 0 %s.mail.protection.outlook.com.\n%[2]s.mail.protection.outlook.com. A 198.51.100.%d\n", d, dashed, i%250+1)
		txt(b, d, "v=spf1 include:spf.protection.outlook.com -all")
		for s := 1; s <= 2; s++ {
			target := fmt.Sprintf("selector%d-%s._domainkey.outlook.com", s, dashed)
			fmt.Fprintf(b, "selector%d._domainkey.%s. CNAME %s.\n", s, d, target)
			txt(b, target, key)
		}
	case kind < 9:
		hosts(b, d, i, "mx1", "mx2")
		txt(b, d, "v=spf1 mx a:www."+d+" include:_spf.google.com include:sendgrid.net include:servers.mcsv.net -all")
		txt(b, "s1._domainkey."+d, key)
		txt(b, "mail._domainkey."+d, key)
	default:
		hosts(b, d, i, "mx1")
		switch i / 10 % 4 {
		case 0: // more than 10 lookups
			txt(b, d, "v=spf1 include:_spf.google.com include:spf.protection.outlook.com include:sendgrid.net include:servers.mcsv.net mx a a:www."+d+" exists:%{i}.x."+d+" ~all")
		case 1: // two SPF records
			txt(b, d, "v=spf1 mx -all")
			txt(b, d, "v=spf1 a -all")
		case 2: // no SPF, a policy that is none
			dmarc = "v=DMARC1; p=nonee; rua=dmarc@" + d
		default: // neither
			return
		}
	}
	txt(b, "_dmarc."+d, dmarc)
}

func hosts(b *strings.Builder, d string, i int, names ...string) {
	for j, h := range names {
		fmt.Fprintf(b, "%s. MX %d %s.%s.\n", d, 10*(j+1), h, d)
		fmt.Fprintf(b, "%s.%s. A 198.51.%d.%d\n", h, d, 100+j, i%250+1)
	}
	fmt.Fprintf(b, "%s.%s. AAAA 2001:db8:%x::1\n", names[0], d, i+1)
}
