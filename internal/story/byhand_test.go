//go:build story

package story

import (
	"encoding/json"
	"fmt"
	"time"
)

// change is one of a plan that a person writes.
type change struct {
	verb, name, typ string
	ttl             int
	old, new        []string
}

// byHand writes a plan, as docs/schema has it.
func (w *world) byHand(goal string, changes ...change) string {
	w.t.Helper()
	type object = map[string]any
	none := []string{}
	var steps []object
	for i, c := range changes {
		if c.ttl == 0 {
			c.ttl = 3600
		}
		steps = append(steps, object{
			"id": fmt.Sprintf("step-%d", i+1), "title": c.verb + " " + c.name + " " + c.typ, "findings": none, "depends": none, "risk": "low", "reversible": true, "wait": "1h0m0s",
			"change": object{"verb": c.verb, "name": c.name, "type": c.typ, "ttl": c.ttl, "old": append(none, c.old...), "new": append(none, c.new...), "why": none},
			"why":    []string{goal}, "what_breaks_if_wrong": "see the goal", "manual": none,
			"check": object{"kind": "record", "expect": "every name server has the new record", "command": "mailcheck fix verify PLAN"},
		})
	}
	text, err := json.MarshalIndent(object{
		"schema": "mailcheck.plan/1", "domain": "story.example", "created": time.Now().UTC().Format(time.RFC3339), "tool": "by hand", "goal": goal,
		"steps": steps, "decisions": none, "findings_before": none, "findings_after": none, "unknown": none,
	}, "", "  ")
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}
