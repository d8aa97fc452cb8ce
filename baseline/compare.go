package baseline

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

// Change is one difference that matters to mail.
type Change struct {
	Kind     Kind           `json:"kind"`
	Key      string         `json:"key,omitempty"`
	What     What           `json:"what"`
	Severity audit.Severity `json:"severity"`
	Old      []string       `json:"old"`
	New      []string       `json:"new"`
	Meaning  string         `json:"meaning"`
}

// What is what happened to a facet.
type What string

// Words.
const (
	Gone     What = "gone"
	Came     What = "new"
	Changed  What = "changed"
	Weaker   What = "weaker"
	Stronger What = "stronger"
	Unknown  What = "unknown" // it cannot be read now: nothing is said of it
)

// Difference is what lies between two baselines.
type Difference struct {
	Changes []Change `json:"changes"`
	Unknown []Change `json:"unknown"`
}

// Worst is the highest severity of the changes; 0 if there are none.
func (d Difference) Worst() audit.Severity {
	var w audit.Severity
	for _, c := range d.Changes {
		w = max(w, c.Severity)
	}
	return w
}

// Compare tells what changed from old to now, worst first. What one of the two
// did not look at is not compared; what could not be read is unknown.
func Compare(old, now *Baseline) Difference {
	d := Difference{Changes: []Change{}, Unknown: []Change{}}
	for _, a := range old.Facets {
		i := slices.IndexFunc(now.Facets, func(f Facet) bool { return f.Kind == a.Kind && f.Key == a.Key })
		if i < 0 {
			// Facets hang on others: without an MX record there are no addresses of it.
			continue
		}
		b := now.Facets[i]
		switch {
		case b.State == resolve.Unavailable.String() && a.State != resolve.Unavailable.String():
			d.Unknown = append(d.Unknown, Change{Kind: a.Kind, Key: a.Key, What: Unknown, Old: list(a.Values), New: []string{}, Meaning: cmp.Or(b.Error, "it could not be read")})
		case a.State == resolve.Unavailable.String() || b.State == resolve.Unavailable.String():
		case a.State == b.State && slices.Equal(a.Values, b.Values):
		default:
			if c, ok := meaning(a, b); ok {
				d.Changes = append(d.Changes, c)
			}
		}
	}
	for _, b := range now.Facets {
		if b.Kind == DKIM && b.State == resolve.Present.String() && !slices.ContainsFunc(old.Facets, func(f Facet) bool { return f.Kind == DKIM && f.Key == b.Key }) {
			c, _ := meaning(Facet{Kind: DKIM, Key: b.Key, State: resolve.Absent.String()}, b)
			d.Changes = append(d.Changes, c)
		}
	}
	slices.SortStableFunc(d.Changes, func(a, b Change) int { return cmp.Compare(b.Severity, a.Severity) })
	return d
}

func list(v []string) []string { return append([]string{}, v...) }

// meaning judges one facet that is not the same.
func meaning(a, b Facet) (Change, bool) {
	c := Change{Kind: a.Kind, Key: a.Key, What: Changed, Severity: audit.Notice, Old: list(a.Values), New: list(b.Values)}
	if len(a.Text) > 0 || len(b.Text) > 0 {
		c.Old, c.New = list(a.Text), list(b.Text)
	}
	switch present := resolve.Present.String(); {
	case b.State != present:
		c.What = Gone
	case a.State != present:
		c.What = Came
	}
	m, ok := words[a.Kind]
	if !ok {
		return c, false
	}
	switch c.What {
	case Gone:
		c.Severity, c.Meaning = m.severity, m.gone
	case Came:
		c.Meaning = m.came
	default:
		c.Severity, c.Meaning = m.changedTo, m.changed
		if m.judge != nil {
			m.judge(&c, a, b)
		}
	}
	return c, c.Meaning != ""
}

// judged is what a change of a kind means.
type judged struct {
	severity            audit.Severity // when it is gone
	changedTo           audit.Severity // when it is another
	gone, came, changed string         // an empty text: it does not matter
	judge               func(c *Change, a, b Facet)
}

var words = map[Kind]judged{
	NS: {audit.Error, audit.Notice, "no name servers are published", "name servers are published", "the domain has other name servers", nil},
	MX: {audit.Error, audit.Notice, "the domain has no MX records: mail goes to its address, if it has one, or bounces", "the domain receives mail now",
		"mail goes to other servers, or in another order", judgeMX},
	Address: {audit.Error, audit.Notice, "the mail server has no address: mail to it waits, and bounces in the end", "the mail server has an address", "the mail server has another address", nil},
	SPF:     {audit.Error, 0, "the SPF record is gone: nothing vouches for the sending hosts", "an SPF record is published", "", judgeSPF},
	SPFAll:  {audit.Warning, audit.Notice, "", "", "hosts that the record does not name are judged otherwise", judgeAll},
	SPFNets: {audit.Error, audit.Notice, "no address passes SPF any more", "addresses pass SPF", "", judgeNets},
	SPFOf:   {audit.Error, audit.Notice, "", "", "the sending address gets another SPF result", judgeResult},
	DMARC:   {audit.Error, 0, "the DMARC policy is gone: anybody may use the domain, and no reports come", "a DMARC policy is published", "", nil},
	Policy:  {audit.Error, audit.Notice, "", "", "", judgePolicy},
	Reports: {audit.Warning, audit.Notice, "DMARC reports are sent nowhere", "DMARC reports are asked for", "DMARC reports go elsewhere", nil},
	DKIM: {audit.Error, audit.Warning, "the key of this selector is gone: mail that is signed with it fails DKIM", "a key is published under a new selector",
		"another key is published under this selector: signatures with the old one fail", judgeKey},
	TLSRPT:  {audit.Notice, audit.Notice, "TLS reports are not asked for any more", "TLS reports are asked for", "TLS reports go elsewhere", nil},
	MTASTS:  {audit.Warning, audit.Notice, "the MTA-STS record is gone: senders that remember the policy go on enforcing it", "an MTA-STS policy is announced", "the MTA-STS policy has a new id: senders fetch it again", nil},
	STS:     {audit.Warning, audit.Notice, "senders get no MTA-STS policy any more, and those that remember it go on following it", "senders get an MTA-STS policy", "the MTA-STS policy says something else, and its id is new: senders fetch it", judgeSTS},
	PTR:     {audit.Error, audit.Notice, "the sending address has no reverse name: large receivers refuse its mail", "the sending address has a reverse name", "the sending address has another reverse name", nil},
	Forward: {audit.Error, audit.Notice, "the reverse name does not lead back to the address", "the reverse name leads back to the address", "", nil},
}

