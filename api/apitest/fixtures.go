package apitest

import "slices"

// fixtures is what tests put in, beside the built-in data or in their place.
type fixtures struct {
	software []putSoftware
	machines []putMachine
}

type putSoftware struct {
	Software
	kbs []KB
}

type putMachine struct {
	Machine
	kbIDs []string
}

// PutSoftware adds a software and its missing KBs, or replaces the one with
// the same id. Its numbers are sent as they are given, at any time of the
// clock; a KB's MachineMissedOn grows only if more machines than that were put
// to lack it. The rows are sent in the given order.
func (t *Tenant) PutSoftware(s Software, kbs ...KB) {
	t.change(func() {
		put := putSoftware{s, slices.Clone(kbs)}
		i := slices.IndexFunc(t.put.software, func(p putSoftware) bool { return p.ID == s.ID })
		if i < 0 {
			t.put.software = append(t.put.software, put)
			return
		}
		t.put.software[i] = put
	})
}

// PutMachine adds a machine that lacks the named KBs, or replaces the one with
// the same id. Unknown KBs are passed over; of a KB with several OS builds the
// row of the machine's build is meant, else the first. A machine with the id
// of a built-in one takes its place and keeps what that lacks.
func (t *Tenant) PutMachine(m Machine, kbIDs ...string) {
	t.change(func() {
		put := putMachine{m, slices.Clone(kbIDs)}
		i := slices.IndexFunc(t.put.machines, func(p putMachine) bool { return p.ID == m.ID })
		if i < 0 {
			t.put.machines = append(t.put.machines, put)
			return
		}
		t.put.machines[i] = put
	})
}

func (s *snapshot) addFixtures(f fixtures) {
	for _, p := range f.software {
		s.dropGaps(p.ID)
		place := s.addSoftware(inventory{Software: p.Software, given: true, base: "1.0"})
		for _, kb := range p.kbs {
			s.addGap(gap{KB: kb, software: []int32{place}, cves: inventCVEs(kb.ID, kb.CVEAddressed, 2020), released: s.now.AddDate(0, -1, 0)})
		}
	}
	for _, p := range f.machines {
		place := s.addMachine(p.Machine)
		for _, id := range p.kbIDs {
			s.addLack(place, p.Machine, id)
		}
	}
}

// dropGaps forgets what the software lacked before it was replaced.
func (s *snapshot) dropGaps(id string) {
	place, known := s.softwareByID[id]
	if !known {
		return
	}
	for _, g := range s.software[place].gaps {
		s.gaps[g].software = slices.DeleteFunc(s.gaps[g].software, func(i int32) bool { return int(i) == place })
	}
}

// addLack lets the machine lack the KB, and have the software that the KB updates.
func (s *snapshot) addLack(machine int32, m Machine, kb string) {
	i := s.findKB(kb, m.OSBuild)
	if i < 0 {
		return
	}
	g := &s.gaps[i]
	g.lacking = insert(g.lacking, machine)
	for _, w := range g.software {
		s.software[w].machines = insert(s.software[w].machines, machine)
	}
}

// findKB is the place of the KB's row for the build, else of its first row.
func (s *snapshot) findKB(id string, build int) int {
	first := -1
	for i, g := range s.gaps {
		if g.ID != id || len(g.software) == 0 {
			continue
		}
		if g.OSBuild == build {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

// insert is the ascending list with one more, in a new array: the built-in
// lists are shared.
func insert(list []int32, v int32) []int32 {
	i, found := slices.BinarySearch(list, v)
	if found {
		return list
	}
	return slices.Insert(slices.Clone(list), i, v)
}
