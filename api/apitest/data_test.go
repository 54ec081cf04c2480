package apitest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const week = 7 * 24 * time.Hour

// checkCounts checks through the API that what is said of KBs, of machines and
// of software agrees.
func checkCounts(t *testing.T, ten *Tenant) {
	t.Helper()
	lacking := map[string]int{}             // KB and build -> machines that list it
	missing := map[string]map[string]bool{} // machine -> KBs
	for _, m := range rows[machineRead](t, ten, "/api/machines") {
		missing[m.ID] = map[string]bool{}
		for _, k := range rows[kbRead](t, ten, "/api/machines/"+m.ID+"/getmissingkbs") {
			lacking[k.ID+string(k.OSBuild)]++
			missing[m.ID][k.ID] = true
			if k.MachineMissedOn != 1 {
				t.Errorf("%s lacks %s on %d machines, want 1", m.ComputerDNSName, k.ID, k.MachineMissedOn)
			}
		}
	}
	seen := map[string]bool{}
	for _, s := range rows[Software](t, ten, "/api/Software") {
		kbs := rows[kbRead](t, ten, "/api/Software/"+s.ID+"/getmissingkbs")
		for _, k := range kbs {
			seen[k.ID+string(k.OSBuild)] = true
			if want := lacking[k.ID+string(k.OSBuild)]; k.MachineMissedOn != want || want == 0 {
				t.Errorf("%s: KB %s %s is missing on %d machines, but %d machines list it", s.ID, k.ID, k.OSBuild, k.MachineMissedOn, want)
			}
		}
		checkSoftware(t, ten, s, kbs, missing)
	}
	for row := range lacking {
		if !seen[row] {
			t.Errorf("machines list KB %s, no software does", row)
		}
	}
}

func checkSoftware(t *testing.T, ten *Tenant, s Software, kbs []kbRead, missing map[string]map[string]bool) {
	t.Helper()
	installed := rows[machineRead](t, ten, "/api/Software/"+s.ID+"/machineReferences")
	if len(installed) != s.InstalledMachines || s.ExposedMachines > s.InstalledMachines {
		t.Errorf("%s: on %d machines, installed on %d, exposed on %d", s.ID, len(installed), s.InstalledMachines, s.ExposedMachines)
	}
	if open := rows[vulnerability](t, ten, "/api/Software/"+s.ID+"/vulnerabilities"); len(open) != s.Weaknesses {
		t.Errorf("%s: %d vulnerabilities, %d weaknesses", s.ID, len(open), s.Weaknesses)
	}
	sum := 0
	for _, d := range rows[distribution](t, ten, "/api/Software/"+s.ID+"/distributions") {
		sum += d.Installations
	}
	if sum != s.InstalledMachines {
		t.Errorf("%s: distributions add up to %d, installed on %d", s.ID, sum, s.InstalledMachines)
	}
	exposed := 0
	for _, m := range installed {
		if slices.ContainsFunc(kbs, func(k kbRead) bool { return missing[m.ID][k.ID] }) {
			exposed++
		}
	}
	if len(kbs) > 0 && exposed != s.ExposedMachines {
		t.Errorf("%s: %d of its machines lack its KBs, exposed on %d", s.ID, exposed, s.ExposedMachines)
	}
}

func TestCountsAgree(t *testing.T) {
	t.Parallel()
	for seed, later := range map[uint64]time.Duration{1: 0, 1000: 17 * 24 * time.Hour} {
		ten := NewTenant(Options{Seed: seed})
		ten.Advance(later)
		checkCounts(t, ten)
	}
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	microsoft, withKBs, third := 0, 0, 0
	for _, s := range rows[Software](t, ten, "/api/Software") {
		if s.ID != s.Vendor+"-_-"+s.Name {
			t.Errorf("id %q of vendor %q, name %q", s.ID, s.Vendor, s.Name)
		}
		kbs := rows[kbRead](t, ten, "/api/Software/"+s.ID+"/getmissingkbs")
		switch {
		case s.Vendor == "microsoft":
			microsoft++
			withKBs += min(1, len(kbs))
		case s.ID != "contoso-_-markup_tester":
			third++
			if len(kbs) != 0 || s.Weaknesses == 0 {
				t.Errorf("%s: %d KBs, %d weaknesses, want none and some", s.ID, len(kbs), s.Weaknesses)
			}
		}
	}
	if microsoft < 40 || withKBs < 25 || third < 25 {
		t.Errorf("%d Microsoft products (%d with missing KBs), %d others", microsoft, withKBs, third)
	}
	if n := len(rows[kbRead](t, ten, "/api/Software/microsoft-_-windows_10/getmissingkbs")); n < 8 {
		t.Errorf("Windows 10 lacks %d KBs, want a history", n)
	}
}

