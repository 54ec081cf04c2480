package commands

import (
	"cmp"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/api"
)

// microsoft begins the id of every software of Microsoft's. Updates with a KB number are Microsoft's alone.
const microsoft = "microsoft" + idSeparator

// updatesItself is software of Microsoft's that is updated in other ways than by KBs.
var updatesItself = []string{
	microsoft + "edge_chromium-based", microsoft + "teams", microsoft + "onedrive", microsoft + "visual_studio_code", microsoft + "365_apps",
}

// maxGaps is how many software ids the index remembers the last answer of.
const maxGaps = 10_000

// note remembers whether updates of a software were missing when it was last looked at.
func (x *Index) note(id string, kbs []api.MissingKB) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.gaps == nil || len(x.gaps) >= maxGaps {
		x.gaps = map[string]bool{}
	}
	x.gaps[id] = len(kbs) > 0
}

// patchableFirst orders software by whether it can lack KBs, and otherwise keeps its order: first what is known to, then
// Microsoft's, then what is known or likely to lack none, then that of other vendors.
func (x *Index) patchableFirst(software []api.Software) {
	x.mu.Lock()
	defer x.mu.Unlock()
	class := func(s api.Software) int {
		missing, known := x.gaps[s.ID]
		switch {
		case missing:
			return 0
		case !strings.HasPrefix(strings.ToLower(s.ID), microsoft):
			return 3
		case known, slices.Contains(updatesItself, strings.ToLower(s.ID)):
			return 2
		}
		return 1
	}
	slices.SortStableFunc(software, func(a, b api.Software) int { return cmp.Compare(class(a), class(b)) })
}
