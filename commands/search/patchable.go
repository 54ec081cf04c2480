package search

import (
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
)

// Microsoft begins the id of every software of Microsoft's. Updates with a KB number are Microsoft's alone.
const Microsoft = "microsoft" + cmdline.IDSeparator

// updatesItself is software of Microsoft's that is updated in other ways than by KBs.
var updatesItself = []string{
	Microsoft + "edge_chromium-based", Microsoft + "teams", Microsoft + "onedrive", Microsoft + "visual_studio_code", Microsoft + "365_apps",
}

// maxGaps is how many software ids the index remembers the last answer of.
const maxGaps = 10_000

// maxGapKBs is how many updates of one software it remembers.
const maxGapKBs = 200

// Note remembers which updates of a software were missing when it was last read.
func (x *Index) Note(id string, kbs []api.MissingKB) {
	missing := make([]string, 0, len(kbs))
	for _, kb := range kbs {
		if len(missing) < maxGapKBs && (len(missing) == 0 || missing[len(missing)-1] != kb.ID) {
			missing = append(missing, strings.Clone(kb.ID))
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.gaps == nil || len(x.gaps) >= maxGaps {
		x.gaps = map[string][]string{}
	}
	x.gaps[id] = slices.Clip(missing)
}

// Lacking returns the software that lacked an update when it was last read, sorted.
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

// SortPatchable orders software by whether it can lack KBs, and otherwise keeps its order: first what is known to, then
// Microsoft's, then what is known or likely to lack none, then that of other vendors.
func (x *Index) SortPatchable(software []api.Software) {
	byClass := x.byClass(software, len(software))
	copy(software, slices.Concat(byClass[:]...))
}

// byClass splits software as [Index.SortPatchable] orders it, at most so much for each class.
func (x *Index) byClass(software []api.Software, most int) (classes [4][]api.Software) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range software {
		class := &classes[x.classLocked(s.ID)]
		if len(*class) < most {
			*class = append(*class, s)
		}
	}
	return classes
}

func (x *Index) classLocked(id string) int {
	missing, known := x.gaps[id]
	switch {
	case len(missing) > 0:
		return 0
	case len(id) < len(Microsoft) || !strings.EqualFold(id[:len(Microsoft)], Microsoft):
		return 3
	case known, slices.ContainsFunc(updatesItself, func(other string) bool { return strings.EqualFold(other, id) }):
		return 2
	}
	return 1
}