func TestInventory(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	machines := rows[machineRead](t, ten, "/api/machines")
	ids, names, groups, inactive := map[string]bool{}, map[string]bool{}, map[string]int{}, 0
	for _, m := range machines {
		ids[m.ID], names[strings.ToLower(m.ComputerDNSName)] = true, true
		groups[m.RBACGroupName]++
		if m.HealthStatus == "Inactive" {
			inactive++
		}
		if len(m.ID) != 40 || strings.Trim(m.ID, "0123456789abcdef") != "" {
			t.Errorf("id %q", m.ID)
		}
	}
	if len(machines) < 300 || len(ids) != len(machines) || len(names) != len(machines) || len(groups) != 7 || inactive < 10 {
		t.Errorf("%d machines, %d ids, %d names, %d inactive, groups %v", len(machines), len(ids), len(names), inactive, groups)
	}
}

// picture is everything a client can learn of the data.
func picture(t *testing.T, ten *Tenant) string {
	t.Helper()
	var b strings.Builder
	paths := []string{"/api/Software", "/api/machines", "/api/vulnerabilities"}
	for _, s := range rows[Software](t, ten, "/api/Software") {
		paths = append(paths, "/api/Software/"+s.ID+"/getmissingkbs", "/api/Software/"+s.ID+"/distributions")
	}
	for _, p := range paths {
		fmt.Fprintln(&b, ask(t, ten, p).Body)
	}
	return b.String()
}

func TestSameSeedSameData(t *testing.T) {
	t.Parallel()
	one, same, other := NewTenant(Options{}), NewTenant(Options{Seed: 1}), NewTenant(Options{Seed: 2})
	if diff := cmp.Diff(picture(t, one), picture(t, same)); diff != "" {
		t.Errorf("same seed (-one +same):\n%s", diff)
	}
	if picture(t, one) == picture(t, other) {
		t.Error("another seed gives the same data")
	}
	for range 5 {
		one.Advance(4 * 24 * time.Hour)
	}
	same.Advance(20 * 24 * time.Hour)
	if diff := cmp.Diff(picture(t, one), picture(t, same)); diff != "" {
		t.Errorf("twenty days (-in steps +at once):\n%s", diff)
	}
}

func TestNumbersMeetNowhere(t *testing.T) {
	t.Parallel()
	b := newBuiltIn(7, Options{}.withDefaults().Start)
	kbs, cves := map[string]string{}, map[string]string{}
	for at := range 14 {
		for _, u := range b.until(b.start.AddDate(0, at, 0)) {
			l := b.lines[u.line]
			for _, cve := range u.cves {
				claim(t, cves, cve, l.vendor+" "+l.family+" "+u.month.String())
			}
			if l.kb {
				claim(t, kbs, u.kb.ID, fmt.Sprint(u.line, u.kb.Name))
			}
		}
	}
}

func claim(t *testing.T, owners map[string]string, what, owner string) {
	t.Helper()
	if have, taken := owners[what]; taken && have != owner {
		t.Errorf("%s belongs to %s and to %s", what, have, owner)
	}
	owners[what] = owner
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	kbs := Generate(1000)
	if diff := cmp.Diff(kbs, Generate(1000)); diff != "" {
		t.Errorf("not the same twice:\n%s", diff)
	}
	ids := map[string]bool{}
	for i, k := range kbs {
		ids[k.ID] = true
		if k.MachineMissedOn != 1000-i || k.CVEAddressed < 1 || k.URL == "" || !strings.HasSuffix(k.Name, " Security Updates") {
			t.Fatalf("row %d: %+v", i, k)
		}
	}
	if len(ids) != 1000 || len(Generate(0)) != 0 {
		t.Errorf("%d ids of 1000", len(ids))
	}
}
