package apitest

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// snapshot is the tenant at one moment. It is never changed once made, so
// that any number of requests can read it without a lock.
type snapshot struct {
	now      time.Time
	software []inventory
	machines []Machine
	gaps     []gap

	softwareByID  map[string]int
	machineByID   map[string]int
	machineByName map[string]int // lower case
	machineGaps   [][]int32      // by machine: the places of what it lacks
	gapsByCVE     map[string][]int32
	gapsByKB      map[string][]int32

	// Made when first asked for.
	vulnerabilities   func() []vulnerability // all, by id
	vulnerabilityRows func() encodedRows
	machineRows       func() encodedRows
}

// inventory is one software with what belongs to it.
type inventory struct {
	Software
	given    bool    // the numbers are to be sent as they are
	base     string  // version without its last part
	machines []int32 // that have it, ascending
	gaps     []int32
}

// gap is one fix that some device lacks.
type gap struct {
	KB
	software []int32 // it concerns, the first foremost
	lacking  []int32 // machines, ascending
	cves     []string
	released time.Time
	counted  bool // MachineMissedOn follows from lacking; else it was given
}

// isKB tells whether getmissingkbs lists it.
func (g gap) isKB() bool { return g.ID != "" }

// has tells whether the machine at that place has the software.
func (i inventory) has(machine int32) bool {
	_, ok := slices.BinarySearch(i.machines, machine)
	return ok
}

// newSnapshot puts the built-in data (nil: none) and what was put in by hand
// together, as they are now.
func newSnapshot(b *builtIn, f fixtures, now time.Time) *snapshot {
	s := &snapshot{
		now: now, softwareByID: map[string]int{}, machineByID: map[string]int{}, machineByName: map[string]int{},
		gapsByCVE: map[string][]int32{}, gapsByKB: map[string][]int32{},
	}
	if b != nil {
		s.addDevices(b)
		s.addProducts(b)
		s.addUpdates(b)
		s.addExamples(b)
	}
	s.addFixtures(f)
	s.finish()
	s.prepare()
	return s
}

// prepare lets the long lists be made once for all who ask.
func (s *snapshot) prepare() {
	s.vulnerabilities = sync.OnceValue(func() []vulnerability {
		return s.describeAll(slices.Sorted(maps.Keys(s.gapsByCVE)))
	})
	s.vulnerabilityRows = sync.OnceValue(func() (out encodedRows) {
		for _, v := range s.vulnerabilities() {
			out = append(out, encode(v))
		}
		return out
	})
	s.machineRows = sync.OnceValue(func() (out encodedRows) {
		for _, m := range s.machines {
			out = append(out, encode(m.row()))
		}
		return out
	})
}

func (s *snapshot) addDevices(b *builtIn) {
	for _, d := range b.devices {
		s.addMachine(d.at(s.now))
	}
}

// addMachine adds the machine or puts it in the place of its namesake.
func (s *snapshot) addMachine(m Machine) int32 {
	place, known := s.machineByID[m.ID]
	if !known {
		place = len(s.machines)
		s.machines = append(s.machines, m)
	}
	delete(s.machineByName, strings.ToLower(s.machines[place].ComputerDNSName))
	s.machines[place] = m
	s.machineByID[m.ID] = place
	s.machineByName[strings.ToLower(m.ComputerDNSName)] = place
	return int32(place)
}

func (s *snapshot) addProducts(b *builtIn) {
	for i, p := range b.products {
		inv := inventory{Software: Software{ID: p.id(), Name: p.name, Vendor: p.vendor}, base: versionBase(p)}
		for place, d := range b.devices {
			if d.has(i) {
				inv.machines = append(inv.machines, int32(place))
			}
		}
		s.addSoftware(inv)
	}
}

func (s *snapshot) addSoftware(inv inventory) int32 {
	place, known := s.softwareByID[inv.ID]
	if !known {
		place = len(s.software)
		s.software = append(s.software, inv)
	}
	s.software[place] = inv
	s.softwareByID[inv.ID] = place
	return int32(place)
}

func (s *snapshot) addUpdates(b *builtIn) {
	updates := b.until(s.now)
	for i, lacking := range b.lacks(updates, s.now) {
		if len(lacking) == 0 {
			continue
		}
		u := updates[i]
		g := gap{KB: u.kb, lacking: lacking, cves: u.cves, released: u.released, counted: true}
		g.software = s.concerned(b.lines[u.line].vendor, u.names, lacking)
		s.addGap(g)
	}
	for i, l := range b.lines {
		if !l.kb {
			s.addLeftovers(b, i)
		}
	}
}

// concerned are those of the products that a machine has which lacks the fix:
// what Server 2019 lacks is no matter of Windows 10, though their KB is one.
func (s *snapshot) concerned(vendor string, names []string, lacking []int32) []int32 {
	var out []int32
	for _, name := range names {
		place := s.softwareByID[vendor+"-_-"+name]
		if slices.ContainsFunc(lacking, s.software[place].has) {
			out = append(out, int32(place))
		}
	}
	return out
}

// addLeftovers lets a few machines keep an old copy of a program beside the
// new one, so that there is always some weakness that no KB fixes.
func (s *snapshot) addLeftovers(b *builtIn, line int) {
	place := int32(s.softwareByID[b.products[b.owners[line]].id()])
	g := gap{software: []int32{place}, released: b.start.AddDate(-1, 0, 0), cves: b.leftoverCVEs(line), counted: true}
	for _, m := range s.software[place].machines {
		d := b.devices[m]
		if d.counted(s.now) && (len(g.lacking) == 0 || unit(d.key, key("leftover"), uint64(line)) < .06) {
			g.lacking = append(g.lacking, m)
		}
	}
	if len(g.lacking) > 0 {
		s.addGap(g)
	}
}

func (s *snapshot) addGap(g gap) {
	place := int32(len(s.gaps))
	s.gaps = append(s.gaps, g)
	for _, i := range g.software {
		s.software[i].gaps = append(s.software[i].gaps, place)
	}
}

// addExamples adds what stays as it is at any time.
func (s *snapshot) addExamples(b *builtIn) {
	edge, kb := EdgeExample()
	s.addConstant(edge, kb, b.edge)
	markup, kb := markupExample()
	s.addConstant(markup, kb, b.edge[:min(markup.InstalledMachines, len(b.edge))])
}

func (s *snapshot) addConstant(w Software, kb KB, on []int32) {
	place := s.addSoftware(inventory{Software: w, given: true, base: "11.0.18363", machines: on})
	s.addGap(gap{
		KB: kb, software: []int32{place}, lacking: on, cves: inventCVEs(kb.ID, kb.CVEAddressed, 2020),
		released: time.Date(2020, time.March, 10, 18, 0, 0, 0, time.UTC), counted: true,
	})
}

// machine finds one by id or, in any case of letters, by name.
func (s *snapshot) machine(idOrName string) (int, bool) {
	if i, ok := s.machineByID[idOrName]; ok {
		return i, true
	}
	i, ok := s.machineByName[strings.ToLower(idOrName)]
	return i, ok
}
