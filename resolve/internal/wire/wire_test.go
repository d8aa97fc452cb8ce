package wire

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// octets is every octet once, in two strings as 256 do not fit one.
func octets() resolve.TXT {
	var b []byte
	for i := range 256 {
		b = append(b, byte(i))
	}
	return resolve.TXT{Strings: []string{string(b[:128]), string(b[128:]), "", `a\b"c;d`, strings.Repeat(`\`, 255), strings.Repeat("\x00", 255)}}
}

func records() []resolve.Record {
	n := resolve.MustName
	data := []struct {
		t resolve.Type
		d resolve.Data
	}{
		{resolve.TypeA, resolve.Addr{Addr: netip.MustParseAddr("192.0.2.1")}},
		{resolve.TypeAAAA, resolve.Addr{Addr: netip.MustParseAddr("2001:db8::1")}},
		{resolve.TypeAAAA, resolve.Addr{Addr: netip.MustParseAddr("::ffff:192.0.2.1")}},
		{resolve.TypeNS, resolve.Host{Name: n("ns.example")}},
		{resolve.TypeCNAME, resolve.Host{Name: n("a\\b.c@d.x y.example")}},
		{resolve.TypePTR, resolve.Host{Name: n("mail.example")}},
		{resolve.TypeMX, resolve.MX{Preference: 65535, Host: n("mx.example")}},
		{resolve.TypeMX, resolve.MX{Host: resolve.Root}},
		{resolve.TypeTXT, resolve.TXT{Strings: []string{""}}},
		{resolve.TypeTXT, octets()},
		{resolve.TypeSPF, resolve.TXT{Strings: []string{"v=spf1 -all"}}},
		{resolve.TypeSOA, resolve.SOA{MName: n("ns.example"), RName: n("first.example"), Serial: 1, Refresh: 2, Retry: 3, Expire: 4, Minimum: 5}},
		{resolve.TypeTLSA, resolve.TLSA{Usage: 3, Selector: 1, Matching: 1, Association: []byte{0, 1, 255}}},
		{resolve.TypeCAA, resolve.CAA{Flags: 128, Tag: "issue", Value: "ca.example; a=\"b\\c\x00\xff"}},
		{resolve.TypeCAA, resolve.CAA{Tag: "iodef", Value: ""}},
		{resolve.TypeCAA, resolve.Raw{Text: `\# 7 0003612022785c`}}, // a tag that is none
		{resolve.TypeSRV, resolve.Raw{Text: "1 2 25 mail.example."}},
		{resolve.TypeHTTPS, resolve.Raw{Text: `1 . alpn="h2,h3"`}},
		{65280, resolve.Raw{Text: `\# 3 0a00ff`}},
		{65280, resolve.Raw{Text: `\# 0`}},
	}
	var out []resolve.Record
	for i, d := range data {
		out = append(out, resolve.Record{Name: n("_x.example"), Type: d.t, TTL: uint32(i), Data: d.d})
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	for _, r := range records() {
		rr, err := ToRR(r)
		if err != nil {
			t.Errorf("ToRR(%v): %v", r, err)
			continue
		}
		if got, err := FromRR(rr); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("FromRR(ToRR) = %#v, %v\nwant %#v", got, err, r)
		}
		// Over the wire.
		buf := make([]byte, 65535)
		n, err := dns.PackRR(rr, buf, 0, nil, false)
		if err != nil {
			t.Errorf("pack %v: %v", r, err)
			continue
		}
		back, _, err := dns.UnpackRR(buf[:n], 0)
		if err != nil {
			t.Errorf("unpack %v: %v", r, err)
			continue
		}
		if r.Data == (resolve.Raw{Text: `\# 0`}) {
			continue // the library cannot tell empty data from a dynamic update
		}
		if got, err := FromRR(back); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("FromRR(wire) = %#v, %v\nwant %#v", got, err, r)
		}
	}
}

// The text that package resolve prints reads back as the same record.
func TestPresentation(t *testing.T) {
	for _, r := range records() {
		p := dns.NewZoneParser(strings.NewReader(r.String()+"\n"), ".", "")
		rr, ok := p.Next()
		if !ok {
			t.Errorf("%v: %v", r, p.Err())
			continue
		}
		if got, err := FromRR(rr); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("got %#v, %v\nwant %#v", got, err, r)
		}
	}
}

