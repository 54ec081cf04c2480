package apitest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPatchTuesday(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ month, want string }{
		{"2026-09", "2026-09-08"}, // the month begins on a Tuesday
		{"2026-11", "2026-11-10"},
		{"2026-12", "2026-12-08"},
		{"2027-01", "2027-01-12"},
		{"2027-09", "2027-09-14"}, // the month begins on a Wednesday
	} {
		at, err := time.Parse("2006-01", c.month)
		if err != nil {
			t.Fatal(err)
		}
		if got := monthOf(at).patchTuesday().Format(time.DateOnly); got != c.want {
			t.Errorf("%s: %s, want %s", c.month, got, c.want)
		}
	}
}

// counts is how many machines lack each KB of the software, by KB and build.
func counts(t *testing.T, ten *Tenant, id string) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, k := range rows[kbRead](t, ten, "/api/Software/"+id+"/getmissingkbs") {
		out[k.ID+" "+string(k.OSBuild)+" "+k.Name] = k.MachineMissedOn
	}
	return out
}

// TestHalfAYear walks more than 26 weeks, from Wednesday to Wednesday: what is
// there shrinks, what is new comes on Patch Tuesdays, the example stays.
func TestHalfAYear(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	begin, edge := ten.Now(), ask(t, ten, edgeKBs).Body.String()
	before := counts(t, ten, "microsoft-_-windows_10")
	var days, months []string
	for step := 2 * 24 * time.Hour; ten.Now().Before(begin.Add(27 * week)); step = week {
		ten.Advance(step)
		now := counts(t, ten, "microsoft-_-windows_10")
		fresh := ""
		for kb, n := range now {
			if old, known := before[kb]; known && n > old {
				t.Errorf("%s: %s grew from %d to %d machines", ten.Now().Format(time.DateOnly), kb, old, n)
			} else if !known {
				fresh = kb
			}
		}
		if fresh != "" {
			days = append(days, ten.Now().Format(time.DateOnly))
			months = append(months, strings.Join(strings.Fields(fresh)[2:4], " "))
		}
		before = now
	}
	wantDays := []string{"2026-12-09", "2027-01-13", "2027-02-10", "2027-03-10", "2027-04-14", "2027-05-12"}
	wantMonths := []string{"December 2026", "January 2027", "February 2027", "March 2027", "April 2027", "May 2027"}
	if diff := cmp.Diff([][]string{wantDays, wantMonths}, [][]string{days, months}); diff != "" {
		t.Errorf("new KBs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(edge, ask(t, ten, edgeKBs).Body.String()); diff != "" {
		t.Errorf("edge changed (-before +after):\n%s", diff)
	}
	checkCounts(t, ten)
}

func TestNumbersGrow(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	last := 0
	for range 7 {
		newest := 0
		for kb := range counts(t, ten, "microsoft-_-windows_server_2022") {
			n := 0
			if _, err := fmt.Sscan(kb, &n); err != nil {
				t.Fatal(err)
			}
			newest = max(newest, n)
		}
		if newest < last || newest < 5_070_000 || newest > 5_079_998 {
			t.Errorf("%s: newest KB %d, before %d", ten.Now().Format(time.DateOnly), newest, last)
		}
		last = newest
		ten.Advance(4 * week)
	}
}

func TestOutOfBandIsSuperseded(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{Start: time.Date(2026, time.November, 18, 9, 0, 0, 0, time.UTC)})
	for _, c := range []struct {
		days int
		want bool
		why  string
	}{
		{0, false, "on the 18th it is not out"},
		{2, true, "it came on the 19th"},
		{18, true, "on December 8 at nine its successor is not out"},
		{1, false, "December's updates supersede it"},
		{7, false, "it does not come back"},
	} {
		ten.Advance(time.Duration(c.days) * 24 * time.Hour)
		got := false
		for kb := range counts(t, ten, "microsoft-_-windows_11") {
			got = got || strings.Contains(kb, "November 2026 Out-of-band")
		}
		if got != c.want {
			t.Errorf("%s: listed %v: %s", ten.Now().Format(time.DateOnly), got, c.why)
		}
	}
}

