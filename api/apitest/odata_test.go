package apitest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// small is a tenant with few things, whose answers can be written down.
func small(tb testing.TB, o Options) *Tenant {
	tb.Helper()
	o.Empty = true
	ten := NewTenant(o)
	for _, id := range []string{"a-_-one", "a-_-two", "b-_-o'neill", "b-_-.net", "c-_-last"} {
		vendor, name, _ := strings.Cut(id, "-_-")
		ten.PutSoftware(Software{ID: id, Vendor: vendor, Name: name})
	}
	return ten
}

func ids(software []Software) string {
	var out []string
	for _, s := range software {
		out = append(out, s.Name)
	}
	return strings.Join(out, " ")
}

func TestSoftwareFilter(t *testing.T) {
	t.Parallel()
	ten := small(t, Options{})
	for _, c := range []struct{ filter, want string }{
		{"", "one two o'neill .net last"},
		{"id eq 'a-_-two'", "two"},
		{"id eq 'A-_-TWO'", ""},
		{"id ne 'a-_-two'", "one o'neill .net last"},
		{"name eq 'o''neill'", "o'neill"},
		{"vendor eq 'a'", "one two"},
		{"startswith(name,'o')", "one o'neill"},
		{"startswith(id, 'b-_-')", "o'neill .net"},
		{"contains( name , '''n')", "o'neill"},
		{"endswith(name,'t')", ".net last"},
		{"contains(vendor,'')", "one two o'neill .net last"},
		{"vendor eq 'a' and name eq 'two'", "two"},
		{"vendor eq 'a' and name eq 'one' or vendor eq 'c'", "one last"},
		{"vendor eq 'c' or vendor eq 'a' and name eq 'one'", "one last"},
		{"vendor eq 'a' and (name eq 'one' or vendor eq 'c')", "one"},
		{"not startswith(name,'o')", "two .net last"},
		{"not(vendor eq 'a')and not (vendor eq 'b')", "last"},
		{"name gt 'one'", "two"},
		{"name le 'last'", ".net last"},
		{"name eq null", ""},
		{"name ne null", "one two o'neill .net last"},
		{"name eq 1", ""},
		{"name lt 1", ""},
	} {
		got := ids(rows[Software](t, ten, "/api/Software?$filter="+url.QueryEscape(c.filter)))
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.filter, got, c.want)
		}
	}
}

func TestBadQuery(t *testing.T) {
	t.Parallel()
	ten := small(t, Options{})
	ten.PutMachine(Machine{ID: "m"})
	for _, c := range []struct{ query, message string }{
		{"$filter=size eq 3", "Could not find a property named 'size'"},
		{"$filter=startswith(size,'x')", "Could not find a property named 'size'"},
		{"$filter=name", "Unknown operator ''"},
		{"$filter=name is 'x'", "Unknown operator 'is'"},
		{"$filter=name eq", "Unrecognized literal ''"},
		{"$filter=name eq x", "Unrecognized literal 'x'"},
		{"$filter=name eq 'x", "Unterminated string literal"},
		{"$filter=name eq 'x'y'", "Syntax error at position 11"},
		{"$filter=(name eq 'x'", "')' expected"},
		{"$filter=and", "Could not find a property named 'and'"},
		{"$filter=name eq 'x' and", "Expression expected"},
		{"$filter=contains(name)", "',' expected"},
		{"$filter=contains(name,1)", "''' expected"},
		{"$filter=contains name", "'(' expected"},
		{"$filter=" + strings.Repeat("(", 200), "The filter is too deep."},
		{"$filter=" + strings.Repeat("not ", 200), "The filter is too deep."},
		{"$filter=" + strings.Repeat("x", 9000), "The filter is too long."},
		{"$top=x", "The query specified in the URI is not valid. Invalid value 'x' for $top"},
		{"$top=-1", "The query specified in the URI is not valid. Invalid value '-1' for $top"},
		{"$top=10001", "The limit of '10000' for Top query has been exceeded. The value from the incoming request is '10001'."},
		{"$skip=1.5", "The query specified in the URI is not valid. Invalid value '1.5' for $skip"},
		{"%zz", "The query string cannot be decoded."},
	} {
		w := ask(t, ten, "/api/Software?"+strings.ReplaceAll(c.query, " ", "%20"))
		code, message, _ := failed(t, w)
		if w.Code != http.StatusBadRequest || code != "ODataError" || !strings.Contains(message, c.message) {
			t.Errorf("%.60s: %d %s %q, want 400 ODataError %q", c.query, w.Code, code, message, c.message)
		}
	}
	for _, path := range []string{"machines", "vulnerabilities", "vulnerabilities/machinesVulnerabilities"} {
		if w := ask(t, ten, "/api/"+path+"?$filter=nothing%20eq%201"); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", path, w.Code)
		}
	}
}

