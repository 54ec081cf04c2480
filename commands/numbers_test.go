package commands_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Whatever a software lacks and whatever is asked for, the numbers of an answer fit together in every form: the lead counts
// the KBs that pass the filter, by the devices of all their OS builds, and no filter makes a gap look like none.
func TestAnswersCountKBs(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	at := 0
	rapid.Check(t, func(rt *rapid.T) {
		at++
		id := fmt.Sprintf("microsoft-_-product_%d", at)
		devices, cves := map[string]int{}, map[string]int{}
		rows := 0
		var kbs []apitest.KB
		for kb := range 5 {
			for build := range 3 {
				if rapid.IntRange(0, 2).Draw(rt, "missing") > 0 {
					continue
				}
				k := apitest.KB{ID: strconv.Itoa(5000001 + kb), Name: "n", OSBuild: 26100 + build, MachineMissedOn: rapid.IntRange(1, 40).Draw(rt, "devices"), CVEAddressed: rapid.IntRange(0, 9).Draw(rt, "CVEs")}
				kbs, rows = append(kbs, k), rows+1
				devices["KB"+k.ID] += k.MachineMissedOn
				cves["KB"+k.ID] = max(cves["KB"+k.ID], k.CVEAddressed)
			}
		}
		n.PutSoftware(apitest.Software{ID: id, Vendor: "microsoft"}, kbs...)
		minDevices, minCVEs, allRows := rapid.SampledFrom([]int{0, 20, 200}).Draw(rt, "min-devices"), rapid.IntRange(0, 9).Draw(rt, "min-cves"), rapid.Bool().Draw(rt, "all-rows")
		line := fmt.Sprintf("%s --min-devices %d --min-cves %d --sort %s", id, minDevices, minCVEs, rapid.SampledFrom([]string{"devices", "cves", "kb"}).Draw(rt, "sort"))
		if allRows {
			line += " --all-rows"
		}
		shown, largest := map[string]int{}, 0
		for kb, d := range devices {
			if d >= minDevices && cves[kb] >= minCVEs {
				shown[kb], largest = d, max(largest, d)
			}
		}
		page := n.page(t, line)
		want := fmt.Sprintf("%s missing, ", view.Count(len(shown), "update"))
		switch {
		case len(devices) == 0:
			want = "No missing updates"
		case len(shown) == 0:
			want = "No missing update passes your filter; " + strconv.Itoa(len(devices))
		}
		if !strings.HasPrefix(page.Lead, want) || largest > 0 && !strings.Contains(page.Lead, "on "+view.Count(largest, "device")) {
			rt.Fatalf("%s: %q, want %q and %d devices", line, page.Lead, want, largest)
		}
		if hidden := len(devices) - len(shown); len(shown) > 0 && hidden > 0 != strings.Contains(page.Lead, fmt.Sprintf("; %d more hidden by your filter", hidden)) {
			rt.Fatalf("%s: %q, want %d hidden", line, page.Lead, hidden)
		}
		sums, listed := sumsOf(rt, page)
		if fmt.Sprint(sums) != fmt.Sprint(shown) || !allRows && listed != len(shown) {
			rt.Fatalf("%s: %d rows add up to %v, want %v", line, listed, sums, shown)
		}
	})
}

// sumsOf are the devices of each KB over all rows of the JSON of an answer, and how many rows there are.
func sumsOf(t *rapid.T, page view.Page) (sums map[string]int, rows int) {
	var raw strings.Builder
	if err := view.WriteJSON(&raw, page); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Tables []struct {
			Rows []struct {
				KB      string
				Devices int
			}
		}
	}
	if err := json.Unmarshal([]byte(raw.String()), &doc); err != nil {
		t.Fatal(err)
	}
	sums = map[string]int{}
	for _, table := range doc.Tables {
		for _, r := range table.Rows {
			sums[r.KB] += r.Devices
			rows++
		}
	}
	return sums, rows
}
