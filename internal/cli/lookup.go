package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// lookupOptions are the flags of every command that answers one question by DNS.
type lookupOptions struct {
	resolverFlags
	timeout time.Duration
	format  string
}

func (o *lookupOptions) add(cmd *cobra.Command) {
	o.resolverFlags.add(cmd)
	cmd.Flags().DurationVar(&o.timeout, "timeout", defaultTimeout, "time for all DNS queries")
	cmd.Flags().StringVarP(&o.format, "output", "o", "text", "output `format`: text or json")
}

func (o *lookupOptions) check(cmd *cobra.Command) error {
	if o.timeout <= 0 {
		return usage("for example --timeout 30s", "--timeout must be positive")
	}
	return oneOf(cmd, "output", o.format, "text", "json")
}

// session opens the resolver and starts the clock.
func (o *lookupOptions) session(ctx context.Context, s Streams) (context.Context, *resolver, func(), error) {
	res, err := o.open(s)
	if err != nil {
		return ctx, nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	return ctx, res, func() { cancel(); res.close() }, nil
}

// interrupted is the error of a command that the user stopped: what it would
// show is about the interruption and not about the domain.
func interrupted(cmd *cobra.Command) error {
	if cmd.Context().Err() == nil {
		return nil
	}
	return &Error{Code: ExitInterrupted, Err: errors.New("interrupted")}
}

// oneDomain reads the one argument that these commands take.
func oneDomain(cmd *cobra.Command, args []string) (resolve.Name, error) {
	switch len(args) {
	case 0:
		return resolve.Name{}, usage(cmd.CommandPath()+" example.org", "no domain given")
	case 1:
		return parseDomain(args[0], "")
	}
	return resolve.Name{}, usage("run it once for each domain", "'%s' takes one domain, not %d", cmd.CommandPath(), len(args))
}

// printJSON writes a document of which every byte may be shown on a terminal.
func printJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	if err := writeJSON(&b, v); err != nil {
		return err
	}
	_, err := w.Write(safe.JSON(b.Bytes()))
	return err
}

// stateWord names the three states in reports.
func stateWord(s resolve.State) string {
	if s == resolve.Unavailable {
		return "unknown"
	}
	return s.String()
}
