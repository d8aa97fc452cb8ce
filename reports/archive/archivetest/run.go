package archivetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Engine is what is tested.
type Engine struct {
	// Open opens the archive that is kept in a directory. The directory is empty
	// at first; opened again, it gives the same archive.
	Open func(t testing.TB, dir string) archive.Store
	// Volatile says that an archive ends with Close.
	Volatile bool
}

// Run tests an engine.
func Run(t *testing.T, e Engine) {
	n := 120
	if slow {
		n = 15
	} else if testing.Short() {
		n = 30
	}
	corpus := Corpus(1, n)
	for _, c := range []struct {
		name   string
		test   func(*testing.T, Engine, []*Document)
		serial bool // nothing in it happens at the same time
	}{
		{"answers", answers, false}, {"order", order, true}, {"twice", twice, true}, {"undone", undone, false}, {"rollback", rollback, true},
		{"readers", readers, false}, {"one batch", oneBatch, false}, {"prune", prune, true}, {"ledger", ledger, false},
		{"places", places, false}, {"names", names, false}, {"sequences", sequences, false}, {"closed", closed, false}, {"reopen", reopen, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if slow && c.serial {
				t.Skip("too slow with the race detector, which has nothing to find here")
			}
			c.test(t, e, corpus)
		})
	}
}

// some is a choice of filters for a test that asks often.
func some() []archive.Filter {
	all := Filters(2)
	if slow {
		return []archive.Filter{all[0], all[16]}
	}
	return []archive.Filter{all[0], all[3], all[16], all[28]}
}

func open(t *testing.T, e Engine) archive.Store {
	t.Helper()
	s := e.Open(t, t.TempDir())
	t.Cleanup(func() { s.Close() })
	return s
}

