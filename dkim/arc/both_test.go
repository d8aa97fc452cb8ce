package arc

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func TestVerifyMessage(t *testing.T) {
	now := func() time.Time { return time.Unix(1600000000, 0) }
	var own strings.Builder
	_, err := dkim.Sign(t.Context(), &own, strings.NewReader(original), dkim.SignOptions{
		Domain: resolve.MustName("author.example"), Selector: "ed", Key: edKey, Now: func() time.Time { return time.Unix(1500000000, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	both := sealed{msg: own.String()}.add(hop{domain: "list.example"})
	for _, c := range []struct {
		name, msg string
		opts      dkim.VerifyOptions
		status    dkim.Status
		chain     Status
	}{
		{"both", both.msg, dkim.VerifyOptions{}, dkim.Pass, Pass},
		{"signature only", own.String(), dkim.VerifyOptions{}, dkim.Pass, None},
		{"chain only", chainOf(hop{domain: "list.example"}).msg, dkim.VerifyOptions{}, dkim.None, Pass},
		{"neither", original, dkim.VerifyOptions{}, dkim.None, None},
		{"long body", both.msg + strings.Repeat("more\r\n", 1<<18), dkim.VerifyOptions{}, dkim.Fail, Fail},
		{"over the limit", both.msg + strings.Repeat("more\r\n", 1<<18), dkim.VerifyOptions{MaxBodyBytes: 1000}, dkim.Neutral, Fail},
		{"header over the limit", both.msg, dkim.VerifyOptions{MaxHeaderBytes: 100}, dkim.Neutral, Fail},
		{"empty", "", dkim.VerifyOptions{}, dkim.None, None},
	} {
		c.opts.Now = now
		for _, r := range []io.Reader{strings.NewReader(c.msg), iotest.HalfReader(strings.NewReader(c.msg))} {
			v, chain, err := VerifyMessage(t.Context(), r, anyKey, c.opts)
			if err != nil || v.Status() != c.status || chain.Status != c.chain {
				t.Errorf("%s: %s, chain %s %s, %v", c.name, v.Status(), chain.Status, chain.Explanation, err)
			}
		}
	}
	boom := errors.New("boom")
	for _, msg := range []string{"From: ", both.msg, original, chainOf(hop{domain: "list.example"}).msg} {
		if _, _, err := VerifyMessage(t.Context(), io.MultiReader(strings.NewReader(msg), iotest.ErrReader(boom)), anyKey, dkim.VerifyOptions{}); !errors.Is(err, boom) && msg != original {
			t.Errorf("%.20q: %v", msg, err)
		}
	}
}
