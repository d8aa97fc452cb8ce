package archive

import (
	"net/netip"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		name, begin, end string
		n                int64
		want             []Share
	}{
		{"a day, end exclusive", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", 7, []Share{{20758, 7}}},
		{"a day, end inclusive", "2026-11-01T00:00:00Z", "2026-11-01T23:59:59Z", 7, []Share{{20758, 7}}},
		{"25 hours when clocks change", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 7, []Share{{20750, 7}}},
		{"two days", "2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z", 7, []Share{{20758, 3}, {20759, 4}}},
		{"from noon to noon, two days later", "2026-11-01T12:00:00Z", "2026-11-03T12:00:00Z", 100, []Share{{20758, 25}, {20759, 50}, {20760, 25}}},
		{"fewer messages than days", "2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z", 1, []Share{{20758, 0}, {20764, 1}}},
		{"end before begin", "2026-11-08T00:00:00Z", "2026-11-01T00:00:00Z", 5, []Share{{20765, 5}}},
		{"a span nobody reports", "1970-01-01T00:00:00Z", "2026-11-01T00:00:00Z", 5, []Share{{0, 5}}},
		{"as many messages as fit", "2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z", 1<<63 - 1, []Share{{20758, 1<<62 - 1}, {20759, 1 << 62}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Spread(nil, at(c.begin), at(c.end), c.n)
			if len(got) != len(c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}

func FuzzSpread(f *testing.F) {
	f.Add(int64(1793491200), int64(1793923200), int64(1000))
	f.Add(int64(-1<<40), int64(1<<40), int64(1<<63-1))
	f.Fuzz(func(t *testing.T, begin, end, n int64) {
		b, e := time.Unix(begin%1e11, 0), time.Unix(end%1e11, 0)
		if n < 0 {
			n = ^n
		}
		var sum int64
		shares := Spread(nil, b, e, n)
		for i, s := range shares {
			if s.Messages < 0 || i > 0 && s.Day <= shares[i-1].Day {
				t.Fatalf("%v to %v, %d: %v", b, e, n, shares)
			}
			sum += s.Messages
		}
		if sum != n || len(shares) > maxSpread {
			t.Fatalf("%v to %v: %d in %d days, want %d", b, e, sum, len(shares), n)
		}
		if first, last := Days(b, e); shares[0].Day != first || shares[len(shares)-1].Day > last {
			t.Fatalf("%v outside %v to %v", shares, first, last)
		}
	})
}

func TestReporter(t *testing.T) {
	for _, c := range []struct{ org, email, want string }{
		{"Google Inc.", "noreply-dmarc-support@google.com", "google.com"},
		{"mx17.rcv.example", "<postmaster@RCV.example.>", "rcv.example"},
		{"Receiver", "", "receiver"},
		{"Receiver", "root@localhost", "receiver"},
		{" Receiver\xff ", "nobody", "receiver\uFFFD"},
		{"", "", ""},
	} {
		if got := Reporter(c.org, c.email); got != c.want {
			t.Errorf("Reporter(%q, %q) = %q, want %q", c.org, c.email, got, c.want)
		}
	}
}

// Every field makes another look; the key of none is a prefix of another's.
func TestAppendKey(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	looks := []Look{
		{}, {Source: a}, {Source: b}, {SourceText: "192.0.2.1"}, {Disposition: "none"}, {DKIM: true}, {SPF: true}, {DKIM: true, SPF: true},
		{HeaderFrom: "a"}, {EnvelopeFrom: "a"}, {EnvelopeTo: "a"}, {Reasons: []Reason{{}}}, {Reasons: []Reason{{Type: "a"}}},
		{Reasons: []Reason{{Comment: "a"}}}, {Signatures: []Signature{{}}}, {Signatures: []Signature{{Domain: "a"}}},
		{Signatures: []Signature{{Selector: "a"}}}, {Signatures: []Signature{{Result: aggregate.Pass}}}, {Signatures: []Signature{{}, {}}},
		{Checks: []Check{{}}}, {Checks: []Check{{Domain: "a"}}}, {Checks: []Check{{Scope: "a"}}}, {Checks: []Check{{Result: "a"}}},
	}
	seen := map[string]int{}
	for i, l := range looks {
		k := string(l.AppendKey(nil))
		if j, ok := seen[k]; ok {
			t.Errorf("%+v and %+v have one key", looks[j], l)
		}
		seen[k] = i
	}
}

func TestBetter(t *testing.T) {
	rs := []Report{ // each is better than the next
		{Complete: true, Rows: 2, Messages: 2}, {Complete: true, Rows: 1, Messages: 9}, {Complete: true, Rows: 1, Messages: 8},
		{Rows: 9, Digest: Sum{1}}, {Rows: 9, Digest: Sum{2}},
	}
	for i := range rs {
		for j := range rs {
			if got := Better(&rs[i], &rs[j]); got != (i < j) {
				t.Errorf("Better(%d, %d) = %v", i, j, got)
			}
		}
	}
}

func TestHostileTimes(t *testing.T) {
	for _, bad := range []time.Time{{}, time.Unix(-1<<62, 0), time.Unix(1<<62, 0)} {
		r := &aggregate.Report{}
		r.Metadata.Begin, r.Metadata.End = bad, at("2026-11-01T00:00:00Z")
		h := AggregateHead(r, Origin{})
		if h.Begin.Unix() != 0 || h.End.Before(h.Begin) {
			t.Errorf("%v to %v", h.Begin, h.End)
		}
	}
}
