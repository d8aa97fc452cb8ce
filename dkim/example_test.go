package dkim_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

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

// seed is the private half of the key above (RFC 8463, Appendix A.2).
const seed = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="

const message = "From: Joe <joe@example.org>\r\nTo: suzie@example.net\r\nSubject: Is dinner ready?\r\nDate: Fri, 11 Jul 2025 21:00:37 -0700\r\n\r\nWe lost.\r\n"

func exampleSign() string {
	raw, _ := base64.StdEncoding.DecodeString(seed)
	var out bytes.Buffer
	_, err := dkim.Sign(context.Background(), &out, strings.NewReader(message), dkim.SignOptions{
		Domain: resolve.MustName("example.org"), Selector: "s1", Key: ed25519.NewKeyFromSeed(raw),
		Now: func() time.Time { return time.Unix(1752292837, 0) },
	})
	if err != nil {
		fmt.Println(err)
	}
	return out.String()
}

func ExampleSign() {
	field, _, _ := strings.Cut(exampleSign(), "From: ")
	fmt.Print(strings.NewReplacer("\r", "", "\t", "    ").Replace(field))
	// Output:
	// DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org;
	//     s=s1; t=1752292837; h=From:To:Subject:Date:From:To:Cc:Subject:Date:
	//     Reply-To; bh=PJT5zYR0oGI4QTdOo/PUqCgA7vg2C34+l2cUjX0pgZ4=; b=0iHlo1i
	//     ZI5gCehsxeKVDAPukdqz/TyrYxUYGD3um047tJS9BKYE/k4SJxRs+PvZylscGLaABKu+
	//     9dcrRo+o3BQ==
}

func ExampleVerify() {
	zone := zonetest.MustParse(`s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; k=ed25519; p=` + key + `"`)
	sent := exampleSign()
	for _, received := range []string{sent, strings.Replace(sent, "Subject: Is", "Subject: [family] Is", 1), sent + "--\r\nthe family list\r\n"} {
		v, err := dkim.Verify(context.Background(), strings.NewReader(received), zone, dkim.VerifyOptions{Explain: true})
		if err != nil {
			fmt.Println(err)
		}
		for _, s := range v.Signatures {
			if s.Status == dkim.Pass {
				fmt.Println(s.Domain, s.Status)
			} else {
				fmt.Println(s.Domain, s.Status, s.Reason, s.Change.Kind)
				fmt.Println("  ", s.Change.Detail)
			}
		}
	}
	// Output:
	// example.org pass
	// example.org fail header-altered prefix
	//    Subject: "[family] " was put before the value
	// example.org fail body-altered text-appended
	//    2 lines after line 1 were added after signing, beginning with "--"
}
