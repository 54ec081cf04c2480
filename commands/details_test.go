package commands_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/view"
)

// wholeTenant starts the built-in tenant, with all that can be asked of it.
func wholeTenant(t *testing.T) tenant {
	t.Helper()
	server, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	n := tenant{Server: server}
	n.restart(t)
	return n
}

// restart makes the client and the commands anew, as after a restart of the bot.
func (n *tenant) restart(t *testing.T) {
	t.Helper()
	client, err := api.NewClient(credential{n.Server}, &api.Options{
		Cloud:     api.Cloud{Name: "test", Endpoint: n.URL, Scope: n.Scope()},
		Transport: n.Client(),
		Retry:     policy.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: 2 * time.Millisecond},
		PerMinute: -1, PerHour: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	index := &search.Index{}
	n.client = client
	n.router, err = commands.NewRouter(
		commands.Software(client, index), commands.Search(client, index), commands.KB(client, index),
		commands.CVE(client), commands.Machine(client, time.Now), commands.Devices(client, index, time.Now),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// offered are the command lines that a page offers: of a table, those of its first rows and of the last.
func offered(p view.Page) []string {
	var lines []string
	add := func(a *view.Action) {
		if a != nil && a.Command != "" {
			lines = append(lines, a.Command)
		}
	}
	for _, a := range p.Actions {
		add(&a)
	}
	for _, part := range p.Parts {
		t, ok := part.(view.Table)
		if !ok {
			continue
		}
		for _, a := range t.Sorts {
			add(&a)
		}
		if t.Command != "" {
			lines = append(lines, t.Command+" --page 1")
		}
		for i := range t.Len() {
			if i < 2 || i == t.Len()-1 {
				for _, c := range t.Row(i) {
					add(c.Action)
				}
			}
		}
	}
	return lines
}

func (n tenant) press(t *testing.T, line string) (view.Page, error) {
	t.Helper()
	req, err := commands.ParseOffered(line)
	if err != nil {
		return view.Page{}, err
	}
	return n.router.Run(t.Context(), req)
}

// Every button of every page leads to a page, from software to update to CVE to device and back; also after a restart.
func TestEveryButtonAnswers(t *testing.T) {
	t.Parallel()
	n := wholeTenant(t)
	kinds := map[string]int{}
	from := map[string]string{}
	queue := []string{"microsoft-_-windows_11", "search edge"}
	for len(queue) > 0 && len(from) < 400 {
		line := queue[0]
		queue = queue[1:]
		if len(from)%50 == 49 {
			n.restart(t)
		}
		page, err := n.press(t, line)
		if err != nil {
			t.Errorf("%q, a button of %q: %v", line, from[line], err)
			continue
		}
		if page.Title == "" || page.Lead == "" {
			t.Errorf("%q: title %q, lead %q", line, page.Title, page.Lead)
		}
		n.filesOf(t, line, page)
		word, _, _ := strings.Cut(line, " ")
		kinds[word]++
		for _, next := range offered(page) {
			if _, seen := from[next]; !seen {
				from[next] = line
				queue = append(queue, next)
			}
		}
	}
	for _, want := range []string{"kb", "cve", "machine", "devices", "search"} {
		if kinds[want] < 2 {
			t.Errorf("only %d pages of %s: %v", kinds[want], want, kinds)
		}
	}
}

// filesOf checks that a page with a table offers it as files, and that the line of these buttons makes the same table.
func (n tenant) filesOf(t *testing.T, line string, page view.Page) {
	t.Helper()
	files := slices.DeleteFunc(slices.Clone(page.Actions), func(a view.Action) bool { return a.Effect != view.CSVFile && a.Effect != view.XLSXFile })
	var shown, written strings.Builder
	err := view.WriteCSV(&shown, page)
	switch {
	case errors.Is(err, view.ErrNoTable) && len(files) == 0:
		return
	case err != nil || len(files) != 2:
		t.Errorf("%q offers %v of its tables (%v)", line, files, err)
		return
	}
	for _, a := range files {
		written.Reset()
		again, err := n.press(t, a.Command)
		if err := errors.Join(err, view.WriteCSV(&written, again)); err != nil {
			t.Errorf("%q, the file of %q: %v", a.Command, line, err)
		}
		if !strings.Contains(line, "--fresh") && shown.String() != written.String() {
			t.Errorf("%q, the file of %q, has %d bytes, its tables %d", a.Command, line, written.Len(), shown.Len())
		}
	}
}

// first returns the first line with a word in front that a page offers.
func first(t *testing.T, p view.Page, word string) string {
	t.Helper()
	lines := offered(p)
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, word+" ") })
	if i < 0 {
		t.Fatalf("%q offers no %s: %q", p.Title, word, lines)
	}
	return lines[i]
}

