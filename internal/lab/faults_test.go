//go:build lab

package lab

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// fault is one thing that a captured record is known to have wrong.
type fault struct {
	domain  resolve.Name
	comment string
}

// faults reads the comments "; WRONG: name: what" of the broken zone. The domain
// to audit is the one of the record that follows.
func faults(t *testing.T) []fault {
	t.Helper()
	var out []fault
	comment := ""
	for _, line := range lines(t, filepath.Join(corpus, broken)) {
		if text, ok := strings.CutPrefix(line, "; WRONG: "); ok {
			if comment != "" {
				t.Fatalf("no record follows %q", comment)
			}
			_, comment, _ = strings.Cut(text, ": ")
			continue
		}
		if line == "" || comment == "" || line[0] == ';' {
			continue
		}
		owner, err := resolve.NameFromMaster(strings.Fields(line)[0])
		if err != nil {
			t.Fatal(err)
		}
		if owner.First() == "_dmarc" {
			owner = owner.Parent()
		}
		out, comment = append(out, fault{owner, strings.TrimSpace(comment)}), ""
	}
	return out
}

// kinds says which rule names a fault: one of those given. A comment may tell of
// several faults, and each has to be found.
var kinds = []struct {
	comment *regexp.Regexp
	rules   []audit.ID
}{
	{regexp.MustCompile(`^\d+ lookup terms when`), []audit.ID{"SPF006"}},
	{regexp.MustCompile(`^more than 10 lookups`), []audit.ID{"SPF006"}},
	{regexp.MustCompile(`^syntax error: term`), []audit.ID{"SPF003"}},
	{regexp.MustCompile(`^ip[46] argument is not`), []audit.ID{"SPF003"}},
	{regexp.MustCompile(`^non-ASCII bytes`), []audit.ID{"SPF003"}},
	{regexp.MustCompile(`"v=spf1" occurs twice`), []audit.ID{"SPF003", "SPF018"}},
	{regexp.MustCompile(`reads as an unknown modifier or as text glued`), []audit.ID{"SPF003", "SPF018"}},
	{regexp.MustCompile(`include argument empty, an address or a URL`), []audit.ID{"SPF003", "SPF011"}},
	{regexp.MustCompile(`an address where a name belongs`), []audit.ID{"SPF003", "SPF026"}},
	{regexp.MustCompile(`the include tree comes back`), []audit.ID{"SPF014"}},
	{regexp.MustCompile(`had no SPF record`), []audit.ID{"SPF011"}},
	{regexp.MustCompile(`^terms after "all"`), []audit.ID{"SPF016"}},
	{regexp.MustCompile(`^more than one "all"`), []audit.ID{"SPF017"}},
	{regexp.MustCompile(`^no "all" and no redirect`), []audit.ID{"SPF010"}},
	{regexp.MustCompile(`^redirect= is ignored`), []audit.ID{"SPF012"}},
	{regexp.MustCompile(`^"\+all"`), []audit.ID{"SPF008"}},
	{regexp.MustCompile(`^uses ptr`), []audit.ID{"SPF013"}},
	{regexp.MustCompile(`^first term is not exactly`), []audit.ID{"SPF004"}},
	{regexp.MustCompile(`^two SPF records`), []audit.ID{"SPF002"}},

	{regexp.MustCompile(`not a DMARC record at all`), []audit.ID{"DMARC022"}},
	{regexp.MustCompile(`^an SPF record is published at the _dmarc name`), []audit.ID{"DMARC022"}},
	{regexp.MustCompile(`^a DKIM key record is published at the _dmarc name`), []audit.ID{"DMARC022"}},
	{regexp.MustCompile(`^is blank`), []audit.ID{"DMARC022"}},
	{regexp.MustCompile(`carries quote characters`), []audit.ID{"DMARC006"}},
	{regexp.MustCompile(`DMARC text not at the start`), []audit.ID{"DMARC006"}},
	{regexp.MustCompile(`version is in lower case`), []audit.ID{"DMARC006"}},
	{regexp.MustCompile(`second TXT at _dmarc has no version`), []audit.ID{"DMARC006", "DMARC022"}},
	{regexp.MustCompile(`ru[af] is not a list of mailto`), []audit.ID{"DMARC014"}},
	{regexp.MustCompile(`tag \w+ given \d times|rua and ruf given twice`), []audit.ID{"DMARC016"}},
	{regexp.MustCompile(`unknown tag`), []audit.ID{"DMARC017"}},
	{regexp.MustCompile(`no p tag`), []audit.ID{"DMARC004"}},
	{regexp.MustCompile(`a tag without "="|trailing text without "="`), []audit.ID{"DMARC003"}},
}

