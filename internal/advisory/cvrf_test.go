package advisory

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sampleMonth is an invented document in the shape of MSRC's.
const sampleMonth = `{
 "DocumentTitle": {"Value": "May 2031 Security Updates"},
 "DocumentTracking": {"Identification": {"ID": {"Value": "2031-May"}, "Alias": {"Value": "2031-May"}}, "Status": 2,
  "InitialReleaseDate": "2031-05-13T07:00:00", "CurrentReleaseDate": "2031-05-20T01:53:47"},
 "ProductTree": {"FullProductName": [{"ProductID": "900", "CPE": "cpe:2.3:o:x:y:10.0.30000.10:*", "Value": "Invented 11"}]},
 "Vulnerability": [
  {"CVE": "CVE-2031-1001", "Title": {"Value": "x"}, "Notes": [{"deep": [1, {"a": []}]}],
   "Threats": [
    {"Type": 0, "Description": {"Value": "Critical"}},
    {"Type": 1, "Description": {"Value": "Publicly Disclosed:No;Exploited:Yes;Latest Software Release:Exploitation Detected;DOS:N/A"}},
    {"Type": 3, "Description": {"Value": "Moderate"}}, {"Type": 3, "Description": {"Value": "Important"}}],
   "CVSSScoreSets": [{"BaseScore": 7.0}, {"BaseScore": 8.1}, {"BaseScore": 99}],
   "Remediations": [
    {"Type": 2, "SubType": "Security Update", "Description": {"Value": "6000001"}, "Supercedence": "5990001; 5990002", "FixedBuild": "10.0.30000.100", "RestartRequired": {"Value": "Yes"}, "ProductID": ["900", "901"]},
    {"Type": 2, "SubType": "Security Update", "Description": {"Value": "6000001"}, "Supercedence": "MS16-110, 5990003; 6000001", "FixedBuild": "10.0.29000.77; 1.2.3", "ProductID": ["800"]},
    {"Type": 3, "SubType": "6000001"},
    {"Type": 6, "Description": {"Value": "6000001"}},
    {"Type": null, "Description": {"Value": "6999999"}}]},
  {"CVE": "cve-2031-1002", "Threats": [{"Type": 1, "Description": {"Value": "DOS:N/A"}}],
   "Remediations": [{"Type": 2, "SubType": "SecurityHotpatchUpdate", "Description": {"Value": "KB6000002"}, "Supercedence": null, "FixedBuild": "v10.0.30000.100.", "ProductID": ["900"]}]},
  {"CVE": "CVE-2031-1003", "Remediations": [
    {"Type": 2, "Description": {"Value": "Release Notes"}, "FixedBuild": "5.1"}, {"Type": 2, "Description": {"Value": ""}}]},
  {"CVE": "", "Remediations": [{"Type": 2, "Description": {"Value": "6000003"}}]}
 ],
 "Future": {"unknown": [[], {}]}
}`