func TestMachineFilter(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	all := rows[Machine](t, ten, "/api/machines")
	for _, c := range []struct {
		filter string
		keeps  func(Machine) bool
	}{
		{"computerDnsName eq 'desk-sto-01'", func(m Machine) bool { return m.ComputerDNSName == "desk-sto-01" }},
		{"startswith(computerDnsName,'lap-')", func(m Machine) bool { return strings.HasPrefix(m.ComputerDNSName, "lap-") }},
		{"id eq '" + all[7].ID + "'", func(m Machine) bool { return m.ID == all[7].ID }},
		{"osPlatform eq 'WindowsServer2022'", func(m Machine) bool { return m.OSPlatform == "WindowsServer2022" }},
		{"healthStatus eq 'Inactive'", func(m Machine) bool { return m.HealthStatus == "Inactive" }},
		{"rbacGroupName eq 'Factory Floor'", func(m Machine) bool { return m.RBACGroupName == "Factory Floor" }},
		{"rbacGroupName eq null", func(m Machine) bool { return m.RBACGroupName == "" }},
		{"rbacGroupId eq 140", func(m Machine) bool { return m.RBACGroupID == 140 }},
		{"rbacGroupId lt 104 and rbacGroupId ge 102", func(m Machine) bool { return m.RBACGroupID == 102 || m.RBACGroupID == 103 }},
		{"lastSeen gt 2026-11-20T00:00:00Z", func(m Machine) bool { return m.LastSeen.After(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)) }},
	} {
		var want []string
		for _, m := range all {
			if c.keeps(m) {
				want = append(want, m.ComputerDNSName)
			}
		}
		var got []string
		for _, m := range rows[Machine](t, ten, "/api/machines?$filter="+url.QueryEscape(c.filter)) {
			got = append(got, m.ComputerDNSName)
		}
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 || len(want) == len(all) {
			t.Errorf("%s: %d of %d machines (-want +got):\n%s", c.filter, len(want), len(all), diff)
		}
	}
}

// pages follows the links from a path and gives the size of each page.
func pages(t *testing.T, ten *Tenant, path string) (sizes []int, all []Software) {
	t.Helper()
	for path != "" {
		var p struct {
			Value []Software
			Next  string `json:"@odata.nextLink"`
		}
		decode(t, ask(t, ten, path).Body, &p)
		sizes, all = append(sizes, len(p.Value)), append(all, p.Value...)
		next, ours := strings.CutPrefix(p.Next, "https://defender.test")
		if !ours && p.Next != "" {
			t.Fatalf("link to %s", p.Next)
		}
		path = next
	}
	return sizes, all
}

func TestPaging(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pageSize int
		query    string
		sizes    []int
		want     string
	}{
		{0, "", []int{5}, "one two o'neill .net last"},
		{2, "", []int{2, 2, 1}, "one two o'neill .net last"},
		{5, "", []int{5}, "one two o'neill .net last"},
		{0, "?$top=2", []int{2, 2, 1}, "one two o'neill .net last"},
		{0, "?$top=2&$skip=3", []int{2}, ".net last"},
		{0, "?$top=0", []int{0}, ""},
		{0, "?$skip=4", []int{1}, "last"},
		{0, "?$skip=9", []int{0}, ""},
		{1, "?$filter=contains(name,'n')&$top=2", []int{1, 1, 1}, "one o'neill .net"},
		{0, "?%24top=3&%24filter=" + url.QueryEscape("name ne 'o''neill'"), []int{3, 1}, "one two .net last"},
	} {
		sizes, all := pages(t, small(t, Options{PageSize: c.pageSize}), "/api/Software"+c.query)
		if diff := cmp.Diff(c.sizes, sizes); diff != "" || ids(all) != c.want {
			t.Errorf("%q by %d: %q, want %q; sizes (-want +got):\n%s", c.query, c.pageSize, ids(all), c.want, diff)
		}
	}
}

func TestTopEndsListsOfMachines(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{PageSize: 100})
	for path, want := range map[string]bool{"/api/machines": true, "/api/machines?$top=10": false} {
		if got := strings.Contains(ask(t, ten, path).Body.String(), "nextLink"); got != want {
			t.Errorf("%s: continued %v, want %v", path, got, want)
		}
	}
}

