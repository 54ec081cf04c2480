package apitest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// distribution is one row of /api/Software/{id}/distributions.
// See https://learn.microsoft.com/defender-endpoint/api/get-software-ver-distribution.
type distribution struct {
	Version         string `json:"version"`
	Installations   int    `json:"installations"`
	Vulnerabilities int    `json:"vulnerabilities"`
}

// versionBase is a product's version without the part that updates raise.
func versionBase(p product) string {
	if p.vendor == "microsoft" && p.on&(p.on-1) == 0 || p.name == "windows_10" {
		return "10.0"
	}
	k := key(p.id())
	return fmt.Sprintf("%d.%d", between(1, 24, k, 1), between(0, 9, k, 2))
}

// version is what the machine has of the software: the more fixes it lacks,
// the lower the last number.
func (s *snapshot) version(i inventory, machine int32) string {
	lacks := 0
	for _, g := range i.gaps {
		if _, ok := slices.BinarySearch(s.gaps[g].lacking, machine); ok {
			lacks++
		}
	}
	build := ""
	if b := s.machines[machine].OSBuild; b != 0 && i.base == "10.0" {
		build = "." + strconv.Itoa(b)
	}
	return fmt.Sprintf("%s%s.%d", i.base, build, max(1, revision(monthOf(s.now))-170*lacks))
}

// distributions counts the versions of the software, lowest first.
func (s *snapshot) distributions(i inventory) []distribution {
	at := map[string]int{}
	out := []distribution{}
	for _, m := range i.machines {
		v := s.version(i, m)
		n, known := at[v]
		if !known {
			n = len(out)
			at[v] = n
			out = append(out, distribution{Version: v})
		}
		out[n].Installations++
		out[n].Vulnerabilities = max(out[n].Vulnerabilities, len(s.cves(s.lackedBy(m, i.gaps))))
	}
	slices.SortFunc(out, func(a, b distribution) int { return compareVersions(a.Version, b.Version) })
	return out
}

// lackedBy are those of the gaps that the machine has.
func (s *snapshot) lackedBy(machine int32, gaps []int32) []int32 {
	var out []int32
	for _, g := range gaps {
		if _, ok := slices.BinarySearch(s.gaps[g].lacking, machine); ok {
			out = append(out, g)
		}
	}
	return out
}

// compareVersions orders dotted numbers by their parts.
func compareVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	return slices.CompareFunc(x, y, func(p, q string) int {
		m, _ := strconv.Atoi(p)
		n, _ := strconv.Atoi(q)
		return cmp.Compare(m, n)
	})
}
