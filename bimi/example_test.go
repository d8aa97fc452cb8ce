package bimi_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/bimi"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// Mail of a subdomain without a record of its own carries the logo of the
// organizational domain.
func ExampleLookup() {
	zone := zonetest.MustParse(`default._bimi.example.org. 3600 IN TXT "v=BIMI1; l=http://example.org/logo.svg"`)
	d := bimi.Lookup(context.Background(), zone, resolve.MustName("news.example.org"), bimi.LookupOptions{OrgDomain: resolve.MustName("example.org")})
	fmt.Println(d.State, "-", d.Why)
	for _, p := range d.Record.Problems {
		fmt.Printf("offset %d: %s\n", p.Offset, p)
	}
	// Output:
	// absent - the record is not valid, so receivers show no logo
	// offset 9: the location of the picture, "http://example.org/logo.svg", is not valid: it is not HTTPS; did you mean "https://example.org/logo.svg"?
}

func ExampleNewRecord() {
	r, err := bimi.NewRecord(bimi.RecordOptions{Location: "https://example.org/logo.svg", Evidence: "https://example.org/mark.pem"})
	fmt.Println(r, err)
	// Output:
	// v=BIMI1; l=https://example.org/logo.svg; a=https://example.org/mark.pem; <nil>
}

// A policy under test is none.
func ExampleEligible() {
	policy := bimi.DMARC{State: resolve.Present, Policy: "quarantine", Testing: true}
	e := bimi.Eligible(policy, policy)
	fmt.Println(e.State, "-", e.Why)
	// Output:
	// absent - t=y turns the p=quarantine of the author's domain into none
}

// What a drawing program saves is rarely what receivers show.
func ExampleCheckSVG() {
	x, err := bimi.CheckSVG([]byte(`<svg xmlns="http://www.w3.org/2000/svg" version="1.1" viewBox="0 0 20 10">
<style>.a{fill:red}</style><rect class="a" width="20" height="10"/></svg>`))
	fmt.Println(err != nil)
	for _, p := range x.Problems {
		fmt.Println(p.Effect, "-", p)
	}
	// Output:
	// true
	// ignored - version is "1.1": "1.2" is needed
	// ignored - the root has no baseProfile="tiny-ps"
	// at-risk - the picture is not square (20 by 10): receivers cut or refuse it
	// ignored - element style is not part of the profile SVG Tiny PS
	// ignored - there is no title element below the root
}

func ExampleParseEvidence() {
	_, err := bimi.ParseEvidence([]byte("<html><title>404</title></html>"))
	fmt.Println(err)
	// Output: bimi: invalid evidence: the document is no PEM file
}

// The dial function is where a caller decides which addresses may be asked.
func ExampleFetch() {
	f := bimi.Fetch(context.Background(), resolve.Offline, "https://example.org/logo.svg", bimi.FetchOptions{Timeout: 10 * time.Second})
	fmt.Println(f.State, "-", f.Why)
	// Output:
	// unavailable - the addresses of example.org are unknown
}