func TestAssetVulnerabilities(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	kb := rows[kbRead](t, ten, "/api/Software/microsoft-_-windows_server_2019/getmissingkbs")[0]
	path := "/api/vulnerabilities/machinesVulnerabilities?$filter=" + url.QueryEscape("fixingKbId eq '"+kb.ID+"'")
	machines, cves, clients := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range rows[machineRead](t, ten, "/api/Software/microsoft-_-windows_10/machineReferences") {
		clients[m.ID] = true
	}
	for _, a := range rows[assetRead](t, ten, path) {
		if *a.FixingKBID != kb.ID || !strings.HasPrefix(a.ID, a.MachineID+"-_-"+a.CVEID+"-_-"+a.ProductVendor+"-_-"+a.ProductName+"-_-"+a.ProductVersion+"-_-"+kb.ID) {
			t.Fatalf("%+v", a)
		}
		machines[a.MachineID], cves[a.CVEID] = true, true
		if a.ProductName == "windows_10" && !clients[a.MachineID] {
			t.Fatalf("Windows 10 on %s, which has not got it", a.MachineID)
		}
	}
	if len(machines) != kb.MachineMissedOn || len(cves) != kb.CVEAddressed {
		t.Errorf("%d machines, %d CVEs, want %d and %d", len(machines), len(cves), kb.MachineMissedOn, kb.CVEAddressed)
	}
	one := rows[assetRead](t, ten, path+url.QueryEscape(" and productName eq 'windows_server_2019'"))
	for _, a := range one {
		if a.ProductName != "windows_server_2019" {
			t.Fatalf("%+v", a)
		}
	}
	if len(one) == 0 {
		t.Error("no rows of Windows Server 2019")
	}
	none := rows[assetRead](t, ten, "/api/vulnerabilities/machinesVulnerabilities?$top=3&$filter="+url.QueryEscape("fixingKbId eq null"))
	if len(none) != 3 || none[0].FixingKBID != nil {
		t.Errorf("without a KB: %+v", none)
	}
}

// TestAssetVulnerabilityPages checks that pages made one by one are the list.
func TestAssetVulnerabilityPages(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	const path = "/api/vulnerabilities/machinesVulnerabilities?$filter=productName%20eq%20'chrome'"
	all := rows[assetRead](t, ten, path)
	var got []assetRead
	for next := path + "&$top=300"; next != ""; {
		var p struct {
			Value []assetRead
			Next  string `json:"@odata.nextLink"`
		}
		decode(t, ask(t, ten, next).Body, &p)
		got = append(got, p.Value...)
		next = strings.TrimPrefix(p.Next, "https://defender.test")
	}
	if diff := cmp.Diff(all, got); diff != "" || len(all) < 600 {
		t.Errorf("%d rows (-at once +by pages):\n%s", len(all), diff)
	}
}

// TestEveryFieldCanBeFiltered asks for each property that a filter may name.
func TestEveryFieldCanBeFiltered(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	for path, names := range map[string][]string{
		"/api/Software":        slices.Collect(maps.Keys(softwareFields())),
		"/api/machines":        slices.Collect(maps.Keys(machineFields())),
		"/api/vulnerabilities": slices.Collect(maps.Keys(vulnerabilityFields())),
		"/api/vulnerabilities/machinesVulnerabilities": slices.Collect(maps.Keys(assetFields())),
	} {
		for _, name := range names {
			_, row := firstRow(t, ask(t, ten, path+"?$top=1&$filter="+url.QueryEscape(name+" ne null")).Body.Bytes())
			if row[name] == nil {
				t.Errorf("%s: %s ne null gives %v", path, name, row)
				continue
			}
			literal := fmt.Sprint(row[name])
			if text, is := row[name].(string); is && !strings.HasPrefix(name, "lastSeen") {
				literal = "'" + strings.ReplaceAll(text, "'", "''") + "'"
			}
			w := ask(t, ten, path+"?$top=1&$filter="+url.QueryEscape(name+" eq "+literal))
			if _, same := firstRow(t, w.Body.Bytes()); same[name] != row[name] {
				t.Errorf("%s: %s eq %s gives %v", path, name, literal, same[name])
			}
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"id eq 'microsoft-_-edge'", "startswith(name,'o''n')", "not (a eq 1 or b le null) and contains(c,'')",
		"a gt 2026-11-23T09:00:00Z", "((((", "not not not", "a eq 1e309", "'", "a eq NaN",
	} {
		f.Add(seed)
	}
	row := map[string]any{"id": "x", "name": "o'n", "a": 1.0, "b": nil, "c": "é"}
	f.Fuzz(func(t *testing.T, text string) {
		known := func(name string) bool { _, is := row[name]; return is }
		e, err := parseFilter(text, known)
		if (err == nil) != (e.node != nil) {
			t.Fatalf("%q: %v, %v", text, e, err)
		}
		if err != nil {
			return
		}
		field := func(name string) any {
			if !known(name) {
				t.Fatalf("%q asks for %q", text, name)
			}
			return row[name]
		}
		if e.node.eval(field) == (notNode{e.node}).eval(field) {
			t.Fatalf("%q is neither true nor false", text)
		}
		e.only("id")
	})
}

// FuzzQuoted checks that any text, quoted, is found and nothing else is.
func FuzzQuoted(f *testing.F) {
	f.Add("o'neill", "x")
	f.Add("''", "'")
	f.Fuzz(func(t *testing.T, text, other string) {
		if len(text) > 1000 {
			return
		}
		e, err := parseFilter("id eq '"+strings.ReplaceAll(text, "'", "''")+"'", func(string) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		if !e.node.eval(func(string) any { return text }) || e.node.eval(func(string) any { return other }) != (text == other) {
			t.Fatalf("%q, %q", text, other)
		}
	})
}
