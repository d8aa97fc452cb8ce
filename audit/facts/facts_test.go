package facts_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var domain = resolve.MustName("example.org")

func gather(z *zonetest.Zone, opt facts.Options) *facts.Snapshot {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return facts.Gather(ctx, z, domain, opt)
}

func fault(z *zonetest.Zone, name string, t resolve.Type, f zonetest.Fault) *zonetest.Zone {
	z.Inject(resolve.MustName(name), t, f)
	return z
}

const (
	mx    = "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\n"
	null  = "example.org. 3600 IN MX 0 .\n"
	spf   = "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n"
	deny  = "example.org. 3600 IN TXT \"v=spf1 -all\"\n"
	edKey = "s1._domainkey.example.org. 3600 IN TXT \"v=DKIM1; k=ed25519; p=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"\n"
)

func TestKind(t *testing.T) {
	for _, tt := range []struct {
		name, zone string
		opt        facts.Options
		want       facts.Kind
		reason     string
	}{
		{"SPF authorises", mx + spf, facts.Options{}, facts.Sends, "authorises senders"},
		{"two SPF records", mx + spf + deny, facts.Options{}, facts.Sends, "2 SPF records"},
		{"a selector was given", mx + deny, facts.Options{Selectors: []string{"s1"}}, facts.Sends, "selector s1"},
		{"an address was given", deny, facts.Options{Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}, facts.Sends, "addresses were given"},
		{"declares to send nothing", mx + deny, facts.Options{}, facts.Receives, "authorises nobody"},
		{"parked", null + deny, facts.Options{}, facts.Parked, "null MX"},
		{"parked without address", deny, facts.Options{}, facts.Parked, "no MX and no address"},
		{"MX alone is no evidence of sending", mx, facts.Options{}, facts.Undecided, "nothing says"},
		{"?all is no declaration", mx + "example.org. 3600 IN TXT \"v=spf1 ?all\"\n", facts.Options{}, facts.Undecided, ""},
		{"a misspelt mechanism is no declaration", mx + "example.org. 3600 IN TXT \"v=spf1 include=x.example -all\"\n", facts.Options{}, facts.Undecided, ""},
		{"a syntax error is no declaration", mx + "example.org. 3600 IN TXT \"v=spf1 ipv4:192.0.2.1 -all\"\n", facts.Options{}, facts.Undecided, ""},
		{"redirect", mx + "example.org. 3600 IN TXT \"v=spf1 redirect=x.example\"\n", facts.Options{}, facts.Sends, ""},
		{"nonexistent", "other.example. 1 IN A 192.0.2.1\n", facts.Options{}, facts.Nonexistent, "NXDOMAIN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := gather(zonetest.MustParse(tt.zone), tt.opt)
			if s.Kind != tt.want || !strings.Contains(strings.Join(s.KindReason, "; "), tt.reason) {
				t.Errorf("kind %q because %q, want %q", s.Kind, s.KindReason, tt.want)
			}
		})
	}
}

// No failure may look like absence.
func TestFailureIsNotAbsence(t *testing.T) {
	for _, f := range []zonetest.Fault{{RCode: resolve.ServFail}, {RCode: resolve.Refused}, {Timeout: true}, {Malformed: true}, {Drop: true}} {
		t.Run(fmt.Sprintf("%+v", f), func(t *testing.T) {
			t.Parallel()
			z := zonetest.MustParse(mx + spf + edKey)
			for _, n := range z.Names() {
				z.Inject(n, 0, f)
			}
			fault(z, "_dmarc.example.org", 0, f)
			fault(z, "_domainkey.example.org", 0, f)
			s := gather(z, facts.Options{Selectors: []string{"s1"}})
			if s.MX.State != resolve.Unavailable || s.SPF.State != resolve.Unavailable || s.DMARC.Policy.State != resolve.Unavailable ||
				s.DKIM.Results[0].State != resolve.Unavailable || s.Exists == resolve.Absent {
				t.Errorf("MX %v, SPF %v, DMARC %v, DKIM %v, exists %v", s.MX.State, s.SPF.State, s.DMARC.Policy.State, s.DKIM.Results[0].State, s.Exists)
			}
			missing, err := s.Missing(facts.MX | facts.SPF | facts.DMARC | facts.DKIM | facts.Existence)
			if want := facts.MX | facts.SPF | facts.DMARC | facts.DKIM | facts.Existence; missing != want || err == nil {
				t.Errorf("missing %v (%v), want %v", missing, err, want)
			}
			if len(s.Misplaced) > 0 {
				t.Errorf("misplaced = %v", s.Misplaced)
			}
		})
	}
}

