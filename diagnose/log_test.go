package diagnose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

const sampleLog = `Nov 23 10:00:00 mx1 postfix/smtpd[1]: AAAAAA0001: client=web.example.org[192.0.2.80]
Nov 23 10:00:00 mx1 postfix/cleanup[1]: AAAAAA0001: message-id=<1@example.org>
Nov 23 10:00:00 mx1 postfix/qmgr[1]: AAAAAA0001: from=<news@example.org>, size=1234, nrcpt=2 (queue active)
Nov 23 10:00:01 mx1 postfix/smtp[1]: AAAAAA0001: to=<a@gmail.com>, relay=gmail-smtp-in.l.google.com[198.51.100.11]:25, delay=1, dsn=2.0.0, status=sent (250 2.0.0 OK x - gsmtp)
Nov 23 10:00:01 mx1 postfix/smtp[1]: AAAAAA0001: to=<b@customer.example>, relay=aspmx.l.google.com[198.51.100.12]:25, delay=1, dsn=5.7.26, status=bounced (host aspmx.l.google.com[198.51.100.12] said: 550-5.7.26 Unauthenticated email from example.org is not accepted due to 550-5.7.26 domain's DMARC policy. 550 5.7.26 x - gsmtp (in reply to end of DATA command))
Nov 23 10:00:02 mx1 postfix/qmgr[1]: AAAAAA0001: removed
Nov 24 10:00:01 mx1 postfix/smtp[1]: AAAAAA0002: to=<c@example.com>, relay=mx1.example.com[198.51.100.10]:25, delay=1, dsn=4.2.0, status=deferred (host mx1.example.com[198.51.100.10] said: 450 4.2.0 <c@example.com>: Recipient address rejected: Greylisted (in reply to RCPT TO command))
Nov 24 10:10:01 mx1 postfix/smtp[1]: AAAAAA0002: to=<c@example.com>, relay=mx2.example.com[198.51.100.10]:25, delay=600, dsn=2.0.0, status=sent (250 ok)
Nov 24 10:10:02 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.99]: 554 5.7.1 <x@y.example>: Relay access denied; from=<s@example.net> to=<x@y.example> proto=ESMTP helo=<z>
this is noise
`

