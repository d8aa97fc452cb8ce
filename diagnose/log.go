package diagnose

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

// Options steer [Log]. The zero value works.
type Options struct {
	// Now gives lines without a year theirs: the last one in which they are not in
	// the future. Zero: days are written without a year.
	Now time.Time
	// MaxGroups bounds the groups; attempts beyond are counted in one group whose
	// receiver is "other". Zero means 10000.
	MaxGroups int
	// MaxQueue bounds the mails whose sender and client are remembered until their
	// attempts are read. Zero means 50000.
	MaxQueue int
	// Progress, if set, is called about once for every MiB.
	Progress func(bytes, lines int64)
}

// The defaults, for about 50 MiB of memory in the worst case.
const (
	defaultGroups = 10_000
	defaultQueue  = 50_000
	topEntries    = 8 // names kept for a group
	progressEvery = 1 << 20
	maxSample     = 2048
	maxKey        = 256 // octets of an address or name that is kept
	maxRelays     = 2000
)

// Group counts the attempts with one cause at one receiver on one day.
type Group struct {
	Cause    cause.Cause `json:"cause"`
	Whose    cause.Whose `json:"whose"`
	Receiver string      `json:"receiver"`      // operator's or provider's ID, else the domain of the relay or the recipient
	Day      string      `json:"day,omitempty"` // "2026-01-31", without a year "01-31"

	Sent     int64 `json:"sent"`
	Deferred int64 `json:"deferred"` // attempts: a mail that was deferred ten times counts ten
	Bounced  int64 `json:"bounced"`
	Expired  int64 `json:"expired"`
	Refused  int64 `json:"refused"`

	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	Recipients int64     `json:"recipients"` // distinct, exact up to 32, estimated within about 10 % above

	Senders []Count `json:"senders,omitempty"` // domains of envelope senders, most frequent first, approximate
	Clients []Count `json:"clients,omitempty"` // addresses that brought the mail to this server
	Said    []Count `json:"said,omitempty"`    // addresses of ours that the receiver named

	Sample string `json:"sample"` // a line
	Result Result `json:"result"` // of the sample
}

// Count is a name and how often it came.
type Count struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
}

// Summary is a mail log, counted.
type Summary struct {
	Bytes    int64 `json:"bytes"`
	Lines    int64 `json:"lines"`
	Known    int64 `json:"known"` // lines that a known mail server wrote
	Long     int64 `json:"long"`  // lines cut at MaxLine
	Sent     int64 `json:"sent"`
	Deferred int64 `json:"deferred"` // attempts, not mails
	Bounced  int64 `json:"bounced"`
	Expired  int64 `json:"expired"`
	Refused  int64 `json:"refused"`
	Overflow int64 `json:"overflow"` // attempts that found no room for a group of their own

	Formats map[string]int64 `json:"formats"` // attempts by format
	First   time.Time        `json:"first"`
	Last    time.Time        `json:"last"`
	Groups  []Group          `json:"groups"` // most failures first, then most deliveries
}

// Log reads a whole mail log and counts its attempts by cause, receiver and day, in
// memory that does not grow with the log. A context that ends, or a reader that
// fails, ends it: the summary of what was read comes with the error.
func Log(ctx context.Context, r io.Reader, opt Options) (Summary, error) {
	a := newAggregator(opt)
	br := bufio.NewReaderSize(r, MaxLine)
	next := int64(progressEvery)
	for {
		if a.sum.Lines&0x3ff == 0 && ctx.Err() != nil {
			return a.finish(), ctx.Err()
		}
		raw, err := br.ReadSlice('\n')
		a.sum.Bytes += int64(len(raw))
		if len(raw) > 0 {
			a.sum.Lines++
			a.add(string(raw))
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			a.sum.Long++
			err = a.skip(br)
		}
		if opt.Progress != nil && a.sum.Bytes >= next {
			opt.Progress(a.sum.Bytes, a.sum.Lines)
			next = a.sum.Bytes + progressEvery
		}
		if errors.Is(err, io.EOF) {
			return a.finish(), nil
		}
		if err != nil {
			return a.finish(), err
		}
	}
}

