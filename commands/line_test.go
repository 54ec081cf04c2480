package commands_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/missingkbs/missingkbs/commands/digestcmd"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/view"
)

// fixedDefender knows three products and answers at once.
type fixedDefender struct{ commands.Details }

func (fixedDefender) MissingKBs(_ context.Context, id string, _ ...api.CallOption) (api.Answer[[]api.MissingKB], error) {
	a := api.Answer[[]api.MissingKB]{Value: []api.MissingKB{}, FetchedAt: aMonday}
	switch {
	case id == "microsoft-_-edge":
		for i := range 30 {
			a.Value = append(a.Value, api.MissingKB{ID: strconv.Itoa(5000000 + i), Name: "Update", ProductsNames: []string{"edge"}, OSBuild: "22631", MachineMissedOn: i * i, CVEAddressed: i})
		}
	case id != "google-_-chrome":
		return a, &api.Error{Kind: api.ErrNotFound, Status: 404, Code: "ResourceNotFound", Target: "|1."}
	}
	return a, nil
}

func (d fixedDefender) SoftwareByID(ctx context.Context, id string, _ ...api.CallOption) (api.Answer[api.Software], error) {
	all, _ := d.Catalog(ctx)
	for _, s := range all.Value {
		if s.ID == id {
			return api.Answer[api.Software]{Value: s}, nil
		}
	}
	return api.Answer[api.Software]{}, &api.Error{Kind: api.ErrNotFound, Status: 404}
}

func (fixedDefender) Catalog(context.Context, ...api.CallOption) (api.Answer[[]api.Software], error) {
	return api.Answer[[]api.Software]{FetchedAt: aMonday, Value: []api.Software{
		{ID: "google-_-chrome", Name: "chrome", Vendor: "google", ExposedMachines: 3},
		{ID: "microsoft-_-edge", Name: "edge", Vendor: "microsoft", ExposedMachines: 30},
		{ID: "microsoft-_-windows_11", Name: "windows_11", Vendor: "microsoft", ExposedMachines: 57},
	}}, nil
}

// FuzzLine asks whatever people may type, in a channel and on a terminal, of every command there is. Nothing may crash;
// what comes back is a page or words that were chosen for people, and can be drawn; and the buttons of a page carry
// lines that are understood.
func FuzzLine(f *testing.F) {
	for _, line := range []string{
		"", "help", "help digest", "help serach", "microsoft-_-edge", "Microsoft-_-EDGE —sort cves --min-devices 5 --page 2", "microsoft-_-edge --min-cves 1e9",
		"microsoft-_-edge --sort=kb -h", "nobody-_-nothing", "google-_-chrome", "windows 11", "chorme", "search", "search “windows 11” --page 9", "search --page",
		"digest", "digest add microsoft-_-edge --at \"mon 09:00\" --tz Europe/Stockholm", "digest add all —at 'patch-tuesday+1 09:00' --quiet heartbeat --min-cves 3",
		"digest add microsoft-_-* --cron \"0 9 * * 1\"", "digest list", "digest show 1", "digest pause 1 2", "digest resume 1", "digest run 1", "digest preview 1",
		"digest remove 1 --yes", "digest export", "digest add edge --at noon", "digest frobnicate", "<!channel> & <@U1> *x*", "\x00\xff\u202e -_-", "a-_-" + strings.Repeat("b", 3000),
		"search " + strings.Repeat("!", 990), "search " + strings.Repeat("\xfa", 990), "a-_-" + strings.Repeat("b", 990),
		"-- --", "-- -)", "--sort devices", "microsoft-_-edge --page 99999999999999999999",
		"earch “wind\r#ows 11”", "a-_-\rb\u2028", "\r\x1b -_- \x07", "machine \"a\rb\"", "digset list\v",
	} {
		f.Add(line, false)
		f.Add(line, true)
	}
	index := &search.Index{}
	// A store of its own for each line and each button, so that what is found can be repeated.
	open := func(t *testing.T) *commands.Router {
		t.Helper()
		o := digestcmd.Options{
			Defender: fixedDefender{}, Index: index, Queue: &pile{}, Now: func() time.Time { return aMonday },
			People: town{zones: map[string]string{alice: "Europe/Stockholm"}}, Preview: fixedPreview{}, NewID: func(n int) string { return strconv.Itoa(100 + n) },
		}
		router, err := commands.NewRouter(commands.Software(fixedDefender{}, index), commands.Search(fixedDefender{}, index),
			digestcmd.New(newMemory(edge("1"), edge("2", paused), edge("3", elsewhere)), o))
		if err != nil {
			t.Fatal(err)
		}
		return router
	}
	f.Fuzz(func(t *testing.T, line string, onTerminal bool) {
		who := commands.Request{User: alice, Channel: here}
		if onTerminal {
			who = commands.Request{Terminal: true}
		}
		page, failure := askLine(t, open(t), who, line, commands.Parse)
		if failure != nil {
			page = commands.Explain(failure)
			if commands.Reason(failure) == "internal" {
				t.Fatalf("%q is answered with %q: %v", line, page.Title, failure)
			}
		}
		if page.Title == "" || page.Title != view.OneLine(page.Title) {
			t.Fatalf("%q: the title is %q", line, page.Title)
		}
		drawable(t, line, page)
		if onTerminal {
			return // there are no buttons
		}
		for _, a := range buttons(page) {
			again := open(t)
			_, _ = askLine(t, again, who, line, commands.Parse)
			_, err := askLine(t, again, who, a, commands.ParseOffered)
			if err == nil || failure == nil && !misunderstood(err) {
				continue
			}
			// What is offered in place of a wrong line may have a second mistake, but not the same.
			if failure == nil || err.Error() == failure.Error() {
				t.Fatalf("%q: a button says %q: %v", line, a, err)
			}
		}
	})
}

