package main

import (
	"context"
	"strings"
	"time"

	"github.com/libdns/libdns"
	"github.com/libdns/route53"
)

var route53Provider = &provider{
	name: "route53", title: "Amazon Route 53, by libdns/route53 v1.6.2",
	env: []variable{
		{names: []string{"AWS_ACCESS_KEY_ID"}, what: "access key; AWS_PROFILE and roles of the machine serve too", optional: true},
		{names: []string{"AWS_SECRET_ACCESS_KEY"}, what: "its secret", optional: true},
		{names: []string{"AWS_SESSION_TOKEN"}, what: "its session", optional: true},
		{names: []string{"AWS_PROFILE"}, what: "profile of the shared configuration", optional: true, public: true},
		{names: []string{"AWS_HOSTED_ZONE_ID"}, what: "the zone, if there are several of its name", optional: true, public: true},
		{names: []string{"AWS_REGION", "AWS_DEFAULT_REGION"}, what: "default: us-east-1", optional: true, public: true},
	},
	notes: []string{
		"Rights: route53:ListHostedZonesByName, ListResourceRecordSets, ChangeResourceRecordSets.",
		"A set is replaced in one call.",
		"A text that begins or ends with a quote is refused: the package loses it when it reads.",
	},
}

func init() { route53Provider.open = openRoute53 }

// route53Store: the package replaces sets as a whole. It compares the name of the
// zone with its final dot.
type route53Store struct{ p *route53.Provider }

func openRoute53(e *environment) (store, error) {
	v, err := e.take(route53Provider)
	if err != nil {
		return nil, err
	}
	p := &route53.Provider{AccessKeyId: v[0], SecretAccessKey: v[1], SessionToken: v[2], Profile: v[3], HostedZoneID: v[4], Region: v[5], MaxRetries: 3}
	if p.Region == "" {
		p.Region = "us-east-1"
	}
	return &route53Store{p}, nil
}

func (s *route53Store) list(ctx context.Context, at place) ([]entry, error) {
	all, err := s.p.GetRecords(ctx, at.zone+".")
	if err != nil && strings.HasPrefix(err.Error(), "HostedZoneNotFound") {
		return nil, fail(refused, "%v", err)
	}
	if err != nil {
		return nil, err
	}
	return listed(all, at, "", fromLiteral)
}

func (s *route53Store) replace(ctx context.Context, at place, e edit) error {
	if len(e.want) == 0 {
		var gone []libdns.Record
		for _, d := range e.del {
			gone = append(gone, d.raw.(libdns.Record))
		}
		_, err := s.p.DeleteRecords(ctx, at.zone+".", gone)
		return err
	}
	var set []libdns.Record
	for _, d := range e.want {
		rr := libdns.RR{Name: at.name, Type: at.typ, TTL: time.Duration(e.ttl) * time.Second, Data: d}
		if at.typ == "TXT" || at.typ == "SPF" {
			t, err := text(d)
			if err != nil {
				return fail(refused, "%v", err)
			}
			if strings.HasPrefix(t, `"`) || strings.HasSuffix(t, `"`) {
				return fail(refused, "libdns/route53 cannot read back a text that begins or ends with a quote: use mailcheck fix export --format route53")
			}
			rr.Data = t
		}
		set = append(set, rr)
	}
	_, err := s.p.SetRecords(ctx, at.zone+".", set)
	return err
}