func TestReadDocument(t *testing.T) {
	t.Parallel()
	got, err := ReadDocument(strings.NewReader(sampleMonth))
	if err != nil {
		t.Fatal(err)
	}
	want := Document{
		ID: "2031-May", Released: time.Date(2031, 5, 13, 7, 0, 0, 0, time.UTC), Revised: time.Date(2031, 5, 20, 1, 53, 47, 0, time.UTC),
		Updates: []Update{
			{
				KB: "6000001", Restart: "Yes", Supersedes: []string{"5990001", "5990002", "5990003"},
				Builds: []Build{{"800", 29000, 77}, {"900", 30000, 100}, {"901", 30000, 100}}, CVEs: []string{"CVE-2031-1001"},
			},
			{KB: "6000002", Kind: Hotpatch, Builds: []Build{{"900", 30000, 100}}, CVEs: []string{"CVE-2031-1002"}},
		},
		CVEs: []CVE{{"CVE-2031-1001", "Important", 8.1, true, false}, {"CVE-2031-1002", "", 0, false, false}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

func TestReadDocumentRefuses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":           ``,
		"HTML":              `<!DOCTYPE html><html></html>`,
		"a list":            `[]`,
		"null":              `null`,
		"no ID":             `{"Vulnerability": []}`,
		"an odd ID":         `{"DocumentTracking": {"Identification": {"ID": {"Value": "../2031"}}, "InitialReleaseDate": "2031-05-13", "CurrentReleaseDate": "2031-05-13"}}`,
		"no date":           `{"DocumentTracking": {"Identification": {"ID": {"Value": "2031-May"}}, "InitialReleaseDate": "", "CurrentReleaseDate": "2031-05-13"}}`,
		"cut":               sampleMonth[:len(sampleMonth)/2],
		"a word":            strings.Replace(sampleMonth, `"Vulnerability": [`, `"Vulnerability": ["word",`, 1),
		"no list":           strings.Replace(sampleMonth, `"Vulnerability": [`, `"Vulnerability": {"x":[`, 1),
		"a number too much": strings.Replace(sampleMonth, `"BaseScore": 7.0`, `"BaseScore": "high"`, 1),
	} {
		if d, err := ReadDocument(strings.NewReader(body)); err == nil {
			t.Errorf("%s: read %+v", name, d)
		}
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][]string{
		"5120418": {"5120418"}, "5077181; 5077212": {"5077181", "5077212"}, "4088875, 4100480": {"4088875", "4100480"},
		"MS16-110, 3187754": {"3187754"}, "MS16-016, 3124280; MS16-097, 3178034": {"3124280", "3178034"}, "None": nil, "": nil,
	} {
		if diff := cmp.Diff(want, superseded(s)); diff != "" {
			t.Errorf("superseded(%q) (-want +got):\n%s", s, diff)
		}
	}
	for s, want := range map[string][]Build{
		"10.0.17763.9245": {{"", 17763, 9245}}, "10.0.19044.7725; 10.0.19045.7725": {{"", 19044, 7725}, {"", 19045, 7725}},
		"4.8.4494.03": nil, "Application Build 1.2.3, Platform Build 4.5.": nil, "V1.2": nil, "KB123": nil, "Build 5": nil, "0.0.26200.4652": nil,
		"1.001": nil, "v10.0.26100.1\u200b": {{"", 26100, 1}}, "10.0.26100.1.": {{"", 26100, 1}}, "6.3.9600.20000": {{"", 9600, 20000}}, "": nil,
	} {
		if diff := cmp.Diff(want, buildsOf(s)); diff != "" {
			t.Errorf("buildsOf(%q) (-want +got):\n%s", s, diff)
		}
	}
	for s, want := range map[string]Kind{
		"Security Update": Cumulative, "Monthly Rollup": Cumulative, "Security Only": SecurityOnly, "Security Hotpatch Update": Hotpatch,
		"SecurityHotpatchUpdate": Hotpatch, "AzureHotpatch": Hotpatch, "Azure Hotpatch": Hotpatch, "Servicing Stack Update": Other,
		"ServicingStackUpdate": Other, "Preview Rollup": Other, "Standalone": Other, "IE Cumulative": Other, "": Cumulative,
	} {
		if got := kindOf(s); got != want {
			t.Errorf("kindOf(%q) = %q, want %q", s, got, want)
		}
	}
}

// large is a document of about 20 MB, made while it is read.
func large(vulnerabilities int) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.WriteString(w, `{"DocumentTracking":{"Identification":{"ID":{"Value":"2031-May"}},"InitialReleaseDate":"2031-05-13T07:00:00","CurrentReleaseDate":"2031-05-20T01:53:47"},"Vulnerability":[`)
		notes := strings.Repeat("x", 3500)
		for i := range vulnerabilities {
			if err != nil {
				break
			}
			sep := ","
			if i == 0 {
				sep = ""
			}
			_, err = fmt.Fprintf(w, `%s{"CVE":"CVE-2031-%d","Notes":[{"Value":%q}],"Threats":[{"Type":3,"Description":{"Value":"Important"}}],"Remediations":[`, sep, 10000+i, notes)
			for r := range 6 {
				if r > 0 {
					fmt.Fprint(w, ",")
				}
				fmt.Fprintf(w, `{"Type":2,"SubType":"Security Update","Description":{"Value":"%d"},"Supercedence":"%d","FixedBuild":"10.0.30000.%d","ProductID":["900","901","902"],"URL":"https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB1"}`, 6000000+(i+r)%300, 5900000+(i+r)%300, 100+(i+r)%300)
			}
			fmt.Fprint(w, `]}`)
		}
		fmt.Fprint(w, `]}`)
		_ = w.CloseWithError(err)
	}()
	return r
}