func TestOneUnknownIncludeLeavesTheRest(t *testing.T) {
	z := zonetest.MustParse(mx + "example.org. 3600 IN TXT \"v=spf1 include:a.example include:b.example -all\"\na.example. 1 IN TXT \"v=spf1 -all\"\nb.example. 1 IN TXT \"v=spf1 -all\"\n")
	s := gather(fault(z, "b.example", resolve.TypeTXT, zonetest.Fault{RCode: resolve.ServFail}), facts.Options{})
	if m, _ := s.Missing(facts.SPF); m != 0 {
		t.Error("the record itself is known")
	}
	if m, _ := s.Missing(facts.SPFTree); m != facts.SPFTree {
		t.Error("the tree is not")
	}
}

func TestEachQuestionOnce(t *testing.T) {
	z := zonetest.MustParse(mx + spf + edKey)
	var mu sync.Mutex
	count := map[resolve.Question]int{}
	r := resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		mu.Lock()
		count[q]++
		mu.Unlock()
		return z.Resolve(ctx, q)
	})
	s := facts.Gather(context.Background(), r, domain, facts.Options{Selectors: []string{"s1"}})
	for q, n := range count {
		if n != 1 {
			t.Errorf("%v was asked %d times", q, n)
		}
	}
	if s.Queries() != len(count) || len(count) > 16 {
		t.Errorf("%d questions, %d noted; the budget is 16", len(count), s.Queries())
	}
	if o, ok := s.Seen(resolve.Question{Name: domain, Type: resolve.TypeMX}); !ok || len(o.Answer.MX()) != 1 {
		t.Errorf("Seen = %+v, %v", o, ok)
	}
	if _, ok := s.Seen(resolve.Question{Name: domain, Type: resolve.TypeCAA}); ok {
		t.Error("a question never asked was seen")
	}
}

func TestCurrentRefusesToGuess(t *testing.T) {
	z := zonetest.MustParse(mx + spf + "_dmarc.example.org. 1 IN CNAME d.vendor.example.\nd.vendor.example. 1 IN TXT \"v=DMARC1; p=none\"\n")
	fault(z, "example.org", resolve.TypeMX, zonetest.Fault{RCode: resolve.ServFail})
	s := gather(z, facts.Options{})
	if r, err := s.Current(domain, resolve.TypeTXT); err != nil || len(r) != 1 {
		t.Errorf("TXT: %v, %v", r, err)
	}
	if _, err := s.Current(domain, resolve.TypeMX); !errors.Is(err, resolve.ErrServFail) {
		t.Errorf("MX: %v", err)
	}
	if _, err := s.Current(resolve.MustName("_dmarc.example.org"), resolve.TypeTXT); err == nil {
		t.Error("records at an alias belong to another name")
	}
	if _, err := s.Current(resolve.MustName("never.asked.example"), resolve.TypeTXT); err == nil {
		t.Error("a name that was not asked has no known records")
	}
	if r, err := gather(zonetest.MustParse(mx+spf), facts.Options{}).Current(resolve.MustName("mail.example.org"), resolve.TypeAAAA); err != nil || len(r) != 0 {
		t.Errorf("a proven absence is known: %v, %v", r, err)
	}
}

