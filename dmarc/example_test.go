package dmarc_test

import (
	"context"
	"fmt"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// A typo in sp switches off the policy of the whole record.
func ExampleParse() {
	r, err := dmarc.Parse("v=DMARC1; p=reject; sp=quarentine; rua=mailto:dmarc@example.org")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range r.Problems {
		fmt.Printf("%s at offset %d: %s\n", p.Kind, p.Offset, p)
	}
	fmt.Println(r.Effect().Why)
	// Output:
	// policy-invalid at offset 23: "quarentine" is no policy for sp: one of none, quarantine, reject is needed, or the whole policy is off; did you mean "quarantine"?
	// sp is not valid, so the record acts as p=none for all mail
}

func ExampleRecord_Set() {
	r, err := dmarc.Parse("v=DMARC1;p=none ; pct=50;  x-note=keep;")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err = r.Remove("pct").Set("p", "quarantine")
	fmt.Println(r, err)
	// Output:
	// v=DMARC1;p=quarantine ;  x-note=keep; <nil>
}

// The record of shop.example.org itself is not one: there are two of them.
func ExampleDiscover() {
	zone := zonetest.MustParse(`
_dmarc.example.org.      3600 IN TXT "v=DMARC1; p=none; sp=reject"
_dmarc.shop.example.org. 3600 IN TXT "v=DMARC1; p=none"
_dmarc.shop.example.org. 3600 IN TXT "v=DMARC1; p=quarantine"
`)
	d := dmarc.Discover(context.Background(), zone, resolve.MustName("shop.example.org"), dmarc.Options{})
	for _, s := range d.Steps {
		fmt.Printf("%s: %s\n", s.Name, s.Note)
	}
	fmt.Println(d.Policy.Why)
	fmt.Println("older receivers:", d.Legacy.Why)
	// Output:
	// _dmarc.shop.example.org: 2 records, so all are discarded
	// _dmarc.example.org: a record
	// _dmarc.org: no record
	// the record of example.org applies with sp=reject
	// older receivers: shop.example.org has 2 records, so DMARC is not applied
}

func ExampleEvaluate() {
	zone := zonetest.MustParse(`_dmarc.example.org. 3600 IN TXT "v=DMARC1; p=reject; adkim=s"`)
	ctx, author := context.Background(), resolve.MustName("example.org")
	d := dmarc.Discover(ctx, zone, author, dmarc.Options{})
	e := dmarc.Evaluate(ctx, zone, dmarc.Identifiers{
		From: []resolve.Name{author},
		SPF:  dmarc.Identifier{Domain: resolve.MustName("bounce.vendor.example"), Result: "pass"},
		DKIM: []dmarc.Identifier{{Domain: resolve.MustName("mail.example.org"), Result: "pass"}},
	}, d)
	fmt.Println(e.Now.Result, e.Now.Disposition)
	for _, a := range e.Now.Alignments {
		fmt.Printf("%s %s: %s\n", a.Method, a.Domain, a.Why)
	}
	// Output:
	// fail reject
	// spf bounce.vendor.example: it has nothing in common with the Author Domain
	// dkim mail.example.org: it is not the Author Domain, as strict mode needs
}

func ExampleRecord_Advance() {
	rec, err := dmarc.Parse("v=DMARC1; p=none; rua=mailto:dmarc@example.org")
	for err == nil {
		var m dmarc.Move
		m, err = rec.Advance(dmarc.StageOptions{})
		if err != nil || len(m.Edits) == 0 {
			break
		}
		fmt.Println(m.Record)
		rec = m.Record
	}
	// Output:
	// v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org; t=y; np=reject
	// v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org; np=reject
	// v=DMARC1; p=reject; rua=mailto:dmarc@example.org; np=reject
}
