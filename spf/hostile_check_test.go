package spf_test

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// TestHostileChecks bounds the questions, the time and the memory of evaluating
// what nobody means well with, and says what comes of it.
func TestHostileChecks(t *testing.T) {
	const d = "d.example"
	strs255 := []string{"v=spf1 "}
	for len(strs255) < 255 {
		strs255 = append(strs255, strings.Repeat("ip4:10.0.0.0/8 ", 17))
	}
	aliases := newZone().txt(d, "v=spf1 include:c0.example -all").txt("c60.example", "v=spf1 ip4:192.0.2.1 -all")
	for i := range 60 {
		aliases.add(fmt.Sprintf("c%d.example", i), resolve.TypeCNAME, resolve.Host{Name: name(fmt.Sprintf("c%d.example", i+1))})
	}
	wide := newZone().txt(d, "v=spf1 mx ptr a -all")
	for i := range 500 {
		wide.addr(d, fmt.Sprintf("10.%d.%d.1", i/250, i%250))
		wide.mx(d, fmt.Sprintf("h%d.example", i)).addr(fmt.Sprintf("h%d.example", i), "10.0.0.1")
		wide.add("1.2.0.192.in-addr.arpa", resolve.TypePTR, resolve.Host{Name: name(fmt.Sprintf("p%d.example", i))})
	}
	labels450 := strings.Repeat("a.", 449) + "a"
	cases := map[string]struct {
		z    *zone
		from string
		want spf.Status
	}{
		"self-include":      {newZone().txt(d, "v=spf1 include:d.example -all"), "u@" + d, spf.PermError},
		"self-redirect":     {newZone().txt(d, "v=spf1 redirect=d.example"), "u@" + d, spf.PermError},
		"self by macro":     {newZone().txt(d, "v=spf1 include:%{d} redirect=%{o}"), "u@" + d, spf.PermError},
		"mutual includes":   {newZone().txt(d, "v=spf1 include:e.example -all").txt("e.example", "v=spf1 include:d.example -all"), "u@" + d, spf.PermError},
		"ring":              {newZone().txt(d, "v=spf1 include:e.example").txt("e.example", "v=spf1 redirect=f.example").txt("f.example", "v=spf1 include:d.example"), "u@" + d, spf.PermError},
		"10,000 networks":   {newZone().txt(d, "v=spf1"+strings.Repeat(" ip4:10.0.0.0/8", 4000)+" -all"), "u@" + d, spf.Fail},
		"10,000 terms":      {newZone().txt(d, "v=spf1"+strings.Repeat(" a:x", 1)+strings.Repeat(" a", 10000)+" -all"), "u@" + d, spf.PermError},
		"10,000 lookups":    {newZone().txt(d, "v=spf1"+strings.Repeat(" a", 10000)+" -all").addr(d, "10.0.0.1"), "u@" + d, spf.PermError},
		"10,000 modifiers":  {newZone().txt(d, "v=spf1"+strings.Repeat(" x=y", 10000)+" -all"), "u@" + d, spf.Fail},
		"includes of lists": {newZone().txt(d, "v=spf1"+strings.Repeat(" include:e.example", 11)).txt("e.example", "v=spf1"+strings.Repeat(" ip4:10.0.0.0/8", 4000)), "u@" + d, spf.PermError},
		"macro bomb":        {newZone().txt(d, "v=spf1 exists:"+strings.Repeat("%{s}", 15000)+".x.example -all"), strings.Repeat("l", 900) + "@" + d, spf.Fail},
		"macro bomb of dots": {newZone().txt(d, "v=spf1 exists:"+strings.Repeat("%{l1r.}.", 7000)+"x.example -all"),
			strings.Repeat("a.", 450) + "@" + d, spf.Fail},
		"450 labels":          {newZone().txt(d, "v=spf1 exists:%{l}.x.example -all"), labels450 + "@" + d, spf.Fail},
		"450 labels reversed": {newZone().txt(d, "v=spf1 exists:%{lr}.%{l127}.x.example include:%{lr}.x.example -all"), labels450 + "@" + d, spf.PermError},
		"255 strings":         {newZone().txt(d, strs255...), "u@" + d, spf.Neutral},
		"exp of itself":       {newZone().txt(d, "v=spf1 -all exp=d.example"), "u@" + d, spf.Fail},
		"exp loop":            {newZone().txt(d, "v=spf1 -all exp=e.example").add("e.example", resolve.TypeCNAME, resolve.Host{Name: name("e.example")}), "u@" + d, spf.Fail},
		"exp bomb":            {newZone().txt(d, "v=spf1 -all exp=e.example").txt("e.example", strings.Repeat("%{s} ", 10000)), strings.Repeat("l", 900) + "@" + d, spf.Fail},
		"alias loop":          {newZone().txt(d, "v=spf1 a:e.example -all").add("e.example", resolve.TypeCNAME, resolve.Host{Name: name("e.example")}), "u@" + d, spf.TempError},
		"alias chain":         {aliases, "u@" + d, spf.PermError},
		"500 hosts":           {wide, "u@" + d, spf.PermError},
		"1,000 records":       {many(d, 1000), "u@" + d, spf.PermError},
	}
	for id, c := range cases {
		t.Run(id, func(t *testing.T) {
			for mode, opt := range map[string]spf.Options{"plain": {}, "traced": {Trace: true}, "cached": {Cache: spf.NewCache(0)}, "serial": {Serial: true}} {
				asked := 0
				r := resolve.Observe(c.z, func(resolve.Answer, error) { asked++ })
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				start := time.Now()
				res := spf.Check(t.Context(), r, spf.Args{IP: netip.MustParseAddr("192.0.2.1"), Helo: labels450, MailFrom: c.from}, opt)
				took := time.Since(start)
				runtime.ReadMemStats(&after)
				if res.Status != c.want {
					t.Errorf("%s: %s, want %s: %v", mode, res.Status, c.want, res.Err)
				}
				if asked > 150 { // ten terms, of which each may ask for ten hosts
					t.Errorf("%s: %d questions", mode, asked)
				}
				// In all, that is, and not at a time.
				if grown := after.TotalAlloc - before.TotalAlloc; took > 2*time.Second || grown > 256<<20 {
					t.Errorf("%s: %v and %d octets", mode, took, grown)
				}
				if len(res.Explanation) > 1<<16 {
					t.Errorf("%s: an explanation of %d octets", mode, len(res.Explanation))
				}
			}
		})
	}
}