// skip leaves out the rest of a long line.
func (a *aggregator) skip(br *bufio.Reader) error {
	for {
		raw, err := br.ReadSlice('\n')
		a.sum.Bytes += int64(len(raw))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

type groupKey struct {
	cause    cause.Cause
	receiver string
	day      int32 // year*10000 + month*100 + day
}

type group struct {
	Group
	distinct               distinct
	senders, clients, said top
}

type aggregator struct {
	opt    Options
	sum    Summary
	groups map[groupKey]*group
	queue  *queue
	relays map[string]Result // of deliveries
	header []string          // of a PowerMTA file
}

func newAggregator(opt Options) *aggregator {
	if opt.MaxGroups <= 0 {
		opt.MaxGroups = defaultGroups
	}
	if opt.MaxQueue <= 0 {
		opt.MaxQueue = defaultQueue
	}
	a := &aggregator{opt: opt, groups: make(map[groupKey]*group), queue: newQueue(opt.MaxQueue), relays: make(map[string]Result)}
	a.sum.Formats = make(map[string]int64)
	return a
}

func (a *aggregator) add(line string) {
	l, ok := readLine(line)
	if strings.HasPrefix(line, "type,timeLogged") {
		a.header = csvFields(strings.TrimSpace(line), 64)
	} else if a.header != nil && l.Format == "powermta" {
		l = Line{}
		ok = l.powermta(strings.TrimSpace(line), a.header)
	}
	if !ok {
		return
	}
	a.sum.Known++
	if l.QueueID != "" {
		if l.Outcome == "" && (l.Sender != "" || l.Client != "" || l.Recipient != "" || l.parent != "") {
			a.queue.note(&l)
		} else if l.Outcome != "" {
			a.queue.complete(&l)
		}
	}
	if l.Outcome == "" {
		return
	}
	a.date(&l)
	if l.Outcome == Sent {
		l.Result = a.delivered(&l)
	} else {
		l.Result = l.judge()
	}
	a.count(&l, line)
}

// delivered is the verdict on a delivery, of which most of a log consists: only
// the receiver is looked up, once for each relay.
func (a *aggregator) delivered(l *Line) Result {
	if r, ok := a.relays[l.Relay]; ok {
		return r
	}
	r := judge(reply{code: "250", server: hostOf(l.Relay)}, "")
	r.Remedies = nil
	if len(a.relays) < maxRelays {
		a.relays[strings.Clone(l.Relay)] = r
	}
	return r
}

// date gives a line without a year its year.
func (a *aggregator) date(l *Line) {
	if l.Time.IsZero() || l.Time.Year() != 0 || a.opt.Now.IsZero() {
		return
	}
	limit := a.opt.Now.Add(24 * time.Hour) // clocks and zones differ
	y := limit.Year()
	t := l.Time.AddDate(y, 0, 0)
	if t.After(limit) {
		t = l.Time.AddDate(y-1, 0, 0)
	}
	l.Time = t
}

func (a *aggregator) count(l *Line, line string) {
	a.sum.Formats[l.Format]++
	if !l.Time.IsZero() {
		if a.sum.First.IsZero() || l.Time.Before(a.sum.First) {
			a.sum.First = l.Time
		}
		if l.Time.After(a.sum.Last) {
			a.sum.Last = l.Time
		}
	}
	key := groupKey{cause: l.Result.Cause, receiver: receiverOf(l), day: dayOf(l.Time)}
	g := a.groups[key]
	if g == nil {
		if len(a.groups) >= a.opt.MaxGroups {
			a.sum.Overflow++
			key = groupKey{cause: key.cause, receiver: "other"}
			g = a.groups[key]
		}
		if g == nil {
			g = &group{Group: Group{Cause: key.cause, Whose: l.Result.Whose, Receiver: key.receiver, Day: dayText(key.day)}}
			a.groups[key] = g
		}
	}
	g.add(l, line)
	switch l.Outcome {
	case Sent:
		a.sum.Sent++
	case Deferred:
		a.sum.Deferred++
	case Bounced:
		a.sum.Bounced++
	case Expired:
		a.sum.Expired++
	case Refused:
		a.sum.Refused++
	}
}

func (g *group) add(l *Line, line string) {
	switch l.Outcome {
	case Sent:
		g.Sent++
	case Deferred:
		g.Deferred++
	case Bounced:
		g.Bounced++
	case Expired:
		g.Expired++
	case Refused:
		g.Refused++
	}
	if !l.Time.IsZero() {
		if g.First.IsZero() || l.Time.Before(g.First) {
			g.First = l.Time
		}
		if l.Time.After(g.Last) {
			g.Last = l.Time
		}
	}
	if l.Recipient != "" {
		g.distinct.add(lower(l.Recipient))
	}
	if _, d, ok := strings.Cut(l.Sender, "@"); ok {
		g.senders.add(lower(d))
	}
	g.clients.add(l.Client)
	g.said.add(l.Result.Said.IP)
	// The sample is the line that tells most.
	if g.Sample == "" || rank(l.Result.Confidence) > rank(g.Result.Confidence) {
		g.Sample = strings.Clone(cut(strings.TrimSpace(line), maxSample))
		g.Result = l.Result
		g.Whose = l.Result.Whose
	}
}

func rank(c Confidence) int {
	switch c {
	case High:
		return 2
	case Medium:
		return 1
	}
	return 0
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n]
}

// receiverOf names who was asked: the operator or provider if it is known by its
// host, else the domain of the relay, else that of the recipient.
func receiverOf(l *Line) string {
	if l.Outcome == Refused {
		return "this server"
	}
	if l.Result.OperatorFrom == "server" {
		return l.Result.Operator
	}
	if d := hostDomain(l.Relay); d != "" {
		return strings.Clone(d)
	}
	if i := strings.LastIndexByte(l.Recipient, '@'); i >= 0 {
		if d := lower(strings.Trim(l.Recipient[i+1:], ".>")); validHost(d) {
			return strings.Clone(d)
		}
	}
	if l.Result.Operator != "" {
		return l.Result.Operator
	}
	if l.RelayIP != "" {
		return strings.Clone(l.RelayIP)
	}
	return "unknown"
}

// hostDomain is the last two labels of a host name, three where the second one is
// short (co.uk, com.au).
func hostDomain(h string) string {
	if !validHost(h) {
		return ""
	}
	labels := strings.Split(h, ".")
	n := 2
	if k := len(labels); k > 2 && len(labels[k-1]) == 2 && len(labels[k-2]) <= 3 {
		n = 3
	}
	return strings.Join(labels[max(0, len(labels)-n):], ".")
}

func dayOf(t time.Time) int32 {
	if t.IsZero() {
		return 0
	}
	y, m, d := t.Date()
	return int32(y*10000 + int(m)*100 + d)
}

func dayText(d int32) string {
	if d == 0 {
		return ""
	}
	t := time.Date(int(d/10000), time.Month(d/100%100), int(d%100), 0, 0, 0, 0, time.UTC)
	if t.Year() == 0 {
		return t.Format("01-02")
	}
	return t.Format(time.DateOnly)
}

func (a *aggregator) finish() Summary {
	s := a.sum
	s.Groups = make([]Group, 0, len(a.groups))
	for _, g := range a.groups {
		g.Recipients = g.distinct.count()
		g.Senders, g.Clients, g.Said = g.senders.list(), g.clients.list(), g.said.list()
		s.Groups = append(s.Groups, g.Group)
	}
	slices.SortFunc(s.Groups, compareGroups)
	return s
}

func compareGroups(x, y Group) int {
	fails := func(g Group) int64 { return g.Bounced + g.Expired + g.Deferred + g.Refused }
	for _, d := range []int64{fails(y) - fails(x), y.Sent - x.Sent} {
		if d != 0 {
			return int(max(-1, min(1, d)))
		}
	}
	return strings.Compare(x.Day+" "+x.Receiver+" "+string(x.Cause), y.Day+" "+y.Receiver+" "+string(y.Cause))
}
