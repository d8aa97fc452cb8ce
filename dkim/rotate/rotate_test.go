package rotate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const (
	oldKey   = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	newKey   = "v=DKIM1; k=ed25519; p=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	thirdKey = "v=DKIM1; k=ed25519; p=fDrmAt3Xd9qnCxvRiHqqDOmLr2i+5VBjjHkUkO/8GHc="
	head     = "example.org. 3600 IN SOA ns1.example.org. admin.example.org. 1 7200 3600 1209600 7200\n"
)

var domain = resolve.MustName("example.org")

// world is two name servers and a clock.
type world struct {
	zones [2]string
	down  [2]bool
	now   time.Time
}

func (w *world) env() Env { return Env{Ask: w.ask, Now: func() time.Time { return w.now }} }

func (w *world) ask(ctx context.Context, q resolve.Question) ([]Answer, error) {
	var out []Answer
	for i, text := range w.zones {
		a := Answer{Server: fmt.Sprintf("ns%d", i+1)}
		if w.down[i] {
			a.Err = &resolve.Error{Reason: resolve.ErrTimeout, Question: q}
		} else {
			z, err := zonetest.Parse(head+text, zonetest.Options{})
			if err != nil {
				return nil, err
			}
			a.Answer, a.Err = z.Resolve(ctx, q)
		}
		out = append(out, a)
	}
	return out, nil
}

func (w *world) set(lines ...string) {
	text := strings.Join(lines, "\n") + "\n"
	w.zones = [2]string{text, text}
}

func rr(selector, text string) string {
	return selector + "._domainkey.example.org. 3600 IN TXT \"" + text + "\""
}

