package cli

import (
	"cmp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf/flatten"
)

type spfDriftOptions struct {
	lookupOptions
	domain string
	lock   string
	maxAge time.Duration
}

func newSPFDrift(s Streams) *cobra.Command {
	o := &spfDriftOptions{}
	cmd := &cobra.Command{
		Use:   "drift --lock FILE",
		Short: "Compare flattened includes with what they pass now",
		Long: `Compare the lock of 'mailcheck spf flatten' with what the includes pass now, and
with what is published of the copies. Run it every day.

Exit status: 0 nothing moved, 1 an include moved, a copy is not published, or the
lock is older than --max-age; 2 a lookup failed; 3 wrong usage.`,
		Example: `  mailcheck spf drift --lock spf.lock
  mailcheck spf drift --lock spf.lock --max-age 168h -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, s) },
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.lock, "lock", "", "`file` that flatten wrote")
	cmd.Flags().StringVar(&o.domain, "domain", "", "`domain` that the lock has to be of")
	cmd.Flags().DurationVar(&o.maxAge, "max-age", flatten.MaxAge, "age from which the lock is refused")
	return cmd
}

// spfDriftView is the document of schema mailcheck.spf-drift/1.
type spfDriftView struct {
	Schema   string      `json:"schema"`
	Domain   string      `json:"domain"`
	Stale    nullable    `json:"stale"` // why the lock is refused; null if it is not
	Includes []driftView `json:"includes"`
}

type driftView struct {
	Include        string        `json:"include"`
	Name           string        `json:"name"`
	Time           string        `json:"time"`
	State          string        `json:"state"` // absent: there is no usable record any more
	Moved          bool          `json:"moved"`
	Added          addressesView `json:"added"`
	Removed        addressesView `json:"removed"`
	TermsAdded     []string      `json:"terms_added"`
	TermsRemoved   []string      `json:"terms_removed"`
	Error          nullable      `json:"error"`
	Published      string        `json:"published"` // absent: the copy is not there, or not as in the lock
	PublishedError nullable      `json:"published_error"`
}

func (o *spfDriftOptions) run(cmd *cobra.Command, s Streams) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	if o.maxAge <= 0 {
		return usage("for example --max-age 168h", "--max-age must be positive")
	}
	l, err := readLock(s, o.lock)
	if err != nil {
		return err
	}
	if o.domain != "" {
		if n, err := parseDomain(o.domain, ""); err != nil {
			return err
		} else if n != l.Domain {
			return usage("name the lock of that domain", "%s is of %s and not of %s", o.lock, l.Domain, n)
		}
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	v := spfDriftView{Schema: "mailcheck.spf-drift/1", Domain: l.Domain.String(), Includes: []driftView{}}
	if err := l.Fresh(flatten.Options{Now: time.Now(), MaxAge: o.maxAge}); err != nil {
		v.Stale = nullable(err.Error())
	}
	list := flatten.Compare(ctx, res, l)
	if err := interrupted(cmd); err != nil {
		return err
	}
	for _, d := range list {
		v.Includes = append(v.Includes, driftView{
			d.Include.String(), d.Name.String(), d.Time.Format(time.RFC3339), stateWord(d.State), d.Moved(), viewAddresses(d.Added), viewAddresses(d.Removed),
			safeAll(d.TermsAdded), safeAll(d.TermsRemoved), errorText(d.Err), stateWord(d.Published), errorText(d.PublishedErr),
		})
	}
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		err = v.text(s)
	}
	if err != nil {
		return err
	}
	return exit(v.status())
}

func safeAll(list []string) []string {
	out := []string{}
	for _, x := range list {
		out = append(out, safe.Text(x))
	}
	return out
}

func (v spfDriftView) status() int {
	unknown := false
	for _, d := range v.Includes {
		if d.Moved || d.Published == stateWord(resolve.Absent) {
			return ExitFindings
		}
		unknown = unknown || d.State == stateWord(resolve.Unavailable) || d.Published == stateWord(resolve.Unavailable)
	}
	switch {
	case v.Stale != "":
		return ExitFindings
	case unknown:
		return ExitIncomplete
	}
	return ExitOK
}

func (v spfDriftView) text(s Streams) error {
	p := newSheet(s)
	p.para("Flattened includes of %s", v.Domain)
	if v.Stale != "" {
		p.para("The lock is refused: %s", strings.TrimPrefix(string(v.Stale), "flatten: "))
	}
	for _, d := range v.Includes {
		p.WriteByte('\n')
		p.para("%s, copied to %s at %s", d.Include, d.Name, d.Time)
		switch {
		case d.State == stateWord(resolve.Unavailable):
			p.item("unknown: %s", d.Error)
		case d.State == stateWord(resolve.Absent):
			p.item("it has no usable record any more: %s", d.Error)
		case !d.Moved:
			p.item("has not moved")
		}
		for _, x := range []struct {
			what string
			set  addressesView
		}{{"passes there and is refused by the copy", d.Added}, {"was given up there and still passes by the copy", d.Removed}} {
			if len(x.set.Ranges) > 0 {
				p.item("%s: %s", x.what, x.set.words())
			}
		}
		if len(d.TermsAdded)+len(d.TermsRemoved) > 0 {
			p.item("terms that depend on the sender: added %s, removed %s", cmp.Or(strings.Join(d.TermsAdded, " "), "none"), cmp.Or(strings.Join(d.TermsRemoved, " "), "none"))
		}
		if d.Published != stateWord(resolve.Present) {
			p.item("the copy in DNS: %s: %s", d.Published, d.PublishedError)
		}
	}
	moved := v.Stale != ""
	for _, d := range v.Includes {
		moved = moved || d.Moved
	}
	switch {
	case moved:
		writeNext(p, "mailcheck spf flatten --domain "+v.Domain+" --lock FILE --include …, and publish what it prints")
	case v.status() == ExitFindings:
		writeNext(p, "publish what 'mailcheck spf flatten --from-lock --lock FILE' prints")
	}
	return p.flush(s.Out)
}
