package dnsbl

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

//go:embed catalogue.json
var embedded []byte

// Kind is what a list can be asked about.
type Kind string

// The kinds.
const (
	IP4    Kind = "ip4"
	IP6    Kind = "ip6"
	Domain Kind = "domain"
)

// Use is how many receivers heed a list, as far as that is known: it tells how much
// a listing matters.
type Use string

// The uses.
const (
	Wide Use = "wide" // refused by many large receivers
	Some Use = "some" // refused or scored by some
	Few  Use = "few"  // hardly ever the reason for a refusal
)

// List is one block list. Lists of an operator's own, or with a key in the name of
// the zone, can be made and given in [Options]. Slices of the lists of this package
// are shared: do not change them.
type List struct {
	ID    string       `json:"id"` // permanent
	Name  string       `json:"name"`
	Zone  resolve.Name `json:"zone"`
	Kinds []Kind       `json:"kinds"`
	Use   Use          `json:"use"`

	// Bits says that the last octet of an answer is a sum of codes.
	Bits  bool   `json:"bits,omitempty"`
	Codes []Code `json:"codes,omitempty"`

	// Positive is the domain that is always listed, Negative the one that never is.
	// Empty: "test" and "invalid" (RFC 5782, Section 5). For addresses they are
	// always 127.0.0.2 and 127.0.0.1, or those mapped to IPv6.
	Positive string `json:"positive,omitempty"`
	Negative string `json:"negative,omitempty"`

	// Public says that the list answers public resolvers. If it is false, the list
	// is unusable through one.
	Public bool   `json:"public,omitempty"`
	Terms  string `json:"terms,omitempty"` // on which it may be asked
	Info   string `json:"info,omitempty"`  // the owner's page
	// Delist is where its owner takes requests. "{target}" stands for the address or
	// domain.
	Delist string `json:"delist,omitempty"`

	// Dropped is the date on which the list ended or was given up, as far as it is
	// known: "2024-06-05", "2013". A dropped list is never asked.
	Dropped string `json:"dropped,omitempty"`
	Reason  string `json:"reason,omitempty"` // why it was dropped

	Notes  string `json:"notes,omitempty"`
	Source string `json:"source"`
	Sure   string `json:"sure"` // "high", "medium" or "low": how sure the row is
}

// Code is the meaning of an answer.
type Code struct {
	Addr    netip.Addr `json:"addr"`
	Meaning string     `json:"meaning"`
	// Policy says that the listing is about what the address is for, not what it
	// did: a home line is listed all its life, a mail server must not be.
	Policy bool `json:"policy,omitempty"`
	// Error says that the answer is no listing but an error.
	Error bool `json:"error,omitempty"`
}

// Has reports whether the list can be asked about a kind.
func (l List) Has(k Kind) bool { return slices.Contains(l.Kinds, k) }

// DelistURL is where the owner takes requests for a target, empty if not known.
func (l List) DelistURL(target string) string {
	return strings.ReplaceAll(l.Delist, "{target}", target)
}

var load = sync.OnceValue(func() []List {
	lists, _, err := parse(embedded)
	if err != nil {
		panic("dnsbl: embedded catalogue: " + err.Error())
	}
	return lists
})

func parse(data []byte) (lists []List, reviewed string, err error) {
	var file struct {
		Version  int    `json:"version"`
		Reviewed string `json:"reviewed"`
		Lists    []List `json:"lists"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, "", err
	}
	if file.Version != 1 {
		return nil, "", fmt.Errorf("version %d, want 1", file.Version)
	}
	return file.Lists, file.Reviewed, nil
}

// All lists the catalogue in its order, also what was dropped.
func All() []List { return slices.Clone(load()) }

// Lists lists what [Check] asks by default: all lists that are not dropped.
func Lists() []List {
	return slices.DeleteFunc(All(), func(l List) bool { return l.Dropped != "" })
}

// Reviewed is the date of the catalogue's last review, as in "2026-01-31".
func Reviewed() string {
	_, date, _ := parse(embedded)
	return date
}

// ByID finds a list by its ID.
func ByID(id string) (List, bool) {
	return find(func(l List) bool { return l.ID == id })
}

// ByZone finds the list of a zone, or of a name below it, also one that was dropped:
// for a zone named in a refusal or in somebody's configuration.
func ByZone(name resolve.Name) (List, bool) {
	for ; !name.IsZero() && !name.IsRoot(); name = name.Parent() {
		if l, ok := find(func(l List) bool { return l.Zone == name }); ok {
			return l, true
		}
	}
	return List{}, false
}

func find(match func(List) bool) (List, bool) {
	lists := load()
	if i := slices.IndexFunc(lists, match); i >= 0 {
		return lists[i], true
	}
	return List{}, false
}
