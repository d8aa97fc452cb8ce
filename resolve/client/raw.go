package client

import (
	"context"
	"slices"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Exchange puts q to the configured servers with the DO and CD bits set and
// returns the octets of the response, for a caller that checks DNSSEC signatures
// itself. The response belongs to the query, is not truncated, is framed
// properly and has the code NOERROR or NXDOMAIN; nothing else of it is checked.
// The answer tells how it came and holds no records: aliases are not followed
// and nothing is cached. Errors are *[resolve.Error].
func (c *Client) Exchange(ctx context.Context, q resolve.Question) (resolve.Answer, []byte, error) {
	return c.exchangeRaw(ctx, q, func(ctx context.Context) outcome {
		budget := c.opt.Timeout
		return c.ask(ctx, inOrder(c.servers), query{q: q, raw: true}, &budget)
	})
}

// ExchangeAuthoritative is [Client.Exchange] with the servers of the zone that
// holds q; for type DS that is the zone above. The zone is found with the
// configured servers. If they validate, set CheckingDisabled, or a zone whose
// signatures are broken cannot be found.
func (c *Client) ExchangeAuthoritative(ctx context.Context, q resolve.Question) (resolve.Answer, []byte, error) {
	return c.exchangeRaw(ctx, q, func(ctx context.Context) outcome {
		name := q.Name
		if q.Type == resolve.TypeDS && !name.IsRoot() {
			name = name.Parent() // RFC 4035, Section 3.1.4.1: the parent zone holds the DS
		}
		auth, err := c.FindZone(ctx, name)
		if err != nil {
			return outcome{a: resolve.Answer{Question: q}, err: noZone(q, err)}
		}
		budget := c.opt.Timeout
		return c.ask(ctx, inOrder(c.authServers(auth)), query{q: q, zone: auth.Zone, raw: true}, &budget)
	})
}

func (c *Client) exchangeRaw(ctx context.Context, q resolve.Question, ask func(context.Context) outcome) (resolve.Answer, []byte, error) {
	if q.Name.IsZero() {
		return resolve.Answer{Question: q}, nil, &resolve.Error{Reason: resolve.ErrMalformed, Question: q, Detail: "no name to ask for"}
	}
	ctx, done, err := c.begin(ctx, q)
	if err != nil {
		return resolve.Answer{Question: q}, nil, err
	}
	defer done()
	o := ask(ctx)
	if o.err != nil && ctx.Err() != nil {
		o.err = gaveUp(q, ctx.Err())
	}
	if o.err != nil {
		return o.a, nil, o.err
	}
	return o.a, o.raw, nil
}

// keepRaw keeps the octets of a response if they were asked for.
func (m *message) keepRaw(msg []byte, qy query) {
	if qy.raw || qy.refer {
		m.raw = slices.Clone(msg) // the buffer is used again
	}
}

// verbatim is what a raw response says about the server: nothing is concluded
// about the question.
func (m *message) verbatim(q resolve.Question, zone resolve.Name) outcome {
	o := outcome{a: m.envelope(q), raw: m.raw}
	fail := func(reason error, detail string) {
		o.err = &resolve.Error{Reason: reason, Question: q, RCode: m.rcode, Detail: joinDetail(detail, describe(m.extended))}
	}
	switch m.rcode {
	case resolve.NoError, resolve.NXDomain:
		// RFC 1034, Section 6.2: only an answer with AA comes from the zone itself.
		if !zone.IsZero() && !m.has(bitAA) {
			fail(resolve.ErrServFail, "lame: the answer is not authoritative")
		}
	case resolve.Refused:
		fail(resolve.ErrRefused, "")
	default:
		fail(resolve.ErrServFail, "")
	}
	return o
}