func TestFromRRErrors(t *testing.T) {
	h := func(t uint16) dns.RR_Header {
		return dns.RR_Header{Name: "x.example.", Rrtype: t, Class: dns.ClassINET}
	}
	ch := h(dns.TypeTXT)
	ch.Class = dns.ClassCHAOS
	bad := h(dns.TypeTXT)
	bad.Name = "a..b."
	cases := map[string]dns.RR{
		"nil":            nil,
		"typed nil":      (*dns.A)(nil),
		"class":          &dns.TXT{Hdr: ch, Txt: []string{"x"}},
		"owner":          &dns.TXT{Hdr: bad, Txt: []string{"x"}},
		"no strings":     &dns.TXT{Hdr: h(dns.TypeTXT)},
		"no address":     &dns.A{Hdr: h(dns.TypeA)},
		"no name":        &dns.MX{Hdr: h(dns.TypeMX)},
		"no SOA names":   &dns.SOA{Hdr: h(dns.TypeSOA)},
		"octet 999":      &dns.TXT{Hdr: h(dns.TypeTXT), Txt: []string{`\999`}},
		"backslash end":  &dns.TXT{Hdr: h(dns.TypeTXT), Txt: []string{`a\`}},
		"string too big": &dns.TXT{Hdr: h(dns.TypeTXT), Txt: []string{strings.Repeat("x", 256)}},
		"data too big":   &dns.TXT{Hdr: h(dns.TypeTXT), Txt: slices.Repeat([]string{strings.Repeat("x", 255)}, 256)},
		"no SRV data":    &dns.SRV{Hdr: h(dns.TypeSRV)},
		"bad hex":        &dns.TLSA{Hdr: h(dns.TypeTLSA), Certificate: "xy"},
		"OPT":            &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT, Class: dns.ClassINET}},
	}
	for name, rr := range cases {
		if r, err := FromRR(rr); err == nil {
			t.Errorf("%s: got %v", name, r)
		}
	}
}

func TestToRRErrors(t *testing.T) {
	n := resolve.MustName("x.example")
	four := resolve.Addr{Addr: netip.MustParseAddr("192.0.2.1")}
	cases := map[string]resolve.Record{
		"no owner":      {Type: resolve.TypeA, Data: four},
		"no data":       {Name: n, Type: resolve.TypeA},
		"family":        {Name: n, Type: resolve.TypeAAAA, Data: four},
		"no address":    {Name: n, Type: resolve.TypeA, Data: resolve.Addr{}},
		"type":          {Name: n, Type: resolve.TypeMX, Data: four},
		"host type":     {Name: n, Type: resolve.TypeMX, Data: resolve.Host{Name: n}},
		"no host":       {Name: n, Type: resolve.TypeNS, Data: resolve.Host{}},
		"long string":   {Name: n, Type: resolve.TypeTXT, Data: resolve.TXT{Strings: []string{strings.Repeat("x", 256)}}},
		"no strings":    {Name: n, Type: resolve.TypeTXT, Data: resolve.TXT{}},
		"raw two lines": {Name: n, Type: resolve.TypeSRV, Data: resolve.Raw{Text: "1 2 3 x.\n$INCLUDE /etc/passwd"}},
		"raw nonsense":  {Name: n, Type: resolve.TypeSRV, Data: resolve.Raw{Text: "hello"}},
		"raw empty":     {Name: n, Type: resolve.TypeSRV, Data: resolve.Raw{}},
	}
	for name, r := range cases {
		if rr, err := ToRR(r); err == nil {
			t.Errorf("%s: got %v", name, rr)
		}
	}
}

// What FromRR accepts, ToRR can make again, equal.
func FuzzWire(f *testing.F) {
	for _, r := range records() {
		rr, err := ToRR(r)
		if err != nil {
			f.Fatal(err)
		}
		buf := make([]byte, 65535)
		n, err := dns.PackRR(rr, buf, 0, nil, false)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(buf[:n])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rr, _, err := dns.UnpackRR(b, 0)
		if err != nil {
			return
		}
		r, err := FromRR(rr)
		if err != nil {
			return
		}
		if _, odd := r.Data.(resolve.Raw); odd {
			ToRR(r) // some types print what the library cannot read
			return
		}
		again, err := ToRR(r)
		if err != nil {
			t.Fatalf("ToRR(%v): %v", r, err)
		}
		back, err := FromRR(again)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Fatalf("got %#v, %v\nwant %#v", back, err, r)
		}
	})
}
