package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/rotate"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const (
	rotOld  = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	rotNew  = "v=DKIM1; k=ed25519; p=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	rotHead = "example.org. 3600 IN SOA ns1.example.org. admin.example.org. 1 7200 3600 1209600 7200\n"
)

// rotWorld is one zone on two servers, and a clock.
type rotWorld struct {
	t    *testing.T
	zone string
	down bool // the second server
	now  time.Time
}

func rotRR(selector, text string) string {
	return selector + "._domainkey.example.org. 3600 IN TXT \"" + text + "\"\n"
}

func (w *rotWorld) env() rotate.Env {
	return rotate.Env{Ask: w.ask, Now: func() time.Time { return w.now }}
}

func (w *rotWorld) ask(ctx context.Context, q resolve.Question) ([]rotate.Answer, error) {
	var out []rotate.Answer
	for i := range 2 {
		a := rotate.Answer{Server: fmt.Sprintf("ns%d", i+1)}
		if w.down && i == 1 {
			a.Err = &resolve.Error{Reason: resolve.ErrTimeout, Question: q}
		} else {
			a.Answer, a.Err = zonetest.MustParse(rotHead+w.zone).Resolve(ctx, q)
		}
		out = append(out, a)
	}
	return out, nil
}

func (w *rotWorld) current(name resolve.Name, t resolve.Type) ([]resolve.Record, error) {
	list, _ := w.ask(w.t.Context(), resolve.Question{Name: name, Type: t})
	for _, a := range list {
		if resolve.StateOf(a.Err) == resolve.Unavailable {
			return nil, a.Err
		}
	}
	return list[0].Answer.Records, nil
}

func (w *rotWorld) start() *rotate.Rotation {
	w.t.Helper()
	rec, err := dkim.ParseRecord(rotNew)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := rotate.Start(w.t.Context(), w.env(), rotate.Plan{Domain: resolve.MustName("example.org"), OldSelector: "old", NewSelector: "new", NewRecord: rec, KeyFile: "new.pem"})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *rotWorld) plan(r *rotate.Rotation, signed *Signed) (*fix.Plan, error) {
	w.t.Helper()
	st, err := r.Check(w.t.Context(), w.env())
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := Rotation(r, RotationOptions{Status: st, Current: w.current, At: w.now, Tool: "test", Server: "exim", Advance: "advance", Signed: signed})
	if err != nil {
		return nil, err
	}
	// What is made can be read: the IDs are unique, and changes are whole.
	text, err := p.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := fix.DecodePlan(text); err != nil {
		w.t.Fatalf("%v\n%s", err, text)
	}
	return p, nil
}

// apply makes the changes that no gate holds.
func (w *rotWorld) apply(p *fix.Plan) {
	w.t.Helper()
	for _, c := range p.Changes() {
		has, err := w.current(c.Name, c.Type)
		if err != nil {
			w.t.Fatal(err)
		}
		old, err := c.OldRecords()
		if err != nil {
			w.t.Fatal(err)
		}
		now, err := c.NewRecords()
		if err != nil {
			w.t.Fatal(err)
		}
		if !fix.SameText(has, old) && !fix.SameText(has, now) {
			w.t.Fatalf("%s %s is stale: %v, the plan has %v", c.Verb, c.Name, has, c.Old)
		}
		var keep []string
		for line := range strings.Lines(w.zone) {
			if !strings.HasPrefix(line, c.Name.String()+".") {
				keep = append(keep, line)
			}
		}
		for _, x := range now {
			keep = append(keep, x.String()+"\n")
		}
		w.zone = strings.Join(keep, "")
	}
}

// shape is the IDs of the steps; those behind a gate in brackets.
func shape(p *fix.Plan) string {
	var out []string
	for _, s := range p.Steps {
		id := s.ID
		if s.Gate != nil {
			id = "[" + id + "]"
		}
		out = append(out, id)
	}
	return strings.Join(out, " ")
}

