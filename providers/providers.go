package providers

import (
	"slices"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Kind is what a provider mainly does.
type Kind string

// The kinds.
const (
	Mailbox       Kind = "mailbox"       // hosts mailboxes
	Hosting       Kind = "hosting"       // web hosting with mail
	Gateway       Kind = "gateway"       // filters mail in front of the mailboxes
	Forwarder     Kind = "forwarder"     // receives and passes on
	Transactional Kind = "transactional" // sends mail of programs
	Marketing     Kind = "esp"           // sends newsletters
	CRM           Kind = "crm"           // sends for a customer database
	Helpdesk      Kind = "helpdesk"      // sends for a ticket system
)

// Alignment tells whether mail sent through a provider can pass DMARC by one of
// its two mechanisms (RFC 9989).
type Alignment string

// The alignments. The zero value means that it is not known.
const (
	Possible         Alignment = "yes"
	Impossible       Alignment = "no"
	WithCustomReturn Alignment = "with-custom-return-path" // once the customer sets up a bounce domain below the author's
)

// Confidence is how sure a row is.
type Confidence string

// The confidences.
const (
	High   Confidence = "high"   // from the provider's page, a published template or many zone files
	Medium Confidence = "medium" // from few or indirect sources
)

// Provider is one row of the catalogue. Its slices are shared: do not change them.
type Provider struct {
	ID   string `json:"id"` // permanent
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Via is the ID of the provider whose servers this one sends from. A name that
	// both rows list is attributed to that one.
	Via string `json:"via,omitempty"`

	Includes        []resolve.Name   `json:"includes,omitempty"`         // targets of SPF include or redirect, exact
	IncludePatterns []IncludePattern `json:"include_patterns,omitempty"` // targets that differ per customer
	Mechanisms      []string         `json:"mechanisms,omitempty"`       // other SPF terms that customers publish
	MX              []resolve.Name   `json:"mx,omitempty"`               // MX hosts are these names or below them
	Selectors       []Selector       `json:"selectors,omitempty"`
	Targets         []resolve.Name   `json:"targets,omitempty"`      // CNAME targets of selectors are these names or below them
	ReturnPaths     []resolve.Name   `json:"return_paths,omitempty"` // envelope domains, and CNAME or MX targets of bounce domains, likewise
	PTR             []resolve.Name   `json:"ptr,omitempty"`          // names of sending hosts, likewise

	AlignedSPF  Alignment `json:"aligned_spf,omitempty"`
	AlignedDKIM Alignment `json:"aligned_dkim,omitempty"`

	Notes      string     `json:"notes,omitempty"`
	Source     string     `json:"source"`
	Confidence Confidence `json:"confidence"`
}

// IncludePattern describes include targets that differ per customer.
type IncludePattern struct {
	Suffix  resolve.Name `json:"suffix"`  // the names are below this one
	Pattern string       `json:"pattern"` // regular expression (RE2) for the whole name
}

// Selector is a DKIM selector of a provider: a name or a pattern.
type Selector struct {
	// Name is the selector. In it, "{account}" stands for the first label of the
	// customer's include target.
	Name    string       `json:"name,omitempty"`
	Pattern string       `json:"pattern,omitempty"` // regular expression (RE2), when names differ per customer
	Type    resolve.Type `json:"type"`              // what the customer publishes: TXT or CNAME
}

// Candidate is a selector worth asking for.
type Candidate struct {
	Provider string // ID
	Selector string
	Type     resolve.Type
}

// All lists the catalogue in its order.
func All() []Provider { return slices.Clone(load().rows) }

// Reviewed is the date of the catalogue's last review, as in "2026-01-31".
func Reviewed() string { return load().reviewed }

// ByID finds a row by its ID.
func ByID(id string) (Provider, bool) {
	c := load()
	i, ok := c.ids[id]
	return c.row(i, ok)
}

// ByInclude finds the provider of an SPF include or redirect target.
func ByInclude(name resolve.Name) (Provider, bool) {
	c := load()
	i, ok := c.include(name)
	return c.row(i, ok)
}

// ByMX finds the provider of an MX host.
func ByMX(host resolve.Name) (Provider, bool) {
	c := load()
	i, ok := c.mx.find(host)
	return c.row(i, ok)
}

// BySelectorTarget finds the provider of a name that a DKIM selector's CNAME
// leads to. It is the only sound way to tell whose selector it is.
func BySelectorTarget(cname resolve.Name) (Provider, bool) {
	c := load()
	i, ok := c.targets.find(cname)
	return c.row(i, ok)
}

// ByReturnPath finds the provider of an envelope domain, or of the CNAME or MX
// target of a customer's bounce domain.
func ByReturnPath(name resolve.Name) (Provider, bool) {
	c := load()
	i, ok := c.returnPaths.find(name)
	return c.row(i, ok)
}

// ByPTR finds the provider of a sending host by its name in reverse DNS. The
// name must have been confirmed: anyone can publish any PTR.
func ByPTR(host resolve.Name) (Provider, bool) {
	c := load()
	i, ok := c.ptr.find(host)
	return c.row(i, ok)
}

// MaxCandidates bounds what [Selectors] returns, whatever a domain's records name.
const MaxCandidates = 64

// Selectors lists the selectors of the providers that a domain's MX hosts and SPF
// includes name: first those of the MX hosts, then of the includes, each selector
// once, at most [MaxCandidates]. Selectors that differ per customer and cannot be
// told from the names are left out, so an empty list proves nothing.
func Selectors(mxHosts, includes []resolve.Name) []Candidate {
	c := load()
	var out []Candidate
	seen := make(map[string]bool)
	add := func(i int, account string) {
		p := &c.rows[i]
		for _, s := range p.Selectors {
			name, ok := s.concrete(account)
			if !ok || seen[name] || len(out) == MaxCandidates {
				continue
			}
			seen[name] = true
			out = append(out, Candidate{Provider: p.ID, Selector: name, Type: s.Type})
		}
	}
	for _, host := range mxHosts {
		if i, ok := c.mx.find(host); ok {
			add(i, "")
		}
	}
	for _, name := range includes {
		if i, ok := c.include(name); ok {
			add(i, name.First())
		}
	}
	return out
}
