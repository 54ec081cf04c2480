package commands_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/commands/digestcmd"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// Each trouble of the database has a page of its own: what it is, what works meanwhile, what happens by itself, whom to tell.
func TestTroubleOfTheDatabaseIsExplained(t *testing.T) {
	t.Parallel()
	titles := map[string]bool{}
	for _, trouble := range digest.Troubles() {
		// A database that does not answer in time is no Defender that does not.
		cause := fmt.Errorf("typed words: %w", context.DeadlineExceeded)
		err := fmt.Errorf("look up a digest: %w", &digest.StoreError{Trouble: trouble, Message: "said", Err: cause})
		page := commands.Explain(err)
		if titles[page.Title] || !strings.Contains(page.Title, "database") {
			t.Errorf("%s: the title %q is another's, or names no database", trouble, page.Title)
		}
		titles[page.Title] = true
		for _, want := range []string{"ell the operator of this bot", "still answers questions about software and updates", "digests"} {
			if !strings.Contains(page.Lead, want) {
				t.Errorf("%s: got %q, want %q in it", trouble, page.Lead, want)
			}
		}
		if got := commands.Reason(err); got != "database" || !slices.Contains(commands.Reasons(), got) {
			t.Errorf("%s: the reason is %q", trouble, got)
		}
		if got := commands.Logged(err); got != "look up a digest: said" {
			t.Errorf("%s: the log has %q", trouble, got)
		}
	}
}

func TestNULIsRefused(t *testing.T) {
	t.Parallel()
	for _, read := range []func(string) (commands.Request, error){commands.Parse, commands.ParseOffered} {
		if req, err := read("digest show a\x00b"); err == nil || commands.Reason(err) != "usage" {
			t.Errorf("got %+v, %v", req, err)
		}
	}
}

func TestUntyped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, text, want string }{
		{"digest show Zebra7", "read zebra7: failed", "read (typed): failed"},
		{"digest pause 4711", "pause a digest: connect to 10.0.0.1:4711", "pause a digest: connect to 10.0.0.1:(typed)"},
		{`search "zebra stripes"`, "no zebra stripes here", "no (typed) here"},
		{"`zebra.*`, other", "zebra.* and zebras", "(typed) and zebras"},
		{"https://security.microsoft.com/software/zebra-_-seven", "no zebra-_-seven", "no (typed)"},
		{"kb", "no kb", "no kb"},
		{"", "nothing", "nothing"},
		{"zebra zebrafish", "zebrafish and zebra", "(typed) and (typed)"},
	} {
		ctx := commands.WithTyped(t.Context(), c.line)
		if got := commands.Untyped(ctx, c.text); got != c.want {
			t.Errorf("%q in %q: got %q, want %q", c.line, c.text, got, c.want)
		}
	}
	if got := commands.Untyped(t.Context(), "as it is"); got != "as it is" {
		t.Errorf("got %q", got)
	}
}

// The words of commands are not taken for words that were typed.
func TestOwnWordsAreThoseOfCommands(t *testing.T) {
	t.Parallel()
	for _, c := range all(t) {
		for _, word := range append(strings.Split(c.Usage, " | "), c.Name) {
			if strings.ContainsAny(word, "<[") {
				continue
			}
			ctx := commands.WithTyped(t.Context(), c.Name+" "+word)
			if got := commands.Untyped(ctx, word); got != word {
				t.Errorf("%s %s: the log says %q", c.Name, word, got)
			}
		}
	}
}

// all are the commands of a bot.
func all(t *testing.T) []commands.Command {
	t.Helper()
	r, err := commands.NewRouter(
		commands.Software(nil, nil), commands.Search(nil, nil), digestcmd.New(nil, digestcmd.Options{}), commands.Home(nil, nil, commands.HomeOptions{}),
		commands.Admin(nil, nil, nil, nil),
	)
	if err != nil {
		t.Fatal(err)
	}
	return r.Commands()
}