func TestMisplaced(t *testing.T) {
	for _, tt := range []struct {
		name, zone, kind, at string
		opt                  facts.Options
	}{
		{"SPF at _spf", mx + "_spf.example.org. 1 IN TXT \"v=spf1 -all\"\n", "spf", "_spf.example.org", facts.Options{}},
		{"SPF with the zone twice", mx + "example.org.example.org. 1 IN TXT \"v=spf1 -all\"\n", "spf", "example.org.example.org", facts.Options{}},
		{"DMARC at the apex", mx + "example.org. 1 IN TXT \"v=DMARC1; p=none\"\n", "dmarc", "example.org", facts.Options{}},
		{"DMARC with the zone twice", mx + "_dmarc.example.org.example.org. 1 IN TXT \"v=DMARC1; p=none\"\n", "dmarc", "_dmarc.example.org.example.org", facts.Options{}},
		{"DKIM with the zone twice", mx + "s1._domainkey.example.org.example.org. 1 IN TXT \"v=DMARC1; p=none\"\n" +
			strings.Replace(edKey, "s1._domainkey.example.org.", "s1._domainkey.example.org.example.org.", 1), "dkim", "s1._domainkey.example.org.example.org", facts.Options{Selectors: []string{"s1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := false
			for _, m := range gather(zonetest.MustParse(tt.zone), tt.opt).Misplaced {
				found = found || m.Kind == tt.kind && m.Name.String() == tt.at
			}
			if !found {
				t.Error("not found")
			}
		})
	}
	// Where the right place is filled, nothing else is asked.
	s := gather(zonetest.MustParse(mx+spf+"_dmarc.example.org. 1 IN TXT \"v=DMARC1; p=none\"\n"), facts.Options{})
	for _, o := range s.Observations() {
		if n := o.Answer.Question.Name.String(); n == "dmarc.example.org" || n == "_spf.example.org" {
			t.Errorf("%s was asked", n)
		}
	}
}

// A recursive resolver says SERVFAIL for an alias loop; the loop is found all the same.
func TestLoopBehindServFail(t *testing.T) {
	z := zonetest.MustParse(mx + spf + "_dmarc.example.org. 1 IN CNAME a.example.org.\na.example.org. 1 IN CNAME b.example.org.\nb.example.org. 1 IN CNAME a.example.org.\n")
	fault(z, "_dmarc.example.org", resolve.TypeTXT, zonetest.Fault{RCode: resolve.ServFail})
	s := gather(z, facts.Options{})
	if len(s.Loops) != 1 || len(s.Loops[0].Chain) != 3 {
		t.Errorf("loops = %+v", s.Loops)
	}
	if s.DMARC.Policy.State != resolve.Unavailable {
		t.Errorf("policy behind a loop is %v", s.DMARC.Policy.State)
	}
	// A failure that is no loop is not called one.
	plain := zonetest.MustParse(mx + spf)
	if s := gather(fault(plain, "_dmarc.example.org", 0, zonetest.Fault{RCode: resolve.ServFail}), facts.Options{}); len(s.Loops) != 0 {
		t.Errorf("loops = %+v", s.Loops)
	}
}

func TestCommonSelectorsOnlyWhereNothingBetter(t *testing.T) {
	s := gather(zonetest.MustParse(mx+spf+edKey), facts.Options{})
	if s.DKIM.Conclusion != dkim.KeyFound {
		t.Errorf("s1 is a common selector: %v", s.DKIM.Conclusion)
	}
	if s := gather(zonetest.MustParse(mx+spf), facts.Options{}); s.DKIM.Conclusion != dkim.NoKeys || s.DKIM.Tried > 0 {
		t.Errorf("RFC 8020: nothing is below a name that does not exist; %v, %d tried", s.DKIM.Conclusion, s.DKIM.Tried)
	}
}

func TestHostileMX(t *testing.T) {
	var b strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&b, "example.org. 1 IN MX %d h%d.example.org.\n", i, i)
	}
	s := gather(zonetest.MustParse(b.String()), facts.Options{})
	if m := s.MX.Value; len(m.Exchanges) != facts.MaxExchanges || m.Skipped != 2000-facts.MaxExchanges {
		t.Errorf("%d exchanges, %d skipped", len(m.Exchanges), m.Skipped)
	}
	if s.Queries() > 200 {
		t.Errorf("%d queries", s.Queries())
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	blocked := resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		<-ctx.Done()
		return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrCanceled, Question: q}
	})
	if s := facts.Gather(ctx, blocked, domain, facts.Options{}); s.Exists != resolve.Unavailable || s.Kind != facts.Undecided {
		t.Errorf("exists %v, kind %v", s.Exists, s.Kind)
	}
}

func TestReverseName(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.25":         "25.2.0.192.in-addr.arpa",
		"::ffff:192.0.2.25":  "25.2.0.192.in-addr.arpa",
		"2001:db8::567:89ab": "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", // RFC 3596, Section 2.5, with another address
	} {
		if got := facts.ReverseName(netip.MustParseAddr(addr)).String(); got != want {
			t.Errorf("ReverseName(%s) = %s", addr, got)
		}
	}
}

func ExampleGather() {
	resolver := zonetest.MustParse(mx + spf)
	s := facts.Gather(context.Background(), resolver, domain, facts.Options{})
	fmt.Println(s.Kind, s.MX.State, s.SPF.State, s.DMARC.Policy.State)
	// Output: sends present present absent
}
