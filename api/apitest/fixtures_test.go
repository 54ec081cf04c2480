package apitest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func values(t *testing.T, ten *Tenant, path string) string {
	t.Helper()
	w := ask(t, ten, path)
	_, list, _ := strings.Cut(w.Body.String(), `"value":`)
	return strings.TrimSuffix(list, "}")
}

func TestPutSoftware(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{Empty: true})
	ten.PutSoftware(Software{ID: "v-_-n", Name: "n", Vendor: "v", Weaknesses: 7, ExposedMachines: 5, InstalledMachines: 9, ImpactScore: 0.5},
		KB{ID: "1", Name: "one", OSBuild: 19045, ProductsNames: []string{"n"}, URL: "https://u.test", MachineMissedOn: 5, CVEAddressed: 2},
		KB{ID: "KB2", Name: "two", OSBuild: "22631.4037", MachineMissedOn: 1},
		KB{ID: "3", Name: "three", OSBuild: Null{}, ProductsNames: []string{}},
		KB{ID: "1", Name: "one", OSBuild: 17763, CVEAddressed: 2},
	)
	want := `[{"id":"1","name":"one","osBuild":19045,"productsNames":["n"],"url":"https://u.test","machineMissedOn":5,"cveAddressed":2},` +
		`{"id":"KB2","name":"two","osBuild":"22631.4037","productsNames":null,"url":null,"machineMissedOn":1,"cveAddressed":0},` +
		`{"id":"3","name":"three","osBuild":null,"productsNames":[],"url":null,"machineMissedOn":0,"cveAddressed":0},` +
		`{"id":"1","name":"one","osBuild":17763,"productsNames":null,"url":null,"machineMissedOn":0,"cveAddressed":2}]`
	for range 2 {
		if diff := cmp.Diff(want, values(t, ten, "/api/Software/v-_-n/getmissingkbs")); diff != "" {
			t.Errorf("KBs (-want +got):\n%s", diff)
		}
		got := rows[Software](t, ten, "/api/Software")
		if len(got) != 1 || got[0].Weaknesses != 7 || got[0].ExposedMachines != 5 || got[0].InstalledMachines != 9 || got[0].ImpactScore != 0.5 {
			t.Errorf("software %+v", got)
		}
		ten.Advance(10 * week)
	}
}

func TestTypesEncodeAsSent(t *testing.T) {
	t.Parallel()
	_, edge := EdgeExample()
	got, err := json.Marshal([]any{edge, Machine{ID: "m", OSBuild: 19045}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`[{"id":"4540673","name":"March 2020 Security Updates","productsNames":["edge"],`, `{"id":"m","mergedIntoMachineId":null,`, `"osBuild":19045,`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s has no %s", got, want)
		}
	}
}

