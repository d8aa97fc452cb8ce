package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/dkim/rotate"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type rotateStartOptions struct {
	rotateOptions
	from, to string
	key      string
	keep     int
	hold     int
}

func newRotateStart(s Streams) *cobra.Command {
	o := &rotateStartOptions{}
	cmd := &cobra.Command{
		Use:   "start DOMAIN",
		Short: "Begin a rotation: check both selectors, make the key if need be, say what to publish",
		Long: `Begin a rotation from the selector --from to the selector --to. The key of the new
selector is read from --key; if that file does not exist, an RSA key of 2048 bits is
made there. Selectors that are a CNAME belong to a provider, who rotates behind it.

Exit status: 0 begun, 1 it cannot begin, 2 the name servers did not answer, 3 wrong
usage, 4 a file could not be written.`,
		Example: `  mailcheck dkim rotate start example.org --from s1 --to s2 --key s2.pem --server opendkim
  mailcheck dkim rotate start example.org --from s1 --to s2 --key s2.pem --plan plan.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.from, "from", "", "`selector` in use now")
	fs.StringVar(&o.to, "to", "", "`selector` of the new key (default: mcYYYYMM)")
	fs.StringVar(&o.key, "key", "", "`file` of the new private key (default: SELECTOR.DOMAIN.pem)")
	fs.IntVar(&o.keep, "keep-days", int(rotate.DefaultKeep/day), "days that the old key stays after the switch")
	fs.IntVar(&o.hold, "hold-days", int(rotate.DefaultHold/day), "days that the revoked record stays")
	return cmd
}

const (
	day     = 24 * time.Hour
	maxDays = 365
)

func (o *rotateStartOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	minKeep := int(rotate.MinKeep / day)
	switch {
	case o.from == "":
		return usage("mailcheck dkim find DOMAIN finds it", "give the selector in use now with --from")
	case o.keep < minKeep || o.keep > maxDays || o.hold < 1 || o.hold > maxDays:
		return usage("mail waits in queues for 5 days", "--keep-days must be between %d and %d, --hold-days between 1 and %d", minKeep, maxDays, maxDays)
	}
	x, domain, err := o.begin(cmd, s, args, true)
	if err != nil {
		return err
	}
	defer x.close()
	if _, err := os.Lstat(x.path); err == nil {
		return occupied(x.path)
	}
	k, made, err := o.newKey(s, domain, x.env.Now())
	if err != nil {
		return err
	}
	rec, err := k.Record()
	if err != nil {
		return keyError(o.key, err)
	}
	x.state, err = rotate.Start(x.ctx, x.env, rotate.Plan{
		Domain: domain, OldSelector: o.from, NewSelector: o.to, NewRecord: rec, KeyFile: o.key,
		Keep: time.Duration(o.keep) * day, Hold: time.Duration(o.hold) * day,
	})
	if err != nil {
		if e := interrupted(cmd); e != nil {
			return e
		}
		return rotateError(err, domain)
	}
	if made {
		if err := k.Create(o.key, ""); err != nil {
			return writeError(err)
		}
	}
	if err := x.save(true); err != nil {
		return err
	}
	st, err := x.state.Check(x.ctx, x.env)
	if err != nil {
		return rotateError(err, domain)
	}
	v := viewRotation(x, st, true, o.server)
	v.Warnings = list(k.Warnings(true))
	if k.Type() == dkim.KeyEd25519 {
		v.Warnings = append(v.Warnings, "an RSA key has to go on signing beside it")
	}
	return o.show(cmd, s, x, v, st)
}

// occupied tells what is in the way of a new state file, and what to do with it.
func occupied(path string) error {
	old, err := readRotation(path)
	switch {
	case err != nil:
		return usage("move it away, or name another file with --state", "%+q exists, and is no rotation file", path)
	case old.Phase == rotate.Done || old.Phase == rotate.Aborted:
		return usage("move it away, or name another file with --state", "%+q is of a rotation that is over: its phase is %s", path, old.Phase)
	case old.Phase == rotate.Delete:
		return usage("finish that rotation first, or choose another file with --state", "%+q exists: a rotation is under way, its phase is %s", path, old.Phase)
	}
	return usage("finish or abort that rotation first, or choose another file with --state", "%+q exists: a rotation is under way, its phase is %s", path, old.Phase)
}

// newKey reads the new key, or makes one that is written once all is checked.
func (o *rotateStartOptions) newKey(s Streams, domain resolve.Name, now time.Time) (k keys.Key, made bool, err error) {
	o.to = cmp.Or(o.to, keys.SelectorFor(dkim.KeyRSA, now))
	for _, sel := range []string{o.from, o.to} {
		if _, err := keyName(domain, sel); err != nil {
			return k, false, err
		}
	}
	given := o.key != ""
	o.key = cmp.Or(o.key, o.to+"."+domain.String()+".pem")
	if _, err := os.Lstat(o.key); errors.Is(err, fs.ErrNotExist) {
		k, err = keys.Generate(keys.Options{})
		return k, true, err
	} else if !given {
		return k, false, usage("--key "+o.key+" uses it", "%+q exists, and it is not clear whether it is meant", o.key)
	}
	k, err = readKey(s, o.key)
	return k, false, err
}

func rotateError(err error, domain resolve.Name) error {
	code, hint := ExitFindings, ""
	switch {
	case errors.Is(err, rotate.ErrVendor):
		hint = "the provider rotates behind its CNAME; 'mailcheck dkim find " + domain.String() + "' checks that all of its selectors are there"
		if e, ok := errors.AsType[*rotate.VendorError](err); ok {
			if p := providerOf(e.Target); p != "" {
				hint = string(p) + ": " + hint
			}
		}
	case errors.Is(err, rotate.ErrOldKey):
		hint = "without a key in use there is nothing to rotate: mailcheck dkim keygen " + domain.String()
	case errors.Is(err, rotate.ErrNewKey):
		hint = "choose another selector with --to, or another key with --key"
	case errors.Is(err, rotate.ErrTooLate):
		hint = "mailcheck dkim rotate status tells what is due"
	case errors.Is(err, rotate.ErrFinished):
		hint = "remove the state file to begin another rotation"
	default:
		if e, ok := errors.AsType[*resolve.Error](err); ok {
			return &Error{Code: ExitIncomplete, Err: fmt.Errorf("the domain's name servers did not tell: %w", e), Hint: "try again later, or name a resolver with --resolver"}
		}
	}
	return &Error{Code: code, Err: err, Hint: hint}
}
