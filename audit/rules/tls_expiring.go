package rules

import (
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/cert"
)

// expiringSoon leaves time for a person to act. Certificates that are renewed by
// a program are replaced with a third of their time left, so none of these gets
// this old.
const expiringSoon = 10 * 24 * time.Hour

var tlsExpiring = audit.Rule{
	ID: "TLS006", Slug: "tls-certificate-expiring", Severity: audit.Notice, Needs: facts.MailHosts, Since: "0.1",
	Title: "The certificate of a mail host expires in a few days",
	Refs:  []audit.Ref{{RFC: 8461, Section: "4.2", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Nothing yet. After the day of expiry senders that check certificates, as under MTA-STS, stop delivering.",
		Remedy: "Renew the certificate now and reload the mail server. If it is renewed by a program, find out why that did not run.",
		Bad: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 expiring"}},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 expiring"}, Policy: enforce},
		},
		Good: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 good"}},
			{Zone: oneHost, Hosts: []string{"192.0.2.25 expired"}},
		},
	},
	Check: func(c *audit.Case) {
		if noProbe(c) {
			return
		}
		for _, f := range perHost(c, func(a probe.Attempt) (sight, string) {
			switch {
			case a.Certificate == nil || a.TLS == nil || len(a.TLS.Chain) == 0:
				if a.Greeting == probe.Accepted {
					return fine, ""
				}
				return dark, ""
			case !byAuthority(c.Facts, a) || a.Certificate.Time.State != cert.Good:
				return fine, ""
			}
			end := a.TLS.Chain[0].NotAfter
			if left := end.Sub(c.Facts.At); left < expiringSoon {
				return bad, fmt.Sprintf("presents a certificate that expires on %s, in %d days", end.UTC().Format(time.DateOnly), days(left))
			}
			return fine, ""
		}) {
			if covered(c.Facts, f.host) {
				f.At(audit.Warning)
			}
		}
	},
}
