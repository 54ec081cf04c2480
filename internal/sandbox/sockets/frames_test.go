package sockets

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScanner(t *testing.T) {
	t.Parallel()
	frame := func(first byte, n int) []byte {
		switch {
		case n < 126:
			return append([]byte{first, 0x80 | byte(n), 1, 2, 3, 4}, make([]byte, n)...)
		case n < 1<<16:
			return append([]byte{first, 0x80 | 126, byte(n >> 8), byte(n), 1, 2, 3, 4}, make([]byte, n)...)
		}
		return append([]byte{first, 0x80 | 127, 0, 0, 0, 0, 0, byte(n >> 16), byte(n >> 8), byte(n), 1, 2, 3, 4}, make([]byte, n)...)
	}
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	stream := join(
		frame(0x81, 5), frame(0x81, 0), frame(0x81, 200), frame(0x81, 70_000), // whole
		frame(0x01, 5), frame(0x89, 3), frame(0x00, 300), frame(0x80, 1), // in three, a ping between
		frame(0x8a, 0), frame(0x81, 1),
	)
	want := []bool{false, false, false, false, true, false}
	for _, step := range []int{1, 7, len(stream)} {
		var s scanner
		for at := 0; at < len(stream); at += step {
			s.scan(stream[at:min(at+step, len(stream))])
		}
		var got []bool
		for len(s.done) > 0 {
			got = append(got, s.fragmented())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in steps of %d (-want +got):\n%s", step, diff)
		}
	}
}
