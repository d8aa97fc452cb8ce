package bimi

import "fmt"

// refs counts what a picture would draw if every use was followed: a few lines of
// uses within each other can stand for billions of shapes.
type refs struct {
	nodes []node
	open  []int          // nodes around the current one
	ids   map[string]int // node of an id
}

type node struct {
	children []int
	uses     []string
	cost     int // elements drawn; 0: not counted yet, -1: being counted
}

func newRefs() refs { return refs{ids: make(map[string]int)} }

func (r *refs) enter(id string, uses []string) {
	n := len(r.nodes)
	r.nodes = append(r.nodes, node{uses: uses})
	if len(r.open) > 0 {
		p := &r.nodes[r.open[len(r.open)-1]]
		p.children = append(p.children, n)
	}
	if _, taken := r.ids[id]; id != "" && !taken {
		r.ids[id] = n
	}
	r.open = append(r.open, n)
}

func (r *refs) leave() {
	r.open = r.open[:max(len(r.open)-1, 0)]
}

// judge tells of uses that lead to themselves, and of those that explode.
func (r *refs) judge(x *Indicator) {
	if len(r.nodes) == 0 {
		return
	}
	total, loop := r.count(0, 0)
	switch {
	case loop:
		x.problem(Bomb, Ignored, "use", -1, "a use element leads to itself")
	case total > maxExpanded:
		x.problem(Bomb, Ignored, "use", -1, fmt.Sprintf("use elements stand for more than %d shapes", maxExpanded))
	}
}

// count adds up the elements below a node, each node once. Deeper than any honest
// picture is a loop for our purposes.
func (r *refs) count(n, depth int) (total int, loop bool) {
	switch {
	case r.nodes[n].cost > 0:
		return r.nodes[n].cost, false
	case r.nodes[n].cost < 0 || depth > 16*maxDepth:
		return 0, true
	}
	r.nodes[n].cost = -1
	total = 1
	add := func(k int) {
		c, again := r.count(k, depth+1)
		loop = loop || again
		total = min(total+c, maxExpanded+1)
	}
	for _, k := range r.nodes[n].children {
		add(k)
	}
	for _, id := range r.nodes[n].uses {
		if k, ok := r.ids[id]; ok {
			add(k)
		}
	}
	r.nodes[n].cost = total
	return total, loop
}
