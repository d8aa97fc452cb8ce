package dkim

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// The published keys and messages of RFC 6376, Appendix A, and RFC 8463, Appendix A.
const rfcKeys = `
brisbane._domainkey.football.example.com. 300 IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
test._domainkey.football.example.com. 300 IN TXT "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/b" "yYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
brisbane._domainkey.example.com. 300 IN TXT "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt" "IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
`

const dinner = `From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game. Are you hungry yet?

Joe.
`

const rfc8463 = `DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
` + dinner

const rfc6376 = `DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;
      c=simple/simple; q=dns/txt; i=joe@football.example.com;
      h=Received : From : To : Subject : Date : Message-ID;
      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
        4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
        KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
        4bmp/YzhwvcubU4=;
Received: from client1.football.example.com  [192.0.2.1]
      by submitserver.example.com with SUBMISSION;
      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)
` + dinner

func TestRFC(t *testing.T) {
	z := zoneOf(t, rfcKeys)
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	for _, c := range []struct{ name, msg, want string }{
		{"RFC 6376, Appendix A.2", crlf(rfc6376), "pass"},
		{"with LF", rfc6376, "pass"},
		{"RFC 8463, Appendix A.3", crlf(rfc8463), "pass pass"},
		{"with LF", rfc8463, "pass pass"},
		{"body changed", strings.Replace(rfc8463, "lost", "won", 1), "fail:body-altered fail:body-altered"},
		{"date changed", strings.Replace(rfc8463, "Date: Fri", "Date: Sat", 1), "fail:signature-mismatch fail:header-altered"},
		{"relaxed space", strings.Replace(rfc8463, "game. Are", "game. \tAre", 1), "pass pass"},
		{"simple space", strings.Replace(rfc6376, "game. Are", "game.  Are", 1), "fail:body-altered"},
		{"subject added above", "Subject: x\n" + rfc8463, "fail:signature-mismatch fail:header-altered"},
	} {
		if got := verdict(check(t, c.msg, z, VerifyOptions{})); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

const (
	edSig  = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=ed; t=1749550270;\r\n\th=from:to:subject:date; bh=@; b="
	rsaSig = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=rsa; h=from:to:subject:date; bh=@; b="
)

func edit(s string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		s = strings.Replace(s, pairs[i], pairs[i+1], 1)
	}
	return s
}

// TestVerifyStatus gives each way in which a signature can be unusable its status
// and reason (RFC 6376, Section 6.1).
func TestVerifyStatus(t *testing.T) {
	z := testZone(t)
	for _, c := range []struct {
		name   string
		change []string // of edSig, before signing
		want   string
	}{
		{"good", nil, "pass"},
		{"simple", []string{"relaxed/relaxed", "simple/simple"}, "pass"},
		{"mixed", []string{"relaxed/relaxed", "simple/relaxed"}, "pass"},
		{"header form only", []string{"relaxed/relaxed", "relaxed"}, "pass"},
		{"no c=", []string{"c=relaxed/relaxed; ", ""}, "pass"},
		{"trailing semicolon", []string{"; b=", "; b=;"}, "pass"},
		{"b= first, folded", []string{"v=1;", "b=;\r\n v=1;", "; b=", ""}, "pass"},
		{"white space around =", []string{"d=example.org", "d\r\n\t= example.org ", "h=from:to", "h = from :\r\n to"}, "pass"},
		{"unknown tag", []string{"v=1;", "v=1; xb=keep; zz=;"}, "pass"},
		{"absent field signed", []string{"h=from", "h=from:x-none:from:cc"}, "pass"},
		{"i= below d=", []string{"v=1;", "v=1; i=a@sub.Example.ORG;"}, "pass"},
		{"i= quoted-printable", []string{"v=1;", "v=1; i=a=3Db@example=2Eorg;"}, "pass"},
		{"q=", []string{"v=1;", "v=1; q=other:dns/txt;"}, "pass"},
		{"d= in upper case", []string{"d=example.org", "d=EXAMPLE.org"}, "pass"},
		{"l=", []string{"v=1;", "v=1; l=10;"}, "pass"},
		{"l=0", []string{"v=1;", "v=1; l=0;"}, "pass"},
		{"not yet expired", []string{"t=1749550270", "t=1749550270; x=1999999999"}, "pass"},
		{"x= of many digits", []string{"t=1749550270", "t=1749550270; x=99999999999999999999"}, "pass"},
		{"from the future", []string{"t=1749550270", "t=1999999999"}, "pass"},
		{"testing", []string{"s=ed", "s=testing"}, "pass"},
		{"several records", []string{"s=ed", "s=two"}, "pass"},
		{"strict key, i= absent", []string{"s=ed", "s=strict"}, "pass"},

		{"no v=", []string{"v=1; ", ""}, "permerror:missing-tag"},
		{"no a=", []string{"a=ed25519-sha256; ", ""}, "permerror:missing-tag"},
		{"no d=", []string{"d=example.org; ", ""}, "permerror:missing-tag"},
		{"no s=", []string{"s=ed; ", ""}, "permerror:missing-tag"},
		{"no h=", []string{"h=from:to:subject:date; ", ""}, "permerror:missing-tag"},
		{"no bh=", []string{"bh=@; ", ""}, "permerror:missing-tag"},
		{"v=2", []string{"v=1", "v=2"}, "permerror:version"},
		{"v=1.0", []string{"v=1", "v=1.0"}, "permerror:version"},
		{";;", []string{"v=1;", "v=1;;"}, "permerror:syntax"},
		{"no =", []string{"v=1;", "v=1; flag;"}, "permerror:syntax"},
		{"duplicate", []string{"v=1;", "v=1; v=1;"}, "permerror:duplicate-tag"},
		{"duplicate unknown", []string{"v=1;", "v=1; zz=1; zz=2;"}, "permerror:duplicate-tag"},
		{"NUL", []string{"v=1;", "v=1; zz=\x00;"}, "permerror:syntax"},
		{"unknown a=", []string{"ed25519-sha256", "ed25519-sha512"}, "permerror:algorithm"},
		{"upper-case a=", []string{"ed25519-sha256", "ED25519-SHA256"}, "permerror:algorithm"},
		{"unknown c=", []string{"relaxed/relaxed", "relaxed/loose"}, "permerror:canonicalization"},
		{"empty c=", []string{"relaxed/relaxed", ""}, "permerror:canonicalization"},
		{"unknown q=", []string{"v=1;", "v=1; q=http;"}, "permerror:query-method"},
		{"h= without From", []string{"h=from:", "h="}, "permerror:from-unsigned"},
		{"h= with empty name", []string{"h=from:", "h=from::"}, "permerror:syntax"},
		{"empty h=", []string{"h=from:to:subject:date", "h="}, "permerror:syntax"},
		{"i= elsewhere", []string{"v=1;", "v=1; i=a@example.net;"}, "permerror:identity"},
		{"i= similar", []string{"v=1;", "v=1; i=a@badexample.org;"}, "permerror:identity"},
		{"i= without @", []string{"v=1;", "v=1; i=example.org;"}, "permerror:identity"},
		{"d= of one label", []string{"d=example.org", "d=org"}, "permerror:domain"},
		{"d= no name", []string{"d=example.org", "d=exa mple.org"}, "permerror:domain"},
		{"s= no name", []string{"s=ed", "s=a..b"}, "permerror:selector"},
		{"bad l=", []string{"v=1;", "v=1; l=-1;"}, "permerror:syntax"},
		{"bad t=", []string{"t=1749550270", "t=now"}, "permerror:syntax"},
		{"empty t=", []string{"t=1749550270", "t="}, "permerror:syntax"},
		{"x= before t=", []string{"t=1749550270", "t=1749550270; x=1749550269"}, "permerror:expiry-order"},
		{"x= at t=", []string{"t=1749550270", "t=1749550270; x=1749550270"}, "permerror:expiry-order"},
		{"expired", []string{"t=1749550270", "t=1749550270; x=1749550271"}, "permerror:expired"},
		{"bad bh=", []string{"bh=@", "bh=A"}, "permerror:syntax"},
		{"short bh=", []string{"bh=@", "bh=AAAA"}, "permerror:syntax"},
		{"rsa-sha1", []string{"ed25519-sha256", "rsa-sha1", "bh=@", "bh=AAAAAAAAAAAAAAAAAAAAAAAAAAA="}, "policy:sha1"},
		{"l= over the body", []string{"v=1;", "v=1; l=10000;"}, "fail:body-truncated"},
		{"l= beyond int64", []string{"v=1;", "v=1; l=" + strings.Repeat("9", 70) + ";"}, "fail:body-truncated"},

		{"key absent", []string{"s=ed", "s=none"}, "permerror:no-key"},
		{"key at no alias", []string{"s=ed", "s=dangling"}, "permerror:no-key"},
		{"key slow", []string{"s=ed", "s=slow"}, "temperror:key-unavailable"},
		{"key revoked", []string{"s=ed", "s=revoked"}, "permerror:key-revoked"},
		{"key is SPF", []string{"s=ed", "s=other"}, "permerror:not-a-key"},
		{"key broken", []string{"s=ed", "s=broken"}, "permerror:key-syntax"},
		{"key of other version", []string{"s=ed", "s=v2"}, "permerror:key-syntax"},
		{"key for sha1", []string{"s=ed", "s=sha1"}, "permerror:key-hash"},
		{"key for chat", []string{"s=ed", "s=chat"}, "permerror:key-service"},
		{"key of RSA", []string{"s=ed", "s=rsa"}, "permerror:key-type"},
		{"key of unknown type", []string{"s=ed", "s=unknown"}, "permerror:key-type"},
		{"key strict", []string{"s=ed", "s=strict", "v=1;", "v=1; i=a@sub.example.org;"}, "permerror:key-identity"},
		{"key strict, same domain", []string{"s=ed", "s=strict", "v=1;", "v=1; i=a@Example.org;"}, "pass"},
		{"key of 512 bits", []string{"s=ed", "s=short", "ed25519-", "rsa-"}, "policy:key-too-short"},
		{"key of 16384 bits", []string{"s=ed", "s=long", "ed25519-", "rsa-"}, "policy:key-too-long"},
		{"key of 20000 bits", []string{"s=ed", "s=longer", "ed25519-", "rsa-"}, "policy:key-too-long"},
		{"foreign key", []string{"s=ed", "s=foreign", "ed25519-", "rsa-"}, "fail:wrong-key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := check(t, craft(t, edit(edSig, c.change...), mail, edKey()), z, VerifyOptions{})
			if got := verdict(v); got != c.want {
				t.Errorf("%s: %s", got, v.Signatures[0].Explanation)
			}
			if s := v.Signatures[0]; (s.Explanation == "") != (s.Status == Pass) {
				t.Errorf("explanation %q", s.Explanation)
			}
		})
	}
	for _, c := range []struct {
		selector string
		want     string
		bits     int
	}{{"rsa", "pass", 2048}, {"pkcs1", "pass", 2048}, {"weak", "fail:wrong-key", 1024}} {
		v := check(t, craft(t, edit(rsaSig, "s=rsa", "s="+c.selector), mail, rsaKeys(2048)), z, VerifyOptions{})
		if got := verdict(v); got != c.want || v.Signatures[0].KeyBits != c.bits {
			t.Errorf("%s: %s with %d bits", c.selector, got, v.Signatures[0].KeyBits)
		}
	}
}

