package digest

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/memory"
	"github.com/mailcheck-go/mailcheck/reports/insight"
)

// fill makes an archive of two weeks; sender writes what a stranger can write.
func fill(t testing.TB, sender string) archive.Store {
	t.Helper()
	s := memory.New()
	b, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for day := range 14 {
		begin := time.Date(2026, 10, 5+day, 0, 0, 0, 0, time.UTC)
		rep := &aggregate.Report{Complete: true, Records: 2, Messages: 130,
			Metadata: aggregate.Metadata{OrgName: sender, Email: "x@" + sender, ReportID: fmt.Sprint(day), Begin: begin, End: begin.Add(24 * time.Hour)},
			Policy:   aggregate.Published{Domain: "example.org", P: aggregate.Of(aggregate.None)}}
		good := &aggregate.Record{Number: 1, SourceIP: netip.MustParseAddr("192.0.2.10"), Count: 100,
			Evaluated:   aggregate.Evaluated{Disposition: aggregate.Of(aggregate.None), DKIM: aggregate.Of(aggregate.Pass), SPF: aggregate.Of(aggregate.Pass)},
			Identifiers: aggregate.Identifiers{HeaderFrom: "example.org"}}
		bad := &aggregate.Record{Number: 2, SourceIP: netip.MustParseAddr("203.0.113.9"), Count: 30,
			Evaluated:   aggregate.Evaluated{Disposition: aggregate.Of(aggregate.None), DKIM: aggregate.Of(aggregate.Fail), SPF: aggregate.Of(aggregate.Fail)},
			Identifiers: aggregate.Identifiers{HeaderFrom: "example.org"},
			SPF:         []aggregate.SPF{{Domain: sender, Scope: aggregate.Of(aggregate.MailFrom), Result: aggregate.Of(aggregate.Pass)}},
			DKIM:        []aggregate.DKIM{{Domain: sender, Selector: "k", Result: aggregate.Of(aggregate.Pass)}}}
		_, err := b.Aggregate(context.Background(), archive.Origin{Sum: archive.Sum{byte(day + 1)}}, func(each func(*aggregate.Record) error) (*aggregate.Report, error) {
			if err := each(good); err != nil {
				return rep, err
			}
			if day >= 7 {
				return rep, each(bad)
			}
			return rep, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	return s
}

func lastWeek(t testing.TB, s archive.Store) *Digest {
	t.Helper()
	since, until := Span(Week, time.Date(2026, 10, 21, 12, 0, 0, 0, time.UTC))
	d, err := Make(context.Background(), insight.Query{Archive: s, Since: since, Until: until}, Week)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		p                 Period
		now, since, until string
	}{
		{Week, "2026-10-21", "2026-10-12", "2026-10-19"},
		{Week, "2026-10-19", "2026-10-12", "2026-10-19"}, // a Monday
		{Week, "2026-10-18", "2026-10-05", "2026-10-12"}, // a Sunday
		{Month, "2026-01-31", "2025-12-01", "2026-01-01"},
	} {
		now, _ := time.Parse(time.DateOnly, c.now)
		since, until := Span(c.p, now.Add(23*time.Hour))
		if got := since.Format(time.DateOnly) + " " + until.Format(time.DateOnly); got != c.since+" "+c.until {
			t.Errorf("%s before %s: %s", c.p, c.now, got)
		}
	}
}

func TestMake(t *testing.T) {
	d := lastWeek(t, fill(t, "agency.example"))
	var b bytes.Buffer
	if err := d.Text(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"Mail of example.org\n2026-10-12 to 2026-10-18\n",
		"There is something to do: 210 of 910 messages that may be ours pass by",
		"The part that passes fell by 23.1 points, to 76.9%.",
		"New: agency.example sent 210 messages as example.org; 0.0% pass.",
		"agency.example: find out whether it is ours",
		"going on to quarantine; t=y is not known to be safe",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > textWidth+2 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// TestHostile has strangers write markup, formulas and escapes into every name.
func TestHostile(t *testing.T) {
	evil := "\x1b[31m<script>alert(1)</script>\"'><img src=//evil.example/x onerror=1>\u202e.example"
	d := lastWeek(t, fill(t, evil))
	var page, text bytes.Buffer
	if err := d.HTML(&page); err != nil {
		t.Fatal(err)
	}
	if err := d.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{page.String(), text.String()} {
		if strings.ContainsAny(out, "\x1b\u202e") {
			t.Error("an escape got through")
		}
	}
	html := page.String()
	for _, bad := range []string{"<script", "<img", "src=", "href=", "url(", "@import", "http:", "https:"} {
		if strings.Contains(strings.ReplaceAll(html, "&lt;img src=", ""), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	balanced(t, html)
}

// balanced reads the page as XML, but for the tags that HTML does not close.
func balanced(t *testing.T, html string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(html))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	depth := 0
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 {
		t.Errorf("%d elements are open at the end", depth)
	}
}

// TestHuge draws sums at the end of 64 bits.
func TestHuge(t *testing.T) {
	d := lastWeek(t, fill(t, "agency.example"))
	for i := range d.Days {
		d.Days[i].Messages, d.Days[i].Passed, d.Days[i].Neither = 1<<62, 1<<61, 1<<61
	}
	d.Sources[0].Messages, d.Sources[0].Passed = 1<<62, 1<<62
	var b bytes.Buffer
	if err := d.HTML(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), `width="-`) || strings.Contains(b.String(), `height="-`) {
		t.Error("a negative measure")
	}
}

func TestNothing(t *testing.T) {
	d := lastWeek(t, memory.New())
	var b bytes.Buffer
	if err := d.Text(&b); err != nil || !strings.Contains(b.String(), "No reports came") {
		t.Errorf("%s, %v", b.String(), err)
	}
	if err := d.HTML(io.Discard); err != nil {
		t.Error(err)
	}
	j, err := json.Marshal(d)
	if err != nil || strings.Contains(string(j), `"news":null`) {
		t.Errorf("%s, %v", j, err)
	}
}

func Example() {
	var store archive.Reader = memory.New() // reports/archive/sqlite keeps them
	since, until := Span(Week, time.Date(2026, 10, 21, 0, 0, 0, 0, time.UTC))
	d, err := Make(context.Background(), insight.Query{Archive: store, Since: since, Until: until}, Week)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Verdict)
	// Output: No reports came: nothing is known of these days.
}
