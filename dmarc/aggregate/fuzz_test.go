package aggregate_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
)

// FuzzRead reads anything, and holds what can be written to the round trip: a
// report that was written reads back without a diagnostic and the same.
func FuzzRead(f *testing.F) {
	rep, recs := full()
	var b bytes.Buffer
	if err := aggregate.Write(&b, rep, slices.Values(recs)); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		whole, b.String(), whole[:len(whole)/2], "\xef\xbb\xbf" + whole, "\xff\xfe<\x00f\x00>\x00", "<feedback><record/><record><row/>",
		`<a:feedback xmlns:a="x"><a:record><row><reason>sampled_out</reason></a:row>`, "<feedback><![CDATA[ ]]><!-- --><?x?><version>a<![CDATA[&]]>&#x41;<b>",
		`<?xml version="1.0" encoding="shift_jis"?><feedback>` + head + "</feedback></feedback></record>", "<feedback><policy_published><policy_published>",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rep, recs, err := aggregate.ReadAll(bytes.NewReader(data), aggregate.Options{})
		if rep == nil || int64(len(recs)) != rep.Records {
			t.Fatalf("%d records, the report says %+v", len(recs), rep)
		}
		if err != nil {
			return
		}
		for _, d := range rep.Diagnostics {
			if d.Severity == aggregate.Loss && rep.Complete {
				t.Fatalf("complete in spite of %v", d)
			}
			_ = d.String()
		}
		var out bytes.Buffer
		if err := aggregate.Write(&out, rep, slices.Values(recs)); err != nil {
			return
		}
		if err := validate(out.Bytes()); err != nil {
			t.Fatalf("written and not valid: %v\n%s", err, out.Bytes())
		}
		first := out.String()
		again, list, err := aggregate.ReadAll(&out, aggregate.Options{})
		if err != nil || len(list) != len(recs) || again.Messages != rep.Messages {
			t.Fatalf("read again: %v, %d records", err, len(list))
		}
		for _, d := range again.Diagnostics {
			if d.Severity != aggregate.Info && d.Code != aggregate.ValueTooLong {
				t.Fatalf("read again: %v\n%s", d, first)
			}
			if d.Code == aggregate.ValueTooLong {
				return
			}
		}
		var second bytes.Buffer
		if err := aggregate.Write(&second, again, slices.Values(list)); err != nil || second.String() != first {
			t.Fatalf("%v: written twice\n%s\n%s", err, first, second.String())
		}
		_ = fmt.Sprint(again)
	})
}