func TestLog(t *testing.T) {
	var calls int64
	s, err := Log(context.Background(), strings.NewReader(sampleLog), Options{
		Now:      time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC),
		Progress: func(bytes, lines int64) { calls++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Lines != 10 || s.Known != 9 || s.Sent != 2 || s.Bounced != 1 || s.Deferred != 1 || s.Refused != 1 || s.Expired != 0 || s.Bytes != int64(len(sampleLog)) {
		t.Errorf("%+v", s)
	}
	if s.First.Format(time.DateTime) != "2026-11-23 10:00:01" || s.Last.Format(time.DateTime) != "2026-11-24 10:10:02" {
		t.Errorf("from %v to %v", s.First, s.Last)
	}
	find := func(c cause.Cause, receiver string) Group {
		for _, g := range s.Groups {
			if g.Cause == c && g.Receiver == receiver {
				return g
			}
		}
		t.Errorf("no group %s at %s in %+v", c, receiver, s.Groups)
		return Group{}
	}
	g := find(cause.DMARCFail, "gmail")
	if g.Bounced != 1 || g.Day != "2026-11-23" || g.Recipients != 1 || g.Result.Entry != "gmail-dmarc-reject" || !strings.Contains(g.Sample, "5.7.26") {
		t.Errorf("%+v", g)
	}
	if len(g.Senders) != 1 || g.Senders[0] != (Count{"example.org", 1}) || len(g.Clients) != 1 || g.Clients[0].Name != "192.0.2.80" {
		t.Errorf("senders %v, clients %v", g.Senders, g.Clients)
	}
	find(cause.Greylisted, "example.com")
	find(cause.Delivered, "example.com")
	find(cause.Delivered, "gmail")
	find(cause.RelayDenied, "this server")
}

// TestLogQmail joins deliveries by their numbers.
func TestLogQmail(t *testing.T) {
	in := `@400000006741a1b21234abcd info msg 77: bytes 100 from <news@example.org> qp 1 uid 2
@400000006741a1b21234abcd starting delivery 5: msg 77 to remote user@example.com
@400000006741a1b21234abcd delivery 5: failure: 198.51.100.10_does_not_like_recipient./Remote_host_said:_550_5.1.1_User_unknown/
`
	s, err := Log(context.Background(), strings.NewReader(in), Options{})
	if err != nil || len(s.Groups) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	if g := s.Groups[0]; g.Receiver != "example.com" || g.Cause != cause.NoSuchUser || len(g.Senders) != 1 || g.Senders[0].Name != "example.org" {
		t.Errorf("%+v", g)
	}
}

func TestLogYear(t *testing.T) {
	line := "Dec 31 23:59:59 mx1 postfix/smtp[1]: AAAAAA0002: to=<c@example.com>, relay=none, dsn=4.4.1, status=deferred (connect to x.example[198.51.100.10]:25: Connection refused)\n"
	for now, want := range map[string]string{"2026-01-02": "2025-12-31", "2026-12-31": "2026-12-31", "": "12-31"} {
		opt := Options{}
		if now != "" {
			opt.Now, _ = time.Parse(time.DateOnly, now)
		}
		s, _ := Log(context.Background(), strings.NewReader(line), opt)
		if len(s.Groups) != 1 || s.Groups[0].Day != want {
			t.Errorf("now %q: %+v", now, s.Groups)
		}
	}
}

// TestLogBounds floods every bound.
func TestLogBounds(t *testing.T) {
	r := &flood{lines: 4_000}
	s, err := Log(context.Background(), r, Options{MaxGroups: 50, MaxQueue: 100})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Groups) > 60 || s.Overflow == 0 || s.Bounced != 4_000 {
		t.Errorf("%d groups, overflow %d, bounced %d", len(s.Groups), s.Overflow, s.Bounced)
	}
	var sum int64
	for _, g := range s.Groups {
		sum += g.Bounced
		if len(g.Senders) > topEntries {
			t.Errorf("%d senders", len(g.Senders))
		}
	}
	if sum != s.Bounced {
		t.Errorf("groups hold %d of %d", sum, s.Bounced)
	}

	long := strings.Repeat("x", 3*MaxLine) + "\n" + sampleLog
	if s, err = Log(context.Background(), strings.NewReader(long), Options{}); err != nil || s.Long != 1 || s.Sent != 2 || s.Bytes != int64(len(long)) {
		t.Errorf("long line: %+v, %v", s, err)
	}
}

func TestLogStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Log(ctx, &flood{lines: 1 << 40}, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	broken := errors.New("broken")
	s, err := Log(context.Background(), io.MultiReader(strings.NewReader(sampleLog), &failing{broken}), Options{})
	if !errors.Is(err, broken) || s.Sent != 2 {
		t.Errorf("%v, sent %d", err, s.Sent)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestDistinct(t *testing.T) {
	for _, n := range []int{0, 1, 32, 100, 1000, 100_000} {
		var d distinct
		for range 2 {
			for i := range n {
				d.add(fmt.Sprintf("user%d@example.com", i))
			}
		}
		got := float64(d.count())
		if n <= exactLimit && got != float64(n) || got < 0.8*float64(n) || got > 1.2*float64(n) {
			t.Errorf("%d different: estimate %v", n, got)
		}
	}
}

// flood is a log without end, every mail, host and domain a new one.
type flood struct {
	lines, n int64
	rest     []byte
	mixed    bool // nine deliveries for a failure, and the lines around them
}

func (f *flood) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		if f.n >= f.lines {
			return 0, io.EOF
		}
		f.n++
		f.rest = fmt.Appendf(f.rest[:0], "Nov 23 10:00:00 mx1 postfix/qmgr[1]: Q%09X: from=<u%d@s%d.example>, size=1, nrcpt=1 (queue active)\n", f.n, f.n, f.n%7)
		if f.mixed && f.n%10 != 0 {
			f.rest = fmt.Appendf(f.rest, "Nov 23 10:00:01 mx1 postfix/smtp[1]: Q%09X: to=<r%d@d%d.example>, relay=mx.d%d.example[198.51.100.10]:25, delay=1, delays=0.1/0/0.4/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as %X)\n", f.n, f.n, f.n%500, f.n%500, f.n)
		} else {
			f.rest = fmt.Appendf(f.rest, "Nov 23 10:00:01 mx1 postfix/smtp[1]: Q%09X: to=<r%d@d%d.example>, relay=mx.d%d.example[198.51.100.10]:25, delay=1, dsn=5.1.1, status=bounced (host mx.d%d.example[198.51.100.10] said: 550 5.1.1 <r%d@d%d.example>: Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command))\n", f.n, f.n, f.n, f.n, f.n, f.n, f.n)
		}
		f.rest = fmt.Appendf(f.rest, "Nov 23 10:00:01 mx1 postfix/qmgr[1]: Q%09X: removed\n", f.n)
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func BenchmarkReply(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Reply("550 5.1.1 <user@example.com>: Recipient address rejected: User unknown in virtual mailbox table")
	}
}

// BenchmarkLog reads a log in which one of ten mails bounces.
func BenchmarkLog(b *testing.B) {
	const lines = 30_000
	for b.Loop() {
		s, err := Log(context.Background(), &flood{lines: lines / 3, mixed: true}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(s.Bytes)
	}
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkLogGiB reads a GiB and reports the heap at its end.
func BenchmarkLogGiB(b *testing.B) {
	if testing.Short() {
		b.Skip("long")
	}
	var lines int64
	defer func() { b.ReportMetric(float64(lines)/b.Elapsed().Seconds(), "lines/s") }()
	for b.Loop() {
		var peak uint64
		var m runtime.MemStats
		r := &flood{lines: 1 << 40, mixed: true}
		s, err := Log(context.Background(), io.LimitReader(r, 1<<30), Options{Progress: func(bytes, _ int64) {
			if bytes>>20%64 == 0 {
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
			}
		}})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(s.Bytes)
		lines += s.Lines
		b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
	}
}