// A document of 20 MB is read in far less memory.
func TestLargeDocument(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d, err := ReadDocument(large(4500))
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 8<<20 { //nolint:gosec // sizes
		t.Errorf("keeps %d MB", kept>>20)
	}
	if len(d.Updates) != 300 || len(d.CVEs) != 4500 {
		t.Errorf("%d updates, %d CVEs", len(d.Updates), len(d.CVEs))
	}
}

func BenchmarkReadDocument(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadDocument(large(4500)); err != nil {
			b.Fatal(err)
		}
	}
}

const kevList = `{"title":"x","catalogVersion":"2031.05.20","dateReleased":"2031-05-20T17:04:19.9796Z","count":3,"vulnerabilities":[
 {"cveID":"CVE-2031-1002","dateAdded":"2031-05-18","dueDate":"2031-05-21","knownRansomwareCampaignUse":"Known","forensicTriage":"Yes","notes":""},
 {"cveID":"CVE-2031-1001","dateAdded":"2031-05-15","dueDate":"","knownRansomwareCampaignUse":"Unknown"},
 {"cveID":"CVE-2031-1001","dateAdded":"2031-05-15","dueDate":""}]}`

func TestReadCatalog(t *testing.T) {
	t.Parallel()
	got, err := ReadCatalog(strings.NewReader(kevList))
	if err != nil {
		t.Fatal(err)
	}
	day := func(d int) time.Time { return time.Date(2031, 5, d, 0, 0, 0, 0, time.UTC) }
	want := Catalog{"2031.05.20", time.Date(2031, 5, 20, 17, 4, 19, 979600000, time.UTC), []Exploited{
		{CVE: "CVE-2031-1001", Added: day(15)}, {CVE: "CVE-2031-1002", Added: day(18), Due: day(21), Ransomware: true, Triage: true},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	for name, body := range map[string]string{
		"nothing":      ``,
		"HTML":         `<html>`,
		"a wrong sum":  strings.Replace(kevList, `"count":3`, `"count":4`, 1),
		"no sum":       strings.Replace(kevList, `"count":3,`, ``, 1),
		"empty":        `{"catalogVersion":"x","dateReleased":"2031-05-20T17:04:19Z","count":0,"vulnerabilities":[]}`,
		"no date":      strings.Replace(kevList, `2031-05-20T17:04:19.9796Z`, `soon`, 1),
		"no CVE":       strings.Replace(kevList, `CVE-2031-1002`, `<script>`, 1),
		"another list": `{"value":[]}`,
		"cut":          kevList[:len(kevList)-9],
	} {
		if c, err := ReadCatalog(strings.NewReader(body)); err == nil {
			t.Errorf("%s: read %+v", name, c)
		}
	}
}

// One odd entry of CISA's list costs no more than itself, an odd field only that field; of two entries of a CVE nothing is lost.
func TestOddEntries(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Time { return time.Date(2031, 5, d, 0, 0, 0, 0, time.UTC) }
	entries := []string{
		`{"cveID":" cve-2031-2001 ","dateAdded":" 2031-05-18 ","dueDate":"2031-05-21","knownRansomwareCampaignUse":" known "}`,
		`{"cveID":"CVE-2031-2001","dateAdded":"2031-05-15","dueDate":"","knownRansomwareCampaignUse":"Unknown","forensicTriage":"YES"}`,
		`{"cveID":"CVE-2031-2002","dateAdded":20310518,"dueDate":null,"knownRansomwareCampaignUse":true,"forensicTriage":["Yes"],"cwes":"x"}`,
		`{"cveID":"CVE-2031-2003","dateAdded":"18 May","dueDate":"soon","knownRansomwareCampaignUse":"Probably"}`,
		`{"cveID":"see notes"}`,
	}
	for i := range 45 {
		entries = append(entries, fmt.Sprintf(`{"cveID":"CVE-2031-%d"}`, 3000+i))
	}
	list := func(entries []string) (Catalog, error) {
		return ReadCatalog(strings.NewReader(fmt.Sprintf(`{"dateReleased":"2031-05-20T17:04:19.9796Z","count":%d,"vulnerabilities":[%s]}`, len(entries), strings.Join(entries, ","))))
	}
	got, err := list(entries)
	if err != nil || len(got.Entries) != 48 {
		t.Fatalf("%d entries, %v", len(got.Entries), err)
	}
	want := []Exploited{{CVE: "CVE-2031-2001", Added: day(15), Due: day(21), Ransomware: true, Triage: true}, {CVE: "CVE-2031-2002"}, {CVE: "CVE-2031-2003"}}
	if diff := cmp.Diff(want, got.Entries[:3]); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if _, err := list(entries[:8]); err == nil {
		t.Error("a list of which an eighth names no CVE was taken")
	}
	if s := NewSnapshot([]Document{{ID: "2031-May", Released: day(13), Updates: []Update{{KB: "1000001"}}}, {ID: "2031-Jun", Released: day(30)}}, got); s.LastMonth != "2031-May" {
		t.Errorf("the last month is %s, of which no update is known", s.LastMonth)
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	read := func() Document {
		d, err := ReadDocument(strings.NewReader(sampleMonth))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := read()
	unchained := read()
	unchained.Updates[0].Supersedes = nil
	for name, c := range map[string]struct {
		doc   Document
		month string
		held  Held
		want  error
	}{
		"the first":           {d, "2031-May", Held{}, nil},
		"the same":            {d, "2031-May", Held{d.Revised, 2, true}, nil},
		"a newer one":         {d, "2031-May", Held{d.Revised.Add(-time.Hour), 2, true}, nil},
		"another month":       {d, "2031-Apr", Held{}, ErrWrongDocument},
		"an older one":        {d, "2031-May", Held{d.Revised.Add(time.Second), 2, true}, ErrOlder},
		"one with a few":      {d, "2031-May", Held{d.Revised, 3, true}, ErrShrunk},
		"one without chains":  {unchained, "2031-May", Held{d.Revised, 2, true}, ErrShrunk},
		"one that never had":  {unchained, "2031-May", Held{d.Revised, 2, false}, nil},
		"early, with nothing": {Document{ID: "2031-May"}, "2031-May", Held{}, nil},
	} {
		if err := c.doc.Check(c.month, c.held); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	kev, err := ReadCatalog(strings.NewReader(kevList))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		held Held
		want error
	}{
		"the first": {Held{}, nil}, "an older one": {Held{Revised: kev.Released.Add(time.Second)}, ErrOlder},
		"a cut one": {Held{Count: 3}, ErrShrunk}, "the same": {Held{kev.Released, 2, false}, nil},
	} {
		if err := kev.Check(c.held); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := (Catalog{}).Check(Held{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty list: %v", err)
	}
}

func FuzzReadDocument(f *testing.F) {
	f.Add(sampleMonth)
	f.Add(kevList)
	f.Add(`{"Vulnerability":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		d, err := ReadDocument(strings.NewReader(body))
		if err == nil && !documentID.MatchString(d.ID) {
			t.Fatalf("ID %q", d.ID)
		}
		for _, u := range d.Updates {
			if len(u.CVEs) == 0 || len(u.KB) < 6 {
				t.Fatalf("update %+v", u)
			}
		}
		s := NewSnapshot([]Document{d, d}, Catalog{})
		for _, u := range d.Updates {
			if _, ok := s.Update(u.KB); !ok {
				t.Fatalf("%s is not known", u.KB)
			}
		}
	})
}
