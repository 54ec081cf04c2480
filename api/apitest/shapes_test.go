package apitest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEdgeExample(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	_, body, err := get(t, s, "/api/Software/microsoft-_-edge/getmissingkbs")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"@odata.context":"` + s.URL + `/api/$metadata#Collection(microsoft.windowsDefenderATP.api.PublicProductFixDto)",` +
		`"value":[{"id":"4540673","name":"March 2020 Security Updates","productsNames":["edge"],` +
		`"url":"https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673","machineMissedOn":240,"cveAddressed":14}]}`
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Errorf("edge (-want +got):\n%s", diff)
	}
}

// The fields of each kind of row, as Defender's pages and live rows have them.
const (
	softwareKeys  = "activeAlert category distributions exposedMachines id impactScore installedMachines isNormalized name publicExploit vendor weaknesses"
	kbKeys        = "cveAddressed id machineMissedOn name osBuild productsNames url"
	referenceKeys = "computerDnsName id osPlatform rbacGroupId rbacGroupName"
	machineKeys   = "aadDeviceId agentVersion computerDnsName deviceValue exclusionReason exposureLevel firstSeen healthStatus id ipAddresses " +
		"isAadJoined isExcluded isPotentialDuplication lastExternalIpAddress lastIpAddress lastSeen machineTags managedBy managedByStatus " +
		"mergedIntoMachineId onboardingStatus osArchitecture osBuild osPlatform osProcessor osVersion rbacGroupId rbacGroupName riskScore version vmMetadata"
	vulnerabilityKeys = "cveSupportability cvssV3 description epss exploitInKit exploitTypes exploitUris exploitVerified exposedMachines " +
		"id name publicExploit publishedOn severity tags updatedOn"
	assetKeys = "cveId fixingKbId id machineId productName productVendor productVersion severity"
)

func TestShapes(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	cve := ten.data.Load().vulnerabilities()[0].ID
	for _, c := range []struct{ path, of, keys string }{
		{"/api/Software", "Software", softwareKeys},
		{"/api/v1.0/SOFTWARE?$top=2", "Software", softwareKeys},
		{"/api/Software/microsoft-_-windows_10", "Software/$entity", softwareKeys},
		{"/api/Software/microsoft-_-windows_10/getmissingkbs", ofFixes, kbKeys},
		{"/api/software/microsoft-_-windows_10/GetMissingKBs", ofFixes, kbKeys},
		{"/api/Software/microsoft-_-windows_10/distributions", "Distributions", "installations version vulnerabilities"},
		{"/api/Software/microsoft-_-windows_10/machineReferences", "MachineReferences", referenceKeys},
		{"/api/Software/microsoft-_-windows_10/vulnerabilities", ofFound, vulnerabilityKeys},
		{"/api/machines", "Machines", machineKeys},
		{"/api/machines/desk-sto-01", "Machines/$entity", machineKeys},
		{"/api/machines/plant-pc-01/getmissingkbs", ofFixes, kbKeys},
		{"/api/machines/plant-pc-01/software", "Software", softwareKeys},
		{"/api/machines/plant-pc-01/vulnerabilities", ofFound, vulnerabilityKeys},
		{"/api/vulnerabilities", "Vulnerabilities", vulnerabilityKeys},
		{"/api/vulnerabilities/" + cve, "Vulnerabilities/$entity", vulnerabilityKeys},
		{"/api/vulnerabilities/" + cve + "/machineReferences", "MachineReferences", referenceKeys},
		{"/api/vulnerabilities/machinesVulnerabilities?$top=5", ofAssets, assetKeys},
	} {
		t.Run(c.path, func(t *testing.T) {
			t.Parallel()
			w := ask(t, ten, c.path)
			if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json;") {
				t.Fatalf("%d %s %s", w.Code, w.Header().Get("Content-Type"), w.Body)
			}
			context, first := firstRow(t, w.Body.Bytes())
			if want := "https://defender.test/api/$metadata#" + c.of; context != want {
				t.Errorf("context %q, want %q", context, want)
			}
			if diff := cmp.Diff(strings.Fields(c.keys), slices.Sorted(maps.Keys(first))); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

// firstRow is the first of a list, or the single object.
func firstRow(t *testing.T, body []byte) (context string, row map[string]any) {
	t.Helper()
	var p struct {
		Context string `json:"@odata.context"`
		Value   []map[string]any
	}
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatal(err)
	}
	if p.Value == nil {
		if err := json.Unmarshal(body, &row); err != nil {
			t.Fatal(err)
		}
		delete(row, "@odata.context")
		return p.Context, row
	}
	if len(p.Value) == 0 {
		return p.Context, nil
	}
	return p.Context, p.Value[0]
}

// TestLoose looks for each oddity that clients have to bear.
func TestLoose(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	builds, ids := map[string]int{}, map[string]int{}
	noURL, prefixed := 0, 0
	for _, s := range rows[Software](t, ten, "/api/Software") {
		for _, k := range rows[kbRead](t, ten, "/api/Software/"+s.ID+"/getmissingkbs") {
			switch b := string(k.OSBuild); {
			case b == "":
				builds["absent"]++
			case b == "null":
				builds["null"]++
			case b[0] == '"' && strings.Contains(b, "."):
				builds["text"]++
			default:
				builds["number"]++
			}
			if k.URL == nil {
				noURL++
			}
			if strings.HasPrefix(k.ID, "KB") {
				prefixed++
			}
			ids[s.ID+k.ID]++
		}
	}
	for _, kind := range []string{"absent", "null", "text", "number"} {
		if builds[kind] == 0 {
			t.Errorf("no row whose osBuild is %s", kind)
		}
	}
	if noURL == 0 || prefixed == 0 {
		t.Errorf("rows without url: %d, with KB prefix: %d, want some of each", noURL, prefixed)
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(ids)), func(n int) bool { return n > 1 }) {
		t.Error("no id comes twice with different builds")
	}
}

func TestMarkupIsSentAsItIs(t *testing.T) {
	t.Parallel()
	w := ask(t, NewTenant(Options{}), "/api/Software/contoso-_-markup_tester/getmissingkbs")
	if !strings.Contains(w.Body.String(), "<!channel> & *bold*") {
		t.Errorf("got %s", w.Body)
	}
}

func TestNullsAndTimes(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	_, m := firstRow(t, ask(t, ten, "/api/machines/rhel-01").Body.Bytes())
	if m["osBuild"] != nil || m["rbacGroupName"] != nil || m["mergedIntoMachineId"] != nil {
		t.Errorf("Linux machine: osBuild %v, rbacGroupName %v, want null", m["osBuild"], m["rbacGroupName"])
	}
	if seen, _ := m["lastSeen"].(string); len(seen) != len("2018-08-02T14:55:03.7791856Z") {
		t.Errorf("lastSeen %q, want seven decimals", seen)
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	for _, c := range []struct{ path, code, message string }{
		{"/api/Software/microsoft%20edge/machineReferences", "ResourceNotFound", "Software microsoft edge was not found"},
		{"/api/Software/a%2Fb/getmissingkbs", "ResourceNotFound", "Software a/b was not found"},
		{"/api/Software/%2541/getmissingkbs", "ResourceNotFound", "Software %41 was not found"},
		{"/api/Software/../getmissingkbs", "ResourceNotFound", "Software .. was not found"},
		{"/api/machines/nobody", "ResourceNotFound", "Machine nobody was not found"},
		{"/api/vulnerabilities/CVE-1999-1", "ResourceNotFound", "Vulnerability CVE-1999-1 was not found"},
		{"/api/machine", "NotFound", "No resource was found at /api/machine"},
		{"/api/Software/", "NotFound", "No resource was found at /api/Software/"},
		{"/api", "NotFound", "No resource was found at /api/"},
	} {
		w := ask(t, ten, c.path)
		code, message, target := failed(t, w)
		if w.Code != http.StatusNotFound || code != c.code || message != c.message || !strings.HasPrefix(target, "|") {
			t.Errorf("%s: %d %s %q target %q, want 404 %s %q", c.path, w.Code, code, message, target, c.code, c.message)
		}
	}
}

func TestNamesOfMachinesInAnyCase(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	for _, name := range []string{"CNC-01", "cnc-01", "web-01.corp.contoso.com", "WEB-01.CORP.CONTOSO.COM"} {
		if w := ask(t, ten, "/api/machines/"+name); w.Code != http.StatusOK {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if w := ask(t, ten, "/api/Software/Microsoft-_-Edge"); w.Code != http.StatusNotFound {
		t.Errorf("a software id in capitals: %d, want 404", w.Code)
	}
}