// TestVerifyMessage changes messages after they were signed.
func TestVerifyMessage(t *testing.T) {
	z := testZone(t)
	ed, rs := craft(t, edSig, mail, edKey()), craft(t, rsaSig, mail, rsaKeys(2048))
	for _, c := range []struct {
		name, msg, want string
	}{
		{"LF", strings.ReplaceAll(ed, "\r\n", "\n"), "pass"},
		{"other form of white space", edit(ed, "Subject: the figures", "subject  :\r\n\tthe \t figures "), "pass"},
		{"unsigned field", "X-Spam: no\r\n" + ed, "pass"},
		{"field added above", "Subject: other\r\n" + ed, "pass"},
		{"field added below", edit(ed, "Subject:", "Subject: other\r\nSubject:"), "pass"},
		{"field added last", edit(ed, "+0000\r\n", "+0000\r\nSubject: other\r\n"), "fail:signature-mismatch"},
		{"subject", edit(rs, "figures", "numbers"), "fail:header-altered"},
		{"signature field", edit(rs, "h=from", "h= from", "c=relaxed", "z=;c=relaxed"), "fail:header-altered"},
		{"b=", edit(rs, "b=", "b=AAAA"), "fail:wrong-key"},
		{"body", edit(rs, "Hello", "Hullo"), "fail:body-altered"},
		{"both", edit(rs, "Hello", "Hullo", "figures", "numbers"), "fail:body-altered"},
		{"mbox", "From alice Mon Jan 1 2026\r\n" + rs, "pass"},
		{"two", rs[:strings.Index(rs, "From: ")] + ed, "pass pass"},
		{"none", mail, "none"},
		{"empty", "", "none"},
		{"no body", "From: a\r\n", "none"},
	} {
		v := check(t, c.msg, z, VerifyOptions{})
		if got := verdict(v); got != c.want {
			t.Errorf("%s: %s %+v", c.name, got, v.Signatures)
		}
		slow, err := Verify(t.Context(), iotest.OneByteReader(strings.NewReader(c.msg)), z, VerifyOptions{Now: clock})
		if err != nil || verdict(slow) != c.want {
			t.Errorf("%s in parts: %s, %v", c.name, verdict(slow), err)
		}
	}
	v := check(t, edit(rs, "Hello", "Hullo", "figures", "numbers"), z, VerifyOptions{})
	if s := v.Signatures[0]; s.BodyHash != Differs || s.HeaderHash != Differs || !strings.Contains(s.Explanation, "a signed header field was altered as well") {
		t.Errorf("%+v", s)
	}
}

