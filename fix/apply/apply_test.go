package apply_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/apply"
	"github.com/mailcheck-go/mailcheck/resolve"
)

const (
	oldSPF = `example.org. 300 IN TXT "v=spf1 ip4:192.0.0.0/16 -all"`
	token  = `example.org. 300 IN TXT "verification; \"kept\" \\ as \195\164"`
)

var key = strings.Repeat("A", 700) // longer than two strings

func step(id string, old, now []string, name string, depends ...string) fix.Step {
	c := fix.Change{Verb: fix.Update, Name: resolve.MustName(name), Type: resolve.TypeTXT, TTL: 300, Old: old, New: now}
	switch {
	case len(old) == 0:
		c.Verb = fix.Create
	case len(now) == 0:
		c.Verb = fix.Delete
	}
	return fix.Step{ID: id, Title: id, Change: &c, Depends: depends}
}

func story() *fix.Plan {
	txt := []string{`"v=spf1 ip4:192.0.0.0/16 -all"`, `"verification; \"kept\" \\ as \195\164"`}
	return &fix.Plan{Schema: fix.PlanSchema, Domain: resolve.MustName("example.org"), Created: time.Unix(1e9, 0), Steps: []fix.Step{
		step("dkim-1", nil, []string{resolve.SplitTXT("v=DKIM1; p=" + key).String()}, "s1._domainkey.example.org"),
		{ID: "sign-1", Title: "sign"},
		step("spf-1", txt, []string{`"v=spf1 ip4:192.0.2.25 -all"`, txt[1]}, "example.org"),
		step("dmarc-1", nil, []string{`"v=DMARC1; p=none"`}, "_dmarc.example.org"),
		func() fix.Step {
			s := step("stage-1", []string{`"v=DMARC1; p=none"`}, []string{`"v=DMARC1; p=reject"`}, "_dmarc.example.org", "dmarc-1")
			s.Gate = &fix.Gate{NotBefore: time.Unix(2e9, 0)}
			return s
		}(),
	}}
}

func outcomes(r *apply.Result) string {
	var out []string
	for _, s := range r.Steps {
		out = append(out, s.ID+" "+string(s.Outcome))
	}
	return strings.Join(out, ", ")
}

