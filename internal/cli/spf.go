package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

func newSPF(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "spf",
		Short: "Evaluate, explain, write, narrow and compare SPF records",
		Long: `Evaluate, explain, write, narrow and compare SPF records (RFC 7208).

Nothing is changed in DNS: new, add, remove, narrow and flatten print the records
to publish, with what they would change for every address.
Exit status: 0 clean, 1 findings, 2 something could not be known, 3 wrong usage.
A finding outweighs an unknown. 'spf check' answers a question: its status is 0
for every result but temperror.`,
		Example: `  mailcheck spf check --ip 192.0.2.1 --from user@example.org --helo mail.example.org
  mailcheck spf tree example.org
  mailcheck spf lint --record 'v=spf1 ipv4:192.0.2.1 -all'
  mailcheck spf add google-workspace --domain example.org
  mailcheck spf diff example.org 'v=spf1 ip4:192.0.2.0/24 -all'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSPFCheck(s), newSPFLint(s), newSPFTree(s), newSPFDiff(s), newSPFNew(s), newSPFAdd(s), newSPFRemove(s), newSPFNarrow(s), newSPFFlatten(s), newSPFDrift(s), newSPFSenders(s))
	return cmd
}

// ownDomain reads a flag that names the domain worked on.
func ownDomain(cmd *cobra.Command, value string) (resolve.Name, error) {
	if value == "" {
		return resolve.Name{}, usage(cmd.CommandPath()+" … --domain example.org", "no domain given")
	}
	return parseDomain(value, "")
}

// includeOwner names the provider of a term: by the target of an include or
// redirect. It is empty if the catalogue does not know it.
func includeOwner(k spf.Kind, target resolve.Name) string {
	if p, ok := includeRow(k, target); ok {
		return p.Name
	}
	return ""
}

func includeRow(k spf.Kind, target resolve.Name) (providers.Provider, bool) {
	if target.IsZero() || k != spf.Include && k != spf.Redirect {
		return providers.Provider{}, false
	}
	return providers.ByInclude(target)
}

// spfProblem is a reason in the words of a report, without the package's name.
func spfProblem(err error) string {
	if err == nil {
		return ""
	}
	return safe.Text(strings.ReplaceAll(err.Error(), "spf: ", ""))
}

// addresses is a set in the form of all SPF documents.
type addressesView struct {
	Ranges    []string `json:"ranges"` // networks, or "first-last" where one network does not do
	IPv4Count uint64   `json:"ipv4_count"`
}

func viewAddresses(s set.Set) addressesView {
	v := addressesView{Ranges: []string{}, IPv4Count: s.Count4()}
	for _, r := range s.Ranges() {
		v.Ranges = append(v.Ranges, r.String())
	}
	return v
}

// maxShownRanges bounds the ranges of one line; JSON has all.
const maxShownRanges = 12

// words lists the ranges for a person.
func (v addressesView) words() string {
	if len(v.Ranges) == 0 {
		return "none"
	}
	n := min(len(v.Ranges), maxShownRanges)
	text := strings.Join(v.Ranges[:n], ", ")
	if more := len(v.Ranges) - n; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// networkWords is how many addresses networks hold.
func networkWords(nets []netip.Prefix) string {
	s := set.Of(nets...)
	var words []string
	if n := s.Count4(); n > 0 {
		words = append(words, grouped(n)+" IPv4")
	}
	if _, six := s.Split(); !six.Empty() {
		words = append(words, plural(len(six.Prefixes()), "IPv6 network", "IPv6 networks"))
	}
	return cmp.Or(strings.Join(words, ", "), "no address")
}

// grouped writes a number with commas.
func grouped(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// differenceView is one change of result in the documents that compare.
type differenceView struct {
	Kind string `json:"kind"` // lose, gain, change or unknown
	Old  string `json:"old"`
	New  string `json:"new"`
	addressesView
}

func viewDifferences(ds []set.Difference) []differenceView {
	out := []differenceView{}
	for _, d := range ds {
		out = append(out, differenceView{string(d.Kind), safe.Text(d.Old.String()), safe.Text(d.New.String()), viewAddresses(d.Set)})
	}
	return out
}

// writeDifferences sets changes of results for a person.
func writeDifferences(p *sheet, ds []differenceView) {
	if len(ds) == 0 {
		p.item("no address changes its result")
	}
	for _, d := range ds {
		count := ""
		if d.IPv4Count > 0 {
			count = " (" + grouped(d.IPv4Count) + " IPv4)"
		}
		p.item("%s: from %s to %s%s", d.Kind, d.Old, d.New, count)
		p.hang("", "", 4, d.words())
	}
}

// lookupHint is what helps when a lookup failed.
func lookupHint(err error) string {
	if errors.Is(err, resolve.ErrOffline) {
		return "drop --offline, so that names outside the zone files are asked of the network"
	}
	return "try again, or ask another server with --resolver"
}