// instead lists the records of which the comment names another fault than the
// one that decides, and what has to be found there.
var instead = map[string]struct {
	rules []audit.ID // all of them; none: there is no fault
	why   string
}{
	"hurlingham.gob.ar":      {[]audit.ID{"SPF018"}, "what stands after all is a modifier, which may stand anywhere (RFC 7208, Section 4.6.1)"},
	"fraenkisch-crumbach.de": {[]audit.ID{"SPF003"}, "what stands after all is no term at all"},
	"vg-wonnegau.de":         {[]audit.ID{"SPF003"}, "what stands after all is no term at all"},
	"antonina.pr.gov.br":     {[]audit.ID{"SPF003"}, "the redirect leads to \"v=spf1\", which is no name"},
	"bashkiasarande.gov.al":  {[]audit.ID{"SPF004"}, "the octets stand right behind the version, so the text is no SPF record"},
	"kojenecke-obleceni.eu":  {[]audit.ID{"SPF011"}, "the records it includes were not captured, so they cannot be counted"},
	"goindigo.in":            {[]audit.ID{"DMARC004"}, "the tag P is the p that is missing: one defect, one finding"},
	"muniurubamba.gob.pe":    {nil, "the included name begins like an address, but exists and has an SPF record"},
	"bernco.gov":             {nil, "the words of p are read in any case (RFC 5234, Section 2.3)"},
	"tme.eu":                 {nil, "no server loads a CNAME beside other data, so it is not in the zone"},
}

// checkFaults looks for each fault in the reports.
func checkFaults(t *testing.T, reports map[resolve.Name]audit.Report) {
	t.Helper()
	list := faults(t)
	found, used := 0, map[string]bool{}
	for _, f := range list {
		r, ok := reports[f.domain]
		if !ok {
			t.Errorf("%s was not audited, though: %s", f.domain, f.comment)
			continue
		}
		var ids []audit.ID
		for _, x := range r.Findings {
			ids = append(ids, x.Rule)
		}
		if x, ok := instead[f.domain.String()]; ok {
			used[f.domain.String()] = true
			t.Logf("%s: %s: want %v: %s", f.domain, f.comment, x.rules, x.why)
			for _, id := range x.rules {
				if found++; !slices.Contains(ids, id) {
					t.Errorf("%s: %s: want %v, found only %v", f.domain, f.comment, x.rules, ids)
				}
			}
			continue
		}
		known := false
		for _, k := range kinds {
			if !k.comment.MatchString(f.comment) {
				continue
			}
			known = true
			if found++; !slices.ContainsFunc(k.rules, func(id audit.ID) bool { return slices.Contains(ids, id) }) {
				t.Errorf("%s: %s: want %v, found only %v", f.domain, f.comment, k.rules, ids)
			}
		}
		if !known {
			t.Errorf("%s: no kind of fault fits %q", f.domain, f.comment)
		}
	}
	for name := range instead {
		if !used[name] {
			t.Errorf("%s is not among the records known to be wrong", name)
		}
	}
	t.Logf("%d records known to be wrong, %d faults looked for", len(list), found)
}
