package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Defaults of Verify. Secondaries are notified in seconds; one that is not asks
// again after the refresh time of the SOA, which a person will not wait for.
const (
	defaultInterval = 5 * time.Second
	defaultTimeout  = 10 * time.Minute
)

// Proof is what Verify found of a step.
type Proof struct {
	ID        string         `json:"id"`
	Title     string         `json:"title"`
	Name      resolve.Name   `json:"name"`
	Type      resolve.Type   `json:"type"`
	Converged bool           `json:"converged"` // every server has the new records
	Servers   []ServerResult `json:"servers"`
	Error     string         `json:"error,omitempty"`
	// CachedUntil is when the last cache has forgotten the old answer: the old
	// TTL, or for a new name the negative TTL (RFC 2308, Section 5), from when all
	// servers had the new records. Zero if they have not.
	CachedUntil time.Time `json:"cached_until,omitzero"`
	Cache       string    `json:"cache,omitempty"` // the TTL it is reckoned from
}

// Verify asks every authoritative server, by address, until all of them have the
// new records of the steps, or time is up. A serial alone proves nothing, so the
// records themselves are compared. If Options.Timeout is negative, they are asked
// once.
func Verify(ctx context.Context, p *fix.Plan, opt Options, progress func(Proof)) ([]Proof, error) {
	now := time.Now
	if opt.Now != nil {
		now = opt.Now
	}
	interval, timeout := opt.Interval, opt.Timeout
	if interval <= 0 {
		interval = defaultInterval
	}
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, max(timeout, time.Minute))
	defer cancel()
	end := now().Add(timeout)
	proofs := make([]Proof, 0, len(p.Steps))
	var changes []fix.Change
	for _, s := range p.Steps {
		if s.Change != nil && chosen(s, opt.Steps) {
			proofs = append(proofs, Proof{ID: s.ID, Title: s.Title, Name: s.Change.Name, Type: s.Change.Type})
			changes = append(changes, *s.Change)
		}
	}
	for {
		open := 0
		for i := range proofs {
			if proofs[i].Converged {
				continue
			}
			prove(ctx, &proofs[i], changes[i], opt.Servers, now)
			if !proofs[i].Converged {
				open++
			}
			if progress != nil {
				progress(proofs[i])
			}
		}
		if open == 0 {
			return proofs, nil
		}
		if timeout < 0 || !now().Before(end) {
			return proofs, fmt.Errorf("%w: %d of %d record sets are not on every name server", ErrStale, open, len(proofs))
		}
		t := time.NewTimer(interval)
		select {
		case <-ctx.Done():
			t.Stop()
			return proofs, fmt.Errorf("%w: %w", ErrUnknown, context.Cause(ctx))
		case <-t.C:
		}
	}
}

func chosen(s fix.Step, ids []string) bool {
	if len(ids) == 0 {
		return s.Gate == nil
	}
	for _, id := range ids {
		if id == s.ID {
			return true
		}
	}
	return false
}

func prove(ctx context.Context, p *Proof, c fix.Change, s Servers, now func() time.Time) {
	_, servers, err := look(ctx, s, c)
	p.Servers, p.Error = servers, ""
	if err != nil {
		p.Error = err.Error()
		return
	}
	for _, v := range servers {
		if v.State != HoldsNew {
			return
		}
	}
	p.Converged = true
	ttl, what := time.Duration(c.TTL)*time.Second, "the TTL of the old records"
	if len(c.Old) == 0 {
		what = "the negative TTL of the zone"
		ttl = negative(ctx, s, c)
	}
	p.Cache = fmt.Sprintf("%s, %s", what, ttl)
	p.CachedUntil = now().Add(ttl).UTC().Truncate(time.Second)
}

// negative is how long the absence of a record may have been cached: the lesser
// of the SOA's TTL and its minimum (RFC 2308, Section 5).
func negative(ctx context.Context, s Servers, c fix.Change) time.Duration {
	z, err := s.FindZone(ctx, c.Name)
	if err != nil {
		return time.Hour
	}
	cmp, err := s.AskAuthoritative(ctx, resolve.Question{Name: z.Zone, Type: resolve.TypeSOA})
	if err != nil {
		return time.Hour
	}
	a, err := cmp.Best()
	if err != nil || len(a.Records) == 0 {
		return time.Hour
	}
	soa, ok := a.Records[0].Data.(resolve.SOA)
	if !ok {
		return time.Hour
	}
	return time.Duration(min(soa.Minimum, a.Records[0].TTL)) * time.Second
}
