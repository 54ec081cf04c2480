package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The seed's own example, in every form that ask writes. Its values are those of
// https://learn.microsoft.com/en-us/defender-endpoint/api/get-missing-kbs-software.
func TestAskSandbox(t *testing.T) {
	t.Parallel()
	text := invoke(t, noEnv, "ask", "--sandbox", "microsoft-_-edge")
	wantText := `Missing updates: microsoft-_-edge
1 update missing, worst on 240 devices.

KB         Update                       Products  OS build  Devices  CVEs  Catalog
KB4540673  March 2020 Security Updates  edge      -         240      14    https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673

As of `
	if text.code != exitDone || !strings.HasPrefix(text.out, wantText) || text.err != "" {
		t.Errorf("text: got %+v", text)
	}

	csv := invoke(t, noEnv, "ask", "--sandbox", "-o", "csv", "microsoft-_-edge")
	wantCSV := "kb,name,products,os_build,devices,cves,url\n" +
		"KB4540673,March 2020 Security Updates,edge,,240,14,https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673\n"
	if diff := cmp.Diff(output{exitDone, wantCSV, ""}, csv, cmp.AllowUnexported(output{})); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}

	asJSON := invoke(t, noEnv, "ask", "--sandbox", "--output=json", "microsoft-_-edge")
	var doc struct {
		Tables []struct{ Rows []map[string]any }
	}
	if err := json.Unmarshal([]byte(asJSON.out), &doc); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"kb": "KB4540673", "name": "March 2020 Security Updates", "products": "edge", "os_build": "", "devices": 240.0, "cves": 14.0,
		"url": "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673",
	}
	if diff := cmp.Diff(want, doc.Tables[0].Rows[0]); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

// Flags of ask may stand behind the words, options of the words anywhere among them.
func TestAskTakesFlagsAnywhere(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"ask", "microsoft-_-edge", "--sort", "cves", "-o", "csv", "--sandbox"},
		{"ask", "--sandbox", "-o", "csv", "microsoft-_-edge", "--sort=cves"},
		{"ask", "--sandbox", "-ocsv", "microsoft-_-edge"},
	} {
		if got := invoke(t, noEnv, args...); got.code != exitDone || !strings.HasPrefix(got.out, "kb,name") {
			t.Errorf("%q: got %+v", args, got)
		}
	}
}

func TestAskFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words string
		code  int
		says  string
	}{
		{"microsoft-_-edge --srot cves", exitWrongUse, "Did you mean --sort?"},
		{"nobody-_-nothing", exitFailed, "Defender knows no software nobody-_-nothing"},
		{"help nothing", exitWrongUse, "There is no command"},
		{"help -o csv", exitWrongUse, "no table"},
	} {
		got := invoke(t, noEnv, append([]string{"ask", "--sandbox"}, strings.Fields(c.words)...)...)
		if got.code != c.code || !strings.Contains(got.err, c.says) || strings.Contains(got.err, "already told") {
			t.Errorf("%s: got %+v, want exit code %d and %q", c.words, got, c.code, c.says)
		}
	}
}
