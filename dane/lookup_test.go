package dane

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
)

func TestLookup(t *testing.T) {
	const digest = "0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6"
	tlsa, _ := Parse("3 1 1 " + digest)
	other, _ := Parse("2 0 1 " + digest)
	far := resolve.MustName("host.example.net")
	addr := func(ad bool, chain ...resolve.Alias) resolve.Answer {
		return resolve.Answer{Records: []resolve.Record{{Data: resolve.Addr{}}}, AuthenticData: ad, Chain: chain}
	}
	recs := func(ad bool, list ...Record) resolve.Answer {
		a := resolve.Answer{AuthenticData: ad}
		for _, r := range list {
			a.Records = append(a.Records, resolve.Record{Data: r.TLSA()})
		}
		return a
	}
	fails := resolve.Answer{RCode: resolve.ServFail}
	bogus := resolve.Answer{RCode: resolve.ServFail, Extended: []resolve.ExtendedError{{Code: 6}}}
	alias := resolve.Alias{Name: mx, Target: far}
	cname := func(ad bool) resolve.Answer {
		return resolve.Answer{Records: []resolve.Record{{Data: resolve.Host{Name: far}}}, AuthenticData: ad}
	}
	signed := resolve.Answer{AuthenticData: true}
	const (
		a, aaaa, own = "mx.example.org A", "mx.example.org AAAA", "mx.example.org CNAME"
		here, there  = "_25._tcp.mx.example.org TLSA", "_25._tcp.host.example.net TLSA"
	)
	tests := []struct {
		section, name string
		r             resolver
		state         resolve.State
		security      Security
		base          string
		records       int
		asked         string
	}{
		{"2.2.3", "secure", resolver{"signed": signed, a: addr(true), here: recs(true, tlsa, other)}, resolve.Present, Secure, "mx.example.org", 2, "mx.example.org"},
		{"2.2.2", "addresses are not", resolver{a: addr(false), here: recs(true, tlsa)}, resolve.Present, Insecure, "mx.example.org", 1, "mx.example.org"},
		{"2.2", "records are not", resolver{"signed": signed, a: addr(true), here: recs(false, tlsa)}, resolve.Present, Insecure, "mx.example.org", 1, "mx.example.org"},
		{"2.2", "none", resolver{"signed": signed, a: addr(true)}, resolve.Absent, Secure, "mx.example.org", 0, "mx.example.org"},
		{"2.1.2", "SERVFAIL", resolver{"signed": signed, a: addr(true), here: fails}, resolve.Unavailable, Indeterminate, "mx.example.org", 0, "mx.example.org"},
		{"2.1.2", "bogus", resolver{"signed": signed, a: addr(true), here: bogus}, resolve.Unavailable, Bogus, "mx.example.org", 0, "mx.example.org"},
		{"2.1.2", "bogus addresses", resolver{"signed": signed, a: bogus, here: recs(true, tlsa)}, resolve.Present, Bogus, "mx.example.org", 1, "mx.example.org"},
		{"2.2.2", "SERVFAIL in a zone that is not signed", resolver{a: addr(false), here: fails}, resolve.Unavailable, Insecure, "mx.example.org", 0, "mx.example.org"},
		{"2.2.3", "alias, records at its end", resolver{"signed": signed, a: addr(true, alias), own: cname(true), there: recs(true, tlsa), here: recs(true, other)}, resolve.Present, Secure, "host.example.net", 1, "host.example.net"},
		{"2.2.3", "alias, records at its start", resolver{"signed": signed, a: addr(true, alias), own: cname(true), here: recs(true, tlsa)}, resolve.Present, Secure, "mx.example.org", 1, "host.example.net mx.example.org"},
		{"2.2.3", "alias, insecure records at its end", resolver{"signed": signed, a: addr(true, alias), own: cname(true), there: recs(false, tlsa), here: recs(true, tlsa, other)}, resolve.Present, Secure, "mx.example.org", 2, "host.example.net mx.example.org"},
		{"2.2.3", "alias, failure at its end", resolver{"signed": signed, a: addr(true, alias), own: cname(true), there: fails, here: recs(true, tlsa)}, resolve.Unavailable, Indeterminate, "host.example.net", 0, "host.example.net"},
		{"2.2.2", "secure alias into a zone that is not signed", resolver{"signed": signed, a: addr(false, alias), own: cname(true), here: recs(true, tlsa)}, resolve.Present, Secure, "mx.example.org", 1, "mx.example.org"},
		{"2.1.3", "insecure alias", resolver{a: addr(false, alias), own: cname(false), there: recs(true, tlsa)}, resolve.Present, Insecure, "host.example.net", 1, "host.example.net"},
	}
	for _, tt := range tests {
		s := Lookup(t.Context(), tt.r, mx, Options{Judge: TrustAD})
		var asked []string
		for _, st := range s.Steps {
			asked = append(asked, st.Base.String())
		}
		if s.State != tt.state || s.Security != tt.security || s.Base.String() != tt.base || len(s.Records) != tt.records || strings.Join(asked, " ") != tt.asked || s.Why == "" {
			t.Errorf("%s (Section %s): %s, %s, base %s, %d records, asked %v: %s", tt.name, tt.section, s.State, s.Security, s.Base, len(s.Records), asked, s.Why)
		}
		if s.Owner.String() != "_25._tcp."+tt.base || (s.Err != nil) != (s.State == resolve.Unavailable) {
			t.Errorf("%s: owner %s, error %v", tt.name, s.Owner, s.Err)
		}
		if n := Lookup(t.Context(), tt.r, mx, Options{}); n.Security != Indeterminate {
			t.Errorf("%s: %s without a judge", tt.name, n.Security)
		}
	}
	if s := Lookup(t.Context(), resolver{}, resolve.Root, Options{}); s.State != resolve.Absent || s.Err == nil {
		t.Errorf("the root: %+v", s)
	}
	if s := Lookup(t.Context(), resolver{"_465._tcp.mx.example.org TLSA": recs(true, tlsa)}, mx, Options{Port: 465}); s.State != resolve.Present {
		t.Errorf("another port: %+v", s)
	}
}

