package spf_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// TestHostileTexts bounds the time of parsing and advising.
func TestHostileTexts(t *testing.T) {
	texts := map[string]string{
		"terms":      strings.Repeat(" a", 30000),
		"bad terms":  strings.Repeat(" ab", 20000),
		"networks":   strings.Repeat(" ip4:10.0.0.0/8 ip4:10.1.0.0/16", 2000),
		"glued":      strings.Repeat(" "+strings.Repeat("aall", 60)+"!", 250),
		"glued ip4":  strings.Repeat(" "+strings.Repeat("ip4:1.2.3.4", 20)+"!", 250),
		"commas":     strings.Repeat(" ip4:"+strings.Repeat("1,", 100), 250),
		"control":    strings.Repeat(" \x01\t\xff\x96", 10000),
		"quotes":     strings.Repeat(" \u201c\u201d\u00a0", 5000),
		"percent":    " exists:" + strings.Repeat("%{d}", 15000),
		"open":       " exists:" + strings.Repeat("%{", 30000),
		"redirects":  strings.Repeat(" redirect=x.example", 3000),
		"versions":   strings.Repeat(" v=spf1", 8000),
		"modifiers":  strings.Repeat(" include=x.example", 3000),
		"long label": " a:" + strings.Repeat("x", 60000) + ".example",
		"dots":       " a:" + strings.Repeat(".", 60000) + "example",
	}
	for id, text := range texts {
		t.Run(id, func(t *testing.T) {
			start := time.Now()
			r, _ := spf.Parse("v=spf1" + text)
			r.Lint()
			r.Repair()
			r.Dedupe()
			spf.Select([]string{text, "v=spf1" + text[1:]})
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

// hostileZones have at most the given number of questions asked.
func TestHostileZones(t *testing.T) {
	many := newZone()
	for i := range 3000 {
		many.txt(fmt.Sprintf("n%d.example", i), fmt.Sprintf("v=spf1 include:n%d.example include:n%d.example include:n%d.example a:h%d.example -all", 3*i+1, 3*i+2, 3*i+3, i))
	}
	wide := newZone()
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, " a:h%d.example", i)
	}
	wide.txt("n0.example", "v=spf1"+b.String())
	loop := newZone().txt("n0.example", "v=spf1 "+strings.Repeat("include:n1.example ", 60)+"-all").txt("n1.example", "v=spf1 "+strings.Repeat("include:n2.example ", 60)).txt("n2.example", "v=spf1 redirect=n0.example")
	chain := newZone()
	for i := range 60 {
		chain.txt(fmt.Sprintf("n%d.example", i), fmt.Sprintf("v=spf1 redirect=n%d.example", i+1))
	}
	long := newZone()
	for i := range 150 {
		long.txt(fmt.Sprintf("n%d.example", i), fmt.Sprintf("v=spf1 include:n%d.example %s", i+1, strings.Repeat("a ", 20000)))
	}
	strs := make([]string, 255)
	for i := range strs {
		strs[i] = strings.Repeat("ip4:10.0.0.0/8 ", 17)
	}
	strs[0] = "v=spf1 "
	chunks := newZone().txt("n0.example", strs...)
	for id, z := range map[string]*zone{"tree": many, "wide": wide, "loop": loop, "chain": chain, "long": long, "chunks": chunks} {
		t.Run(id, func(t *testing.T) {
			start := time.Now()
			a, err := spf.Analyze(t.Context(), z, resolve.MustName("n0.example"), spf.Options{})
			if err != nil || len(a.Questions) > 400 {
				t.Errorf("%d questions, %v", len(a.Questions), err)
			}
			if id != "chunks" && !a.Truncated {
				t.Error("not told to be truncated")
			}
			if id != "chunks" && id != "long" && a.Lookups <= spf.MaxLookups {
				t.Errorf("%d lookups", a.Lookups)
			}
			res := spf.Check(t.Context(), z, spf.Args{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: "n0.example"}, spf.Options{})
			if id != "chunks" && res.Status != spf.PermError {
				t.Errorf("%+v", res)
			}
			if d := time.Since(start); d > 3*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}
