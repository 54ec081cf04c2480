package search

import (
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
)

// Microsoft begins the ids of all of Microsoft's software. Only Microsoft's updates have KB numbers.
const Microsoft = "microsoft" + cmdline.IDSeparator

// updatesItself lists software of Microsoft's that is not updated by KBs.
var updatesItself = []string{
	Microsoft + "edge_chromium-based", Microsoft + "teams", Microsoft + "onedrive", Microsoft + "visual_studio_code", Microsoft + "365_apps",
}

// maxGaps is how many software ids the index remembers the last answer of.
const maxGaps = 10_000

// maxGapKBs is how many updates of one software it remembers.
const maxGapKBs = 200

// Note records which updates of a software were missing at the last reading.
func (x *Index) Note(id string, kbs []api.MissingKB) {
	missing := make([]string, 0, min(len(kbs), maxGapKBs))
	for _, kb := range kbs {
		if len(missing) == maxGapKBs {
			break
		}
		if len(missing) == 0 || missing[len(missing)-1] != kb.ID {
			missing = append(missing, strings.Clone(kb.ID))
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.gaps == nil || len(x.gaps) >= maxGaps {
		x.gaps = map[string][]string{}
	}
	x.gaps[id] = missing
}

// Lacking returns the software that missed an update at its last reading, sorted.
func (x *Index) Lacking(kb string) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var ids []string
	for id, missing := range x.gaps {
		if slices.Contains(missing, kb) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// classes counts the classes of software by whether KBs can be missing: known to, Microsoft's, known or likely not to,
// other vendors'.
const classes = 4

// SortPatchable sorts software by class and otherwise keeps its order.
func (x *Index) SortPatchable(software []api.Software) {
	var byClass [classes][]api.Software
	for _, s := range software {
		class := x.class(s.ID)
		byClass[class] = append(byClass[class], s)
	}
	copy(software, slices.Concat(byClass[:]...))
}

// class returns the class of a software, 0 for the most likely to miss KBs.
func (x *Index) class(id string) int {
	if len(id) < len(Microsoft) || !strings.EqualFold(id[:len(Microsoft)], Microsoft) {
		if x.gap(id) > 0 {
			return 0
		}
		return 3
	}
	switch gap := x.gap(id); {
	case gap > 0:
		return 0
	case gap == 0, slices.ContainsFunc(updatesItself, func(other string) bool { return strings.EqualFold(other, id) }):
		return 2
	}
	return 1
}

// gap returns how many updates were missing at the last reading; -1 without one.
func (x *Index) gap(id string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	missing, known := x.gaps[id]
	if !known {
		return -1
	}
	return len(missing)
}

// lacking returns software that missed updates at its last reading, in list order.
func (x *Index) lacking(l *list) []int32 {
	x.mu.Lock()
	defer x.mu.Unlock()
	var places []int32
	for id, missing := range x.gaps {
		if at, ok := l.byExactID(id); ok && len(missing) > 0 {
			places = append(places, at)
		}
	}
	slices.Sort(places)
	return places
}
