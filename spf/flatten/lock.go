package flatten

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

// Schema names the version of the lock's form.
const Schema = "mailcheck.spf-lock/1"

// maxLock bounds the octets of a lock that is read.
const maxLock = 8 << 20

// Lock is what was copied, kept beside the zone and not in it.
type Lock struct {
	Schema   string       `json:"schema"`
	Domain   resolve.Name `json:"domain"`
	Includes []Include    `json:"includes"`
}

// Include is one include that was flattened.
type Include struct {
	Include  resolve.Name   `json:"include"`         // whose record was copied
	Name     resolve.Name   `json:"name"`            // where the copy stands
	Time     time.Time      `json:"time"`            // of the copy
	Hash     string         `json:"hash"`            // of Networks and Terms
	Cost     int            `json:"lookups"`         // that the include needed
	Networks []netip.Prefix `json:"networks"`        // that pass
	Terms    []string       `json:"terms"`           // kept as they are, as they depend on the sender
	Hosts    []string       `json:"hosts,omitempty"` // a and mx terms, whose addresses were copied
	Sources  []Record       `json:"sources"`         // all records read
	Records  []Record       `json:"records"`         // all records written
}

// hash is of what the include passes, whatever the order of its records.
func (inc Include) hash() string {
	h := sha256.New()
	for _, p := range set.Of(inc.Networks...).Prefixes() {
		fmt.Fprintln(h, p)
	}
	terms := slices.Clone(inc.Terms)
	slices.Sort(terms)
	for _, t := range terms {
		fmt.Fprintln(h, t)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Lock is the lock to keep.
func (p Plan) Lock() Lock { return Lock{Schema, p.Domain, p.Includes} }

// Marshal writes the lock as JSON.
func (l Lock) Marshal() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(l)
	return b.Bytes(), err
}

// ParseLock reads a lock. It refuses one that was changed by hand.
func ParseLock(text []byte) (Lock, error) {
	var l Lock
	if len(text) > maxLock {
		return l, fmt.Errorf("%w: more than %d octets", ErrLock, maxLock)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		return l, fmt.Errorf("%w: %w", ErrLock, err)
	}
	if l.Schema != Schema || l.Domain.IsZero() {
		return l, fmt.Errorf("%w: its schema is %.60q, not %s", ErrLock, l.Schema, Schema)
	}
	for i := range l.Includes {
		inc := &l.Includes[i]
		if inc.Hash != inc.hash() || inc.Include.IsZero() || inc.Name.IsZero() {
			return l, fmt.Errorf("%w: the entry of %s was changed: its hash does not fit", ErrLock, inc.Include)
		}
		if !inc.holds(l.Domain) {
			return l, fmt.Errorf("%w: the entry of %s was changed: its records are not those of its networks", ErrLock, inc.Include)
		}
	}
	return l, nil
}

// holds reports whether the records hold the networks and terms and nothing else.
func (inc Include) holds(domain resolve.Name) bool {
	var words []string
	for i, r := range inc.Records {
		f := strings.Fields(r.Text)
		if len(f) < 2 || f[0] != "v=spf1" || f[len(f)-1] != "-all" || !r.Name.Within(domain) || r.Name == domain {
			return false
		}
		f = f[1 : len(f)-1]
		if i+1 < len(inc.Records) {
			if len(f) == 0 || f[len(f)-1] != "include:"+inc.Records[i+1].Name.String() {
				return false
			}
			f = f[:len(f)-1]
		}
		words = append(words, f...)
	}
	return len(inc.Records) > 0 && inc.Records[0].Name == inc.Name && slices.Equal(words, inc.words())
}

// Fresh reports an error that matches ErrStale if an entry is older than
// Options.MaxAge, or from the future.
func (l Lock) Fresh(opt Options) error {
	limit := opt.MaxAge
	if limit <= 0 {
		limit = MaxAge
	}
	for _, inc := range l.Includes {
		switch age := opt.Now.Sub(inc.Time); {
		case age > limit:
			return fmt.Errorf("%w: include:%s was copied %d days ago, and %d are allowed", ErrStale, inc.Include, int(age.Hours()/24), int(limit.Hours()/24))
		case age < -time.Hour:
			return fmt.Errorf("%w: include:%s was copied in the future, at %s", ErrStale, inc.Include, inc.Time.Format(time.RFC3339))
		}
	}
	return nil
}

// Drift is how one include has moved since it was copied.
type Drift struct {
	Include, Name resolve.Name
	Time          time.Time

	// State is Present if Added to TermsRemoved are known, Absent if the include
	// has no usable record any more, Unavailable if a lookup failed; Err tells why.
	State resolve.State
	Err   error

	Added   set.Set // passes there now, and is refused by the copy
	Removed set.Set // was given up there, and still passes by the copy

	TermsAdded, TermsRemoved []string

	// Published is the state of the copy in DNS: Present if it is as the lock has
	// it, Absent if it is not or is missing.
	Published    resolve.State
	PublishedErr error
}

// Moved reports whether the copy is no longer what it was made of.
func (d Drift) Moved() bool {
	return d.State == resolve.Absent || !d.Added.Empty() || !d.Removed.Empty() || len(d.TermsAdded)+len(d.TermsRemoved) > 0
}

// Compare holds a lock against what the includes pass now, and against what is
// published of the copies. It works on stale locks too: see [Lock.Fresh].
func Compare(ctx context.Context, r resolve.Resolver, l Lock) []Drift {
	var out []Drift
	for _, inc := range l.Includes {
		d := Drift{Include: inc.Include, Name: inc.Name, Time: inc.Time, State: resolve.Present}
		now := Include{Include: inc.Include}
		if err := now.read(ctx, r); err != nil {
			d.State, d.Err = stateOf(err), err
		} else {
			was, is := set.Of(inc.Networks...), set.Of(now.Networks...)
			d.Added, d.Removed = is.Minus(was), was.Minus(is)
			d.TermsAdded, d.TermsRemoved = missing(now.Terms, inc.Terms), missing(inc.Terms, now.Terms)
		}
		d.Published, d.PublishedErr = published(ctx, r, inc.Records)
		out = append(out, d)
	}
	return out
}

func stateOf(err error) resolve.State {
	for _, proven := range []error{ErrBroken, ErrOwnName} {
		if errors.Is(err, proven) {
			return resolve.Absent
		}
	}
	return resolve.Unavailable
}

// missing lists what is in a and not in b.
func missing(a, b []string) (out []string) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// published compares records with those in DNS.
func published(ctx context.Context, r resolve.Resolver, list []Record) (resolve.State, error) {
	for _, want := range list {
		a, err := r.Resolve(ctx, resolve.Question{Name: want.Name, Type: resolve.TypeTXT})
		if err != nil {
			return resolve.StateOf(err), err
		}
		var texts []string
		for _, t := range a.TXT() {
			texts = append(texts, t.Joined())
		}
		if got := spf.Select(texts).Records; len(got) != 1 || got[0] != want.Text {
			return resolve.Absent, fmt.Errorf("flatten: the record at %s is not that of the lock", want.Name)
		}
	}
	return resolve.Present, nil
}
