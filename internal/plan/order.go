package plan

import (
	"cmp"
	"container/heap"
)

// Step is an update to install and what it closes.
type Step struct {
	Update

	Closes Pairs // in addition to the steps before it
	Sum    Pairs // of this step and all before it
}

// Order is the order in which to install the missing updates on all devices that miss them.
type Order struct {
	Chosen []Step // updates that the caller wants first, in the caller's order
	Next   []Step // the rest, each step closing most of what remains; steps that close nothing more come last
	Total  Pairs
}

// Order plans all updates, first those in chosen, which are indexes into Updates. An update that a newer one contains
// everywhere is only planned if it was chosen, because the newer one closes the same.
func (p *Problem) Order(chosen ...int) Order {
	g := greedy{Problem: p, open: make([]bool, len(p.pairs))}
	for i := range g.open {
		g.open[i] = true
	}
	o := Order{Total: p.Total}
	taken := make([]bool, len(p.Updates))
	for _, i := range chosen {
		if !taken[i] {
			taken[i] = true
			o.Chosen = append(o.Chosen, g.take(i))
		}
	}
	for i, u := range p.Updates {
		if !u.Contained && !taken[i] {
			g.candidates = append(g.candidates, candidate{i, g.gain(i)})
		}
	}
	heap.Init(&g)
	for g.Len() > 0 {
		best := &g.candidates[0]
		// Gains only shrink, so an update that still leads after a recount is the best one.
		if now := g.gain(best.update); now != best.gain {
			best.gain = now
			heap.Fix(&g, 0)
			continue
		}
		o.Next = append(o.Next, g.take(best.update))
		heap.Pop(&g)
	}
	return o
}

// greedy is a plan in progress. It is a heap of the remaining updates; the one that closes most comes first.
type greedy struct {
	*Problem

	open       []bool // by element: not closed yet
	sum        Pairs
	candidates []candidate
}

type candidate struct {
	update int
	gain   Pairs // when it was last counted
}

// gain counts the open pairs that an update closes.
func (g *greedy) gain(update int) Pairs {
	var n Pairs
	for _, e := range g.covers[update] {
		if g.open[e] {
			n = n.plus(g.pairs[e])
		}
	}
	return n
}

// take installs an update: it closes its elements and adds to the sum.
func (g *greedy) take(update int) Step {
	s := Step{Update: g.Updates[update], Closes: g.gain(update)}
	for _, e := range g.covers[update] {
		g.open[e] = false
	}
	g.sum = g.sum.plus(s.Closes)
	s.Sum = g.sum
	return s
}

// Len, Less, Swap, Push and Pop implement [heap.Interface].
func (g *greedy) Len() int { return len(g.candidates) }

func (g *greedy) Less(i, j int) bool {
	a, b := g.candidates[i], g.candidates[j]
	return cmp.Or(a.gain.compare(b.gain), a.update-b.update) < 0
}

func (g *greedy) Swap(i, j int) {
	g.candidates[i], g.candidates[j] = g.candidates[j], g.candidates[i]
}

func (g *greedy) Push(x any) { g.candidates = append(g.candidates, x.(candidate)) } //nolint:forcetypeassert // only this package pushes

func (g *greedy) Pop() any {
	last := len(g.candidates) - 1
	c := g.candidates[last]
	g.candidates = g.candidates[:last]
	return c
}

// First returns how many of the next steps stand out: the fewest that together close share of all pairs, at most most.
func (o Order) First(share float64, most int) int {
	done := 0
	if len(o.Chosen) > 0 {
		done = o.Chosen[len(o.Chosen)-1].Sum.All
	}
	for i, s := range o.Next {
		if s.Closes.All == 0 || i == most {
			return i
		}
		if float64(s.Sum.All-done) >= share*float64(o.Total.All-done) && s.Sum.Exploited == o.Total.Exploited {
			return i + 1
		}
	}
	return min(len(o.Next), most)
}