// load adds documents in batches and compares what is said of each.
func load(t *testing.T, s archive.Store, m *Model, docs []*Document, size int) {
	t.Helper()
	ctx := context.Background()
	for part := range slices.Chunk(docs, size) {
		b, err := s.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range part {
			got, err := d.Add(ctx, b)
			if err != nil {
				t.Fatalf("%s: %v", d.Origin.Path, err)
			}
			want := m.Add(d)
			if want.ID = got.ID; got != want || got.ID <= 0 {
				t.Errorf("%q: got %+v, want %+v", d.Origin.Path, got, want)
			}
			if id, ok, err := b.Known(ctx, d.Origin.Sum); err != nil || !ok || id != got.ID {
				t.Errorf("%q: known %v as %d, %v; want %d", d.Origin.Path, ok, id, err, got.ID)
			}
		}
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

func answers(t *testing.T, e Engine, docs []*Document) {
	s, m := open(t, e), &Model{}
	m.Compare(t, s, some()) // of nothing
	load(t, s, m, docs, 97)
	filters := Filters(1)
	if slow {
		filters = some()
	}
	m.Compare(t, s, filters)
	ids := map[int64]bool{}
	for r, err := range s.Reports(context.Background(), archive.Filter{Uncounted: true}) {
		if err != nil || r.ID == 0 || ids[r.ID] {
			t.Fatalf("report %d twice, or %v", r.ID, err)
		}
		ids[r.ID] = true
	}
}

func order(t *testing.T, e Engine, docs []*Document) {
	backward := slices.Clone(docs)
	slices.Reverse(backward)
	for _, size := range []int{1 << 20, 13} {
		s, m := open(t, e), &Model{}
		load(t, s, m, backward, size)
		m.Compare(t, s, some())
	}
}

func twice(t *testing.T, e Engine, docs []*Document) {
	s, m := open(t, e), &Model{}
	load(t, s, m, docs, 50)
	var before Model
	for _, d := range docs {
		before.Add(d)
	}
	for range 2 {
		load(t, s, m, docs, 200)
	}
	before.Compare(t, s, some())
}

var errBroken = errors.New("archivetest: the input broke off")

// undone tries reports that fail in the middle.
func undone(t *testing.T, e Engine, docs []*Document) {
	s, m := open(t, e), &Model{}
	load(t, s, m, docs[:20], 20)
	b, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Rollback()
	for i, d := range docs[20:] {
		if d.Aggregate == nil {
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		broken := func(each func(*aggregate.Record) error) (*aggregate.Report, error) {
			for k, r := range d.Records {
				if i%2 == 1 && k == len(d.Records)/2 {
					cancel()
				}
				if err := each(r); err != nil {
					return d.Aggregate, err
				}
			}
			return d.Aggregate, errBroken
		}
		if _, err := b.Aggregate(ctx, d.Origin, broken); !errors.Is(err, errBroken) && !errors.Is(err, context.Canceled) {
			t.Fatalf("%d: %v", i, err)
		}
		cancel()
		if _, ok, err := b.Known(context.Background(), d.Origin.Sum); ok || err != nil {
			t.Errorf("%d: a document that failed is known, %v", i, err)
		}
		if i%10 == 0 {
			m.Add(d)
			if _, err := d.Add(context.Background(), b); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	m.Compare(t, s, some())
}

func rollback(t *testing.T, e Engine, docs []*Document) {
	ctx := context.Background()
	s, m := open(t, e), &Model{}
	load(t, s, m, docs[:100], 100)
	b, err := s.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs[100:] {
		if _, err := d.Add(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	err = errors.Join(b.Input(ctx, archive.Input{Outcome: archive.Rejected}), b.SetCursor(ctx, "box", archive.Cursor{Validity: 1, UID: 2}), b.Pack(ctx, "pack"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Rollback(); err != nil {
		t.Fatal(err)
	}
	m.Compare(t, s, some())
	if err := b.Commit(); err == nil {
		t.Error("Commit after Rollback is no error")
	}
	if _, err := docs[0].Add(ctx, b); err == nil {
		t.Error("a batch can be used after it has ended")
	}
	if c, err := s.Cursor(ctx, "box"); c != (archive.Cursor{}) || err != nil {
		t.Errorf("cursor %v, %v", c, err)
	}
	if p, err := s.Packs(ctx); len(p) > 0 || err != nil {
		t.Errorf("packs %v, %v", p, err)
	}
	load(t, s, m, docs[100:], 1000)
	m.Compare(t, s, some())
}

// readers asks while batches are written: what is not committed is not seen.
func readers(t *testing.T, e Engine, docs []*Document) {
	ctx := context.Background()
	s, m := open(t, e), &Model{}
	// The sums an archive may have, in their order.
	var stages []int64
	sum := func() (n int64) {
		for _, v := range m.Totals(archive.Filter{}, archive.ByNothing) {
			n = v.Messages
		}
		return n
	}
	size := 40
	if slow {
		size = 100
	}
	stages = append(stages, 0)
	for part := range slices.Chunk(docs, size) {
		for _, d := range part {
			m.Add(d)
		}
		stages = append(stages, sum())
	}
	stop := make(chan struct{})
	var group sync.WaitGroup
	ways := 3
	if slow {
		ways = 2
	}
	for i := range ways {
		group.Go(func() {
			last := 0
			for {
				select {
				case <-stop:
					return
				default:
				}
				n, err := total(ctx, s, i)
				if at := slices.Index(stages[last:], n); err != nil || at < 0 {
					t.Errorf("a reader saw %d messages, %v; want one of %v", n, err, stages[last:])
					return
				} else {
					last += at
				}
			}
		})
	}
	load(t, s, &Model{}, docs, size)
	close(stop)
	group.Wait()
	m.Compare(t, s, some()[:2])
}

// total adds up all messages in one of several ways.
func total(ctx context.Context, s archive.Store, way int) (n int64, err error) {
	switch way {
	case 0:
		for r, err := range s.Rows(ctx, archive.Filter{}) {
			if err != nil {
				return 0, err
			}
			n += r.Messages
		}
	case 1:
		for r, err := range s.Flows(ctx, archive.Filter{}) {
			if err != nil {
				return 0, err
			}
			n += r.Messages
		}
	default:
		list, err := s.Totals(ctx, archive.Filter{}, archive.ByDay)
		if err != nil {
			return 0, err
		}
		for _, v := range list {
			n += v.Messages
		}
	}
	return n, nil
}

func oneBatch(t *testing.T, e Engine, docs []*Document) {
	s := open(t, e)
	b, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Begin(ctx); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, archive.ErrLocked) {
		t.Errorf("a second batch: %v", err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := b.Rollback(); err != nil {
		t.Errorf("Rollback after Commit: %v", err)
	}
	load(t, s, &Model{}, docs[:1], 1)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if b, err := s.Begin(canceled); err == nil {
		if _, err = docs[1].Add(canceled, b); !errors.Is(err, context.Canceled) {
			t.Errorf("with a canceled context: %v", err)
		}
		b.Rollback()
	}
	if _, err := s.Totals(canceled, archive.Filter{}, archive.ByNothing); !errors.Is(err, context.Canceled) {
		t.Errorf("Totals with a canceled context: %v", err)
	}
}

func prune(t *testing.T, e Engine, docs []*Document) {
	ctx := context.Background()
	s, m := open(t, e), &Model{}
	load(t, s, m, docs, 100)
	addInputs(t, s, m, 40)
	for _, before := range []time.Time{date(2025, 11, 1), date(2025, 12, 14).Add(5 * time.Hour), date(2026, 2, 1), date(2026, 3, 11), date(2026, 3, 11)} {
		got, err := s.Prune(ctx, before)
		if err != nil {
			t.Fatal(err)
		}
		want := m.Prune(before)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Prune before %v: got %v, want %v", before, brevity(got), brevity(want))
		}
		m.Compare(t, s, some())
	}
	load(t, s, m, docs, 100) // what is gone is new again
	m.Compare(t, s, some())
	if _, err := s.Prune(ctx, date(9999, 1, 1)); err != nil {
		t.Fatal(err)
	}
	(&Model{}).Compare(t, s, some())
}

func brevity(p archive.Pruned) string {
	return fmt.Sprintf("%d reports, %d rows, %d inputs, %d documents", p.Reports, p.Rows, p.Inputs, len(p.Sums))
}

func addInputs(t *testing.T, s archive.Store, m *Model, n int) {
	t.Helper()
	ctx := context.Background()
	b, err := s.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		in := archive.Input{At: start.Add(time.Duration(i*71%130*24) * time.Hour), Path: fmt.Sprintf("a/%d\x1b", i), Kind: archive.Aggregate,
			Outcome: archive.New, Report: int64(i + 1), Sum: archive.Sum{byte(i)}, From: "x@example.com", MailID: "<1@x>", Rows: 2, Messages: 9}
		if i%3 == 0 {
			in = archive.Input{At: in.At, Path: in.Path, Outcome: archive.Rejected, Reason: "zip: \xff\x00bomb"}
		}
		if err := b.Input(ctx, in); err != nil {
			t.Fatal(err)
		}
		m.inputs = append(m.inputs, in)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
}

func ledger(t *testing.T, e Engine, _ []*Document) {
	s, m := open(t, e), &Model{}
	addInputs(t, s, m, 30)
	addInputs(t, s, m, 30)
	m.Compare(t, s, some())
}

func places(t *testing.T, e Engine, _ []*Document) {
	ctx := context.Background()
	s := open(t, e)
	for _, c := range []archive.Cursor{{Validity: 1, UID: 7}, {Validity: 1<<32 - 1, UID: 1<<32 - 1}} {
		b, err := s.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(b.SetCursor(ctx, "imaps://a/INBOX", c), b.SetCursor(ctx, "other", archive.Cursor{UID: 3}), b.Pack(ctx, "b"), b.Pack(ctx, "a"), b.Pack(ctx, "b"), b.Commit())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Cursor(ctx, "imaps://a/INBOX"); got != c || err != nil {
			t.Errorf("got %v, %v, want %v", got, err, c)
		}
	}
	if got, err := s.Cursor(ctx, "never"); got != (archive.Cursor{}) || err != nil {
		t.Errorf("a mailbox never read: %v, %v", got, err)
	}
	if got, err := s.Packs(ctx); fmt.Sprint(got) != "[b a]" || err != nil {
		t.Errorf("packs %v, %v", got, err)
	}
}

func names(t *testing.T, e Engine, _ []*Document) {
	ctx := context.Background()
	s := open(t, e)
	four, six, mapped := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("::ffff:192.0.2.1")
	first := []archive.Name{{Addr: four, Names: []string{"old.example"}, State: "present", At: date(2026, 1, 1)}, {Addr: six, State: "absent", At: date(2026, 1, 2)}}
	second := archive.Name{Addr: four, Names: []string{"a.example", "b.example"}, State: "present", At: date(2026, 2, 1)}
	if err := errors.Join(s.PutNames(ctx, first), s.PutNames(ctx, []archive.Name{second}), s.PutNames(ctx, nil)); err != nil {
		t.Fatal(err)
	}
	got, err := s.Names(ctx, []netip.Addr{six, netip.MustParseAddr("192.0.2.2"), mapped})
	if want := lines([]archive.Name{first[1], second}); err != nil || fmt.Sprint(lines(got)) != fmt.Sprint(want) {
		t.Errorf("got %v, %v, want %v", lines(got), err, want)
	}
}

// sequences leaves loops early, and asks within them.
func sequences(t *testing.T, e Engine, docs []*Document) {
	ctx := context.Background()
	s, m := open(t, e), &Model{}
	load(t, s, m, docs, 1000)
	for range 10 {
		for r, err := range s.Rows(ctx, archive.Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			for range s.Flows(ctx, archive.Filter{Domains: []string{r.Report.Domain}}) {
				break
			}
			for range s.Reports(ctx, archive.Filter{}) {
				break
			}
			break
		}
	}
	half, cancel := context.WithCancel(ctx)
	defer cancel()
	var last error
	n := 0
	for _, err := range s.Rows(half, archive.Filter{}) {
		last = err
		if n++; n == 100 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("canceled after 100 of %d rows: %v", n, last)
	}
	m.Compare(t, s, some()[:1])
}

func closed(t *testing.T, e Engine, docs []*Document) {
	ctx := context.Background()
	s := open(t, e)
	load(t, s, &Model{}, docs[:5], 5)
	b, err := s.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := docs[6].Add(ctx, b); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(); !errors.Is(err, archive.ErrClosed) {
		t.Errorf("Commit after Close: %v", err)
	}
	if _, err := s.Begin(ctx); !errors.Is(err, archive.ErrClosed) {
		t.Errorf("Begin: %v", err)
	}
	if _, err := s.Totals(ctx, archive.Filter{}, archive.ByDay); !errors.Is(err, archive.ErrClosed) {
		t.Errorf("Totals: %v", err)
	}
	for _, err := range s.Reports(ctx, archive.Filter{}) {
		if !errors.Is(err, archive.ErrClosed) {
			t.Errorf("Reports: %v", err)
		}
	}
	if err := errors.Join(b.Rollback(), s.Close()); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

func reopen(t *testing.T, e Engine, docs []*Document) {
	if e.Volatile {
		t.Skip("this engine keeps nothing")
	}
	dir, m := t.TempDir(), &Model{}
	for part := range slices.Chunk(docs, 120) {
		s := e.Open(t, dir)
		load(t, s, m, part, 30)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := e.Open(t, dir)
	defer s.Close()
	m.Compare(t, s, some())
	load(t, s, m, docs, 500)
	m.Compare(t, s, some()[:2])
}
