package dkim_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" // RFC 8463, Appendix A.2

func ExampleParseRecord() {
	r, err := dkim.ParseRecord("v=DKIM1; k=ed25519; p=" + key)
	fmt.Println(r.Key.Type, r.Key.Bits, r.Usable(), err)

	_, err = dkim.ParseRecord(`v=DKIM1\; k=ed25519\; p=` + key)
	fmt.Println(err)
	if p, ok := errors.AsType[*dkim.Problem](err); ok {
		fmt.Println(p.Kind, p.At)
	}
	// Output:
	// ed25519 256 true <nil>
	// dkim: at offset 7: the text holds "\;"
	// backslash 7
}

func ExampleRecord_Repaired() {
	r, _ := dkim.ParseRecord(`"V=dkim1\; K=ed25519\; P=` + key + `"`)
	if fixed, ok := r.Repaired(); ok {
		fmt.Println(fixed)
	}
	// Output: v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
}

func ExampleLookup() {
	zone := zonetest.MustParse(`
$ORIGIN example.org.
s1._domainkey 3600 IN TXT "v=DKIM1; k=ed25519; p=` + key + `"
s2._domainkey 3600 IN CNAME s2.provider.example.
`)
	for _, selector := range []string{"s1", "s2", "s3"} {
		r := dkim.Lookup(context.Background(), zone, resolve.MustName("example.org"), selector)
		fmt.Println(selector, r.State, r.Usable(), r.Dangling)
	}
	// Output:
	// s1 present true false
	// s2 absent false true
	// s3 absent false false
}

func ExampleDiscover() {
	zone := zonetest.MustParse(`
$ORIGIN example.org.
fm1._domainkey 3600 IN TXT "v=DKIM1; k=ed25519; p=` + key + `"
`)
	d := dkim.Discover(context.Background(), zone, resolve.MustName("example.org"), dkim.Options{
		Candidates: []string{"fm1", "fm2"},
	})
	fmt.Println(d.Conclusion, len(d.Results), "of", d.Tried)
	// Output: found 1 of 2
}
