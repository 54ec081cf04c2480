package apitest

import "slices"

// finish counts and indexes.
func (s *snapshot) finish() {
	s.machineGaps = make([][]int32, len(s.machines))
	for i := range s.gaps {
		g := &s.gaps[i]
		if len(g.software) == 0 {
			continue // its software was replaced
		}
		if g.counted || len(g.lacking) > g.MachineMissedOn {
			g.MachineMissedOn = len(g.lacking)
		}
		for _, m := range g.lacking {
			s.machineGaps[m] = append(s.machineGaps[m], int32(i))
		}
		for _, cve := range g.cves {
			s.gapsByCVE[cve] = append(s.gapsByCVE[cve], int32(i))
		}
		if g.isKB() {
			s.gapsByKB[g.ID] = append(s.gapsByKB[g.ID], int32(i))
		}
	}
	for i := range s.software {
		s.count(&s.software[i])
	}
	for i := range s.machines {
		s.expose(i)
	}
}

// count fills the numbers of a built-in software; those put in keep theirs.
func (s *snapshot) count(i *inventory) {
	if i.given {
		return
	}
	exposed, cves := s.exposed(*i), s.cves(i.gaps)
	i.InstalledMachines, i.ExposedMachines, i.Weaknesses = len(i.machines), len(exposed), len(cves)
	i.PublicExploit = slices.ContainsFunc(cves, publicExploit)
	i.ImpactScore = round(float64(len(exposed))*float64(len(cves))/float64(1+len(s.machines))/10, 8)
}

// exposed are the machines that have the software and lack a fix of it.
func (s *snapshot) exposed(i inventory) []int32 {
	var out []int32
	for _, g := range i.gaps {
		for _, m := range s.gaps[g].lacking {
			if i.has(m) {
				out = append(out, m)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// cves are the distinct CVEs of some gaps, sorted.
func (s *snapshot) cves(gaps []int32) []string {
	var out []string
	for _, g := range gaps {
		out = append(out, s.gaps[g].cves...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// expose sets the machine's exposure level by what it lacks, if it has none.
func (s *snapshot) expose(place int) {
	m := &s.machines[place]
	if m.ExposureLevel != "" {
		return
	}
	switch lacks := len(s.machineGaps[place]); {
	case lacks == 0:
		m.ExposureLevel = "None"
	case lacks < 8:
		m.ExposureLevel = "Low"
	case lacks < 20:
		m.ExposureLevel = "Medium"
	default:
		m.ExposureLevel = "High"
	}
}
