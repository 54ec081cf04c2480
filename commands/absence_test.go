package commands_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
)

// absent is how people are told that something is not there.
var absent = regexp.MustCompile(`(?i)knows no |nothing similar|no missing updates|no update is missing|no software|nothing matches|lists no |list of this tenant is empty|\bmatches "`)

// text is all that a page says.
func text(t *testing.T, p view.Page) string {
	t.Helper()
	var b strings.Builder
	if err := view.WriteText(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// answer is what a person reads of a line, whether it fails or not.
func (d *desk) answer(t *testing.T, line string) string {
	t.Helper()
	if line == commands.HomeName {
		return text(t, homePage(t, d.client, commands.HomeOptions{}, alice))
	}
	page, err := d.from(t, alice, here, line)
	if err != nil {
		page = commands.Explain(err)
	}
	return text(t, page)
}

// linesThatFindNothing are questions about what is not there, with what an honest Defender makes the bot say of it.
func linesThatFindNothing() map[string]string {
	return map[string]string{
		"zz-_-qqqqqq":                 "Defender knows no software zz-_-qqqqqq in this tenant, and nothing similar.",
		"search qqqqqq":               `No software in this tenant matches "qqqqqq".`,
		"qqqqqq wwwwww":               `No software in this tenant matches "qqqqqq wwwwww".`,
		"digest add zz-_-qqqqqq":      "Defender knows no software zz-_-qqqqqq in this tenant, and nothing similar.",
		"digest add microsoft-_-qqq*": "No software in this tenant matches the pattern microsoft-_-qqq*",
	}
}

func TestAbsenceIsTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for line, want := range linesThatFindNothing() {
		if got := d.answer(t, line); !strings.Contains(got, want) {
			t.Errorf("%s: %q does not say %q", line, got, want)
		}
	}
	if got := d.answer(t, "google-_-chrome"); !strings.Contains(got, "No missing updates") {
		t.Errorf("nothing missing: %q", got)
	}
}

// notDefenders are answers of what is not Defender, or not all of it.
func notDefenders() map[string]apitest.Fault {
	json := func(status int, body string) apitest.Fault { return apitest.Fault{Status: status, Body: body} }
	html := func(status int) apitest.Fault {
		return apitest.Fault{Status: status, Body: "<html><body>Not here</body></html>", ContentType: "text/html"}
	}
	return map[string]apitest.Fault{
		"404 of a web server":     html(404),
		"404 of API Management":   json(404, `{"statusCode":404,"message":"Resource not found"}`),
		"404 of Graph":            json(404, `{"error":{"code":"itemNotFound","message":"Item not found"}}`),
		"404 without a word":      {Status: 404, Body: " "},
		"403 of a firewall":       html(403),
		"403 of API Management":   json(403, `{"statusCode":403,"message":"Forbidden"}`),
		"403 of Defender":         {Status: 403, Code: "Forbidden", Message: "Access denied."},
		"401 of a proxy":          html(401),
		"302":                     {Status: 302, Body: " "},
		"200 and a web page":      html(200),
		"200 and nothing":         {Status: 200, Body: " "},
		"200 and an object":       json(200, `{}`),
		"200 and null":            json(200, `{"@odata.context":"c","value":null}`),
		"200 and an error":        json(200, `{"error":{"code":"NotFound","message":"m"}}`),
		"200 and any list":        json(200, `{"value":[]}`),
		"200 and rows of nothing": json(200, `{"@odata.context":"c","value":[null,{},5]}`),
		"204":                     {Status: 204, Body: " "},
		"503":                     {Status: 503, Code: "ServiceUnavailable", Message: "m"},
		"429":                     {Status: 429, Code: "429", Message: "You can send requests again in 900 seconds."},
		"broken off":              {Cut: 20},
	}
}

// unknownID is Defender's word that it does not know an id.
func unknownID() apitest.Fault {
	return apitest.Fault{Path: "/api/Software/zz-_-qqqqqq", Status: 404, Code: "ResourceNotFound", Message: "Software zz-_-qqqqqq was not found"}
}

// Where nothing was looked at, nothing is said to be absent.
func TestAbsenceNeedsALook(t *testing.T) {
	t.Parallel()
	for name, fault := range notDefenders() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := []string{"microsoft-_-edge", "google-_-chrome", "search", commands.HomeName}
			for line := range linesThatFindNothing() {
				lines = append(lines, line)
			}
			d := newDesk(t)
			d.Inject(fault)
			for _, line := range lines {
				if got := d.answer(t, line); absent.MatchString(got) {
					t.Errorf("%s: %s", line, got)
				}
			}
		})
	}
}