func TestCandidates(t *testing.T) {
	far := resolve.MustName("host.example.net")
	for _, tt := range []struct {
		expanded           resolve.Name
		addresses, initial Security
		want               string
	}{
		{mx, Secure, Secure, "[mx.example.org]"},
		{resolve.Name{}, Secure, Secure, "[mx.example.org]"},
		{far, Secure, Secure, "[host.example.net mx.example.org]"},
		{far, Insecure, Secure, "[mx.example.org]"},
		{far, Insecure, Insecure, "[host.example.net mx.example.org]"},
		{far, Indeterminate, Indeterminate, "[host.example.net mx.example.org]"},
	} {
		if got := fmt.Sprint(Candidates(mx, tt.expanded, tt.addresses, tt.initial)); got != tt.want {
			t.Errorf("%s, %s, %s: %s", tt.expanded, tt.addresses, tt.initial, got)
		}
	}
}

func TestTrustAD(t *testing.T) {
	fail := &resolve.Error{Reason: resolve.ErrServFail}
	for _, tt := range []struct {
		a    resolve.Answer
		err  error
		want Security
	}{
		{resolve.Answer{AuthenticData: true}, nil, Secure},
		{resolve.Answer{}, nil, Insecure},
		{resolve.Answer{AuthenticData: true}, &resolve.Error{Reason: resolve.ErrNoData}, Secure},
		{resolve.Answer{}, &resolve.Error{Reason: resolve.ErrNXDomain}, Insecure},
		{resolve.Answer{}, fail, Indeterminate},
		{resolve.Answer{AuthenticData: true}, &resolve.Error{Reason: resolve.ErrTimeout}, Indeterminate},
		{resolve.Answer{Extended: []resolve.ExtendedError{{Code: 7}}}, fail, Bogus},
		{resolve.Answer{Extended: []resolve.ExtendedError{{Code: 22}}}, fail, Indeterminate},
	} {
		if got := TrustAD(tt.a, tt.err); got != tt.want {
			t.Errorf("%+v, %v: %s", tt.a, tt.err, got)
		}
	}
}