func TestVerifyFields(t *testing.T) {
	msg := craft(t, edit(edSig, "v=1;", "v=1; i=joe@mail.example.org; l=12;", "t=1749550270", "t=1749550270; x=1999999999"), mail, edKey())
	s := check(t, msg, testZone(t), VerifyOptions{}).Signatures[0]
	if s.Domain != "example.org" || s.Selector != "ed" || s.Identity != "joe@mail.example.org" || s.Algorithm != "ed25519-sha256" || s.Canonicalization != "relaxed/relaxed" ||
		!slices.Equal(s.SignedHeaders, []string{"from", "to", "subject", "date"}) || s.BodyLength != 12 || s.Time.Unix() != 1749550270 || s.Expires.Unix() != 1999999999 ||
		s.KeyBits != 256 || s.Testing || s.BodyHash != Same || s.HeaderHash != Same || s.Key.State != resolve.Present || s.Record.Key.Type != KeyEd25519 {
		t.Errorf("%+v", s)
	}
}

// TestNotes checks what a signature leaves open (RFC 6376, Sections 5.4 and 8).
func TestNotes(t *testing.T) {
	z := testZone(t)
	unsubscribe := edit(mail, "Date:", "List-Unsubscribe: <https://example.org/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nDate:")
	over := []string{"h=from:to:subject:date", "h=from:from:to:to:subject:subject:date:date:cc:reply-to"}
	for _, c := range []struct {
		name   string
		change []string
		msg    string
		want   string
	}{
		{"all", over, mail, ""},
		{"no oversigning", nil, mail, "not-oversigned[From Subject Date To]"},
		{"unsigned", []string{"h=from:to:subject:date", "h=from:from"}, mail, "unsigned-field[Subject Date To]"},
		{"unsubscribe", over, unsubscribe, "unsigned-field[List-Unsubscribe List-Unsubscribe-Post] unsubscribe-partial[List-Unsubscribe List-Unsubscribe-Post]"},
		{"half of unsubscribe", append([]string{"h=from", "h=list-unsubscribe:from"}, "from:to:subject:date", "from:from:to:to:subject:subject:date:date"), unsubscribe, "unsigned-field[List-Unsubscribe-Post] unsubscribe-partial[List-Unsubscribe List-Unsubscribe-Post]"},
		{"l=", append([]string{"v=1;", "v=1; l=4;"}, over...), mail, "length-tag[] unsigned-text[]"},
		{"future", append([]string{"t=1749550270", "t=1999999999"}, over...), mail, "from-the-future[]"},
		{"testing", append([]string{"s=ed", "s=testing"}, over...), mail, "testing[]"},
		{"several", append([]string{"s=ed", "s=two"}, over...), mail, "several-records[]"},
		{"second From", []string{"from:to:subject:date", "from:to:to:subject:subject:date:date"}, "From: x@example.net\r\n" + mail, "extra-field[From]"},
	} {
		s := check(t, craft(t, edit(edSig, c.change...), c.msg, edKey()), z, VerifyOptions{}).Signatures[0]
		var got []string
		for _, n := range s.Notes {
			got = append(got, string(n.Kind)+"["+strings.Join(n.Fields, " ")+"]")
			if n.Detail == "" {
				t.Errorf("%s: no detail for %s", c.name, n.Kind)
			}
		}
		if strings.Join(got, " ") != c.want || s.Status != Pass {
			t.Errorf("%s: %s %s", c.name, s.Status, got)
		}
	}
	v := check(t, "From x\nnot a field\nFrom: a@example.org\n\n", z, VerifyOptions{})
	if len(v.Notes) != 2 || v.Notes[0].Kind != NoteMbox || v.Notes[1].Kind != NoteJunk {
		t.Errorf("%+v", v.Notes)
	}
	weak := check(t, craft(t, edit(rsaSig, "s=rsa", "s=weak"), mail, rsaKeys(1024)), z, VerifyOptions{}).Signatures[0]
	if weak.Status != Pass || weak.Notes[len(weak.Notes)-1].Kind != NoteWeakKey {
		t.Errorf("%+v", weak)
	}
}

