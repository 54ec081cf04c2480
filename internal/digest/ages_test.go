package digest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/aging"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/view"
)

// That a deadline has passed is told once, though nothing else has changed; what is overdue comes first, until it is accepted.
func TestOverdue(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		policy, err := deadline.Parse("other:10")
		if err != nil {
			t.Fatal(err)
		}
		old, large := row(windows, "5074224", 20, 66), row(windows, "5080000", 300, 9)
		h.defender.rows = []patchgap.Row{old, large}
		began := time.Now()
		h.Ages = func(_ context.Context, r digest.Report) digest.Ages {
			f := aging.Facts{Now: r.Subscription.Local(time.Now()), Policy: policy, Seen: map[patchgap.Key]patchgap.Seen{}}
			f.Seen[old.Key] = patchgap.Seen{First: began, Before: began}
			f.Seen[large.Key] = patchgap.Seen{First: time.Now(), Before: time.Now()}
			return f.Of(r.After.Updates(), r.Inside)
		}
		if page, _ := h.week(); !strings.HasPrefix(page.Title, "Worth a look") {
			t.Errorf("the first digest: %q", page.Title)
		}
		if _, posted := h.week(); posted {
			t.Error("nothing changed, but something was posted")
		}
		told, posted := h.week() // after 14 days
		if !posted {
			t.Fatal("that the deadline has passed was not told")
		}
		if !strings.HasPrefix(told.Title, "Action required") || !strings.Contains(told.Lead, "1 is overdue: KB5074224, by ") {
			t.Errorf("an overdue update: %q, %q", told.Title, told.Lead)
		}
		for _, part := range told.Parts {
			if table, ok := part.(view.Table); ok && (table.Row(0)[0].Text != "KB5074224" || !strings.HasPrefix(table.Caption, "Overdue first")) {
				t.Errorf("first in the table %q is %s", table.Caption, table.Row(0)[0].Text)
			}
		}
		posts := len(h.slack.posted)
		if h.week(); len(h.slack.posted) != posts {
			t.Error("the same was told again")
		}
	})
}

// An update that is accepted asks for no action, however late it is.
func TestOverdueButAccepted(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{row(windows, "5074224", 20, 66)}
		h.Ages = func(_ context.Context, r digest.Report) digest.Ages {
			policy, err := deadline.Parse("other:10")
			if err != nil {
				t.Fatal(err)
			}
			seen := patchgap.Seen{First: time.Now().AddDate(0, 0, -90), Before: time.Now().AddDate(0, 0, -91)}
			return aging.Facts{Now: time.Now(), Policy: policy, Seen: map[patchgap.Key]patchgap.Seen{r.After.Rows[0].Key: seen}}.Of(r.After.Updates(), r.Inside)
		}
		a := risk.Acceptance{ID: "1", Tenant: digest.DefaultTenant, KB: "5074224", Reason: "frozen", By: "U1", At: time.Now(), Until: time.Now().AddDate(1, 0, 0), State: risk.Accepted}
		a.Rows, a.Name = risk.RowsOf(h.defender.rows, a.KB, "")
		h.Accepted = &decisions{list: []risk.Acceptance{a}}
		page, _ := h.week()
		if strings.HasPrefix(page.Title, "Action required") || strings.Contains(page.Lead, "overdue") {
			t.Errorf("%q, %q", page.Title, page.Lead)
		}
		h.Accepted = nil
		if page, _ := h.week(); page.Title != "" {
			t.Errorf("what was late before was told: %q", page.Title)
		}
	})
}
