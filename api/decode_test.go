package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What the real API is loose in.
func TestDecodeTolerant(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		row  string
		want MissingKB
	}{
		"build is a number":           {`"osBuild":17763`, MissingKB{OSBuild: "17763"}},
		"build is a string":           {`"osBuild":"22631.4037"`, MissingKB{OSBuild: "22631.4037"}},
		"build keeps its digits":      {`"osBuild":22621.10`, MissingKB{OSBuild: "22621.10"}},
		"build is null":               {`"osBuild":null`, MissingKB{}},
		"build is absent":             {`"name":"n"`, MissingKB{Name: "n"}},
		"counts are floats":           {`"machineMissedOn":240.0,"cveAddressed":1.4e1`, MissingKB{MachineMissedOn: 240, CVEAddressed: 14}},
		"counts are strings":          {`"machineMissedOn":"240","cveAddressed":"14.0"`, MissingKB{MachineMissedOn: 240, CVEAddressed: 14}},
		"CVEs are null":               {`"cveAddressed":null`, MissingKB{}},
		"fractions are rounded":       {`"machineMissedOn":2.5,"cveAddressed":2.4`, MissingKB{MachineMissedOn: 3, CVEAddressed: 2}},
		"below zero is zero":          {`"cveAddressed":-0.1`, MissingKB{}},
		"absurd is cut":               {`"machineMissedOn":99999999999999999999,"cveAddressed":1e999`, MissingKB{MachineMissedOn: math.MaxInt32, CVEAddressed: math.MaxInt32}},
		"products are null":           {`"productsNames":null`, MissingKB{}},
		"products hold nothing":       {`"productsNames":["edge",null,""]`, MissingKB{ProductsNames: []string{"edge"}}},
		"url is null":                 {`"url":null`, MissingKB{}},
		"name is null":                {`"name":null`, MissingKB{}},
		"unknown fields":              {`"new":{"a":[1,{"b":"]}\""}]},"more":[[],{}],"x":true`, MissingKB{}},
		"capitals":                    {`"Name":"n","CVEADDRESSED":3`, MissingKB{Name: "n", CVEAddressed: 3}},
		"the last of two wins":        {`"name":"a","name":"b"`, MissingKB{Name: "b"}},
		"escapes":                     {`"name":"\u00e4 \"q\" \ud83d\ude00 \\","n\u0061me2":1`, MissingKB{Name: `ä "q" 😀 \`}},
		"escaped key":                 {`"n\u0061me":"n"`, MissingKB{Name: "n"}},
		"invalid UTF-8 is replaced":   {"\"name\":\"a\xffb\"", MissingKB{Name: "a\uFFFDb"}},
		"white space where it may be": {" \n\t\"name\" :\r\n \"n\" ", MissingKB{Name: "n"}},
		"markup is left alone":        {`"name":"<!channel> & *bold*"`, MissingKB{Name: "<!channel> & *bold*"}},
	} {
		want := tc.want
		want.ID = "1"
		if want.ProductsNames == nil {
			want.ProductsNames = []string{}
		}
		if want.MachineMissedOn == 0 {
			want.MachineMissedOn = 7 // a later one of two wins
		}
		body := `{"@odata.context":"x","value":[{"id":"1","machineMissedOn":7,` + tc.row + `}]}`
		got, err := decodeKBPage([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff([]MissingKB{want}, got.rows); diff != "" || got.bad.count != 0 {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDecodeLists(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"@odata.context":"c","value":[]}`, "\xef\xbb\xbf {\"@odata.context\":\"c\",\"value\" : [ ] }\n"} {
		got, err := serve(t, respond(body)).client(t).MissingKBs(t.Context(), "a")
		if err != nil || got.Value == nil || len(got.Value) != 0 {
			t.Errorf("%q: %v, %v; want an empty list", body, got.Value, err)
		}
		machines, err := serve(t, respond(body)).client(t).MachinesByName(t.Context(), "a")
		if err != nil || machines.Value == nil || len(machines.Value) != 0 {
			t.Errorf("%q: %v, %v; want an empty list", body, machines.Value, err)
		}
		all, err := serve(t, respond(body)).client(t).Catalog(t.Context())
		if err != nil || all.Value == nil || len(all.Value) != 0 {
			t.Errorf("%q: %v, %v; want an empty list", body, all.Value, err)
		}
	}
}

func TestTrimKB(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"4540673": "4540673", "KB4540673": "4540673", "kb4540673": "4540673", "\tKB 4540673\n": "4540673",
		"RHSA-2024:9315": "RHSA-2024:9315", "USN-7663-1": "USN-7663-1", "KB": "KB", "KBX1": "KBX1", "KB12a": "KB12a", "": "",
	} {
		if got := trimKB(in); got != want {
			t.Errorf("trimKB(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMergeKBs(t *testing.T) {
	t.Parallel()
	const body = `{"value":[
		{"id":"1","osBuild":17763,"machineMissedOn":3,"cveAddressed":9,"productsNames":["a"]},
		{"id":"2","machineMissedOn":1},
		{"id":"KB1","osBuild":"17763","name":"n","url":"u","machineMissedOn":5,"cveAddressed":2,"productsNames":["b","a"]},
		{"id":"1","osBuild":19045,"machineMissedOn":1},
		{"id":"1","machineMissedOn":2},
		{"id":null,"name":"ADV 200002","machineMissedOn":1},
		{"id":"","name":"ADV 200003","machineMissedOn":1},
		{"id":null,"name":"ADV 200002","machineMissedOn":4},
		{"id":"3","machineMissedOn":1,"productsNames":["a"]},{"id":"4","machineMissedOn":1,"productsNames":["a"]},
		{"id":"4","machineMissedOn":1,"productsNames":["c"]},{"id":"5","machineMissedOn":1,"productsNames":["a"]}]}`
	got, err := serve(t, respond(body)).client(t).MissingKBs(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	none := []string{}
	want := []MissingKB{
		{ID: "1", Name: "n", URL: "u", OSBuild: "17763", MachineMissedOn: 5, CVEAddressed: 9, ProductsNames: []string{"a", "b"}},
		{ID: "2", MachineMissedOn: 1, ProductsNames: none},
		{ID: "1", OSBuild: "19045", MachineMissedOn: 1, ProductsNames: none},
		{ID: "1", MachineMissedOn: 2, ProductsNames: none},
		{Name: "ADV 200002", MachineMissedOn: 4, ProductsNames: none},
		{Name: "ADV 200003", MachineMissedOn: 1, ProductsNames: none},
		{ID: "3", MachineMissedOn: 1, ProductsNames: []string{"a"}},
		{ID: "4", MachineMissedOn: 1, ProductsNames: []string{"a", "c"}}, // which shared the list of the others
		{ID: "5", MachineMissedOn: 1, ProductsNames: []string{"a"}},
	}
	if diff := cmp.Diff(want, got.Value); diff != "" {
		t.Errorf("MissingKBs (-want +got):\n%s", diff)
	}
}

// What makes no sense is an error that names the call and the reason.
func TestDecodeStrict(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ body, reason string }{
		"html":               {"<!DOCTYPE html><html><body>Sign in</body></html>", "HTML"},
		"empty":              {"", "empty"},
		"white space":        {" \n", "empty"},
		"text":               {"OK", "not a JSON object"},
		"a list":             {`[{"id":"1"}]`, "not a JSON object"},
		"cut in a string":    {`{"value":[{"id":"45`, "ends in the middle"},
		"cut in a row":       {`{"value":[{"id":"1"`, "ends in the middle"},
		"cut between rows":   {`{"value":[{"id":"1"},`, "ends in the middle"},
		"cut after the list": {`{"value":[{"id":"1"}]`, "ends in the middle"},
		"cut in a key":       {`{"val`, "ends in the middle"},
		"cut after a key":    {`{"value"`, "ends in the middle"},
		"cut in an escape":   {`{"value":[{"id":"1\`, "ends in the middle"},
		"cut when nested":    {`{"value":[{"id":"1","x":{"y":[`, "ends in the middle"},
		"two objects":        {`{"value":[]}{"value":[]}`, "invalid JSON at byte 12"},
		"comma at the end":   {`{"value":[{"id":"1"},]}`, "row 2"},
		"no comma":           {`{"value":[{"id":"1"} {"id":"2"}]}`, "invalid JSON at byte 21"},
		"no colon":           {`{"value" []}`, "invalid JSON"},
		"key is no string":   {`{value:[]}`, "invalid JSON at byte 1"},
		"bad escape":         {`{"value":[{"id":"\x"}]}`, "invalid JSON"},
		"line in a string":   {"{\"value\":[{\"id\":\"a\nb\"}]}", "invalid JSON"},
		"bad number":         {`{"value":[{"id":"1","cveAddressed":01}]}`, "invalid JSON"},
		"bad word":           {`{"value":[{"id":nil}]}`, "invalid JSON"},
		"unbalanced":         {`{"value":[{"id":"1","x":[}]}]}`, "invalid JSON"},
		"no value":           {`{"@odata.context":"x"}`, `no "value"`},
		"an error with 200":  {`{"error":{"code":"x"}}`, `no "value"`},
		"value is an object": {`{"value":{"id":"1"}}`, `"value" is not a list`},
		"value is a string":  {`{"value":"none"}`, `"value" is not a list`},
		"value is null":      {`{"value":null}`, `"value" is not a list`},
		"value is a number":  {`{"value":0}`, `"value" is not a list`},
		"link is a number":   {`{"value":[],"@odata.nextLink":5}`, "nextLink is not a string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := serve(t, respond(tc.body)).client(t).MissingKBs(t.Context(), "a")
			e := errorOf(t, err, ErrBadResponse)
			if e.Call != "GET /api/Software/a/getmissingkbs" || !strings.Contains(err.Error(), tc.reason) {
				t.Errorf("error = %q, want it to name the call and say %q", err, tc.reason)
			}
		})
	}
}

func TestDecodeStrictEntities(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"<html></html>", "", `{"id":"x"`, `{}`, `{"id":null}`, `{"id":5}`, `[]`,
		`{"id":"x","lastSeen":"yesterday","weaknesses":"many"}`, `{"id":"x","machineTags":"t","exposedMachines":true}`,
	} {
		c := serve(t, respond(body)).client(t)
		_, err := c.SoftwareByID(t.Context(), "x")
		if e := errorOf(t, err, ErrBadResponse); e.Call != "GET /api/Software/x" {
			t.Errorf("%q: call = %q", body, e.Call)
		}
		_, err = c.MachineByID(t.Context(), "x")
		wantKind(t, err, ErrBadResponse)
	}
}

func TestDecodeSoftware(t *testing.T) {
	t.Parallel()
	s := serve(t, respond(`{"@odata.context":"x","id":"microsoft-_-edge","name":"edge","vendor":"microsoft","weaknesses":467.0,
		"publicExploit":true,"activeAlert":null,"exposedMachines":172,"installedMachines":null,"impactScore":2.39947438,
		"isNormalized":true,"category":"","distributions":[]}`))
	got, err := s.client(t).SoftwareByID(t.Context(), "microsoft-_-edge")
	if err != nil {
		t.Fatal(err)
	}
	want := Software{
		ID: "microsoft-_-edge", Name: "edge", Vendor: "microsoft", Weaknesses: 467,
		PublicExploit: true, ExposedMachines: 172, ImpactScore: 2.39947438,
	}
	if diff := cmp.Diff(want, got.Value); diff != "" {
		t.Errorf("SoftwareByID (-want +got):\n%s", diff)
	}
}

func TestDecodeMachines(t *testing.T) {
	t.Parallel()
	s := serve(t, respond(`{"value":[
		{"id":"m1","computerDnsName":"WEB-01.contoso.com ","osPlatform":"Windows10","version":"22H2","osBuild":19045,
		 "healthStatus":"Active","riskScore":"Low","exposureLevel":"High","rbacGroupId":140,"rbacGroupName":"Servers",
		 "onboardingStatus":"Onboarded","deviceValue":"Normal","lastIpAddress":"10.0.0.1","aadDeviceId":null,
		 "machineTags":["prod"],"firstSeen":"2018-08-02T14:55:03.7791856Z","lastSeen":"2026-11-22T08:00:00Z"},
		{"id":"m2","osBuild":null,"machineTags":null,"lastSeen":null},
		{"id":"m1","computerDnsName":"older","lastSeen":"2026-11-01T08:00:00Z"},
		{"id":"m2","computerDnsName":"newer","lastSeen":"2026-11-01T08:00:00Z"}]}`))
	got, err := s.client(t).MachinesByName(t.Context(), "web")
	if err != nil {
		t.Fatal(err)
	}
	want := []Machine{
		{
			ID: "m1", ComputerDNSName: "WEB-01.contoso.com", OSPlatform: "Windows10", Version: "22H2", OSBuild: "19045",
			HealthStatus: "Active", RiskScore: "Low", ExposureLevel: "High", RBACGroupName: "Servers", OnboardingStatus: "Onboarded",
			DeviceValue: "Normal", LastIPAddress: "10.0.0.1", MachineTags: []string{"prod"},
			FirstSeen: time.Date(2018, 8, 2, 14, 55, 3, 779185600, time.UTC), LastSeen: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC),
		},
		{ID: "m2", ComputerDNSName: "newer", MachineTags: []string{}, LastSeen: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)},
	}
	if diff := cmp.Diff(want, got.Value); diff != "" {
		t.Errorf("MachinesByName (-want +got):\n%s", diff)
	}
}

// Defender answers 404 when no device matches a filter.
func TestMachinesByNameNone(t *testing.T) {
	t.Parallel()
	s := serve(t, fail(404, "ResourceNotFound", "no recent machines"))
	c := s.client(t)
	for range 2 {
		got, err := c.MachinesByName(t.Context(), "web")
		if err != nil || got.Value == nil || len(got.Value) != 0 {
			t.Errorf("got %v, %v, want an empty list", got.Value, err)
		}
	}
	if n := len(s.asked()); n != 1 {
		t.Errorf("%d calls, want 1: no match is an answer like any other", n)
	}
	_, err := c.MachineByID(t.Context(), "web")
	wantKind(t, err, ErrNotFound)
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	const limit = 1000
	fill := func(n int) string {
		const start, end = `{"@odata.context":"c","value":[],"pad":"`, `"}`
		return start + strings.Repeat("x", n-len(start+end)) + end
	}
	zipped := func(n int) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err1 := z.Write([]byte(fill(n)))
		if err := errors.Join(err1, z.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, tc := range map[string]struct {
		body   []byte
		length bool // is announced
		zip    bool
		kind   error
	}{
		"just fits":              {[]byte(fill(limit)), true, false, nil},
		"just fits, unannounced": {[]byte(fill(limit)), false, false, nil},
		"just fits, compressed":  {zipped(limit), true, true, nil},
		"one more":               {[]byte(fill(limit + 1)), true, false, ErrBadResponse},
		"one more, unannounced":  {[]byte(fill(limit + 1)), false, false, ErrBadResponse},
		"much more, unannounced": {[]byte(fill(1 << 20)), false, false, ErrBadResponse},
		"much more, compressed":  {zipped(100 * limit), true, true, ErrBadResponse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if tc.zip {
					w.Header().Set("Content-Encoding", "gzip")
				}
				if tc.length {
					w.Header().Set("Content-Length", strconv.Itoa(len(tc.body)))
				} else {
					w.(http.Flusher).Flush()
				}
				say(w, string(tc.body))
			})
			_, err := s.client(t, func(o *Options) { o.MaxBody = limit }).MissingKBs(t.Context(), "a")
			if tc.kind == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantKind(t, err, tc.kind)
			if n := len(s.asked()); n != 1 {
				t.Errorf("%d calls, want no retry", n)
			}
		})
	}
}

// Our types marshal back to Defender's names.
func TestMarshal(t *testing.T) {
	t.Parallel()
	body, err := json.Marshal(map[string]any{"value": []MissingKB{edgeKB(), {ID: "2", OSBuild: "17763", ProductsNames: []string{}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"id", "name", "productsNames", "url", "osBuild", "machineMissedOn", "cveAddressed"} {
		if !bytes.Contains(body, []byte(`"`+name+`":`)) {
			t.Errorf("%s is missing in %s", name, body)
		}
	}
	back, err := decodeKBPage(body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]MissingKB{edgeKB(), {ID: "2", OSBuild: "17763", ProductsNames: []string{}}}, back.rows); diff != "" {
		t.Errorf("there and back (-want +got):\n%s", diff)
	}
}

// reference decodes a page with encoding/json alone, as far as it goes: the shape
// and the texts.
func reference(body []byte) ([]MissingKB, error) {
	var page struct {
		Value *[]struct {
			ID            string
			Name          string
			ProductsNames []string
			URL           string
			OSBuild       json.RawMessage
		}
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, err
	}
	var kbs []MissingKB
	if page.Value == nil {
		return nil, nil
	}
	for _, r := range *page.Value {
		kb := MissingKB{ID: trimKB(r.ID), Name: r.Name, URL: r.URL, ProductsNames: []string{}}
		for _, p := range r.ProductsNames {
			if p != "" {
				kb.ProductsNames = append(kb.ProductsNames, p)
			}
		}
		if json.Unmarshal(r.OSBuild, &kb.OSBuild) != nil && len(r.OSBuild) > 0 {
			kb.OSBuild = string(r.OSBuild)
		}
		kb.OSBuild = strings.TrimSpace(kb.OSBuild)
		kbs = append(kbs, kb)
	}
	return kbs, nil
}

// The reader never panics, never accepts what is no JSON, reads the same as
// encoding/json, and gives rows that are sane.
func FuzzDecodeMissingKBs(f *testing.F) {
	f.Add([]byte(edge))
	f.Add(manyKBs(3))
	for _, s := range []string{
		`{"value":null}`, `{"value":[]}`, `{}`, `[]`, ``, `{"value":[{"id":"KB1","x":[{"a":"]"}],"osBuild":1.10}]}`,
		`{"value":[{"id":"\u0041","machineMissedOn":-1,"cveAddressed":"1e999"}],"@odata.nextLink":"?a=b"}`,
		`{"value":[{"id":"1"`, `{"value":[{"name":"` + "\xff" + `"}]}`, "\xef\xbb\xbf{\"value\":[]}", `{"Value":[],"value":[]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		plain := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
		page, err := decodeKBPage(body)
		rows := page.rows
		if err != nil {
			if says := err.Error(); json.Valid(plain) && (strings.Contains(says, "invalid JSON") || strings.Contains(says, "ends in the middle")) {
				t.Fatalf("%q is JSON, but: %v", body, err)
			}
			return
		}
		if !json.Valid(plain) {
			t.Fatalf("accepted what is no JSON: %q", body)
		}
		// encoding/json reads "Value" for "value"; and it merges a second list into the first.
		if want, err := reference(plain); err == nil && page.bad.count == 0 && bytes.Count(bytes.ToLower(plain), []byte("value")) == 1 &&
			bytes.Count(bytes.ToLower(plain), []byte("name")) <= 1 && !bytes.Contains(plain, []byte(`\u`)) {
			got := slices.Clone(rows)
			for i := range got {
				got[i].MachineMissedOn, got[i].CVEAddressed = 0, 0
			}
			if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
				t.Fatalf("not what encoding/json reads (-want +got):\n%s", diff)
			}
		}
		merged := mergeKBs(rows)
		seen := map[[3]string]bool{}
		for _, kb := range merged {
			key := [3]string{kb.ID, kb.OSBuild, ""}
			if kb.ID == "" {
				key[2] = kb.Name
			}
			switch {
			case kb.MachineMissedOn < 0 || kb.MachineMissedOn > math.MaxInt32 || kb.CVEAddressed < 0 || kb.CVEAddressed > math.MaxInt32:
				t.Fatalf("counts of %+v", kb)
			case kb.ID == "" && kb.Name == "":
				t.Fatal("a row without id and name")
			case kb.ProductsNames == nil || slices.Contains(kb.ProductsNames, ""):
				t.Fatalf("products of %+v", kb)
			case seen[key]:
				t.Fatalf("two rows for %v", key)
			}
			seen[key] = true
		}
	})
}
