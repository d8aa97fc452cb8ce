package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var daneMismatch = audit.Rule{
	ID: "DANE001", Slug: "dane-mismatch", Severity: audit.Error, Needs: facts.MX | facts.TLSA | facts.MailHosts | facts.DNSSEC, Since: "0.1",
	Title: "The certificate of a mail host matches none of its TLSA records",
	Refs:  []audit.Ref{{RFC: 7672, Section: "2.2", Level: audit.Must}, {RFC: 7671, Section: "8.1"}},
	Doc: audit.Doc{
		Impact: "Senders that follow DANE, many large providers in Europe among them, keep the mail and return it after some days. Others deliver, so the fault hides.",
		Remedy: "Publish a record for the key in use, made with 'mailcheck dane new', beside the others, or bring the old key back. From then on publish the next key's record at least a TTL before the key changes.",
		Bad:    []audit.Scenario{{Zone: oneHost + "_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 " + someDigest + "\n", Hosts: []string{"192.0.2.25 good"}, Security: proven}},
		Good: []audit.Scenario{
			{Zone: tlsaZone, Hosts: []string{"192.0.2.25 good"}, Security: proven},
			// One record of an old key beside the right one is how a key is changed.
			{Zone: tlsaZone + "_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 " + someDigest + "\n", Hosts: []string{"192.0.2.25 self-signed"}, Security: proven},
			{Zone: oneHost + "_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 " + someDigest + "\n", Hosts: []string{"192.0.2.25 good"}, Security: []string{}},
		},
	},
	Check: func(c *audit.Case) {
		if noTLSA(c) || noProbe(c) {
			return
		}
		perHost(c, func(a probe.Attempt) (sight, string) {
			set, ok := c.Facts.Transport.Set(a.Host)
			if !ok || set.State != resolve.Present || set.Security == dane.Insecure || a.STARTTLS == resolve.Absent {
				return fine, ""
			}
			if a.TLS == nil || len(a.TLS.Chain) == 0 {
				return dark, ""
			}
			res := dane.Verify(set, a.TLS.Chain, []resolve.Name{set.Base, c.Facts.Domain}, c.Facts.At)
			switch {
			case res.Verdict == dane.Failed:
				return bad, "presents a certificate that matches none of " + records(set) + ": " + res.Why
			case res.Verdict == dane.Undetermined && res.IfSecure == dane.Failed:
				unproven(c, set)
			}
			return fine, ""
		})
	},
}

// records lists the parameters of a host's records.
func records(s dane.Set) string {
	var out []string
	for i, r := range s.Records {
		if i == 4 {
			out = append(out, "…")
			break
		}
		out = append(out, r.Params.String())
	}
	return plural(len(s.Records), "record", "s") + " (" + strings.Join(out, ", ") + ")"
}
