package apitest

import (
	"encoding/hex"
	"hash/fnv"
	"math"
	"slices"
)

// All invented data come out of these functions and never out of a generator
// with a state: what one device or one month looks like does not depend on
// what was made before it, so that the data stay the same when the clock moves.

// mix makes one number of several, well spread (splitmix64).
func mix(parts ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, p := range parts {
		h ^= p + 0x9e3779b97f4a7c15 + h<<6 + h>>2
		h ^= h >> 30
		h *= 0xbf58476d1ce4e5b9
		h ^= h >> 27
		h *= 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// unit is mix as a number in [0, 1).
func unit(parts ...uint64) float64 {
	return float64(mix(parts...)>>11) / (1 << 53)
}

// between is mix as a whole number in [low, high].
func between(low, high int, parts ...uint64) int {
	return low + int(mix(parts...)%uint64(high-low+1))
}

// key turns a name into a part for mix.
func key(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

// hexID is an id of n hexadecimal digits.
func hexID(n int, parts ...uint64) string {
	var b []byte
	for i := uint64(0); len(b) < n/2; i++ {
		v := mix(append(slices.Clone(parts), i)...)
		for s := 56; s >= 0 && len(b) < n/2; s -= 8 {
			b = append(b, byte(v>>s))
		}
	}
	return hex.EncodeToString(b)
}

// guid is an id in the form of a GUID (version 4).
func guid(parts ...uint64) string {
	h := []byte(hexID(32, parts...))
	h[12], h[16] = '4', "89ab"[int(h[16])%4]
	return string(slices.Concat(h[:8], []byte("-"), h[8:12], []byte("-"), h[12:16], []byte("-"), h[16:20], []byte("-"), h[20:]))
}

// round cuts v to n decimals.
func round(v float64, n int) float64 {
	p := math.Pow10(n)
	return math.Round(v*p) / p
}