// Defender itself does not know an id, and the software list cannot be read: what is similar is not known.
func TestNothingSimilarNeedsAList(t *testing.T) {
	t.Parallel()
	faults := notDefenders()
	faults["a list that leads away"] = apitest.Fault{NextLink: "https://evil.example/api/Software"}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.Inject(unknownID())
			fault.Path = "/api/Software"
			d.Inject(fault)
			got := d.answer(t, "zz-_-qqqqqq")
			if strings.Contains(got, "nothing similar") || strings.Contains(got, "Did you mean") {
				t.Error(got)
			}
		})
	}
}

// A row that could not be read may be what was looked for.
func TestAbsenceOfAListThatIsNotWhole(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Inject(unknownID())
	d.Inject(apitest.Fault{Path: "/api/Software", Body: `{"@odata.context":"c","value":[{"id":"microsoft-_-edge","vendor":"microsoft"},{"id":null}]}`})
	for _, line := range []string{"zz-_-qqqqqq", "search qqqqqq", "qqqqqq wwwwww", "search edge", "search", commands.HomeName, "digest add zz-_-qqqqqq"} {
		if got := d.answer(t, line); !strings.Contains(got, "1 row could not be read") {
			t.Errorf("%s: %s", line, got)
		}
	}
	page, err := d.from(t, alice, here, "search edge")
	if err != nil || page.Unreadable != 1 {
		t.Errorf("%d rows are unreadable, %v; want 1", page.Unreadable, err)
	}
}

// Of a list of updates some rows, or all, cannot be read.
func TestUnreadableRows(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rows, lead string
		unreadable int
	}{
		"some":                         {`{"id":"4540673","name":"n","machineMissedOn":240,"cveAddressed":14},{"id":"5","name":5,"machineMissedOn":1},null`, "1 update missing, on 240 devices. 2 rows could not be read, so more may be missing.", 2},
		"all":                          {`{}`, "1 row could not be read, and there is no other, so nothing is known about what is missing. The bot's log says why.", 1},
		"none, but no device lacks it": {`{"id":"4540673","name":"n","machineMissedOn":0}`, "No missing updates: Defender knows this software and lists no KB for it. But 240 devices are exposed: update the software itself, with its own updater or by installing its newest version.", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t)
			n.Inject(apitest.Fault{Path: "/api/Software/microsoft-_-edge/getmissingkbs", Body: `{"@odata.context":"c","value":[` + tc.rows + `]}`})
			page := n.page(t, "microsoft-_-edge")
			if page.Lead != tc.lead || page.Unreadable != tc.unreadable {
				t.Errorf("%d unreadable, lead %q; want %d, %q", page.Unreadable, page.Lead, tc.unreadable, tc.lead)
			}
		})
	}
}

// A search without letters is no search.
func TestNoLettersNoSearch(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, line := range []string{"?", "search ?", "search - *", "🙂", "search 🙂 …", "_-_", "-_-", "digest add -", "digest add _-_"} {
		if got := d.answer(t, line); absent.MatchString(got) && line != "-_-" && !strings.Contains(got, "pattern") || strings.Contains(got, "similar") || strings.Contains(got, "Did you mean") || strings.Contains(got, "microsoft-_-edge") {
			t.Errorf("%s: %s", line, got)
		}
	}
	if n := d.Count("/api/Software"); n > 4 { // what looks like an id is asked for
		t.Errorf("%d calls", n)
	}
	if ids, err := commands.NewSuggester(d.prepared(t), nil).Suggest(t.Context(), "", "?", 5); err != nil || len(ids) != 0 {
		t.Errorf("offered %v, %v", ids, err)
	}
}

// An empty software list is Defender's word that there is nothing to search, not that nothing fits.
func TestEmptySoftwareList(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Inject(unknownID())
	d.Inject(apitest.Fault{Path: "/api/Software", Body: `{"@odata.context":"c","value":[]}`})
	for line, want := range map[string]string{
		"search edge": "Defender lists no software at all", "search": "Defender lists no software at all", "edge": "AZURE_TENANT_ID",
		commands.HomeName: "Defender lists no software at all", "zz-_-qqqqqq": "could not look for something similar: Defender lists no software at all",
	} {
		if got := d.answer(t, line); !strings.Contains(got, want) || strings.Contains(got, "nothing similar") {
			t.Errorf("%s: %q does not say %q", line, got, want)
		}
	}
}
