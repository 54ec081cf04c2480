package commands_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// An option is read with one dash or two, in capitals and with an underscore, before and behind the other words.
func TestOptionsInEverySpelling(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.putGap("microsoft-_-windows_10")
	const want = "microsoft-_-windows_10 --sort cves --min-devices 2"
	for _, line := range []string{
		"microsoft-_-windows_10 --sort cves --min-devices 2", "--sort cves microsoft-_-windows_10 --min-devices=2", "microsoft-_-windows_10 -sort cves -min-devices 2",
		"microsoft-_-windows_10 –sort cves —min-devices 2", "microsoft-_-windows_10 —-sort cves -—min-devices=2", "microsoft-_-windows_10 ‑‑sort cves −−min−devices 2",
		"microsoft-_-windows_10 --Sort CVEs --MIN-DEVICES 2", "microsoft-_-windows_10 --sort=cves --min_devices=2", "*microsoft-_-windows_10*, —Sort “cves” －－min-devices ２",
		"microsoft-_-windows_10 ---sort cves, --min-devices 2.",
	} {
		page := n.page(t, line)
		if got := page.Actions[1].Command; got != want {
			t.Errorf("%s: read as %q, want %q", line, got, want)
		}
	}
}

// What is misspelt among a few words is told with the line that was meant, on a button.
func TestMisspeltWordsOfTheProgram(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1"))
	for _, c := range []struct{ line, want string }{
		{"microsoft-_-edge --srot cves", "microsoft-_-edge --sort cves"},
		{"microsoft-_-edge -srot cves", "microsoft-_-edge --sort cves"},
		{"microsoft-_-edge --srot=cves --page 2", "microsoft-_-edge --sort=cves --page 2"},
		{"microsoft-_-edge --sorting cves", "microsoft-_-edge --sort cves"},
		{"microsoft-_-edge --mindevices 3", "microsoft-_-edge --min-devices 3"},
		{"microsoft-_-edge --min-dev 3", "microsoft-_-edge --min-devices 3"},
		{"microsoft-_-edge --sort device", "microsoft-_-edge --sort devices"},
		{"microsoft-_-edge --sort=devcies", "microsoft-_-edge --sort=devices"},
		{"search edge chrome --pgae 2", "search edge chrome --page 2"},
		{"digest lst", "digest list"},
		{"digest 1", "digest show 1"},
		{"digest *#1*", "digest show #1"},
		{"digest lsit --page 2", "digest list --page 2"},
		{"digest pasue 1", "digest pause 1"},
		{"digest rmove 1 --yes", "digest remove 1 --yes"},
		{"digest prev 1", "digest preview 1"},
		{`digest ad microsoft-_-edge`, "digest add microsoft-_-edge"},
		{`digest adde microsoft-_-edge --at “daily 07:00”`, `digest add microsoft-_-edge --at "daily 07:00"`},
		{"digest add microsoft-_-edge --min-device 4", "digest add microsoft-_-edge --min-devices 4"},
		{"digest add microsoft-_-edge --att daily 07:00", "digest add microsoft-_-edge --at daily 07:00"},
		{"digest add microsoft-_-edge --quiet heart", "digest add microsoft-_-edge --quiet heartbeat"},
		{"digest add microsoft-_-edge --quite always", "digest add microsoft-_-edge --quiet always"},
		{"digest list --pag 2", "digest list --page 2"},
		{"digest remove 1 --yess", "digest remove 1 --yes"},
		{"help serach", "help search"},
		{"help digset", "help digest"},
	} {
		page := d.refuses(t, alice, here, c.line)
		if len(page.Actions) == 0 || page.Actions[0].Command != c.want || page.Actions[0].Label != c.want || !strings.Contains(page.Lead, "Did you mean") {
			t.Errorf("%s: %q with %+v, want a first button %q", c.line, page.Lead, page.Actions, c.want)
			continue
		}
		req, err := commands.ParseOffered(c.want)
		if err != nil {
			t.Fatal(err)
		}
		req.User, req.Channel = alice, here
		if _, err := d.router.Run(t.Context(), req); err != nil && strings.Contains(commands.Explain(err).Lead, "Did you mean") {
			t.Errorf("%s: the offered %q fails in the same way: %v", c.line, c.want, err)
		}
		d.store.held, d.store.audits = map[string]digest.Subscription{"1": edge("1")}, nil
	}
}

func TestOptionsThatWereNotMeant(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	for line, want := range map[string]string{
		"microsoft-_-edge -frobnicate":       "There is no option -frobnicate. Usage: <software-id>",
		"microsoft-_-edge --frobnicate=2":    "There is no option --frobnicate. Usage: <software-id>",
		"microsoft-_-edge --sort --page 2":   "The option --sort needs a value.",
		"microsoft-_-edge --sort":            "The option --sort needs a value.",
		"microsoft-_-edge --sort size":       "devices, cves, kb",
		"microsoft-_-edge --min-devices -3":  "--min-devices -3",
		"microsoft-_-edge --min-devices=1e9": "--min-devices 1e9",
	} {
		if got := n.failure(t, line); !strings.Contains(got.Lead, want) {
			t.Errorf("%s: %q, want %q in it", line, got.Lead, want)
		}
	}
	// A dash alone, in front of digits, or as a part of an id is no option.
	for _, line := range []string{"search edge -", "search edge -- --page", "search - edge"} {
		if _, err := n.ask(t, line); err != nil && strings.Contains(err.Error(), "option") {
			t.Errorf("%s: %v", line, err)
		}
	}
	got, err := commands.ParseOffered("--odd-_-id")
	if diff := cmp.Diff([]string{"--odd-_-id"}, got.Words); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