func newWorld(lines ...string) *world {
	w := &world{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	w.set(lines...)
	return w
}

func plan(t testing.TB) Plan {
	t.Helper()
	rec, err := dkim.ParseRecord(newKey)
	if err != nil {
		t.Fatal(err)
	}
	return Plan{Domain: domain, OldSelector: "old", NewSelector: "new", NewRecord: rec, KeyFile: "/k"}
}

func start(t testing.TB, w *world) *Rotation {
	t.Helper()
	r, err := Start(context.Background(), w.env(), plan(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// advance goes on, through the file each time, and checks phase and action.
func advance(t *testing.T, w *world, r *Rotation, in Input, phase Phase, action Action) Status {
	t.Helper()
	b, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, r) {
		t.Fatalf("the file changed the state:\n%+v\n%+v", r, again)
	}
	st, err := r.Advance(context.Background(), w.env(), in)
	if err != nil {
		t.Fatal(err)
	}
	if r.Phase != phase || st.Phase != phase || st.Action != action {
		t.Fatalf("phase %s, action %s, want %s and %s; blocked %q", r.Phase, st.Action, phase, action, st.Blocked)
	}
	return st
}

func good(t testing.TB) []Proof {
	return []Proof{{Domain: "Example.org", Selector: "new", Pass: true, SHA256: plan(t).NewRecord.Key.SHA256}}
}

// TestWhole goes through a rotation in which everything is tried too early once.
func TestWhole(t *testing.T) {
	w := newWorld(rr("old", oldKey))
	r := start(t, w)
	if r.New.Negative != 3600 { // RFC 2308, Section 5: the SOA's TTL, as its minimum is longer
		t.Errorf("negative TTL %d", r.New.Negative)
	}
	if st := advance(t, w, r, Input{}, Publish, DoPublish); st.Value != newKey || st.Name.String() != "new._domainkey.example.org" || len(st.Blocked) != 2 {
		t.Errorf("status %+v", st)
	}
	w.zones[0] += rr("new", newKey) // one server of two
	if st := advance(t, w, r, Input{Switched: true, Proofs: good(t)}, Publish, DoPublish); len(st.Blocked) != 1 || !strings.Contains(st.Blocked[0], "ns2") {
		t.Errorf("blocked %q", st.Blocked)
	}
	w.set(rr("old", oldKey), rr("new", newKey))
	st := advance(t, w, r, Input{Switched: true}, Wait, DoWait)
	if want := w.now.Add(time.Hour); !st.Due.Equal(want) {
		t.Errorf("due %v, want %v", st.Due, want)
	}
	w.now = w.now.Add(59 * time.Minute)
	advance(t, w, r, Input{}, Wait, DoWait)
	w.now = w.now.Add(time.Minute)
	advance(t, w, r, Input{}, Switch, DoSwitch)
	advance(t, w, r, Input{}, Switch, DoSwitch) // nobody said that the signer was switched
	advance(t, w, r, Input{Switched: true}, Prove, DoProve)
	for _, p := range [][]Proof{
		{{Domain: "example.org", Selector: "old", Pass: true, SHA256: r.Old.SHA256}},
		{{Domain: "example.org", Selector: "new", SHA256: r.New.SHA256}},             // does not verify
		{{Domain: "example.com", Selector: "new", Pass: true, SHA256: r.New.SHA256}}, // somebody else
		{{Domain: "example.org", Selector: "new", Pass: true, SHA256: r.Old.SHA256}}, // another key
	} {
		if st := advance(t, w, r, Input{Proofs: p}, Prove, DoProve); len(st.Blocked) != 1 {
			t.Errorf("blocked %q", st.Blocked)
		}
	}
	advance(t, w, r, Input{Proofs: good(t)}, Retire, DoWait)
	w.now = w.now.Add(DefaultKeep)
	if st := advance(t, w, r, Input{}, Retire, DoRetire); st.Value != "v=DKIM1; p=" || st.Name.String() != "old._domainkey.example.org" {
		t.Errorf("status %+v", st)
	}
	w.set(rr("old", "v=DKIM1; p="), rr("new", newKey))
	advance(t, w, r, Input{}, Delete, DoWait)
	w.now = w.now.Add(DefaultHold)
	advance(t, w, r, Input{}, Delete, DoDelete)
	w.set(rr("new", newKey))
	advance(t, w, r, Input{}, Done, DoNothing)
	if _, err := r.Advance(t.Context(), w.env(), Input{}); !errors.Is(err, ErrFinished) {
		t.Errorf("after the end: %v", err)
	}
	if len(r.Events) != 7 {
		t.Errorf("%d events: %v", len(r.Events), r.Events)
	}
}

// TestUnreachable: a server that does not answer may hold anything.
func TestUnreachable(t *testing.T) {
	w := newWorld(rr("old", oldKey), rr("new", newKey)) // published beforehand
	r := start(t, w)
	w.down[1] = true
	if st := advance(t, w, r, Input{}, Publish, DoWait); !st.Unknown || len(st.Blocked) != 1 || !strings.Contains(st.Blocked[0], "unknown") {
		t.Errorf("status %+v", st)
	}
	advance(t, w, r, Input{WithoutFailed: true}, Wait, DoWait)
	w.down[0] = true
	if st := advance(t, w, r, Input{WithoutFailed: true}, Wait, DoWait); !st.Unknown {
		t.Errorf("no server answers, and that is known: %+v", st)
	}
}

// TestMishaps: what was right once does not stay so.
func TestMishaps(t *testing.T) {
	w := newWorld(rr("old", oldKey), rr("new", newKey))
	r := start(t, w)
	advance(t, w, r, Input{}, Wait, DoWait)
	w.set(rr("old", oldKey), rr("new", thirdKey))
	w.now = w.now.Add(24 * time.Hour)
	if st := advance(t, w, r, Input{}, Wait, DoRepair); st.Value != newKey {
		t.Errorf("status %+v", st)
	}
	w.set(rr("old", oldKey), rr("new", newKey))
	// A message proves the switch too.
	advance(t, w, r, Input{Proofs: good(t)}, Retire, DoWait)
	w.set(rr("new", newKey))
	if st := advance(t, w, r, Input{}, Retire, DoRestore); st.Value != oldKey {
		t.Errorf("status %+v", st)
	}
	// Whoever deletes instead of revoking, once it is time, is done too.
	w.now = w.now.Add(DefaultKeep)
	advance(t, w, r, Input{}, Done, DoNothing)
}

func TestStartRefuses(t *testing.T) {
	record := func(text string) dkim.Record { r, _ := dkim.ParseRecord(text); return r }
	base := plan(t)
	for _, tt := range []struct {
		name  string
		zone  []string
		edit  func(*Plan)
		want  error
		words string
	}{
		{"no old key", nil, nil, ErrOldKey, "no record"},
		{"old key revoked", []string{rr("old", "v=DKIM1; p=")}, nil, ErrOldKey, "usable"},
		{"two old records", []string{rr("old", oldKey), rr("old", thirdKey)}, nil, ErrOldKey, "usable"},
		{"vendor", []string{"old._domainkey.example.org. 60 IN CNAME old.vendor.example."}, nil, ErrVendor, "old.vendor.example"},
		{"selector is taken", []string{rr("old", oldKey), rr("new", thirdKey)}, nil, ErrNewKey, "already"},
		{"wildcard", []string{rr("old", oldKey), rr("*", "v=spf1 -all")}, nil, ErrNewKey, "wildcard"},
		{"same selector", []string{rr("old", oldKey)}, func(p *Plan) { p.NewSelector = "OLD" }, ErrNewKey, "new selector"},
		{"same key", []string{rr("old", newKey)}, nil, ErrNewKey, "already"},
		{"unusable key", []string{rr("old", oldKey)}, func(p *Plan) { p.NewRecord = record("v=DKIM1; p=") }, ErrNewKey, "accept"},
		{"no selector", []string{rr("old", oldKey)}, func(p *Plan) { p.NewSelector = "a b" }, dkim.ErrSelector, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := base
			if tt.edit != nil {
				tt.edit(&p)
			}
			r, err := Start(t.Context(), newWorld(tt.zone...).env(), p)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.words) || r != nil {
				t.Errorf("error %v, want %v with %q", err, tt.want, tt.words)
			}
		})
	}
	w := newWorld(rr("old", oldKey))
	w.down = [2]bool{true, true}
	if _, err := Start(t.Context(), w.env(), base); !errors.Is(err, resolve.ErrTemporary) {
		t.Errorf("no server answers: %v", err)
	}
}

func TestAbort(t *testing.T) {
	published := []string{rr("old", oldKey), rr("new", newKey)}
	for _, tt := range []struct {
		name  string
		in    Input
		words string
	}{
		{"before the switch", Input{}, "The signer stays with old"},
		{"after the switch", Input{Switched: true}, "Switch the signer back to old"},
		{"after the proof", Input{Proofs: good(t)}, "Switch the signer back to old"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(published...)
			r := start(t, w)
			if _, err := r.Advance(t.Context(), w.env(), Input{}); err != nil {
				t.Fatal(err)
			}
			w.now = w.now.Add(DefaultKeep)
			if _, err := r.Advance(t.Context(), w.env(), tt.in); err != nil {
				t.Fatal(err)
			}
			st, err := r.Abort(t.Context(), w.env())
			if err != nil || r.Phase != Aborted || !strings.Contains(st.Do, tt.words) || st.Name.String() != "new._domainkey.example.org" {
				t.Errorf("%+v, %v", st, err)
			}
			if _, err := r.Abort(t.Context(), w.env()); !errors.Is(err, ErrFinished) {
				t.Errorf("second abort: %v", err)
			}
		})
	}
	t.Run("the old key is gone", func(t *testing.T) {
		w := newWorld(published...)
		r := start(t, w)
		advance(t, w, r, Input{}, Wait, DoWait)
		w.now = w.now.Add(time.Hour)
		advance(t, w, r, Input{Proofs: good(t)}, Retire, DoWait)
		w.set(rr("old", "v=DKIM1; p="), rr("new", newKey))
		if _, err := r.Abort(t.Context(), w.env()); !errors.Is(err, ErrTooLate) || r.Phase != Retire {
			t.Errorf("phase %s, %v", r.Phase, err)
		}
		w.now = w.now.Add(DefaultKeep)
		advance(t, w, r, Input{}, Delete, DoWait)
		if _, err := r.Abort(t.Context(), w.env()); !errors.Is(err, ErrTooLate) {
			t.Errorf("in phase delete: %v", err)
		}
	})
}

