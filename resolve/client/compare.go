package client

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// ServerAnswer is what one authoritative server says.
type ServerAnswer struct {
	Server NameServer
	Answer resolve.Answer
	// Err is the error of the lookup at this server. resolve.ErrReferral with a
	// chain is an alias that leads out of the zone: an answer, not a failure.
	Err error
	// Serial is the zone's serial at this server; nil if it did not tell.
	Serial *uint32
}

// Comparison is what all servers of a zone say to one question. Servers that
// could not be asked are in Failed and do not count as disagreement: what they
// hold is unknown.
type Comparison struct {
	Question resolve.Question
	Zone     resolve.Name
	Answers  []ServerAnswer // in the order of Authority.Servers
	Agree    bool           // at least one answered, and all that did say the same
	Lame     []NameServer   // responded, but not with authority for the zone
	Stale    []NameServer   // hold an older serial than another one
	Failed   []NameServer   // no usable response, or no address

	distinct int // different answers
}

// Best is the answer of the server with the newest serial, the first of those in
// order, or the most telling failure.
func (c Comparison) Best() (resolve.Answer, error) {
	best := -1
	for i, a := range c.Answers {
		switch {
		case best < 0:
			best = i
		case !a.authoritative():
			if !c.Answers[best].authoritative() && a.weight() > c.Answers[best].weight() {
				best = i
			}
		case !c.Answers[best].authoritative() || newer(a.Serial, c.Answers[best].Serial):
			best = i
		}
	}
	if best < 0 {
		return resolve.Answer{Question: c.Question}, &resolve.Error{Reason: resolve.ErrServFail, Question: c.Question, Detail: "the zone has no name server"}
	}
	return c.Answers[best].Answer, c.Answers[best].Err
}

func (a ServerAnswer) weight() int { return outcome{a: a.Answer, err: a.Err}.weight() }

// authoritative reports an answer that the server gives with authority. The error
// of a host without address is not what a server said, though it may be NXDOMAIN.
func (a ServerAnswer) authoritative() bool {
	if !a.Server.Addr.IsValid() {
		return false
	}
	return a.Err == nil || errors.Is(a.Err, resolve.ErrAbsent) || errors.Is(a.Err, resolve.ErrReferral) || errors.Is(a.Err, resolve.ErrAliasLoop)
}

// lame reports a response that shows that the server does not hold the zone.
func (a ServerAnswer) lame() bool {
	e, ok := errors.AsType[*resolve.Error](a.Err)
	if !ok {
		return false
	}
	switch e.RCode {
	case resolve.NoError, resolve.NXDomain, resolve.NotAuth:
		return e.Reason == resolve.ErrServFail && a.Answer.Size > 0
	}
	return e.Reason == resolve.ErrRefused
}

// newer compares serials as RFC 1982, Section 3.2, does.
func newer(a, b *uint32) bool {
	return a != nil && (b == nil || int32(*a-*b) > 0)
}

// AskAuthoritative asks every server of the zone that holds q.Name and compares
// what they say. The error is that of finding the servers, or the most telling
// one if no server answered; the comparison is filled as far as it is known.
func (c *Client) AskAuthoritative(ctx context.Context, q resolve.Question) (Comparison, error) {
	ctx, done, err := c.begin(ctx, q)
	if err != nil {
		return Comparison{Question: q}, err
	}
	defer done()
	auth, exact, err := c.zoneFor(ctx, q)
	for {
		if err != nil {
			return Comparison{Question: q, Zone: auth.Zone}, noZone(q, err)
		}
		all := c.compare(ctx, auth, q, true)
		a, aerr := all.Best()
		if !exact && errors.Is(aerr, resolve.ErrReferral) && len(a.Chain) == 0 {
			auth, err = c.FindZone(ctx, q.Name)
			exact = true
			continue
		}
		if slices.ContainsFunc(all.Answers, ServerAnswer.authoritative) {
			return all, nil
		}
		return all, aerr
	}
}

// AskServers is [Client.AskAuthoritative] with servers that the caller names.
func (c *Client) AskServers(ctx context.Context, auth Authority, q resolve.Question) (Comparison, error) {
	ctx, done, err := c.begin(ctx, q)
	if err != nil {
		return Comparison{Question: q, Zone: auth.Zone}, err
	}
	defer done()
	return c.compare(ctx, auth, q, true), nil
}

// compare asks all servers of the zone at the same time, each for q and for its
// serial. If all is false, servers that have been silent just now are left out,
// so that a dead one does not delay every question of an audit.
func (c *Client) compare(ctx context.Context, auth Authority, q resolve.Question, all bool) Comparison {
	cmp := Comparison{Question: q, Zone: auth.Zone, Answers: make([]ServerAnswer, len(auth.Servers))}
	var wg sync.WaitGroup
	for i, n := range auth.Servers {
		out := &cmp.Answers[i]
		out.Server, out.Answer.Question, out.Err = n, q, n.Err
		if !n.Addr.IsValid() {
			continue
		}
		s := c.serverAt(n.Addr)
		if !all && s.isDown(time.Now()) {
			out.Err = &resolve.Error{Reason: resolve.ErrTimeout, Question: q, Server: s.addr, Detail: "it did not respond to earlier queries"}
			continue
		}
		soa := resolve.Question{Name: auth.Zone, Type: resolve.TypeSOA}
		wg.Go(func() { out.Answer, out.Err = c.askOne(ctx, s, auth.Zone, q) })
		wg.Go(func() {
			a, err := c.askOne(ctx, s, auth.Zone, soa)
			if err != nil || len(a.Chain) > 0 {
				return
			}
			if d, ok := a.Records[0].Data.(resolve.SOA); ok {
				out.Serial = &d.Serial
			}
		})
	}
	wg.Wait()
	cmp.judge()
	return cmp
}

func (c *Client) askOne(ctx context.Context, s *server, zone resolve.Name, q resolve.Question) (resolve.Answer, error) {
	budget := min(c.opt.Timeout, authTimeout)
	o := c.ask(ctx, []*server{s}, query{q: q, zone: zone, dnssec: c.opt.DNSSEC}, &budget)
	if o.err != nil && ctx.Err() != nil {
		o.err = gaveUp(q, ctx.Err())
	}
	return o.a, o.err
}

// judge sorts the servers.
func (c *Comparison) judge() {
	said := map[string]bool{}
	var newest *uint32
	for _, a := range c.Answers {
		if a.authoritative() && newer(a.Serial, newest) {
			newest = a.Serial
		}
	}
	for _, a := range c.Answers {
		switch {
		case a.authoritative():
			said[a.content()] = true
			if a.Serial != nil && newer(newest, a.Serial) {
				c.Stale = append(c.Stale, a.Server)
			}
		case a.lame():
			c.Lame = append(c.Lame, a.Server)
		default:
			c.Failed = append(c.Failed, a.Server)
		}
	}
	c.distinct = len(said)
	c.Agree = len(said) == 1
}

// content is what an answer says, without TTLs and order (RFC 2136, Section
// 1.1: RRsets are equal irrespective of both).
func (a ServerAnswer) content() string {
	var b strings.Builder
	if a.Err != nil {
		b.WriteString(resolve.ReasonOf(a.Err).Error())
	}
	for _, l := range a.Answer.Chain {
		b.WriteString("\n" + l.Name.String() + " CNAME " + l.Target.String())
	}
	data := make([]string, 0, len(a.Answer.Records))
	for _, r := range a.Answer.Records {
		data = append(data, r.Data.String())
	}
	slices.Sort(data)
	for _, d := range slices.Compact(data) {
		b.WriteString("\n" + d)
	}
	return b.String()
}
