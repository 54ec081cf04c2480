package digestcmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/commands"

	"github.com/goccy/go-yaml"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/view"
)

// details lists the updates of the last digest, without asking Defender again.
func (d command) details(ctx context.Context, req commands.Request, s digest.Subscription) (view.Page, error) {
	shown, rows := 0, false
	o := cmdline.NewOptions("digest details N [--all-rows] [--page N]", commands.DigestName, "details", s.ID)
	o.BoolVar(&rows, commands.AllRows, false, "")
	o.Var(cmdline.Number(&shown, 1), "page", "")
	words, err := o.ReadWords(req.Words)
	if err == nil {
		err = noWords(o.UsageLine, words)
	}
	if err != nil {
		return view.Page{}, err
	}
	at, known, err := d.store.Baseline(ctx, s.ID)
	if err != nil {
		return view.Page{}, fmt.Errorf("read the last snapshot of a digest: %w", err)
	}
	if !known {
		return view.Page{}, &commands.Error{
			Title:   "Nothing to show yet",
			Message: fmt.Sprintf("Digest %s has not run yet. Next run: %s.", s.ID, s.NextWords(d.Now())),
			Actions: []view.Action{d.action("Preview", "preview", s), d.action("Settings", "show", s)},
		}
	}
	page, err := d.Known.Details(ctx, s, at, d.Now(), rows)
	if err != nil {
		return view.Page{}, err
	}
	for i, part := range page.Parts {
		if t, ok := part.(view.Table); ok {
			t.Page = shown
			page.Parts[i] = t
		}
	}
	return page, nil
}

// preview shows the digest as it would be now. If Defender cannot be read, it shows that failure.
func (d command) preview(ctx context.Context, req commands.Request, s digest.Subscription) (view.Page, error) {
	if err := noWords("digest preview N", req.Words); err != nil {
		return view.Page{}, err
	}
	if d.Preview == nil && onTerminal(req) {
		return view.Page{}, &commands.Error{Title: "No previews on a terminal", Usage: true, Message: "Preview the digest in Slack: /missingkbs digest preview " + s.ID}
	}
	if d.Preview == nil {
		return view.Page{}, &commands.Error{Title: "No previews here", Message: "This bot makes no digests now. Preview the digest in Slack."}
	}
	report, err := d.Preview.Preview(ctx, s)
	var page view.Page
	switch {
	case err == nil:
		page = report.Page()
	case len(report.After.Unread) > 0:
		page = report.Failure()
		page.Lead = "Nothing could be read from Defender just now, so there is nothing to preview."
		if report.Waits {
			page.Lead = "A preview needs more Defender calls than the limit allows now. What was read so far is kept: try again to continue."
		}
	default:
		return view.Page{}, fmt.Errorf("preview a digest: %w", err)
	}
	page.Title = "Preview: " + page.Title
	page.Note = strings.TrimSpace("Only you see this, and nothing is saved. " + d.comes(s) + page.Note)
	page.Actions = []view.Action{{Label: "Settings", Command: cmdline.Join(commands.DigestName, "show", s.ID)}}
	if !s.Paused {
		page.Actions = slices.Insert(page.Actions, 0, view.Action{Label: "Run now", Command: cmdline.Join(commands.DigestName, "run", s.ID)})
	}
	return page, nil
}

// comes says when the previewed digest will be posted, and what to know about its schedule.
func (d command) comes(s digest.Subscription) string {
	words := "Next: " + s.NextWords(d.Now())
	if then := d.then(s); then != "" {
		words += ", then " + then
	}
	words = strings.TrimSuffix(words, ".") + ". "
	if caution := schedule.Caution(s.Schedule, d.Now()); caution != "" {
		words += caution + " "
	}
	return words
}

// maxEntry bounds an export line that chat shows in full, in bytes.
const maxEntry = 500

// export writes subscriptions in the format of the digest file, one per line.
func (d command) export(ctx context.Context, req commands.Request) (view.Page, error) {
	if err := noWords("digest export", req.Words); err != nil {
		return view.Page{}, err
	}
	all, err := d.here(ctx, req)
	if err != nil {
		return view.Page{}, err
	}
	lines, err := exportLines(all)
	if err != nil {
		return view.Page{}, err
	}
	page := view.Page{
		Title: "Digests as YAML",
		Lead:  fmt.Sprintf("%s. Put these lines below the key digests: of the file that MISSINGKBS_DIGESTS names.", view.Count(len(all), "digest")),
		Note:  "Before the file is applied, remove here what it is to take over, or change the ids in it.",
	}
	t := view.Table{Caption: "Digests as YAML", Columns: []view.Column{{Key: "digests", Title: "digests:"}}}
	var facts view.Facts
	for i, entry := range lines {
		t.Rows = append(t.Rows, []view.Cell{view.TextCell(entry)})
		if len(entry) > maxEntry {
			entry = fmt.Sprintf("too long to show here (%s): missingkbs ask digest export shows it on a terminal", view.Count(len(all[i].Watch), "software id"))
		}
		facts = append(facts, view.Fact{Name: all[i].ID, Value: entry})
	}
	page.Parts = []view.Part{facts}
	if onTerminal(req) {
		page.Parts = []view.Part{t}
	}
	return page, nil
}

// exportLines formats subscriptions as lines of YAML.
func exportLines(all []digest.Subscription) ([]string, error) {
	var lines []string
	for _, s := range all {
		text, err := digest.WriteFile([]digest.Subscription{s})
		if err != nil {
			return nil, err
		}
		var file struct{ Digests []yaml.MapSlice }
		if err := yaml.Unmarshal(text, &file); err != nil {
			return nil, fmt.Errorf("read a subscription back: %w", err)
		}
		flow, err := yaml.MarshalWithOptions(file.Digests[0], yaml.Flow(true))
		if err != nil {
			return nil, fmt.Errorf("write a subscription: %w", err)
		}
		lines = append(lines, "- "+strings.TrimSpace(string(flow)))
	}
	return lines, nil
}