func TestDecodeRefuses(t *testing.T) {
	b, err := start(t, newWorld(rr("old", oldKey))).Encode()
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for name, bad := range map[string]string{
		"empty":           "",
		"other schema":    strings.Replace(text, Schema, "mailcheck.dkim-rotation/2", 1),
		"phase":           strings.Replace(text, `"publish"`, `"later"`, 1),
		"domain":          strings.Replace(text, `"example.org"`, `""`, 1),
		"selector":        strings.Replace(text, `"new"`, `"n ew"`, 1),
		"key not its own": strings.Replace(text, newKey, thirdKey, 1),
		"same keys":       strings.ReplaceAll(text, `"new"`, `"old"`),
		"no wait":         strings.Replace(text, `"keep_seconds": 1209600`, `"keep_seconds": -1`, 1),
		"endless wait":    strings.Replace(text, `"keep_seconds": 1209600`, `"keep_seconds": 9223372036`, 1),
		"too long":        strings.Repeat(" ", MaxFile) + text,
	} {
		if r, err := Decode([]byte(bad)); !errors.Is(err, ErrFile) || r != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNegativeWait(t *testing.T) {
	for in, want := range map[uint32]time.Duration{0: MinWait, 60: MinWait, 7200: 2 * time.Hour, 1 << 31: MaxNegative} {
		if got := negativeWait(in); got != want {
			t.Errorf("negativeWait(%d) = %v, want %v", in, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b, err := start(f, newWorld(rr("old", oldKey))).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data)
		if err != nil {
			if !errors.Is(err, ErrFile) {
				t.Fatalf("error %v", err)
			}
			return
		}
		out, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(out)
		if err != nil || again.Phase != r.Phase || again.Old != r.Old || again.New != r.New {
			t.Fatalf("%+v read back as %+v, %v", r, again, err)
		}
		w := newWorld(rr("old", oldKey))
		if _, err := r.Check(t.Context(), w.env()); err != nil {
			t.Fatal(err)
		}
	})
}
