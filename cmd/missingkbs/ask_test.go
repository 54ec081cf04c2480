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
	wantText := `Missing updates: Edge
Whether it fixes a vulnerability under attack is unknown: MSRC does not list it. 1 is overdue: KB4540673, by 2,368 days. 1 update missing, on 240 devices.
KEV of 23 Nov, MSRC to 2026-Nov.

KB         Devices  CVEs  Update                       Catalog                                                               Details (type)  Exploited  Severity (MSRC)  Deadline
KB4540673  240      14    March 2020 Security Updates  https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673  kb 4540673      unknown    unknown          overdue by 2368+ days

As of `
	if text.code != exitDone || !strings.HasPrefix(text.out, wantText) || text.err != "" {
		t.Errorf("text: got %+v", text)
	}

	csv := invoke(t, noEnv, "ask", "--sandbox", "-o", "csv", "microsoft-_-edge")
	wantCSV := "kb,name,products,os_build,devices,cves,url,exploited,severity,contained_in,why,kev_due,released,age,deadline\n" +
		"KB4540673,March 2020 Security Updates,edge,,240,14,https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673,unknown,unknown,,,,,2428+ days,overdue by 2368+ days\n"
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
		"kb": "KB4540673", "name": "March 2020 Security Updates", "software": "microsoft-_-edge", "products": []any{"edge"}, "os_build": "", "devices": 240.0, "cves": 14.0,
		"url": "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673", "details": "kb 4540673",
		"exploited": "unknown", "severity": "unknown", "contained_in": "", "contains": "", "why": "", "kev_due": "", "released": "", "age": "2428+ days", "deadline": "overdue by 2368+ days",
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

// The sandbox has a clock of its own, and pages of devices go by it. Groups that nothing is in are answered by those that are.
func TestAskByTheSandboxsClock(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"machine web-01":            "2026-11-22 21:42 UTC\n",
		"devices edge":              "0 devices sent no report for 7 days or longer",
		"devices edge --group Nope": "No device of a group Nope has it. These groups have it: Factory Floor, Field Laptops, Office Workstations and Pilot Ring.",
		"windows 10 --exploited":    "Only exploited updates are shown, and those that contain one or are contained in one.",
		"plan server 2022 --page 1": "It fixes vulnerabilities under attack, on 15 devices.",
		"report all":                "Patch report: 25 of 49 Microsoft software ids",
		"kb KB5074864":              "Severities differ: MSRC calls it important, and KB5074224, which it contains, critical (lists show the worst); Defender rates",
	} {
		got := invoke(t, noEnv, append([]string{"ask", "--sandbox"}, strings.Fields(words)...)...)
		if got.code != exitDone || !strings.Contains(got.out, want) {
			t.Errorf("%s: got %+v, want %q", words, got, want)
		}
	}
}

// A workbook goes where the answer goes.
func TestAskForAWorkbook(t *testing.T) {
	t.Parallel()
	got := invoke(t, noEnv, "ask", "--sandbox", "microsoft-_-edge", "-o", "XLSX")
	if got.code != exitDone || !strings.HasPrefix(got.out, "PK") || got.err != "" {
		t.Errorf("code %d, %d bytes, said %q", got.code, len(got.out), got.err)
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
		{"windows 11 --page 9", exitWrongUse, "The list has 1 page."},
		{"report all --page 2", exitWrongUse, "There is no page 2"},
		{"help nothing", exitWrongUse, "There is no command"},
		{"help -o csv", exitWrongUse, "no table"},
		{"help -o xlsx", exitWrongUse, "no table"},
	} {
		got := invoke(t, noEnv, append([]string{"ask", "--sandbox"}, strings.Fields(c.words)...)...)
		if got.code != c.code || !strings.Contains(got.err, c.says) || strings.Contains(got.err, "already told") {
			t.Errorf("%s: got %+v, want exit code %d and %q", c.words, got, c.code, c.says)
		}
	}
}

// Scripts that ask for JSON get JSON, whatever fails; people read the same on standard error.
func TestAskFailuresAsJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args        []string
		code        int
		title, lead string
	}{
		{[]string{"--sandbox", "nobody-_-nothing"}, exitFailed, "Unknown software", "nobody-_-nothing"},
		{[]string{"--sandbox", "microsoft-_-edge", "--sort", "color"}, exitWrongUse, "", "color"},
		{[]string{"--sandbox", "admin", "list"}, exitWrongUse, "Ask that in Slack", "missingkbs doctor"},
		{[]string{"--sandbox", "digest", "list"}, exitFailed, "No digests here", "missingkbs sandbox"},
		{[]string{"microsoft-_-edge"}, exitWrongUse, "Nothing was asked", "AZURE_CLIENT_SECRET is missing"},
		{[]string{"--sign-in", "wishing", "microsoft-_-edge"}, exitWrongUse, "Nothing was asked", "--sign-in"},
		{[]string{"digest", "list"}, exitFailed, "Nothing was asked", "there is no file"},
		{nil, exitWrongUse, "Nothing was asked", "ask windows 11"},
	} {
		args := append([]string{"ask", "-o", "json"}, c.args...)
		got := invoke(t, env(map[string]string{"HOME": t.TempDir()}), args...)
		var doc struct {
			Title, Lead string
			Failed      bool
		}
		if err := json.Unmarshal([]byte(got.out), &doc); err != nil {
			t.Errorf("%q: %v: %+v", args, err, got)
			continue
		}
		if got.code != c.code || !doc.Failed || !strings.Contains(doc.Title, c.title) || !strings.Contains(doc.Lead, c.lead) {
			t.Errorf("%q: got code %d and %+v, want %d and %+v", args, got.code, doc, c.code, c)
		}
		if got.err == "" || strings.Contains(got.err, "{") {
			t.Errorf("%q: standard error says %q", args, got.err)
		}
	}
	if got := invoke(t, noEnv, "ask", "--sandbox", "-o", "json", "microsoft-_-edge"); strings.Contains(got.out, "failed") {
		t.Errorf("an answer says failed: %s", got.out)
	}
}

// Every command that help names on the terminal answers there or says where it does.
func TestAskKnowsEveryCommand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words []string
		says  string
	}{
		{[]string{"--sandbox", "home"}, "Largest gap, devices"},
		{[]string{"--sandbox", "admin"}, "/missingkbs admin"},
		{[]string{"admin", "who"}, "/missingkbs admin"},
		{[]string{"help"}, "What you can ask"},
		{[]string{"help", "digest"}, "digest add"},
		{[]string{"--sandbox", "digest", "list"}, "missingkbs sandbox"},
	} {
		got := invoke(t, noEnv, append([]string{"ask"}, c.words...)...)
		if !strings.Contains(got.out+got.err, c.says) || strings.Contains(got.out+got.err, "Software that") {
			t.Errorf("%q: got %+v, want %q", c.words, got, c.says)
		}
	}
}
