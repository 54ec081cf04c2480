package riskcmd

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/triage"
	"github.com/missingkbs/missingkbs/internal/view"
)

// formTime is how long a form waits to name the updates inside: Slack opens a window only within three seconds of the click.
// What was read just before, such as for the page with the button, is in memory.
const formTime = 700 * time.Millisecond

// olderWords says of the updates inside one what holds for all of them.
const olderWords = "Older updates that it contains are not accepted with it: each still counts, exploited or overdue, until it is installed or accepted itself."

// left finds the exploited updates that one contains and that are missing and not accepted. It is empty without feeds, and if
// accepted risks cannot be read.
func (c command) left(ctx context.Context, kb string, beside []patchgap.Row) []*triage.Finding {
	var known *advisory.Snapshot
	if c.Advisories != nil {
		known = c.Advisories()
	}
	marks, err := c.register.Marks(ctx, beside)
	if err != nil || known == nil {
		return nil
	}
	u := patchgap.Update{Rows: []patchgap.Row{{Key: patchgap.Key{KB: kb}}}}
	return triage.Of(known, patchgap.Updates(beside)).Left(u, marks.Covers)
}

// contains is the sentence of a form about the updates inside: by name if they are known at once, otherwise in general.
func (c command) contains(ctx context.Context, w addRequest) string {
	ctx, cancel := context.WithTimeout(ctx, formTime)
	defer cancel()
	found, err := commands.Lacking(ctx, c.Defender, c.Index, w.kb, w.software)
	if err != nil {
		return olderWords
	}
	if words := triage.LeftWords(c.left(ctx, w.kb, found.Beside)); words != "" {
		return words
	}
	return olderWords
}

// acceptToo are the buttons that open the form for the updates inside.
func acceptToo(left []*triage.Finding, software string) []view.Action {
	var actions []view.Action
	for _, f := range left[:min(len(left), commands.MaxSuggestions)] {
		words := []string{Name, catalog.Label(f.KB())}
		if software != "" {
			words = append(words, "--software", software)
		}
		actions = append(actions, view.Action{Label: "Accept " + catalog.Label(f.KB()) + " too…", Command: cmdline.Join(words...)})
	}
	return actions
}