func many(owner string, n int) *zone {
	z := newZone()
	for i := range n {
		z.txt(owner, fmt.Sprintf("v=spf1 ip4:10.0.%d.%d -all", i/250, i%250))
	}
	return z
}

// TestHostileDelay: a server that is slow each time, and never slow enough to be
// given up, costs the time limit and no more.
func TestHostileDelay(t *testing.T) {
	z := newZone().txt("d.example", "v=spf1 mx include:e.example include:e.example -all").txt("e.example", "v=spf1 mx:d.example mx:d.example ptr exists:%{p}.x.example -all")
	for i := range 10 {
		z.mx("d.example", fmt.Sprintf("h%d.example", i)).addr(fmt.Sprintf("h%d.example", i), "10.0.0.1")
	}
	z.delay = 30 * time.Millisecond
	for _, serial := range []bool{false, true} {
		start := time.Now()
		res := spf.Check(t.Context(), z, spf.Args{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: "u@d.example"}, spf.Options{Timeout: 80 * time.Millisecond, Serial: serial})
		if took := time.Since(start); res.Status != spf.TempError || !errors.Is(res.Err, spf.ErrTime) || took > 2*time.Second {
			t.Errorf("serial %v: %s after %v: %v", serial, res.Status, took, res.Err)
		}
	}
}
