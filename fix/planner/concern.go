package planner

import (
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// concern is what a record set is about. The order is the one to apply in: what
// others build on comes first.
type concern struct {
	order  int
	name   string // prefix of the step's ID
	noun   string
	breaks string
}

var (
	hostConcern  = concern{10, "host", "host records", "mail to or from the host stops"}
	keyConcern   = concern{20, "dkim", "DKIM key", "a wrong key fails every signature under its selector; other selectors are not touched"}
	mxConcern    = concern{30, "mx", "MX records", "mail to the domain bounces or goes to another server"}
	spfConcern   = concern{40, "spf", "SPF record", "mail from an address that the record leaves out fails SPF: without an aligned signature it is junked or refused"}
	txtConcern   = concern{45, "txt", "TXT records", "whoever reads these records finds others"}
	reportsAgree = concern{48, "agree", "agreement record for reports", "reports stop; mail is not touched"}
	dmarcConcern = concern{50, "dmarc", "DMARC policy", "with p=none nothing changes for mail; with more, mail that is neither signed nor in the SPF record is junked or refused"}
	tlsConcern   = concern{60, "tls", "TLS reporting record", "no TLS reports arrive; mail is not touched"}
	stsConcern   = concern{70, "mtasts", "MTA-STS record", "senders fetch the policy anew; with mode enforce a wrong policy stops mail"}
	daneConcern  = concern{80, "dane", "TLSA records", "senders that check DANE refuse to deliver when no record matches the certificate"}
	otherConcern = concern{90, "record", "records", "whoever uses these records finds others"}
)

func concernOf(c fix.Change) concern {
	name := strings.ToLower(c.Name.String())
	switch {
	case strings.Contains(name, "._domainkey."):
		return keyConcern
	case strings.Contains(name, "._report._dmarc."):
		return reportsAgree
	case strings.HasPrefix(name, "_dmarc."):
		return dmarcConcern
	case strings.HasPrefix(name, "_smtp._tls."):
		return tlsConcern
	case strings.HasPrefix(name, "_mta-sts."):
		return stsConcern
	}
	switch c.Type {
	case resolve.TypeMX:
		return mxConcern
	case resolve.TypeA, resolve.TypeAAAA, resolve.TypeCNAME, resolve.TypePTR:
		return hostConcern
	case resolve.TypeTLSA:
		return daneConcern
	case resolve.TypeTXT:
		if len(texts(c, c.New, isSPF)) > 0 || len(texts(c, c.Old, isSPF)) > 0 {
			return spfConcern
		}
		return txtConcern
	}
	return otherConcern
}

func isSPF(s string) bool { return len(spf.Select([]string{s}).Records) > 0 }

// texts gives the TXT records of a change that are of a kind.
func texts(c fix.Change, data []string, is func(string) bool) []string {
	c.New = data
	rs, err := c.NewRecords()
	if err != nil {
		return nil
	}
	var out []string
	for _, r := range rs {
		if d, ok := r.Data.(resolve.TXT); ok && is(d.Joined()) {
			out = append(out, d.Joined())
		}
	}
	return out
}

func (k concern) title(c fix.Change) string {
	verb := map[fix.Verb]string{fix.Create: "publish the ", fix.Update: "correct the ", fix.Delete: "take out the "}[c.Verb]
	return verb + k.noun + " at " + c.Name.String()
}

// risk is by what a mistake would cost, and by whether mail that passes now
// could pass no more.
func (k concern) risk(c fix.Change) fix.Risk {
	switch k.name {
	case "spf":
		if c.Verb == fix.Create || len(lostTerms(c)) == 0 {
			return fix.Low
		}
		return fix.High
	case "dmarc":
		if raises(c) {
			return fix.High
		}
		return fix.Low
	case "dkim":
		if c.Verb == fix.Create {
			return fix.Low
		}
		return fix.High
	case "mx", "host", "dane":
		return fix.High
	case "mtasts", "txt", "record":
		return fix.Medium
	}
	return fix.Low
}

// lostTerms lists the SPF terms that are in the old records and not in the new.
func lostTerms(c fix.Change) []string {
	var out []string
	fields := strings.Fields(strings.ToLower(strings.Join(texts(c, c.New, isSPF), " ")))
	for _, old := range texts(c, c.Old, isSPF) {
		for _, f := range strings.Fields(strings.ToLower(old)) {
			if !slices.Contains(fields, f) && !slices.Contains(fields, strings.TrimPrefix(f, "+")) {
				out = append(out, f)
			}
		}
	}
	return out
}

// raises tells whether a change asks receivers for more than before.
func raises(c fix.Change) bool {
	strength := func(data []string) int {
		n := 0
		for _, t := range texts(c, data, func(s string) bool { _, err := dmarc.Parse(s); return err == nil }) {
			if r, err := dmarc.Parse(t); err == nil {
				n = max(n, r.Effect().P.Strength())
			}
		}
		return n
	}
	return strength(c.New) > strength(c.Old)
}

// confirm tells what a person has to agree to in words of its own: changes that
// have cost mail elsewhere.
func confirm(c fix.Change, k concern, b *builder) string {
	a := b.opt.Answers
	switch {
	case k.name == "dkim" && c.Verb == fix.Delete:
		return "a DKIM key is taken out: mail that is still under way and signed with it will fail"
	case k.name == "dmarc" && raises(c) && b.sends():
		return "the policy becomes stricter, and no reports were looked at"
	case k.name == "spf" && a.Complete && len(lostTerms(c)) > 0:
		return "terms of the SPF record are taken out on your word that the list of senders is complete: " + strings.Join(lostTerms(c), " ")
	case k.name == "mx" && c.Verb != fix.Create:
		return "MX records change: mail to the domain depends on it"
	}
	return ""
}