func askLine(
	t *testing.T, router *commands.Router, who commands.Request, line string, parse func(string) (commands.Request, error),
) (view.Page, error) {
	t.Helper()
	req, err := parse(line)
	if err != nil {
		return view.Page{}, err
	}
	req.User, req.Channel, req.Terminal = who.User, who.Channel, who.Terminal
	if in := router.Intent(req); in.Needs == "" || in.Command == "" || (in.Action == "") != (in.Needs == access.Ask) {
		t.Fatalf("%q needs %q for %q", line, in.Needs, in.Command)
	}
	return router.Run(t.Context(), req)
}

// misunderstood reports whether a line was wrong in itself.
func misunderstood(err error) bool {
	own, ok := errors.AsType[*commands.Error](err)
	if _, mistake := errors.AsType[*digest.Mistake](err); mistake {
		return true
	}
	if _, mistake := errors.AsType[*schedule.ParseError](err); mistake {
		return true
	}
	return ok && own.Usage
}

// drawable checks that a page can be written in every form.
func drawable(t *testing.T, line string, page view.Page) {
	t.Helper()
	for _, write := range []func(io.Writer, view.Page) error{view.WriteText, view.WriteJSON} {
		var out strings.Builder
		if err := write(&out, page); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if text := out.String(); text == "" || utf8.ValidString(line) && !utf8.ValidString(text) {
			t.Fatalf("%q is written as %q", line, text)
		}
	}
	var raw strings.Builder
	if err := view.WriteJSON(&raw, page); err != nil || !json.Valid([]byte(raw.String())) {
		t.Fatalf("%q: no JSON: %v\n%s", line, err, raw.String())
	}
	_ = view.WriteCSV(&raw, page) // refuses pages without a table
}

// buttons are some of the lines that a page's buttons carry.
func buttons(page view.Page) []string {
	var lines []string
	add := func(a *view.Action) {
		if a != nil && a.Command != "" {
			lines = append(lines, a.Command)
		}
	}
	for _, a := range page.Actions {
		add(&a)
	}
	for _, p := range page.Parts {
		table, ok := p.(view.Table)
		if !ok {
			continue
		}
		if table.Command != "" {
			lines = append(lines, table.Command+" --page 2")
		}
		for _, a := range table.Sorts {
			add(&a)
		}
		for at := range table.Len() {
			for _, c := range table.Row(at) {
				add(c.Action)
			}
		}
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	return lines[:min(len(lines), 10)]
}

// The rights of subcommands and the names of changes stand with the subcommands; the audit and the gate take them from here.
func TestIntent(t *testing.T) {
	t.Parallel()
	router, err := commands.NewRouter(commands.Software(nil, nil), commands.Search(nil, nil), digestcmd.New(nil, digestcmd.Options{}), commands.Admin(nil, nil, nil, nil),
		commands.Machine(nil, nil), commands.KB(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	const change, administer = access.Change, access.Administer
	for line, want := range map[string]commands.Intent{
		"microsoft-_-edge":               {Needs: access.Ask, Command: "software"},
		"search digest pause":            {Needs: access.Ask, Command: "search"},
		"":                               {Needs: access.Ask, Command: "browse"},
		"digest":                         {Needs: access.Ask, Command: "digest"},
		"digest show 7":                  {Needs: access.Ask, Command: "digest"},
		"digest no-such-word 7":          {Needs: access.Ask, Command: "digest"},
		"digest add microsoft-_-edge":    {Needs: change, Command: "digest", Action: "digest.add"},
		"digest PAUSE #7 until tomorrow": {Needs: change, Command: "digest", Action: "digest.pause", Subject: "7"},
		"digest resume 7":                {Needs: change, Command: "digest", Action: "digest.resume", Subject: "7"},
		"digest run 7":                   {Needs: change, Command: "digest", Action: "digest.run", Subject: "7"},
		"digest remove":                  {Needs: change, Command: "digest", Action: "digest.remove"},
		"digest remove 7 --help":         {Needs: access.Ask, Command: "digest"},
		"admin":                          {Needs: administer, Command: "admin", Action: "admin"},
		"admin who U012AB3CD":            {Needs: administer, Command: "admin", Action: "admin.who", Subject: "U012AB3CD"},
		"admin allow-channel C012AB3CD":  {Needs: administer, Command: "admin", Action: "admin.allow-channel", Subject: "C012AB3CD"},
		"machine Web 01 --page 2":        {Needs: access.Ask, Command: "machine", Action: "machine", Subject: "Web 01"},
		"machine --help":                 {Needs: access.Ask, Command: "machine"},
		"KB5074202 --devices":            {Needs: access.Ask, Command: "kb"},
		"admin xoxb-1-2-3 C1":            {Needs: administer, Command: "admin", Action: "admin"},
	} {
		if got := router.Intent(commands.Request{Words: cmdline.Read(line)}); got != want {
			t.Errorf("%q: got %+v, want %+v", line, got, want)
		}
	}
}
