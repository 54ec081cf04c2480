package advisory

import (
	"testing"

	"pgregory.net/rapid"
)

// Whatever points at whatever, the top is what a walk comes to that remembers where it was; one that comes back has none.
func TestTopOfCircles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(rt, "members")
		f := folding{members: make([]member, n)}
		for i := range f.members {
			f.members[i].direct.In = rapid.IntRange(0, n-1).Draw(rt, "in")
		}
		for i := range f.members {
			want, seen := i, map[int]bool{i: true}
			for {
				next := f.members[want].direct.In
				if next == want {
					break
				}
				if seen[next] {
					want = i
					break
				}
				seen[next], want = true, next
			}
			if got := f.top(i).In; got != want {
				rt.Fatalf("the top of %d is %d, want %d", i, got, want)
			}
		}
	})
}