func (n tenant) mustPress(t *testing.T, line string) view.Page {
	t.Helper()
	page, err := n.press(t, line)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return page
}

// From a software to an update, a CVE of it, a device that has it, and back to the update, by buttons alone.
func TestDrillDownAndBack(t *testing.T) {
	t.Parallel()
	n := wholeTenant(t)
	software := n.mustPress(t, "microsoft-_-windows_11")
	kbLine := first(t, software, "kb")
	kb := n.mustPress(t, kbLine)
	if !strings.HasPrefix(kb.Title, "KB") || !strings.Contains(kb.Lead, "Missing on") || !strings.Contains(kb.Lead, "It fixes") {
		t.Errorf("update: %q, %q", kb.Title, kb.Lead)
	}
	cve := n.mustPress(t, first(t, kb, "cve"))
	if !strings.HasPrefix(cve.Title, "CVE-") || !strings.Contains(cve.Lead, "severity") || !strings.Contains(cve.Lead, "fix") {
		t.Errorf("CVE: %q, %q", cve.Title, cve.Lead)
	}
	exposed := n.mustPress(t, cve.Actions[0].Command)
	machine := n.mustPress(t, first(t, exposed, "machine"))
	if !strings.HasPrefix(machine.Lead, "It lacks ") {
		t.Errorf("device: %q", machine.Lead)
	}
	back := n.mustPress(t, first(t, machine, "kb"))
	if !strings.HasPrefix(back.Title, "KB") {
		t.Errorf("back: %q", back.Title)
	}
	if lines := offered(kb); !slices.Contains(lines, "microsoft-_-windows_11") {
		t.Errorf("no way back to the software: %q", lines)
	}
}

// Whatever of the three permissions the bot has, what can be asked answers without an error, and a page says once what
// each missing one would show.
func TestEachSetOfPermissions(t *testing.T) {
	t.Parallel()
	whole := wholeTenant(t)
	software := whole.mustPress(t, "microsoft-_-windows_11")
	kbLine := first(t, software, "kb")
	cveLine := first(t, whole.mustPress(t, kbLine), "cve")
	list := whole.mustPress(t, "devices microsoft-_-windows_11 --list")
	machineID := first(t, list, "machine")
	name := tableOf(t, list).Row(0)[0].Text
	roles := []string{"Software.Read.All", "Machine.Read.All", "Vulnerability.Read.All"}
	needs := map[string][]string{ // which permissions the whole page takes
		kbLine:                                  {roles[0], roles[2]},
		kbLine + " --devices":                   {roles[2]},
		kbLine + " --cves":                      {roles[2]},
		cveLine:                                 {roles[2]},
		cveLine + " --devices":                  {roles[2]},
		"machine " + name:                       {roles[0], roles[1]},
		machineID:                               {roles[0], roles[1]},
		"devices microsoft-_-windows_11":        {roles[0], roles[1]},
		"devices microsoft-_-windows_11 --list": {roles[0]},
	}
	for set := range 8 {
		var has []string
		for i, r := range roles {
			if set&(1<<i) != 0 {
				has = append(has, r)
			}
		}
		t.Run(fmt.Sprint(has), func(t *testing.T) {
			t.Parallel()
			n := wholeTenant(t)
			n.SetRoles(append([]string{"Score.Read.All"}, has...)...)
			for line, takes := range needs {
				page, err := n.press(t, line)
				if err != nil {
					t.Errorf("%q: %v", line, err)
					continue
				}
				for _, r := range roles {
					missing := slices.Contains(takes, r) && !slices.Contains(has, r)
					if !slices.Contains(has, roles[0]) && r == roles[1] && strings.HasPrefix(line, "devices ") {
						missing = false // nothing is shown to which it would add
					}
					if got := strings.Count(page.Note, r); missing && got != 1 || !missing && got != 0 {
						t.Errorf("%q names %s %d times: %q", line, r, got, page.Note)
					}
				}
			}
		})
	}
}

func tableOf(t *testing.T, p view.Page) view.Table {
	t.Helper()
	for _, part := range p.Parts {
		if table, ok := part.(view.Table); ok {
			return table
		}
	}
	t.Fatalf("%q has no table", p.Title)
	return view.Table{}
}

// What can be no KB number is not said to be installed everywhere.
func TestUnknownUpdates(t *testing.T) {
	t.Parallel()
	n := wholeTenant(t)
	for line, want := range map[string]string{
		"kb 5999999": "may be installed everywhere", "kb KB5999999": "may be installed everywhere",
		"kb nonsense": "KB numbers have six to eight digits", "kb 1": "KB numbers have six to eight digits", "kb 123456789": "KB numbers have six to eight digits",
	} {
		page, err := n.press(t, line)
		var e *commands.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %v %+v", line, err, page)
		}
	}
}
