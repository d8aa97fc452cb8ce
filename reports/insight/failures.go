package insight

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// Failures tells the mail apart that passed by nothing.
type Failures struct {
	Window   Window       `json:"window"`
	LeftOut  LeftOut      `json:"left_out"`
	Messages int64        `json:"messages"`
	Failing  int64        `json:"failing"`
	Classes  []ClassTotal `json:"classes"`
	// List has the first MaxSources; the others are in More.
	List      []Failure `json:"failures"`
	More      Rest      `json:"more"`
	Unmatched []string  `json:"labels_without_source"`
}

// ClassTotal is the sum of a class.
type ClassTotal struct {
	Class    Class `json:"class"`
	Messages int64 `json:"messages"` // that fail
	Sources  int   `json:"sources"`
}

// Failure is the failing mail of one source in one class.
type Failure struct {
	Domain     string     `json:"domain"`
	Source     string     `json:"source"`
	By         By         `json:"named_by"`
	Class      Class      `json:"class"`
	Confidence Confidence `json:"confidence"`
	Why        []string   `json:"why"`
	Messages   int64      `json:"messages"`
	// Of the source's mail, what fails in this class: 0 to 1.
	Share      *float64  `json:"share_of_source"`
	None       int64     `json:"none"`
	Quarantine int64     `json:"quarantine"`
	Reject     int64     `json:"reject"`
	First      Date      `json:"first"`
	Last       Date      `json:"last"`
	Reporters  []string  `json:"reporters"`
	Hosts      int       `json:"addresses"`
	Addresses  []Address `json:"top_addresses"`
	Fixes      []Fix     `json:"fixes"` // of Own
}

// Failures tells the mail apart that passed neither SPF nor DKIM, aligned.
func (q Query) Failures(ctx context.Context) (*Failures, error) {
	f := &Failures{List: []Failure{}}
	sums := map[Class]*ClassTotal{}
	order := []Class{Own, Unknown, Forwarding, List, Spoofing}
	for _, c := range order {
		sums[c] = &ClassTotal{Class: c}
	}
	a, err := q.sources(ctx, func(s *Source) {
		for _, p := range s.Classes {
			if p.Failing == 0 || sums[p.Class] == nil {
				continue
			}
			f.Failing += p.Failing
			sums[p.Class].Messages += p.Failing
			sums[p.Class].Sources++
			if len(f.List) < MaxSources {
				f.List = append(f.List, failure(s, &p))
			} else {
				f.More.Sources++
				f.More.Messages += p.Failing
				f.More.Failing += p.Failing
			}
		}
	})
	if err != nil {
		return nil, err
	}
	f.Window, f.Messages, f.Unmatched = a.out.Window, a.out.Messages, a.out.Unmatched
	if f.LeftOut, err = q.leftOut(ctx); err != nil {
		return nil, err
	}
	for _, c := range order {
		f.Classes = append(f.Classes, *sums[c])
	}
	slices.SortStableFunc(f.List, func(x, y Failure) int {
		return cmp.Or(cmp.Compare(slices.Index(order, x.Class), slices.Index(order, y.Class)), cmp.Compare(y.Messages, x.Messages), strings.Compare(x.Source, y.Source))
	})
	return f, nil
}

func failure(s *Source, p *Part) Failure {
	x := Failure{Domain: s.Domain, Source: s.Name, By: s.By, Class: p.Class, Confidence: p.Confidence, Why: p.Why, Messages: p.Failing,
		Share: share(p.Failing, s.Messages), None: p.None, Quarantine: p.Quarantine, Reject: p.Reject, First: p.First, Last: p.Last,
		Reporters: p.Reporters, Hosts: s.Hosts, Addresses: s.Addresses, Fixes: []Fix{}}
	if p.Class == Own {
		x.Fixes = s.Fixes
	}
	return x
}
