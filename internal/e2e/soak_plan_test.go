//go:build unix

package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// step is one thing that happens in a soak: somebody asks something, or something goes wrong.
type step struct {
	at   time.Duration
	what string // the kind of thing, for counting
	with string // all else that chance has decided
	do   func(s *soak)
}

func (s step) String() string { return fmt.Sprintf("%v %s %s", s.at, s.what, s.with) }

// dice is a source of chance for one strand of a plan. Each strand has its own, so that one more kind of fault does not
// change who asks what.
type dice struct{ *rand.Rand }

func newDice(seed uint64, strand uint64) dice { return dice{rand.New(rand.NewPCG(seed, strand))} }

// between is a time from some span, rounded so that plans can be read.
func (d dice) between(low, high time.Duration) time.Duration {
	return (low + time.Duration(d.Int64N(int64(high-low)+1))).Round(time.Millisecond)
}

// option is one of several things, more likely the heavier it is.
type option[T any] struct {
	weight int
	thing  T
}

func choose[T any](d dice, of []option[T]) T {
	sum := 0
	for _, o := range of {
		sum += o.weight
	}
	n := d.IntN(sum)
	for _, o := range of {
		if n -= o.weight; n < 0 {
			return o.thing
		}
	}
	return of[len(of)-1].thing
}

// strand is one kind of thing that goes on for the whole soak, at times of chance.
type strand struct {
	first, every time.Duration // when it begins, and the mean pause between two
	make         func(d dice) step
}

// soakPlan lays out a soak: what happens when. It is made of the seed and nothing else, so that the same seed makes the same
// plan; what comes of it depends on the machine as well.
func soakPlan(seed uint64, length time.Duration) []step {
	var all []step
	for i, s := range slices.Concat(peopleStrands(), faultStrands()) {
		d := newDice(seed, uint64(i))
		// A pause is even between nothing and twice the mean; the first is short, for the sake of short soaks.
		for at := s.first + d.between(0, min(s.every, shortSoak/2)); at < length; at += d.between(0, 2*s.every) {
			one := s.make(d)
			one.at = at
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	return all
}

func written(steps []step) []string {
	lines := make([]string, len(steps))
	for i, s := range steps {
		lines[i] = s.String()
	}
	return lines
}

func TestSoakPlanIsMadeOfTheSeed(t *testing.T) {
	t.Parallel()
	first := written(soakPlan(7, time.Minute))
	if !slices.Equal(first, written(soakPlan(7, time.Minute))) {
		t.Error("the same seed made two plans")
	}
	if slices.Equal(first, written(soakPlan(8, time.Minute))) {
		t.Error("two seeds made the same plan")
	}
	// A longer soak begins like a shorter one: what a seed has found in an hour is found again in the minutes before it.
	if longer := written(soakPlan(7, 2*time.Minute)); !slices.Equal(first, longer[:len(first)]) {
		t.Error("the plan of a longer soak begins otherwise")
	}
	for _, c := range []struct {
		seed   uint64
		length time.Duration
	}{{7, 5 * time.Minute}, {shortSeed, shortSoak}} {
		if lacks := missing(soakPlan(c.seed, c.length)); len(lacks) > 0 {
			t.Errorf("seed %d holds nothing of %q in %v", c.seed, lacks, c.length)
		}
	}
}

// missing is what a plan holds nothing of.
func missing(steps []step) []string {
	return slices.DeleteFunc(soakKinds(), func(kind string) bool {
		return slices.ContainsFunc(steps, func(s step) bool { return s.what == kind })
	})
}

// soakKinds is all that a soak is made of.
func soakKinds() []string {
	return []string{
		askTyped, askClick, askHome, askModal, askSuggest, askBurst,
		"slack: socket ends", "slack: socket disturbed", "slack: call fails", "defender fails", "entra fails",
		"database locked", "secrets rotated", "defender's data change", "digest due",
	}
}