func TestVerifyErrors(t *testing.T) {
	z := testZone(t)
	msg := craft(t, edSig, mail, edKey())
	boom := errors.New("boom")
	if _, err := Verify(t.Context(), io.MultiReader(strings.NewReader(msg), iotest.ErrReader(boom)), z, VerifyOptions{}); !errors.Is(err, boom) {
		t.Errorf("reader: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Verify(ctx, strings.NewReader(msg), z, VerifyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("context: %v", err)
	}
	if got := verdict(check(t, msg, resolve.Offline, VerifyOptions{})); got != "temperror:key-unavailable" {
		t.Errorf("offline: %s", got)
	}
}

// TestConcurrentLookups asks for the keys of all signatures at once, each once.
func TestConcurrentLookups(t *testing.T) {
	msg := mail
	for _, s := range []string{"a", "b", "c", "a"} {
		msg = craft(t, edit(edSig, "s=ed", "s="+s), msg, edKey())
	}
	const want = 3
	asked := make(chan string, 10)
	gate := make(chan struct{})
	z := testZone(t)
	r := resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		asked <- q.Name.First()
		select {
		case <-gate:
		case <-time.After(5 * time.Second):
			t.Error("the others were not asked for meanwhile")
		}
		return z.Resolve(ctx, resolve.Question{Name: resolve.MustName("ed._domainkey.example.org"), Type: q.Type})
	})
	go func() {
		for range want {
			<-asked
		}
		close(gate)
	}()
	if got := verdict(check(t, msg, r, VerifyOptions{})); got != "pass pass pass pass" {
		t.Error(got)
	}
	if len(asked) != 0 {
		t.Errorf("%d questions more than selectors", len(asked))
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		in   []Status
		want Status
	}{
		{nil, None}, {[]Status{Fail, Pass}, Pass}, {[]Status{Fail, TempError}, TempError}, {[]Status{PermError, Fail}, PermError}, {[]Status{Neutral, Fail}, Fail},
	} {
		var v Verification
		for _, s := range c.in {
			v.Signatures = append(v.Signatures, Signature{Status: s})
		}
		if got := v.Status(); got != c.want {
			t.Errorf("%v: %s", c.in, got)
		}
	}
	if got := (Verification{Limits: []Limit{{}}}).Status(); got != Neutral {
		t.Errorf("over a limit: %s", got)
	}
}
