package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// resolverFlags are the flags of every command that asks DNS.
type resolverFlags struct {
	servers       []string
	zones         []string
	offline       bool
	authoritative bool
	verbose       bool
}

func (f *resolverFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringArrayVar(&f.servers, "resolver", nil, "DNS `server` to ask, repeatable, in order of preference: an address, or a udp://, tcp://, tls:// or https:// URL (default: the system's)")
	fs.StringArrayVar(&f.zones, "zone", nil, "zone `file` that answers for its names, repeatable: audit records before they are published")
	fs.BoolVar(&f.offline, "offline", false, "ask nothing of the network: names outside the zone files are unknown")
	fs.BoolVar(&f.authoritative, "authoritative", false, "ask each zone's own name servers rather than a resolver's cache")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "print each DNS query and its answer on standard error")
}

// resolver is what the flags ask for.
type resolver struct {
	resolve.Resolver
	about string // for reports
	close func()

	client *client.Client // nil if nothing of the network is asked
	cached bool           // answers come from a resolver's cache
}

func (f *resolverFlags) open(s Streams) (*resolver, error) {
	if f.offline && (len(f.servers) > 0 || f.authoritative) {
		return nil, usage("drop one of the two", "--offline excludes --resolver and --authoritative")
	}
	out := &resolver{close: func() {}}
	var next resolve.Resolver
	var about []string
	var zone *zonetest.Zone
	if len(f.zones) > 0 {
		z, err := zonetest.Load(f.zones...)
		if err != nil {
			return nil, zoneError(err)
		}
		for _, w := range z.Warnings() {
			fmt.Fprintf(s.Err, "mailcheck: warning: zone file: %s\n", safe.Text(w))
		}
		zone = z
		about = append(about, "zone "+strings.Join(f.zones, ", "))
	}
	if !f.offline {
		c, err := client.New(client.Options{Servers: f.servers})
		if err != nil {
			return nil, &Error{Code: ExitUsage, Err: err, Hint: "name a DNS server with --resolver, or give --offline and --zone"}
		}
		out.close = func() { c.Close() }
		next, out.client, out.cached = c, c, zone == nil && !f.authoritative
		names := strings.Join(c.Servers(), ", ")
		if f.authoritative {
			next = c.Authoritative()
			names = "authoritative servers, found through " + names
		}
		about = append(about, names)
	} else {
		about = append(about, "offline")
	}
	switch {
	case zone != nil:
		out.Resolver = resolve.Overlay{Zone: zone, Next: next}
	case next != nil:
		out.Resolver = next
	default:
		out.Resolver = resolve.Offline
	}
	if f.verbose {
		out.Resolver = resolve.Observe(out.Resolver, queryLog(s.Err))
	}
	out.about = strings.Join(about, "; ")
	return out, nil
}

// zoneError is the error of a zone file: one that cannot be read is no matter of form.
func zoneError(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		reason := e.Err
		if errors.Is(err, fs.ErrNotExist) {
			reason = errors.New("no such file")
		}
		return &Error{Code: ExitUsage, Err: fmt.Errorf("%s: %w", e.Path, reason), Hint: "name a readable zone file"}
	}
	return &Error{Code: ExitUsage, Err: fmt.Errorf("zone file: %w", err), Hint: "a zone file is in master file form (RFC 1035, Section 5)"}
}

// queryLog prints a line for each lookup; lookups are concurrent, lines are not.
func queryLog(w io.Writer) func(resolve.Answer, error) {
	var mu sync.Mutex
	return func(a resolve.Answer, err error) {
		var b strings.Builder
		fmt.Fprintf(&b, "query: %s", a.Question)
		if a.Server != "" {
			fmt.Fprintf(&b, " @%s/%s", a.Server, a.Transport)
		}
		switch {
		case err == nil:
			fmt.Fprintf(&b, " %s, %d records", a.RCode, len(a.Records))
		default:
			reason := resolve.ReasonOf(err)
			fmt.Fprintf(&b, " %v", reason)
			if errors.Is(err, resolve.ErrTemporary) {
				b.WriteString(" (unknown)")
			}
		}
		if a.Cached {
			b.WriteString(", cached")
		} else {
			fmt.Fprintf(&b, ", %v", a.Elapsed.Round(100*time.Microsecond))
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(w, safe.Text(b.String()))
	}
}
