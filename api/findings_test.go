package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func findingRow(machine, cve, severity, product, kb string) map[string]any {
	row := map[string]any{"machineId": machine, "cveId": cve, "severity": severity, "productVendor": "microsoft", "productName": product, "productVersion": "10.0.1", "fixingKbId": nil}
	if kb != "" {
		row["fixingKbId"] = kb
	}
	return row
}

func pageOf(rows any) string {
	b, err := json.Marshal(map[string]any{"@odata.context": "https://x/$metadata#y", "value": rows})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestFindings(t *testing.T) {
	t.Parallel()
	rows := []map[string]any{
		findingRow("m1", "CVE-1", "Low", "windows_11", "500"),
		findingRow("m1", "CVE-1", "Low", "windows_11", "500"), // the same again, of another version
		findingRow("m2", "CVE-1", "High", "windows_11", "KB500"),
		findingRow("m2", "CVE-2", "Critical", "edge", ""),
		{"machineId": "", "cveId": "CVE-3"}, // not a row
		{"machineId": "m3", "cveId": 7},
	}
	got, err := serve(t, respond(pageOf(rows))).client(t).KBFindings(t.Context(), "500")
	if err != nil {
		t.Fatal(err)
	}
	want := Findings{
		Rows:     4,
		Devices:  []DeviceFindings{{"m2", 2}, {"m1", 1}},
		CVEs:     []CVEFindings{{"CVE-2", "Critical", 1}, {"CVE-1", "High", 2}},
		Products: []ProductFindings{{"microsoft", "windows_11", 2}, {"microsoft", "edge", 1}},
		KBs:      []KBFindings{{"500", 2}, {"", 1}},
	}
	if diff := cmp.Diff(want, got.Value); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if got.Skipped != 2 {
		t.Errorf("%d rows left out, want 2", got.Skipped)
	}
}

// What a caller changes in an answer is not changed in memory.
func TestFindingsAreCopied(t *testing.T) {
	t.Parallel()
	c := serve(t, respond(pageOf([]any{findingRow("m1", "CVE-1", "Low", "x", "1")}))).client(t)
	first, err := c.KBFindings(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	v := first.Value
	v.Devices[0].MachineID, v.CVEs[0].ID, v.Products[0].Name, v.KBs[0].ID = "", "", "", ""
	second, err := c.KBFindings(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	want := Findings{1, false, []DeviceFindings{{"m1", 1}}, []CVEFindings{{"CVE-1", "Low", 1}}, []ProductFindings{{"microsoft", "x", 1}}, []KBFindings{{"1", 1}}}
	if diff := cmp.Diff(want, second.Value); diff != "" {
		t.Errorf("second answer (-want +got):\n%s", diff)
	}
}

// large serves n findings of one update, in pages as Defender does: no link where $top was given.
func large(n int, linked bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		skip, _ := strconv.Atoi(r.URL.Query().Get("$skip"))
		top, err := strconv.Atoi(r.URL.Query().Get("$top"))
		if err != nil {
			top = n
		}
		end := min(n, skip+top)
		var b strings.Builder
		b.WriteString(`{"@odata.context":"c","value":[`)
		for i := skip; i < end; i++ {
			if i > skip {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"id":"%[1]d-_-x","cveId":"CVE-2026-%[2]d","machineId":"%040[3]x","fixingKbId":"5094128","productName":"windows_11","productVendor":"microsoft","productVersion":"10.0.26100.1","severity":"High"}`, i, i%100, i/100)
		}
		b.WriteString(`]`)
		if linked && end < n {
			fmt.Fprintf(&b, `,"@odata.nextLink":"https://%s/api/vulnerabilities/machinesVulnerabilities?$top=%d&$skip=%d"`, r.Host, top, end)
		}
		b.WriteString(`}`)
		fmt.Fprint(w, b.String())
	}
}

// However Defender pages, five pages are read at most, and what was not is said.
func TestFindingsOfALargeUpdate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rows, calls, read int
		linked, partial   bool
	}{
		"one page":               {9_999, 1, 9_999, false, false},
		"a full page":            {10_000, 2, 10_000, false, false},
		"three pages":            {25_000, 3, 25_000, false, false},
		"three linked pages":     {25_000, 3, 25_000, true, false},
		"five full pages":        {50_000, 5, 50_000, false, true},
		"five full linked pages": {50_000, 5, 50_000, true, false},
		"more":                   {200_000, 5, 50_000, false, true},
		"more, linked":           {200_000, 5, 50_000, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, large(tc.rows, tc.linked))
			got, err := s.client(t).KBFindings(t.Context(), "5094128")
			if err != nil {
				t.Fatal(err)
			}
			if calls := len(s.asked()); calls != tc.calls || got.Value.Rows != tc.read || got.Value.Partial != tc.partial {
				t.Errorf("%d calls, %d rows, partial %v; want %d, %d, %v", calls, got.Value.Rows, got.Value.Partial, tc.calls, tc.read, tc.partial)
			}
			if n := len(got.Value.Devices); n != (tc.read+99)/100 || len(got.Value.CVEs) != 100 {
				t.Errorf("%d devices, %d CVEs", n, len(got.Value.CVEs))
			}
		})
	}
}

// A service that ignores $skip is found out, not read for ever.
func TestFindingsThatRepeat(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		r.URL.RawQuery = "$top=10000"
		large(20_000, false)(w, r)
	})
	_, err := s.client(t).KBFindings(t.Context(), "5094128")
	_ = errorOf(t, err, ErrBadResponse)
}

// An empty list that does not say that it is Defender's would claim that nothing is found.
func TestEmptyDrillDowns(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(context.Context, *Client) error{
		"findings":  func(ctx context.Context, c *Client) error { _, err := c.CVEFindings(ctx, "x"); return err },
		"devices":   func(ctx context.Context, c *Client) error { _, err := c.SoftwareMachines(ctx, "x"); return err },
		"exposed":   func(ctx context.Context, c *Client) error { _, err := c.VulnerabilityMachines(ctx, "x"); return err },
		"last seen": func(ctx context.Context, c *Client) error { _, err := c.LastSeen(ctx); return err },
	} {
		_ = errorOf(t, ask(t.Context(), serve(t, respond(`{"value":[]}`)).client(t)), ErrNotDefender)
		if err := ask(t.Context(), serve(t, respond(pageOf([]any{}))).client(t)); err != nil {
			t.Errorf("%s: Defender's own empty list: %v", name, err)
		}
	}
}

// Counts agree with sets made the plain way.
func TestFindingsCountWhatIsDistinct(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b", "c"})
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) finding {
			return finding{name.Draw(t, "m"), name.Draw(t, "cve"), rapid.SampledFrom([]string{"", "Low", "Critical", "odd"}).Draw(t, "s"), name.Draw(t, "v"), name.Draw(t, "p"), name.Draw(t, "kb")}
		}), 0, 30).Draw(t, "rows")
		tally := newFindingsTally()
		tally.add(rows)
		got := tally.findings()
		distinct := func(of func(finding) (string, string)) map[string]map[string]bool {
			m := map[string]map[string]bool{}
			for _, r := range rows {
				k, v := of(r)
				if m[k] == nil {
					m[k] = map[string]bool{}
				}
				m[k][v] = true
			}
			return m
		}
		devices := distinct(func(f finding) (string, string) { return f.machine, f.cve })
		cves := distinct(func(f finding) (string, string) { return f.cve, f.machine })
		products := distinct(func(f finding) (string, string) { return f.vendor + "/" + f.product, f.machine })
		if len(got.Devices) != len(devices) || len(got.CVEs) != len(cves) || len(got.Products) != len(products) || got.Rows != len(rows) {
			t.Fatalf("%+v of %v", got, rows)
		}
		for _, d := range got.Devices {
			if d.CVEs != len(devices[d.MachineID]) {
				t.Fatalf("%+v, want %d", d, len(devices[d.MachineID]))
			}
		}
		for _, c := range got.CVEs {
			if c.Devices != len(cves[c.ID]) {
				t.Fatalf("%+v, want %d", c, len(cves[c.ID]))
			}
		}
		for _, p := range got.Products {
			if p.Devices != len(products[p.Vendor+"/"+p.Name]) {
				t.Fatalf("%+v", p)
			}
		}
	})
}

func TestLastSeen(t *testing.T) {
	t.Parallel()
	id := func(n int) string { return fmt.Sprintf("%040x", n) }
	rows := []map[string]any{
		{"id": id(9), "lastSeen": "2026-11-01T10:00:00.1234567Z"},
		{"id": id(3), "lastSeen": "2026-11-02T10:00:00Z"},
		{"id": id(9), "lastSeen": "2026-11-03T10:00:00Z"},
		{"id": id(4), "lastSeen": nil},
		{"id": "odd", "lastSeen": "2026-11-03T10:00:00Z"},
		{"id": id(5), "lastSeen": "yesterday"},
	}
	got, err := serve(t, respond(pageOf(rows))).client(t).LastSeen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Value.Len() != 3 || got.Skipped != 2 {
		t.Errorf("%d devices, %d left out", got.Value.Len(), got.Skipped)
	}
	for n, want := range map[int]string{9: "2026-11-03 10:00", 3: "2026-11-02 10:00", 4: "", 5: "", 1: ""} {
		at, ok := got.Value.Of(strings.ToUpper(id(n)))
		if have := at.Format("2006-01-02 15:04"); ok != (want != "") || ok && have != want {
			t.Errorf("device %d: %v, %v", n, at, ok)
		}
	}
	if _, ok := got.Value.Of("web-01"); ok {
		t.Error("a name is no id")
	}
	if _, err := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":{"code":"ResourceNotFound","message":"No recent machines were found"}}`)
	}).client(t).LastSeen(t.Context()); err != nil {
		t.Errorf("a tenant without devices: %v", err)
	}
}