func TestRun(t *testing.T) {
	p, prov := serve(t, oldSPF, token)
	var undo []*fix.Plan
	opt := apply.Options{Servers: servers{p.follow, p.follow}, Provider: prov, Undo: func(u *fix.Plan) error { undo = append(undo, u); return nil }}
	res, err := apply.Run(context.Background(), story(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if got := outcomes(res); got != "dkim-1 applied, sign-1 manual, spf-1 applied, dmarc-1 applied, stage-1 gated" {
		t.Error(got)
	}
	if got := p.get("example.org.", "TXT"); len(got) != 2 || !slices.Contains(got, `"verification; \"kept\" \\ as \195\164"`) {
		t.Errorf("siblings: %q", got)
	}
	if len(undo) != 3 || len(undo[2].Steps) != 3 || len(res.Undo.Steps) != 3 {
		t.Errorf("the way back was saved %d times", len(undo))
	}
	// Again: all is done.
	res, err = apply.Run(context.Background(), story(), opt)
	if got := outcomes(res); err != nil || got != "dkim-1 done, sign-1 manual, spf-1 done, dmarc-1 done, stage-1 gated" {
		t.Error(got, err)
	}
	// A gate is passed by naming the step.
	opt.Steps = []string{"stage-1"}
	res, err = apply.Run(context.Background(), story(), opt)
	if got := outcomes(res); err != nil || !strings.Contains(got, "stage-1 applied") || !strings.Contains(got, "spf-1 left") {
		t.Error(got, err)
	}
	// And back: the undo of the stage, then of the rest.
	back := apply.Options{Servers: servers{p.follow}, Provider: prov}
	if _, err := apply.Run(context.Background(), res.Undo, back); err != nil {
		t.Error(err)
	}
	if _, err := apply.Run(context.Background(), undo[2], back); err != nil {
		t.Error(err)
	}
	if got := p.get("example.org.", "TXT"); !slices.Contains(got, `"v=spf1 ip4:192.0.0.0/16 -all"`) || len(got) != 2 {
		t.Errorf("after undo: %q", got)
	}
	if got := p.get("_dmarc.example.org.", "TXT"); len(got) != 0 {
		t.Errorf("after undo: %q", got)
	}
}

func TestRunRefuses(t *testing.T) {
	stale := func(q resolve.Question) ([]string, error) { return []string{`"v=spf1 mx -all"`}, nil }
	dead := func(q resolve.Question) ([]string, error) {
		return nil, &resolve.Error{Question: q, Reason: resolve.ErrTimeout}
	}
	for _, c := range []struct {
		name string
		do   func(p *primary, prov *apply.RFC2136, opt *apply.Options)
		err  error
		want string
	}{
		{"somebody edited since", func(p *primary, _ *apply.RFC2136, o *apply.Options) { o.Servers = servers{p.follow, stale} }, apply.ErrStale, "dkim-1 stale"},
		{"a server is down", func(p *primary, _ *apply.RFC2136, o *apply.Options) { o.Servers = servers{p.follow, dead} }, apply.ErrUnknown, "dkim-1 unknown"},
		{"no server is known", func(_ *primary, _ *apply.RFC2136, o *apply.Options) { o.Servers = servers{} }, apply.ErrUnknown, "dkim-1 unknown"},
		{"the primary is ahead of its servers", func(p *primary, _ *apply.RFC2136, o *apply.Options) {
			o.Servers = servers{func(q resolve.Question) ([]string, error) { return nil, nil }}
			rr, _ := dns.NewRR(`s1._domainkey.example.org. 300 IN TXT "v=DKIM1; p=other"`)
			p.add(rr)
		}, apply.ErrStale, "dkim-1 stale"},
		{"an edit between the look and the update", func(p *primary, _ *apply.RFC2136, _ *apply.Options) {
			p.before = func(m *dns.Msg) {
				rr, _ := dns.NewRR(`s1._domainkey.example.org. 300 IN TXT "v=DKIM1; p=other"`)
				p.add(rr)
			}
		}, apply.ErrStale, "dkim-1 stale"},
		{"a wrong key", func(_ *primary, prov *apply.RFC2136, _ *apply.Options) { prov.Key.Secret = "d3Jvbmc=" }, apply.ErrAuth, "dkim-1 failed"},
		{"no leave", func(p *primary, _ *apply.RFC2136, _ *apply.Options) { p.rcode = dns.RcodeRefused }, apply.ErrRefused, "dkim-1 failed"},
		{"no answer", func(p *primary, _ *apply.RFC2136, _ *apply.Options) { p.mute = true }, apply.ErrTemp, "dkim-1 failed"},
		{"no way back", func(_ *primary, _ *apply.RFC2136, o *apply.Options) {
			o.Undo = func(*fix.Plan) error { return errors.New("disk full") }
		}, apply.ErrPlan, "dkim-1 failed"},
		{"a step that is none", func(_ *primary, _ *apply.RFC2136, o *apply.Options) { o.Steps = []string{"dkim-9"} }, apply.ErrPlan, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, prov := serve(t, oldSPF, token)
			opt := apply.Options{Servers: servers{p.follow, p.follow}, Provider: prov}
			c.do(p, prov, &opt)
			before := fmt.Sprint(p.get("example.org.", "TXT"))
			res, err := apply.Run(context.Background(), story(), opt)
			if !errors.Is(err, c.err) {
				t.Errorf("%v, want %v", err, c.err)
			}
			if got := outcomes(res); !strings.HasPrefix(got, c.want) || strings.Contains(got, "applied") {
				t.Errorf("%s, want %s", got, c.want)
			}
			if got := fmt.Sprint(p.get("example.org.", "TXT")); got != before {
				t.Errorf("the zone was changed: %s", got)
			}
		})
	}
}

// What fails in the middle is told truthfully, and the way back has what was done.
func TestRunStopsInTheMiddle(t *testing.T) {
	p, prov := serve(t, oldSPF, token)
	p.before = func(*dns.Msg) {
		if p.seen == 2 {
			p.rcode = dns.RcodeServerFailure
		}
	}
	res, err := apply.Run(context.Background(), story(), apply.Options{Servers: servers{p.follow}, Provider: prov})
	if !errors.Is(err, apply.ErrTemp) {
		t.Fatal(err)
	}
	if got := outcomes(res); got != "dkim-1 applied, sign-1 manual, spf-1 failed, dmarc-1 not-done, stage-1 not-done" {
		t.Error(got)
	}
	// Whether the second was made is not known, so the way back has both.
	if len(res.Undo.Steps) != 2 {
		t.Errorf("way back: %d steps", len(res.Undo.Steps))
	}
	p.before, p.rcode = nil, 0
	res, err = apply.Run(context.Background(), res.Undo, apply.Options{Servers: servers{p.follow}, Provider: prov})
	if got := outcomes(res); err != nil || got != "undo-spf-1 done, undo-dkim-1 applied" {
		t.Error(got, err)
	}
}

func TestVerify(t *testing.T) {
	p, prov := serve(t, oldSPF, token)
	rounds := 0
	lags := func(q resolve.Question) ([]string, error) { // a secondary that comes later
		if rounds < 8 && q.Name.String() == "_dmarc.example.org" {
			rounds++
			return nil, nil
		}
		return p.follow(q)
	}
	if _, err := apply.Run(context.Background(), story(), apply.Options{Servers: servers{p.follow}, Provider: prov}); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1e9, 0)
	opt := apply.Options{Servers: servers{p.follow, lags}, Interval: time.Millisecond, Now: func() time.Time { return now }}
	proofs, err := apply.Verify(context.Background(), story(), opt, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range proofs {
		if !v.Converged || len(v.Servers) != 2 {
			t.Errorf("%+v", v)
		}
		if v.ID == "spf-1" && !v.CachedUntil.Equal(now.Add(300*time.Second)) {
			t.Errorf("cached until %v: %s", v.CachedUntil, v.Cache)
		}
	}
	if len(proofs) != 3 {
		t.Errorf("%d proofs", len(proofs))
	}
	// A server that never comes is told, once is enough when time is not given.
	opt.Servers, opt.Timeout = servers{p.follow, func(resolve.Question) ([]string, error) { return nil, nil }}, -1
	proofs, err = apply.Verify(context.Background(), story(), opt, nil)
	if !errors.Is(err, apply.ErrStale) || proofs[0].Converged || proofs[0].Servers[1].State != apply.HoldsOld {
		t.Errorf("%+v, %v", proofs[0], err)
	}
}

func TestExec(t *testing.T) {
	dir := t.TempDir()
	script := func(name, body string) *apply.Exec {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
			t.Fatal(err)
		}
		return &apply.Exec{Command: []string{path}, Wait: 5 * time.Second}
	}
	zone, name := resolve.MustName("example.org"), resolve.MustName("_dmarc.example.org")
	p := script("good", `cat > `+dir+`/heard; echo '{"schema":"mailcheck.exec/1","records":[{"ttl":60,"data":"\"v=DMARC1; p=none\""}]}'`)
	rs, err := p.Get(context.Background(), zone, name, resolve.TypeTXT)
	if err != nil || len(rs) != 1 || rs[0].TTL != 60 || rs[0].Data.String() != `"v=DMARC1; p=none"` {
		t.Errorf("%v, %v", rs, err)
	}
	heard, _ := os.ReadFile(filepath.Join(dir, "heard"))
	if got := strings.TrimSpace(string(heard)); got != `{"schema":"mailcheck.exec/1","op":"get","zone":"example.org","name":"_dmarc.example.org","type":"TXT"}` {
		t.Error(got)
	}
	c := *story().Steps[2].Change
	if err := p.Set(context.Background(), zone, []fix.Change{c}); err != nil {
		t.Error(err)
	}
	if heard, _ = os.ReadFile(filepath.Join(dir, "heard")); !strings.Contains(string(heard), `"op":"set"`) || !strings.Contains(string(heard), `ip4:192.0.2.25`) {
		t.Error(string(heard))
	}
	for _, bad := range []struct {
		name, body string
		err        error
	}{
		{"stale", `echo '{"schema":"mailcheck.exec/1","error":{"kind":"stale","message":"m"}}'; exit 1`, apply.ErrStale},
		{"auth", `echo '{"schema":"mailcheck.exec/1","error":{"kind":"auth","message":"m"}}'`, apply.ErrAuth},
		{"refused", `echo '{"schema":"mailcheck.exec/1","error":{"kind":"refused","message":"m"}}'`, apply.ErrRefused},
		{"fails", `exit 1`, apply.ErrTemp},
		{"says nothing", ``, apply.ErrTemp},
		{"another schema", `echo '{"schema":"mailcheck.exec/2"}'`, apply.ErrTemp},
		{"too much", `head -c 9000000 /dev/zero`, apply.ErrTemp},
		{"no data", `echo '{"schema":"mailcheck.exec/1","records":[{"data":"\"x"}]}'`, apply.ErrTemp},
	} {
		if _, err := script(strings.ReplaceAll(bad.name, " ", "-"), bad.body).Get(context.Background(), zone, name, resolve.TypeTXT); !errors.Is(err, bad.err) {
			t.Errorf("%s: %v, want %v", bad.name, err, bad.err)
		}
	}
	slow := script("slow", "sleep 60")
	slow.Wait = 50 * time.Millisecond
	if _, err := slow.Get(context.Background(), zone, name, resolve.TypeTXT); !errors.Is(err, apply.ErrTemp) {
		t.Error(err)
	}
	if _, err := (&apply.Exec{Command: []string{"/nonexistent/program"}}).Get(context.Background(), zone, name, resolve.TypeTXT); !errors.Is(err, apply.ErrTemp) {
		t.Error(err)
	}
}

// No form of printing shows the secret.
func TestSecret(t *testing.T) {
	k := apply.TSIG{Name: resolve.MustName("key.example"), Algorithm: "hmac-sha256", Secret: "c2VjcmV0"}
	for _, f := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(f, k); strings.Contains(got, "c2VjcmV0") {
			t.Errorf("%s: %s", f, got)
		}
	}
}