// TestRotationPlans goes through a rotation in which only plans change the zone.
func TestRotationPlans(t *testing.T) {
	w := &rotWorld{t: t, zone: rotRR("old", rotOld), now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	r := w.start()
	proof := rotate.Input{Proofs: []rotate.Proof{{Domain: "example.org", Selector: "new", Pass: true, SHA256: r.New.SHA256}}}
	for i, x := range []struct {
		phase rotate.Phase
		shape string
		wait  time.Duration // before it goes on
		in    rotate.Input
	}{
		{rotate.Publish, "dkim-1 sign-1 prove-1 [revoke-1] [delete-1]", 0, rotate.Input{}},
		{rotate.Wait, "dkim-1 sign-1 prove-1 [revoke-1] [delete-1]", time.Hour, rotate.Input{}},
		{rotate.Switch, "dkim-1 sign-1 prove-1 [revoke-1] [delete-1]", 0, rotate.Input{Switched: true}},
		{rotate.Prove, "dkim-1 prove-1 [revoke-1] [delete-1]", 0, proof},
		{rotate.Retire, "[revoke-1] [delete-1]", rotate.DefaultKeep, rotate.Input{}},
		{rotate.Retire, "revoke-1 [delete-1]", 0, rotate.Input{}},
		{rotate.Delete, "[delete-1]", rotate.DefaultHold, rotate.Input{}},
		{rotate.Delete, "delete-1", 0, rotate.Input{}},
	} {
		p, err := w.plan(r, nil)
		if err != nil {
			t.Fatalf("%d, %s: %v", i, x.phase, err)
		}
		if r.Phase != x.phase || shape(p) != x.shape {
			t.Fatalf("%d: phase %s with %q, want %s with %q", i, r.Phase, shape(p), x.phase, x.shape)
		}
		if len(p.Unknown) > 0 {
			t.Errorf("%s: unknown %q", x.phase, p.Unknown)
		}
		for _, s := range p.Steps {
			if (s.ID == "revoke-1" || s.ID == "delete-1") && (s.Confirm == "" || s.Gate != nil && !s.Gate.NotBefore.After(w.now)) {
				t.Errorf("%s: step %s with confirmation %q and gate %+v", x.phase, s.ID, s.Confirm, s.Gate)
			}
			if s.ID == "sign-1" && !strings.Contains(s.Title, "Exim") {
				t.Errorf("the step %q knows nothing of the server", s.Title)
			}
		}
		w.apply(p)
		w.now = w.now.Add(x.wait)
		if _, err := r.Advance(t.Context(), w.env(), x.in); err != nil {
			t.Fatal(err)
		}
	}
	if r.Phase != rotate.Done || strings.Contains(w.zone, "old._domainkey") || !strings.Contains(w.zone, "new._domainkey") {
		t.Errorf("phase %s with\n%s", r.Phase, w.zone)
	}
	if _, err := w.plan(r, nil); !errors.Is(err, ErrOver) {
		t.Errorf("after the end: %v", err)
	}
}

// retiring is a rotation that waits for the old key to go.
func retiring(t *testing.T) (*rotWorld, *rotate.Rotation) {
	t.Helper()
	w := &rotWorld{t: t, zone: rotRR("old", rotOld) + rotRR("new", rotNew), now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	r := w.start()
	for range 2 {
		if _, err := r.Advance(t.Context(), w.env(), rotate.Input{}); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Hour)
	}
	if _, err := r.Advance(t.Context(), w.env(), rotate.Input{Proofs: []rotate.Proof{{Domain: "example.org", Selector: "new", Pass: true, SHA256: r.New.SHA256}}}); err != nil || r.Phase != rotate.Retire {
		t.Fatal(r.Phase, err)
	}
	return w, r
}

// TestRotationStillSigning: what reports show outweighs the calendar.
func TestRotationStillSigning(t *testing.T) {
	w, r := retiring(t)
	proven := r.Proven()
	w.now = w.now.Add(rotate.DefaultKeep)
	day := func(n int) time.Time { return proven.Truncate(24*time.Hour).AddDate(0, 0, n) }
	for _, x := range []struct {
		name   string
		signed *Signed
		err    error
		doubt  bool
	}{
		{"no reports were asked", nil, nil, false},
		{"mail of before", &Signed{Last: day(-1), Until: day(13)}, nil, false},
		{"mail that waited in queues", &Signed{Last: day(5), Until: day(13)}, nil, false},
		{"mail of later", &Signed{Last: day(9), Until: day(13)}, ErrStillSigning, false},
		{"never seen", &Signed{Until: day(13)}, nil, false},
		{"reports end too early", &Signed{Last: day(-1), Until: day(2)}, nil, true},
		{"no report at all", &Signed{}, nil, true},
	} {
		p, err := w.plan(r, x.signed)
		if !errors.Is(err, x.err) {
			t.Errorf("%s: %v, want %v", x.name, err, x.err)
			continue
		}
		if err != nil {
			if e, ok := errors.AsType[*StillSigningError](err); !ok || !e.Last.Equal(day(9)) || e.Selector != "old" || !strings.Contains(err.Error(), day(9).Format(time.DateOnly)) {
				t.Errorf("%s: %v", x.name, err)
			}
			continue
		}
		if (len(p.Unknown) > 0) != x.doubt || shape(p) != "revoke-1 [delete-1]" {
			t.Errorf("%s: %q, unknown %q", x.name, shape(p), p.Unknown)
		}
	}
}

// TestRotationMishaps: the zone is not as the rotation left it.
func TestRotationMishaps(t *testing.T) {
	third := "v=DKIM1; k=ed25519; p=fDrmAt3Xd9qnCxvRiHqqDOmLr2i+5VBjjHkUkO/8GHc="
	fixed := strings.Replace(rotNew, "k=ed25519", "k=ed25519; t=s", 1)
	for _, x := range []struct {
		name, zone string
		due        bool
		down       bool
		shape      string
		want       error
		text       string // of the first change, after it
	}{
		{name: "the old key is gone too early", zone: rotRR("new", rotNew), shape: "restore-1", text: rotOld},
		{name: "it was replaced too early", zone: rotRR("new", rotNew) + rotRR("old", third), shape: "restore-1", text: rotOld},
		{name: "it is another key when it is due", zone: rotRR("new", rotNew) + rotRR("old", third), due: true, want: fix.ErrConflict},
		{name: "it was deleted when it is due", zone: rotRR("new", rotNew), due: true, want: ErrOver},
		{name: "it was revoked", zone: rotRR("new", rotNew) + rotRR("old", "v=DKIM1; p="), due: true, shape: "[delete-1]"},
		{name: "a server is silent", zone: rotRR("new", rotNew) + rotRR("old", rotOld), due: true, down: true, want: resolve.ErrTimeout},
	} {
		t.Run(x.name, func(t *testing.T) {
			w, r := retiring(t)
			w.zone, w.down = x.zone, x.down
			if x.due {
				w.now = w.now.Add(rotate.DefaultKeep)
			}
			p, err := w.plan(r, nil)
			if !errors.Is(err, x.want) {
				t.Fatalf("%v, want %v", err, x.want)
			}
			if err != nil {
				return
			}
			if shape(p) != x.shape {
				t.Errorf("%q, want %q", shape(p), x.shape)
			}
			if x.text != "" && !slices.Contains(p.Steps[0].Change.New, fmt.Sprintf("%q", x.text)) {
				t.Errorf("%q", p.Steps[0].Change.New)
			}
		})
	}
	t.Run("another key stands at the new selector", func(t *testing.T) {
		w := &rotWorld{t: t, zone: rotRR("old", rotOld) + rotRR("new", rotNew), now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
		r := w.start()
		if _, err := r.Advance(t.Context(), w.env(), rotate.Input{}); err != nil {
			t.Fatal(err)
		}
		w.zone = rotRR("old", rotOld) + rotRR("new", third)
		p, err := w.plan(r, nil)
		if err != nil || p.Steps[0].ID != "dkim-1" || p.Steps[0].Change.Verb != fix.Update || p.Steps[0].Change.New[0] != fmt.Sprintf("%q", rotNew) {
			t.Errorf("%v, %+v", err, p)
		}
	})
	t.Run("the key is published in other words", func(t *testing.T) {
		w := &rotWorld{t: t, zone: rotRR("old", rotOld) + rotRR("new", fixed), now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
		p, err := w.plan(w.start(), nil)
		if err != nil || p.Steps[0].Change.New[0] != fmt.Sprintf("%q", fixed) {
			t.Errorf("%v, %+v", err, p)
		}
	})
	t.Run("the end is unknown, and the beginning is planned", func(t *testing.T) {
		w := &rotWorld{t: t, zone: rotRR("old", rotOld), now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
		r := w.start()
		w.down = true
		p, err := w.plan(r, nil)
		if err != nil || shape(p) != "dkim-1 sign-1 prove-1" || len(p.Unknown) != 1 || !strings.Contains(p.Unknown[0], "old._domainkey.example.org") {
			t.Errorf("%v, %+v", err, p)
		}
	})
}

// TestRotationAborted: what is given up is undone, and nothing else.
func TestRotationAborted(t *testing.T) {
	for _, x := range []struct {
		name  string
		after bool // the switch
		zone  string
		shape string
		want  error
	}{
		{"never published", false, rotRR("old", rotOld), "", ErrOver},
		{"before the switch", false, rotRR("old", rotOld) + rotRR("new", rotNew), "delete-1", nil},
		{"after the switch", true, rotRR("old", rotOld) + rotRR("new", rotNew), "sign-1 [delete-1]", nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			w, r := retiring(t)
			if !x.after {
				w.zone = rotRR("old", rotOld)
				r = w.start()
			}
			w.zone = x.zone
			if _, err := r.Abort(t.Context(), w.env()); err != nil {
				t.Fatal(err)
			}
			p, err := w.plan(r, nil)
			if !errors.Is(err, x.want) || err == nil && shape(p) != x.shape {
				t.Fatalf("%v, %+v", err, p)
			}
			if x.after && p.Steps[1].Change.Name.String() != "new._domainkey.example.org" {
				t.Errorf("%+v", p.Steps[1])
			}
		})
	}
}