// TestOneGroupLags looks at who still lacks October's updates in November.
func TestOneGroupLags(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	late := map[string]int{}
	for _, m := range rows[machineRead](t, ten, "/api/machines?$filter=startswith(osPlatform,'Windows')") {
		for _, k := range rows[kbRead](t, ten, "/api/machines/"+m.ID+"/getmissingkbs") {
			if k.Name == "October 2026 Security Updates" && slices.Contains(k.ProductsNames, "windows_10") {
				late[m.RBACGroupName]++
			}
		}
	}
	if others := late["Office Workstations"] + late["Field Laptops"] + late["Servers"]; late["Factory Floor"] < 3*others || late["Pilot Ring"] != 0 {
		t.Errorf("still without October's updates: %v", late)
	}
}

// TestUpdatesAreCumulative gives a device a hundred updates, an hour apart: as
// it takes each after a time of its own, it would skip some if a later one did
// not bring them.
func TestUpdatesAreCumulative(t *testing.T) {
	t.Parallel()
	d := &device{key: 1, pace: .5, median: 4}
	begin := time.Date(2026, time.November, 10, 18, 0, 0, 0, time.UTC)
	updates := make([]update, 100)
	for i := range updates {
		updates[i] = update{seq: uint64(i), released: begin.Add(time.Duration(i) * time.Hour)}
	}
	out := make([][]int32, len(updates))
	lackOf(updates, out, 7, d, begin.AddDate(0, 0, 5))
	lacks := slices.IndexFunc(out, func(l []int32) bool { return l != nil })
	if lacks <= 0 {
		t.Fatalf("the first one it lacks is %d, want some before and some after", lacks)
	}
	for i := range out {
		if want := i >= lacks; want != slices.Equal(out[i], []int32{7}) {
			t.Errorf("update %d is lacked by %v, the first one lacked is %d", i, out[i], lacks)
		}
	}
}

// TestSilentDevicesTakeNothing checks that a device that fell silent before a
// Patch Tuesday lacks its updates, until the device is forgotten.
func TestSilentDevicesTakeNothing(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	november := monthOf(ten.Now())
	silent := 0
	for _, m := range rows[Machine](t, ten, "/api/machines?$filter=startswith(osPlatform,'Windows')") {
		if m.LastSeen.After(november.patchTuesday()) || ten.Now().Sub(m.LastSeen) > silentDays*24*time.Hour {
			continue
		}
		silent++
		if !slices.ContainsFunc(rows[kbRead](t, ten, "/api/machines/"+m.ID+"/getmissingkbs"), func(k kbRead) bool {
			return k.Name == november.String()+" Security Updates" && strings.HasPrefix(k.ProductsNames[0], "windows_")
		}) {
			t.Errorf("%s, last seen %v, has November's updates", m.ComputerDNSName, m.LastSeen)
		}
	}
	if silent == 0 {
		t.Error("no device fell silent in time")
	}
}

func TestSilentDevicesAreForgotten(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	silent := func() (lacking, forgotten int) {
		for _, m := range rows[machineRead](t, ten, "/api/machines?$filter=healthStatus%20eq%20'Inactive'") {
			if len(rows[kbRead](t, ten, "/api/machines/"+m.ID+"/getmissingkbs")) > 0 {
				lacking++
			} else {
				forgotten++
			}
		}
		return lacking, forgotten
	}
	lacking, forgotten := silent()
	if lacking < 5 || forgotten < 5 {
		t.Errorf("%d silent devices count, %d do not; want some of each", lacking, forgotten)
	}
	ten.Advance(5 * week)
	if still, all := silent(); still != 0 || all != lacking+forgotten {
		t.Errorf("five weeks later %d of %d still count", still, all)
	}
}

func TestAdvanceGoesOneWay(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	begin := ten.Now()
	if want := time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC); !begin.Equal(want) {
		t.Errorf("the clock begins at %v, want %v", begin, want)
	}
	ten.Advance(-time.Hour)
	ten.Advance(0)
	if !ten.Now().Equal(begin) {
		t.Errorf("the clock went back to %v", ten.Now())
	}
	ten.Advance(time.Hour)
	if got := ten.Now().Sub(begin); got != time.Hour {
		t.Errorf("the clock went on by %v, want 1h", got)
	}
}

func TestLastSeenFollowsTheClock(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	ten.Advance(10 * week)
	for _, m := range ten.data.Load().machines {
		age := ten.Now().Sub(m.LastSeen)
		if age < 0 || (age > 7*24*time.Hour) != (m.HealthStatus == "Inactive") {
			t.Errorf("%s: %s, last seen %v ago", m.ComputerDNSName, m.HealthStatus, age)
		}
	}
}
