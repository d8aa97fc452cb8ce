package baseline_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/baseline"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var base = `$ORIGIN example.org.
@ 3600 IN SOA ns1 admin 1 7200 3600 1209600 300
@ NS ns1
ns1 A 192.0.2.53
@ MX 10 mail
@ MX 20 backup
mail A 192.0.2.25
backup A 192.0.2.26
@ 3600 TXT "v=spf1 ip4:192.0.2.0/24 mx -all"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:d@example.org"
s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:d@example.org"
_mta-sts TXT "v=STSv1; id=1"
25.2.0.192.in-addr.arpa. PTR mail.example.org.
`

func take(t *testing.T, zone string, faults ...string) *baseline.Baseline {
	t.Helper()
	z, err := zonetest.Parse(zone, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		z.Inject(resolve.MustName(f), 0, zonetest.Fault{RCode: resolve.ServFail})
	}
	b, err := baseline.Take(context.Background(), z, resolve.MustName("example.org"), baseline.Options{Facts: facts.Options{
		Selectors: []string{"s1"}, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.25")}, Now: func() time.Time { return time.Unix(1e9, 0) }}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func words(d baseline.Difference) string {
	var out []string
	for _, c := range d.Changes {
		out = append(out, fmt.Sprintf("%s %s %s", c.Severity, c.Kind, c.What))
	}
	return strings.Join(out, ", ")
}

func TestCompare(t *testing.T) {
	for _, c := range []struct{ name, old, now, want string }{
		{"nothing", "", "", ""},
		{"order, TTL, case and spaces", `@ 3600 TXT "v=spf1 ip4:192.0.2.0/24 mx -all"`, `@ 60 TXT "v=spf1  mx IP4:192.0.2.0/24   -all"`, ""},
		{"the same key, split otherwise", `"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="`, `"k=ed25519; p=11qYAYKxCrfVS/7TyWQ" "HOg7hcvPapiMlrwIaaPcHURo="`, ""},
		{"a key is gone", "s1._domainkey TXT", "s2._domainkey TXT", "error dkim gone"},
		{"a key is revoked", "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "p=", "error dkim gone"},
		{"another key", "p=11qYAYKx", "p=21qYAYKx", "warning dkim changed"},
		{"a weaker policy", "p=reject", "p=none", "warning dmarc-policy weaker"},
		{"a policy that is gone", "_dmarc TXT", "other TXT", "error dmarc gone"},
		{"reports that go nowhere", "; rua=mailto:d@example.org\"\ns1", "\"\ns1", "warning dmarc-reports gone"},
		{"no reverse name", "25.2.0.192.in-addr.arpa. PTR", "26.2.0.192.in-addr.arpa. PTR", "error ptr gone, error ptr-forward gone"},
		{"a reverse name that does not lead back", "PTR mail.example.org.", "PTR ns1.example.org.", "error ptr-forward gone, notice ptr changed"},
		{"addresses lost", "ip4:192.0.2.0/24 mx", "ip4:192.0.2.0/27 mx", "warning spf-networks changed"},
		{"the sending address lost", "ip4:192.0.2.0/24 mx", "ip4:192.0.2.128/25", "error spf-result weaker, warning spf-networks changed"},
		{"everybody may send", "mx -all", "mx +all", "error spf-all weaker, notice spf-networks changed"},
		{"a softer all", "mx -all", "mx ~all", "warning spf-all weaker"},
		{"no SPF", `"v=spf1 ip4:192.0.2.0/24 mx -all"`, `"none"`, "error spf gone, error spf-result weaker"},
		{"two SPF records", "@ NS ns1", "@ NS ns1\n@ TXT \"v=spf1 -all\"", "error spf changed, error spf-result weaker"},
		{"an MX host lost", "@ MX 20 backup\n", "", "warning mx changed"},
		{"no MX", "@ MX 10 mail\n@ MX 20 backup\n", "", "error mx gone, error spf-result weaker"},
		{"a new id", "id=1", "id=2", "notice mta-sts changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := strings.Replace(base, c.old, c.now, 1)
			if c.old != "" && now == base {
				t.Fatal("the zone is the same")
			}
			got := words(baseline.Compare(take(t, base), take(t, now)))
			if c.name == "no MX" || c.name == "a key is gone" { // what else follows is not the matter here
				if !strings.HasPrefix(got, strings.Split(c.want, ",")[0]) {
					t.Errorf("got %q, want %q", got, c.want)
				}
				return
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// What cannot be read is unknown, and never gone.
func TestUnknown(t *testing.T) {
	all := []string{"example.org", "_dmarc.example.org", "s1._domainkey.example.org", "25.2.0.192.in-addr.arpa", "_smtp._tls.example.org", "_mta-sts.example.org"}
	good, dark := take(t, base), take(t, base, all...)
	d := baseline.Compare(good, dark)
	if len(d.Changes) != 0 || len(d.Unknown) < len(all) {
		t.Errorf("%s; %d unknown", words(d), len(d.Unknown))
	}
	// Each with the reason, also where one lookup hangs on another.
	d = baseline.Compare(good, take(t, base, append(all, "mail.example.org")...))
	for _, c := range slices.Concat(d.Unknown, baseline.Compare(good, take(t, base, "mail.example.org")).Unknown) {
		if !strings.Contains(c.Meaning, "server failure (zone)") && !strings.HasSuffix(c.Meaning, "could be read") && c.Meaning != "the addresses of mail.example.org could not be read" {
			t.Errorf("%s %s is unknown because of %q", c.Kind, c.Key, c.Meaning)
		}
	}
	if !slices.ContainsFunc(d.Unknown, func(c baseline.Change) bool {
		return c.Kind == baseline.Forward && strings.Contains(c.Meaning, "25.2.0.192.in-addr.arpa")
	}) {
		t.Errorf("no reason of the PTR: %+v", d.Unknown)
	}
	if d := baseline.Compare(dark, good); len(d.Changes) != 0 {
		t.Errorf("what was not known before has not changed: %s", words(d))
	}
}

func TestDecode(t *testing.T) {
	b := take(t, base)
	text, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	c, err := baseline.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := c.Encode(); string(again) != string(text) {
		t.Error("a baseline read and written is another")
	}
	for _, bad := range []string{"", "{}", `{"schema":"mailcheck.baseline/2"}`, strings.Replace(string(text), `"present"`, `"maybe"`, 1)} {
		if _, err := baseline.Decode([]byte(bad)); !errors.Is(err, baseline.ErrFile) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

func ExampleCompare() {
	old := zonetest.MustParse(base) // the old name server in a program
	moved := zonetest.MustParse(strings.Replace(base, "s1._domainkey", "forgotten", 1))
	opt := baseline.Options{Facts: facts.Options{Selectors: []string{"s1"}}}
	domain := resolve.MustName("example.org")
	before, err := baseline.Take(context.Background(), old, domain, opt)
	if err != nil {
		fmt.Println(err)
		return
	}
	after, err := baseline.Take(context.Background(), moved, domain, opt)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range baseline.Compare(before, after).Changes {
		fmt.Println(c.Severity, c.Kind, c.Key, c.Meaning)
	}
	// Output:
	// error dkim s1 the key of this selector is gone: mail that is signed with it fails DKIM
}
