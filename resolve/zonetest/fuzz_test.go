package zonetest

import (
	"context"
	"testing"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// No query makes the server panic, and every reply can be read and fits.
func FuzzReply(f *testing.F) {
	for _, name := range []string{"mail.example.com.", "a.wild.example.com.", "www.example.com.", "x.sub.example.com.", "."} {
		m := query(name, dns.TypeA)
		m.SetEdns0(1232, true)
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	s := &Server{ctx: context.Background()}
	s.zone.Store(MustParse(sample))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, over := range []resolve.Transport{resolve.UDP, resolve.TCP} {
			r, _ := s.reply(b, over)
			if r == nil {
				continue
			}
			m := new(dns.Msg)
			if err := m.Unpack(r); err != nil || !m.Response || len(r) > maxTCP {
				t.Fatalf("% x: %v", r, err)
			}
		}
	})
}
