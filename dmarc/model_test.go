package dmarc

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// model is the book read out step by step, one query after the other, with the
// walk for the policy begun at the parent as RFC 9989, Section 4.10.1 has it. It
// checks that asking all names at once and sharing one walk changes nothing.
type model struct {
	names map[string]string // domain to "", "plain", "y", "n", "two", "spf" or "fail"
}

type found struct{ name, kind string }

var errModel = fmt.Errorf("failed")

func (m model) walk(start string) (list []found, err error) {
	ask := func(n string) (stop bool) {
		switch k := m.names[n]; k {
		case "fail":
			err = errModel
		case "plain", "y", "n":
			list = append(list, found{n, k})
			return k != "plain"
		}
		return false
	}
	if ask(start) {
		return list, err
	}
	labels := strings.Split(start, ".")
	target := labels[1:]
	if len(labels) >= 8 {
		target = labels[len(labels)-7:]
	}
	for len(target) > 0 {
		if ask(strings.Join(target, ".")) {
			break
		}
		target = target[1:]
	}
	return list, err
}

// choose is Section 4.10.2 for a walk from start.
func (m model) choose(start string, list []found) string {
	for _, f := range list {
		if f.kind == "n" {
			return f.name
		}
		if f.kind == "y" && f.name != start {
			above := strings.TrimSuffix(start, "."+f.name)
			return above[strings.LastIndexByte(above, '.')+1:] + "." + f.name
		}
	}
	if len(list) > 0 {
		return list[len(list)-1].name
	}
	return start
}

// policy is the domain whose record applies to the author, "" or "unknown".
func (m model) policy(author string) string {
	switch m.names[author] {
	case "fail":
		return "unknown"
	case "plain", "y", "n":
		return author
	}
	labels := strings.Split(author, ".")
	if len(labels) == 1 {
		return ""
	}
	start := strings.Join(labels[1:], ".")
	if len(labels) > 8 {
		start = strings.Join(labels[len(labels)-7:], ".")
	}
	list, err := m.walk(start)
	if err != nil {
		return "unknown"
	}
	org, psd := m.choose(author, list), ""
	for _, f := range list {
		if f.name == org {
			return org
		}
		if f.kind == "y" {
			psd = f.name
		}
	}
	return psd
}

func TestDiscoverModel(t *testing.T) {
	kinds := []string{"", "", "", "plain", "plain", "y", "n", "two", "spf", "fail"}
	rng := rand.New(rand.NewPCG(9989, 7489))
	for range 4000 {
		var labels []string
		for i := range 1 + rng.IntN(12) {
			labels = append(labels, string(rune('a'+i)))
		}
		author := strings.Join(labels, ".")
		m := model{names: map[string]string{}}
		var text strings.Builder
		for i := range labels {
			n, k := strings.Join(labels[i:], "."), kinds[rng.IntN(len(kinds))]
			if k == "fail" && rng.IntN(3) > 0 {
				k = ""
			}
			m.names[n] = k
			switch k {
			case "plain":
				fmt.Fprintf(&text, "%s v=DMARC1; p=reject; psd=u\n", n)
			case "y", "n":
				fmt.Fprintf(&text, "%s v=DMARC1; p=reject; psd=%s\n", n, k)
			case "two":
				fmt.Fprintf(&text, "%s v=DMARC1; p=reject; psd=n\n%s v=DMARC1; p=none\n", n, n)
			case "spf":
				fmt.Fprintf(&text, "%s v=spf1 -all\n", n)
			case "fail":
				fmt.Fprintf(&text, "! %s\n", n)
			}
		}
		d := Discover(t.Context(), zone(text.String()), resolve.MustName(author), Options{})
		want := m.policy(author)
		got := ""
		switch d.Policy.State {
		case resolve.Unavailable:
			got = "unknown"
		case resolve.Present:
			got = d.Policy.Domain.String()
		}
		if got != want {
			t.Fatalf("%s in\n%s policy: got %q, the book has %q", author, &text, got, want)
		}
		list, err := m.walk(author)
		org := m.choose(author, list)
		if (err != nil) != (d.Organizational.State == resolve.Unavailable) || err == nil && d.Organizational.Domain.String() != org {
			t.Fatalf("%s in\n%s organizational domain: got %s, the book has %s, %v", author, &text, d.Organizational.Domain, org, err)
		}
	}
}
