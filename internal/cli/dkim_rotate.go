package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim/rotate"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const rotationSuffix = ".dkim-rotation.json"

func newDKIMRotate(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Change to a new key, step by step, without losing a signature",
		Long: `Change from one DKIM key to the next: publish the new key, wait until every name
server and every cache can have it, switch the signer, prove it with a signed
message, retire the old key with an empty p=, and delete it. It takes some weeks.

The state is kept in a small file, DOMAIN` + rotationSuffix + `. Nothing happens by itself:
each command tells what to do next and checks at the domain's own name servers
whether it was done. With --plan the steps that are left are saved as a plan:
'fix apply' publishes, 'fix verify' proves it at every name server, and what is to be
revoked or deleted stands behind a gate until its time has come.`,
		Example: `  mailcheck dkim rotate start example.org --from s1 --to s2 --key s2.pem
  mailcheck dkim rotate status example.org
  mailcheck dkim rotate advance example.org --switched
  mailcheck dkim rotate advance example.org --message sent.eml
  mailcheck dkim rotate status example.org --plan plan.json --reports reports
  mailcheck dkim rotate abort example.org`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRotateStart(s), newRotateStatus(s), newRotateAdvance(s), newRotateAbort(s))
	return cmd
}

// rotateOptions are the flags of the whole group.
type rotateOptions struct {
	domainFlag
	lookupOptions
	clock
	state   string
	server  string
	plan    string
	reports string
}

func (o *rotateOptions) add(cmd *cobra.Command) {
	o.domainFlag.add(cmd)
	o.lookupOptions.add(cmd)
	o.clock.add(cmd)
	cmd.Flags().StringVar(&o.state, "state", "", "state `file` (default: DOMAIN"+rotationSuffix+")")
	cmd.Flags().StringVar(&o.server, "server", "", "print the set-up of this mail `server` when the signer is to be switched")
	cmd.Flags().StringVar(&o.plan, "plan", "", "save what is left to do as a plan to a `file`, for 'fix apply', 'fix verify' and 'fix export'")
	cmd.Flags().StringVar(&o.reports, "reports", "", "`directory` of the archive of reports: with --plan, a key that still signs is not revoked")
}

// rotating is an open rotation.
type rotating struct {
	ctx   context.Context
	res   *resolver
	env   rotate.Env
	path  string
	state *rotate.Rotation
	close func()
}

// begin checks the flags, reads the state, and opens the way to the name servers.
func (o *rotateOptions) begin(cmd *cobra.Command, s Streams, args []string, fresh bool) (*rotating, resolve.Name, error) {
	if err := o.check(cmd); err != nil {
		return nil, resolve.Name{}, err
	}
	if o.reports != "" && o.plan == "" {
		return nil, resolve.Name{}, usage("--plan plan.json", "--reports is of use with --plan")
	}
	if o.server != "" {
		if err := checkServer(o.server); err != nil {
			return nil, resolve.Name{}, err
		}
	}
	domain, err := o.name(cmd, args)
	if err != nil {
		return nil, domain, err
	}
	if domain.IsZero() && (fresh || o.state == "") {
		return nil, domain, usage(cmd.CommandPath()+" example.org", "no domain given")
	}
	now, err := o.now()
	if err != nil {
		return nil, domain, err
	}
	x := &rotating{path: cmp.Or(o.state, domain.String()+rotationSuffix)}
	if !fresh {
		if x.state, err = readRotation(x.path); err != nil {
			return nil, domain, err
		}
		if !domain.IsZero() && x.state.Domain != domain {
			return nil, domain, usage("name its file with --state", "%+q is about %s, not about %s", x.path, x.state.Domain, domain)
		}
		domain = x.state.Domain
	}
	if o.plan != "" && filepath.Clean(o.plan) == filepath.Clean(x.path) {
		return nil, domain, usage("--plan plan.json", "--plan names the state file")
	}
	var done func()
	if x.ctx, x.res, done, err = o.session(cmd.Context(), s); err != nil {
		return nil, domain, err
	}
	ask, stop, err := o.asker(x.res)
	if err != nil {
		done()
		return nil, domain, err
	}
	x.close = func() { stop(); done() }
	x.env = rotate.Env{Ask: ask, Now: now}
	return x, domain, nil
}

