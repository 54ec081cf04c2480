package commands_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// seenBefore is a history of updates.
type seenBefore struct {
	seen map[patchgap.Key]patchgap.Seen
	err  error
}

func (s seenBefore) FirstSeen(_ context.Context, _, software string) (map[patchgap.Key]patchgap.Seen, error) {
	seen := map[patchgap.Key]patchgap.Seen{}
	for k, v := range s.seen {
		if k.Software == software {
			seen[k] = v
		}
	}
	return seen, s.err
}

// The page of an update says since when it is seen, only if that is known, and whether it may be older.
func TestUpdateSaysSinceWhenItIsSeen(t *testing.T) {
	t.Parallel()
	n := wholeTenant(t)
	const software = "microsoft-_-windows_11"
	line := first(t, n.mustPress(t, software), "kb")
	kb := strings.TrimPrefix(line, "kb ")
	day := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	of := func(software, kb string, first, before time.Time) map[patchgap.Key]patchgap.Seen {
		return map[patchgap.Key]patchgap.Seen{
			{Software: software, KB: kb, OSBuild: "1"}: {First: first, Before: before}, {Software: software, KB: kb, OSBuild: "2"}: {First: first.AddDate(0, 1, 0)},
		}
	}
	for name, c := range map[string]struct {
		history commands.History
		want    string
	}{
		"no history":           {nil, ""},
		"never read":           {seenBefore{}, ""},
		"another update":       {seenBefore{seen: of(software, "1", day, time.Time{})}, ""},
		"another software":     {seenBefore{seen: of("a-_-b", kb, day, time.Time{})}, ""},
		"at the first reading": {seenBefore{seen: of(software, kb, day, time.Time{})}, "Seen since 2026-03-02, when digests first read its software; it may be missing for longer."},
		"between two":          {seenBefore{seen: of(software, kb, day, day.AddDate(0, 0, -7))}, "Seen since 2026-03-02."},
		"unreadable":           {seenBefore{err: errors.New("away")}, "The bot could not read now since when digests see it."},
	} {
		index := &search.Index{}
		router, err := commands.NewRouter(commands.Software(n.client, index), commands.KB(n.client, index, commands.WithHistory(c.history)))
		if err != nil {
			t.Fatal(err)
		}
		page, err := router.Run(t.Context(), commands.Request{Words: strings.Fields(line)})
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := view.WriteText(&text, page); err != nil {
			t.Fatal(err)
		}
		if got := text.String(); !strings.Contains(got, c.want) || c.want == "" && strings.Contains(got, "since") {
			t.Errorf("%s: %s", name, got)
		}
	}
}