func TestPutReplaces(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	before := len(rows[Software](t, ten, "/api/Software"))
	for _, id := range []string{"microsoft-_-windows_10", "microsoft-_-windows_10"} {
		ten.PutSoftware(Software{ID: id, Name: "windows_10", Vendor: "microsoft"}, KB{ID: "9"})
	}
	if got := values(t, ten, "/api/Software/microsoft-_-windows_10/getmissingkbs"); !strings.HasPrefix(got, `[{"id":"9"`) || strings.Count(got, `"id"`) != 1 {
		t.Errorf("KBs %s", got)
	}
	for _, m := range []string{"plant-pc-01", "desk-sto-01", "kiosk-01"} {
		for _, k := range rows[kbRead](t, ten, "/api/machines/"+m+"/getmissingkbs") {
			if cmp.Equal(k.ProductsNames, []string{"windows_10"}) {
				t.Errorf("%s still lacks %s", m, k.ID)
			}
		}
	}
	for _, path := range []string{"/api/vulnerabilities", "/api/vulnerabilities/machinesVulnerabilities"} {
		if w := ask(t, ten, path); w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if after := len(rows[Software](t, ten, "/api/Software")); after != before {
		t.Errorf("%d software, before %d", after, before)
	}
	ten.PutSoftware(Software{ID: "microsoft-_-windows_10"})
	if got := values(t, ten, "/api/Software/microsoft-_-windows_10/getmissingkbs"); got != "[]" {
		t.Errorf("KBs %s, want []", got)
	}
}

func TestPutMachine(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{Empty: true})
	if w := ask(t, ten, "/api/machines"); w.Code != http.StatusNotFound {
		t.Errorf("no machine at all: %d, want 404", w.Code)
	}
	ten.PutSoftware(Software{ID: "v-_-n", Name: "n", Vendor: "v"},
		KB{ID: "1", OSBuild: 19045, MachineMissedOn: 1}, KB{ID: "1", OSBuild: 17763}, KB{ID: "2", MachineMissedOn: 40, CVEAddressed: 3})
	seen := time.Date(2026, 11, 22, 8, 7, 6, 500, time.UTC)
	for i, build := range []int{19045, 17763, 17763, 0} {
		ten.PutMachine(Machine{ID: strconv.Itoa(i), ComputerDNSName: "pc-" + strconv.Itoa(i), OSBuild: build, LastSeen: seen, HealthStatus: "Active"}, "1", "2", "404")
	}
	got := map[string]int{}
	for _, k := range rows[kbRead](t, ten, "/api/Software/v-_-n/getmissingkbs") {
		got[k.ID+" "+string(k.OSBuild)] = k.MachineMissedOn
	}
	// The machine without a build counts with the first row.
	if diff := cmp.Diff(map[string]int{"1 19045": 2, "1 17763": 2, "2 ": 40}, got); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
	if got := values(t, ten, "/api/machines/pc-1/getmissingkbs"); strings.Count(got, `"id"`) != 2 || !strings.Contains(got, `"osBuild":17763`) {
		t.Errorf("pc-1 lacks %s", got)
	}
	if got := rows[Software](t, ten, "/api/machines/pc-1/software"); len(got) != 1 {
		t.Errorf("pc-1 has %v", got)
	}
	if got := ask(t, ten, "/api/machines/pc-1").Body.String(); !strings.Contains(got, `"lastSeen":"2026-11-22T08:07:06.0000005Z"`) || !strings.Contains(got, `"firstSeen":null`) || !strings.Contains(got, `"machineTags":[]`) {
		t.Errorf("pc-1: %s", got)
	}
	ten.PutMachine(Machine{ID: "1", ComputerDNSName: "renamed"})
	if got := values(t, ten, "/api/machines/renamed/getmissingkbs"); got != "[]" {
		t.Errorf("replaced, it lacks %s", got)
	}
	if w := ask(t, ten, "/api/machines/pc-1"); w.Code != http.StatusNotFound {
		t.Errorf("by its old name: %d, want 404", w.Code)
	}
	if got := rows[machineRead](t, ten, "/api/machines"); len(got) != 4 {
		t.Errorf("machines %v", got)
	}
}

func TestPutMachineBesideBuiltIn(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	ten.PutMachine(Machine{ID: "extra", ComputerDNSName: "extra"}, "4540673")
	if got := rows[kbRead](t, ten, edgeKBs)[0].MachineMissedOn; got != 241 {
		t.Errorf("edge's KB is missing on %d machines, want 241", got)
	}
	if got := len(rows[machineRead](t, ten, "/api/machines/extra/getmissingkbs")); got != 1 {
		t.Errorf("extra lacks %d KBs, want 1", got)
	}
	if other := rows[kbRead](t, NewTenant(Options{}), edgeKBs)[0].MachineMissedOn; other != 240 {
		t.Errorf("another tenant has %d", other)
	}
}

func TestFixtureIsNotShared(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{Empty: true})
	kbs := Generate(2)
	ten.PutSoftware(Software{ID: "v-_-n"}, kbs...)
	kbs[0].ID = "changed"
	ten.Advance(time.Hour)
	if strings.Contains(values(t, ten, "/api/Software/v-_-n/getmissingkbs"), "changed") {
		t.Error("a change of the caller's slice is seen")
	}
}

func TestManyKBs(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{Empty: true})
	ten.PutSoftware(Software{ID: "v-_-n", Name: "n", Vendor: "v"}, Generate(3_000)...)
	if got := len(rows[kbRead](t, ten, "/api/Software/v-_-n/getmissingkbs")); got != 3_000 {
		t.Errorf("%d KBs", got)
	}
}
