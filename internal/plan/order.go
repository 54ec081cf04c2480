package plan

import (
	"cmp"
	"container/heap"
)

// Step is an update to install, and what that closes.
type Step struct {
	Update

	Closes Pairs // beyond what the steps before it close
	Sum    Pairs // of this step and those before it
}

// Order is the order in which to install what is missing, on all devices that lack it.
type Order struct {
	Chosen []Step // what the caller wants to install first, in that order
	Next   []Step // what closes most of the rest, step by step; those that close nothing more are the last
	Total  Pairs
}

// Order plans all updates. Chosen are places in Updates, which come first. An update that a newer one contains wherever it
// is missing is in the order only where it was chosen: the newer one closes what it does.
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
		// What an update closes only becomes less, so one that still leads after a new count is the best.
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

// greedy is a plan in the making: a heap of the updates that are left, the one that closes most first.
type greedy struct {
	*Problem

	open       []bool // by element
	sum        Pairs
	candidates []candidate
}

type candidate struct {
	update int
	gain   Pairs // at its last count
}

// gain is what an update closes of what is open.
func (g *greedy) gain(update int) Pairs {
	var n Pairs
	for _, e := range g.covers[update] {
		if g.open[e] {
			n = n.plus(g.pairs[e])
		}
	}
	return n
}

func (g *greedy) take(update int) Step {
	s := Step{Update: g.Updates[update], Closes: g.gain(update)}
	for _, e := range g.covers[update] {
		g.open[e] = false
	}
	g.sum = g.sum.plus(s.Closes)
	s.Sum = g.sum
	return s
}

// Len, Less, Swap, Push and Pop are part of [heap.Interface].
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

// First is how many of the next steps stand out: the fewest that close a share of what is open, at most as many as given.
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
