package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/reports/insight"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// reportEvidence takes selectors from DMARC reports: receivers tell which ones they
// saw, and that is the nearest there is to a list of them.
type reportEvidence struct {
	storeFlags
	from    []string
	archive bool
}

func (e *reportEvidence) add(cmd *cobra.Command) {
	e.storeFlags.add(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&e.from, "reports", nil, "`file` or directory of DMARC reports, - for standard input, repeatable: selectors are taken from them")
	f.BoolVar(&e.archive, "from-archive", false, "take selectors from the archive of reports (--store names it, and means this)")
}

// read notes the selectors of the domain, the most used first.
func (e *reportEvidence) read(ctx context.Context, s Streams, domain resolve.Name, c *collected) error {
	take := func(from []string, source string) error {
		o := &answerOptions{from: from, now: time.Now()}
		if len(from) == 0 {
			o.storeFlags = e.storeFlags
		}
		store, err := o.archive(ctx, s)
		if err != nil {
			return err
		}
		defer store.Close()
		list, err := insight.Known(ctx, store, domain.String())
		if err != nil {
			return storeError("this archive", err)
		}
		for _, sel := range list {
			if _, err := dkim.KeyName(domain, sel); err == nil {
				c.note(sel, source)
			}
		}
		return nil
	}
	if len(e.from) > 0 {
		if err := take(e.from, "reports"); err != nil {
			return err
		}
	}
	if e.archive || e.dir != "" {
		return take(nil, "archive of reports")
	}
	return nil
}
