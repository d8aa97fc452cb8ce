package cli

import (
	"context"
	"time"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// wholeTTL gives each record set that a plan changes the TTL that the zone's own
// servers have. A resolver tells what its cache has left (RFC 1035, Section 3.2.1:
// a TTL counts down there), and the changed set would be published with that. A
// server that does not answer changes nothing: the TTL decides no mail.
func (r *resolver) wholeTTL(ctx context.Context, p *fix.Plan) {
	if !r.cached || p == nil {
		return
	}
	servers := r.client.Authoritative()
	known := map[resolve.Question]uint32{}
	for i := range p.Steps {
		c := p.Steps[i].Change
		if c == nil || c.Verb == fix.Create {
			continue
		}
		q := resolve.Question{Name: c.Name, Type: c.Type}
		ttl, ok := known[q]
		if !ok {
			if a, err := servers.Resolve(ctx, q); err == nil && len(a.Chain) == 0 && len(a.Records) > 0 {
				ttl = a.Records[0].TTL
			}
			known[q] = ttl
		}
		if ttl > c.TTL {
			c.TTL = ttl
			p.Steps[i].Wait = max(p.Steps[i].Wait, fix.Duration(time.Duration(ttl)*time.Second))
		}
	}
}