// The list of 200,000 devices is kept in about 5 MB.
func BenchmarkLastSeen(b *testing.B) {
	const devices = 200_000
	var before, after runtime.MemStats
	var l LastSeen
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		l = LastSeen{}
		for i := range devices {
			id, _ := machineKey(fmt.Sprintf("%040x", uint64(i)*0x9E3779B97F4A7C15))
			l.add([]seen{{id, uint32(time.Now().Unix())}}) //nolint:gosec // a time
		}
		l = l.sorted()
		runtime.GC()
		runtime.ReadMemStats(&after)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/devices, "B/device")
	if l.Len() != devices {
		b.Fatal(l.Len())
	}
}

// A cumulative update of 200,000 rows, of which five pages are read.
func BenchmarkKBFindings(b *testing.B) {
	rec := httptest.NewRecorder()
	large(200_000, false)(rec, httptest.NewRequest(http.MethodGet, "/?$top=10000", nil))
	page := rec.Body.Bytes()
	b.ReportAllocs()
	for b.Loop() {
		t := newFindingsTally()
		for range findingsPages {
			p, err := decodePage[finding, wireFinding](page)
			if err != nil {
				b.Fatal(err)
			}
			t.add(p.rows)
		}
		if t.findings().Rows != 50_000 {
			b.Fatal("rows")
		}
	}
}