// asker asks all authoritative servers of a name; a zone file counts as one.
func (o *rotateOptions) asker(res *resolver) (rotate.Ask, func(), error) {
	var zone *zonetest.Zone
	if len(o.zones) > 0 {
		z, err := zonetest.Load(o.zones...)
		if err != nil {
			return nil, nil, zoneError(err)
		}
		zone = z
	}
	stop := func() {}
	var c *client.Client
	if !o.offline {
		var err error
		if c, err = client.New(client.Options{Servers: o.servers}); err != nil {
			return nil, nil, &Error{Code: ExitUsage, Err: err, Hint: "name a DNS server with --resolver, or give --offline and --zone"}
		}
		stop = func() { c.Close() }
	}
	return func(ctx context.Context, q resolve.Question) ([]rotate.Answer, error) {
		if zone != nil {
			a, err := zone.Resolve(ctx, q)
			if !errors.Is(err, resolve.ErrOffline) && !errors.Is(err, resolve.ErrReferral) || c == nil {
				return []rotate.Answer{{Server: "the zone file", Answer: a, Err: err}}, nil
			}
		}
		if c == nil {
			a, err := res.Resolve(ctx, q)
			return []rotate.Answer{{Server: "offline", Answer: a, Err: err}}, nil
		}
		cmp, err := c.AskAuthoritative(ctx, q)
		var out []rotate.Answer
		for _, a := range cmp.Answers {
			out = append(out, rotate.Answer{Server: a.Server.String(), Answer: a.Answer, Err: a.Err})
		}
		return out, err
	}, stop, nil
}

func readRotation(path string) (*rotate.Rotation, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage("mailcheck dkim rotate start begins one; --state names its file", "there is no rotation file %+q here", path)
	}
	if err != nil {
		return nil, usage("name a readable file with --state", "%w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, rotate.MaxFile+1))
	if err != nil {
		return nil, usage("name a readable file with --state", "%w", err)
	}
	r, err := rotate.Decode(data)
	if err != nil {
		return nil, &Error{Code: ExitUsage, Err: fmt.Errorf("%+q: %w", path, err), Hint: "name the file that \"mailcheck dkim rotate start\" wrote"}
	}
	return r, nil
}

// save replaces the state file at once, so that a crash leaves the old or the new
// state. A new rotation must not replace a file.
func (x *rotating) save(fresh bool) error {
	data, err := x.state.Encode()
	if err != nil {
		return writeError(err)
	}
	if fresh {
		f, err := os.OpenFile(x.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return occupied(x.path)
		}
		if err != nil {
			return writeError(err)
		}
		_, err = f.Write(data)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return writeError(errors.Join(err, os.Remove(x.path)))
		}
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(x.path), "."+filepath.Base(x.path)+".*")
	if err != nil {
		return writeError(err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), x.path)
	}
	if err != nil {
		return writeError(errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

func newRotateStatus(s Streams) *cobra.Command {
	o := &rotateOptions{}
	cmd := &cobra.Command{
		Use:   "status [DOMAIN]",
		Short: "Tell where a rotation stands and what is due; change nothing",
		Long: `Ask the domain's name servers, and tell where the rotation stands and what is due.
Nothing is changed.

Exit status: 0 as it should be, 1 a key is not where it has to be, 2 not known,
3 wrong usage.`,
		Example: `  mailcheck dkim rotate status example.org
  mailcheck dkim rotate status --state example.org.dkim-rotation.json -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			x, domain, err := o.begin(cmd, s, args, false)
			if err != nil {
				return err
			}
			defer x.close()
			st, err := x.state.Check(x.ctx, x.env)
			if err := interrupted(cmd); err != nil {
				return err
			}
			if err != nil {
				return rotateError(err, domain)
			}
			if err := o.show(cmd, s, x, viewRotation(x, st, false, o.server), st); err != nil {
				return err
			}
			switch {
			case st.Action == rotate.DoRepair || st.Action == rotate.DoRestore:
				return exit(ExitFindings)
			case st.Unknown:
				return exit(ExitIncomplete)
			}
			return nil
		},
	}
	o.add(cmd)
	return cmd
}

func newRotateAbort(s Streams) *cobra.Command {
	o := &rotateOptions{}
	cmd := &cobra.Command{
		Use:   "abort [DOMAIN]",
		Short: "Give a rotation up, and say what has to be undone",
		Long: `Give a rotation up, and say what has to be undone. Once the old key is revoked it is
too late: then another rotation leads to a third key.

Exit status: 0 aborted, 1 too late, 2 the name servers did not answer, 3 wrong usage.`,
		Example: `  mailcheck dkim rotate abort example.org`,
		RunE: func(cmd *cobra.Command, args []string) error {
			x, domain, err := o.begin(cmd, s, args, false)
			if err != nil {
				return err
			}
			defer x.close()
			st, err := x.state.Abort(x.ctx, x.env)
			if e := interrupted(cmd); e != nil {
				return e
			}
			if err != nil {
				return rotateError(err, domain)
			}
			if err := x.save(false); err != nil {
				return err
			}
			return o.show(cmd, s, x, viewRotation(x, st, true, o.server), st)
		},
	}
	o.add(cmd)
	return cmd
}
