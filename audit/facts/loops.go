package facts

import (
	"context"
	"errors"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// maxLoops is the number of failed answers whose aliases are followed. Where
// more fail, the server is at fault and not an alias.
const maxLoops = 4

// loops finds alias chains without end. A recursive resolver says SERVFAIL for
// them and not why, so the aliases behind such an answer are followed one by one.
func (g *gatherer) loops(ctx context.Context) {
	tried := 0
	for _, o := range g.memo.seen() {
		switch {
		case errors.Is(o.Err, resolve.ErrAliasLoop):
			g.snap.Loops = append(g.snap.Loops, o.Answer)
		case errors.Is(o.Err, resolve.ErrServFail) && tried < maxLoops:
			tried++
			if chain, ok := g.follow(ctx, o.Answer.Question.Name); ok {
				a := o.Answer
				a.Chain = chain
				g.snap.Loops = append(g.snap.Loops, a)
			}
		}
	}
}

// follow walks the aliases of a name and reports whether they end nowhere.
func (g *gatherer) follow(ctx context.Context, name resolve.Name) ([]resolve.Alias, bool) {
	var chain []resolve.Alias
	for len(chain) < resolve.MaxChain {
		a, err := g.memo.Resolve(ctx, resolve.Question{Name: name, Type: resolve.TypeCNAME})
		hosts := a.Hosts()
		if err != nil || len(hosts) == 0 {
			return nil, false
		}
		chain = append(chain, resolve.Alias{Name: name, Target: hosts[0].Name, TTL: a.Records[0].TTL})
		for _, c := range chain {
			if c.Name == hosts[0].Name {
				return chain, true
			}
		}
		name = hosts[0].Name
	}
	return chain, true
}
