package rotate_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/rotate"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func Example() {
	const soa = "example.org. 3600 IN SOA ns1.example.org. admin.example.org. 1 7200 3600 1209600 7200\n"
	const old = "s1._domainkey.example.org. 3600 IN TXT \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n"
	zone := zonetest.MustParse(soa + old)
	record, err := dkim.ParseRecord("v=DKIM1; k=ed25519; p=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		panic(err)
	}
	env := rotate.Env{
		Ask: func(ctx context.Context, q resolve.Question) ([]rotate.Answer, error) {
			a, err := zone.Resolve(ctx, q)
			return []rotate.Answer{{Server: "ns1.example.org", Answer: a, Err: err}}, nil
		},
		Now: func() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) },
	}
	ctx := context.Background()
	r, err := rotate.Start(ctx, env, rotate.Plan{Domain: resolve.MustName("example.org"), OldSelector: "s1", NewSelector: "s2", NewRecord: record})
	if err != nil {
		panic(err)
	}
	st, err := r.Advance(ctx, env, rotate.Input{})
	fmt.Println(st.Phase, st.Action, st.Blocked, err)

	zone = zonetest.MustParse(soa + old + "s2._domainkey.example.org. 3600 IN TXT \"" + st.Value + "\"\n")
	st, err = r.Advance(ctx, env, rotate.Input{})
	fmt.Println(st.Phase, st.Action, st.Due.Format(time.TimeOnly), err)
	// Output:
	// publish publish-new [ns1.example.org has no record at s2._domainkey.example.org] <nil>
	// wait wait 13:00:00 <nil>
}