// judgeMX tells a lost host from a new order.
func judgeMX(c *Change, a, b Facet) {
	host := func(v []string) []string {
		var out []string
		for _, x := range v {
			_, h, _ := strings.Cut(x, " ")
			out = append(out, h)
		}
		slices.Sort(out)
		return out
	}
	if lost := minus(host(a.Values), host(b.Values)); len(lost) > 0 {
		c.Severity, c.Meaning = audit.Warning, "no mail goes to "+strings.Join(lost, ", ")+" any more"
		if slices.Contains(host(b.Values), ".") {
			c.Severity, c.Meaning = audit.Error, "the domain says that it receives no mail (null MX)"
		}
	}
}

// judgeSPF looks only for what makes a record void; what it lets pass are facets
// of their own.
func judgeSPF(c *Change, a, b Facet) {
	if len(b.Values) > 1 && len(a.Values) == 1 {
		c.Severity, c.Meaning = audit.Error, "there are several SPF records now: receivers use none of them (RFC 7208, Section 4.5)"
	}
}

func judgeAll(c *Change, a, b Facet) {
	rank := func(f Facet) int {
		if len(f.Values) != 1 {
			return 1
		}
		return map[string]int{"+all": 0, "?all": 1, "~all": 2, "-all": 3}[f.Values[0]]
	}
	if strings.HasPrefix(strings.Join(a.Values, ""), "neutral") && strings.HasPrefix(strings.Join(b.Values, ""), "neutral") {
		return
	}
	switch x, y := rank(a), rank(b); {
	case y == 0 && x > 0:
		c.What, c.Severity, c.Meaning = Weaker, audit.Error, "every host in the world passes SPF"
	case y < x:
		c.What, c.Severity, c.Meaning = Weaker, audit.Warning, "hosts that the record does not name are judged more gently"
	case y > x:
		c.What, c.Severity, c.Meaning = Stronger, audit.Notice, "hosts that the record does not name are judged more strictly"
	}
}

// judgeNets tells which networks lost their pass.
func judgeNets(c *Change, a, b Facet) {
	lost, won := uncovered(a.Values, b.Values), uncovered(b.Values, a.Values)
	c.Old, c.New = list(lost), list(won)
	switch {
	case len(lost) > 0:
		c.Severity, c.Meaning = audit.Warning, "addresses do not pass SPF any more: "+some(lost)
	case len(won) > 0:
		c.Severity, c.Meaning = audit.Notice, "more addresses pass SPF: "+some(won)
	}
}

func some(v []string) string {
	if len(v) > 5 {
		return strings.Join(v[:5], ", ") + " and more"
	}
	return strings.Join(v, ", ")
}

// uncovered lists the networks of a that are not in b.
func uncovered(a, b []string) []string {
	var out []string
	for _, p := range nets(a).Minus(nets(b)).Prefixes() {
		out = append(out, p.String())
	}
	return out
}

func nets(list []string) set.Set {
	var out []netip.Prefix
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p)
		}
	}
	return set.Of(out...)
}

func judgeResult(c *Change, a, b Facet) {
	was, is := strings.Join(a.Values, ""), strings.Join(b.Values, "")
	switch {
	case was == "pass":
		c.What, c.Severity, c.Meaning = Weaker, audit.Error, "mail from this address does not pass SPF any more: "+is
	case is == "pass":
		c.What, c.Severity, c.Meaning = Stronger, audit.Notice, "mail from this address passes SPF"
	}
}

func judgePolicy(c *Change, a, b Facet) {
	x, y := dmarc.Policy(strings.Join(a.Values, "")), dmarc.Policy(strings.Join(b.Values, ""))
	switch {
	case y.Strength() < x.Strength():
		c.What, c.Severity, c.Meaning = Weaker, audit.Warning, "the DMARC policy is weaker: "+string(x)+" became "+string(y)
	case y.Strength() > x.Strength():
		c.What, c.Severity, c.Meaning = Stronger, audit.Notice, "the DMARC policy is stricter: "+string(x)+" became "+string(y)
	}
}

func judgeKey(c *Change, a, b Facet) {
	if slices.Contains(b.Values, "revoked") && !slices.Contains(a.Values, "revoked") {
		c.What, c.Severity, c.Meaning = Gone, audit.Error, "the key of this selector is revoked: mail that is signed with it fails DKIM"
	}
	if len(minus(a.Values, b.Values)) == 0 {
		c.Severity, c.Meaning = audit.Warning, "there are several keys under this selector now: receivers may take either (RFC 6376, Section 3.6.2.2)"
	}
}

func minus(a, b []string) []string {
	var out []string
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}
