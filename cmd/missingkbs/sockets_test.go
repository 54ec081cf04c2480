package main

import "testing"

func TestSocketSettings(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int{"1": 1, "2": 2, "5": 5, "0": -1, "6": -1, "-1": -1, "two": -1, "": -1} {
		var m mistakes
		got := socketSettings{Sockets: value}.read(&m)
		if wrong := m.err() != nil; wrong != (want < 0) || !wrong && got != want {
			t.Errorf("%q: got %d, %v", value, got, m.err())
		}
	}
}
