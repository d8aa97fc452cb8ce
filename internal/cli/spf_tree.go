package cli

import (
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

type spfTreeOptions struct {
	lookupOptions
	all bool
}

func newSPFTree(s Streams) *cobra.Command {
	o := &spfTreeOptions{}
	cmd := &cobra.Command{
		Use:   "tree DOMAIN",
		Short: "Show all that a record leads to, and where evaluation breaks",
		Long: `Show the tree of includes with the lookups of each term and their sum, lookups
without an answer, the provider each include belongs to, and how many addresses
each term authorizes. The sums are the worst case: a sender that matches no term
before the end. Terms that depend on the sender are marked and not followed.

Exit status: 0 the record can be evaluated, 1 it breaks or there is none, 2 a
lookup failed, 3 wrong usage.`,
		Example: `  mailcheck spf tree example.org
  mailcheck spf tree example.org --all
  mailcheck spf tree example.org -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&o.all, "all", false, "list each network, rather than how many there are")
	return cmd
}

// spfTreeView is the document of schema mailcheck.spf-tree/1.
type spfTreeView struct {
	Schema     string           `json:"schema"`
	Domain     string           `json:"domain"`
	State      string           `json:"state"`
	Lookups    int              `json:"lookups"`
	MaxLookups int              `json:"max_lookups"`
	Voids      int              `json:"void_lookups"`
	MaxVoids   int              `json:"max_void_lookups"`
	Break      *breakView       `json:"break"` // null if the limit of lookups is kept
	All        nullable         `json:"all"`   // qualifier of the last resort
	Pass       addressesView    `json:"pass"`  // what is authorized, terms that depend on the sender left out
	IPv4Share  float64          `json:"ipv4_share"`
	TXTOctets  int              `json:"answer_octets"` // of all TXT records at the domain, on the wire
	Problems   []spfProblemView `json:"problems"`
	Unknown    []spfProblemView `json:"unknown"`
	Complete   bool             `json:"complete"`
	Truncated  bool             `json:"truncated"`
	Record     *spfNodeView     `json:"record"` // null unless there is exactly one
	Error      nullable         `json:"error"`
}

type breakView struct {
	Domain string `json:"domain"`
	Term   string `json:"term"`
	Every  bool   `json:"every_sender"`
}

type spfNodeView struct {
	Domain  string        `json:"domain"`
	Text    string        `json:"text"`
	Lookups int           `json:"lookups"`
	Voids   int           `json:"void_lookups"`
	Terms   []spfTermView `json:"terms"`
}

type spfTermView struct {
	Text        string        `json:"text"`
	Kind        string        `json:"kind"`
	Target      nullable      `json:"target"`
	Provider    nullable      `json:"provider"`
	Cost        int           `json:"cost"`    // lookups of its own
	Lookups     int           `json:"lookups"` // with all below it
	Running     int           `json:"running"` // lookups so far
	Voids       int           `json:"void_lookups"`
	State       string        `json:"state"`
	Error       nullable      `json:"error"`
	Ignored     bool          `json:"ignored"`
	Unevaluated bool          `json:"unevaluated"` // depends on the sender
	Skipped     bool          `json:"skipped"`     // the tree is too large
	Networks    []string      `json:"networks"`    // that the term itself matches
	Authorized  addressesView `json:"authorized"`  // with all below it
	Record      *spfNodeView  `json:"record"`      // of include and redirect
}

func (o *spfTreeOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	a, _ := spf.Analyze(ctx, res, domain, spf.Options{})
	if err := interrupted(cmd); err != nil {
		return err
	}
	if o.format == "json" {
		err = printJSON(s.Out, viewTree(a))
	} else {
		err = o.text(s, a)
	}
	if err != nil {
		return err
	}
	switch {
	case a.State == resolve.Absent, len(a.Problems) > 0:
		return exit(ExitFindings)
	case a.State == resolve.Unavailable, len(a.Unknown) > 0, a.Truncated:
		return exit(ExitIncomplete)
	}
	return nil
}

func viewTree(a spf.Analysis) spfTreeView {
	v := spfTreeView{
		Schema: "mailcheck.spf-tree/1", Domain: a.Domain.String(), State: stateWord(a.State), Lookups: a.Lookups, MaxLookups: spf.MaxLookups,
		Voids: a.Voids, MaxVoids: spf.MaxVoids, All: nullable(a.All.String()), IPv4Share: a.IPv4Share, TXTOctets: a.AnswerSize,
		Pass:     viewAddresses(set.Of(append(append([]netip.Prefix{}, a.IPv4...), a.IPv6...)...)),
		Problems: viewSPFProblems(a.Problems, resolve.Name{}), Unknown: viewSPFProblems(a.Unknown, resolve.Name{}),
		Complete: a.Complete, Truncated: a.Truncated, Record: viewNode(a.Root), Error: errorText(a.Err),
	}
	if a.Break != nil {
		v.Break = &breakView{a.Break.Domain.String(), safe.Text(a.Break.Text), a.Break.Every}
	}
	return v
}

func viewNode(n *spf.Node) *spfNodeView {
	if n == nil {
		return nil
	}
	v := &spfNodeView{Domain: n.Domain.String(), Text: safe.Text(n.Text), Lookups: n.Lookups, Voids: n.Voids, Terms: []spfTermView{}}
	for i := range n.Terms {
		t, info := n.Record.Terms[i], &n.Terms[i]
		x := spfTermView{
			Text: safe.Text(t.Text), Kind: string(t.Kind), Target: nameOrNull(info.Target), Provider: nullable(includeOwner(t.Kind, info.Target)),
			Cost: info.Cost, Lookups: info.Lookups, Running: info.Running, Voids: info.Voids, State: stateWord(info.State), Error: nullable(spfProblem(info.Err)),
			Ignored: info.Ignored, Unevaluated: info.Unevaluated, Skipped: info.Skipped, Networks: []string{},
			Authorized: viewAddresses(set.Of(authorized(t, info)...)), Record: viewNode(info.Child),
		}
		if !t.Looks() && !info.Ignored { // nothing is asked for it, so its state is no unknown
			x.State = stateWord(resolve.Present)
		}
		for _, p := range info.Networks {
			x.Networks = append(x.Networks, p.String())
		}
		v.Terms = append(v.Terms, x)
	}
	return v
}

// authorized lists the networks that pass by a term. It is an upper bound: what
// an earlier term of another result takes away is not taken off.
func authorized(t spf.Term, info *spf.TermInfo) []netip.Prefix {
	if info.Ignored || t.Qualifier != '+' && t.Kind != spf.Redirect {
		return nil
	}
	out := append([]netip.Prefix{}, info.Networks...)
	if info.Child == nil {
		return out
	}
	for i := range info.Child.Terms {
		out = append(out, authorized(info.Child.Record.Terms[i], &info.Child.Terms[i])...)
	}
	return out
}
