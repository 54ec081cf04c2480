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

// decisions are acceptances in memory.
type decisions struct{ list []risk.Acceptance }

func (d *decisions) Marks(_ context.Context, rows []patchgap.Row) (risk.Marks, error) {
	m := risk.Judge(d.list, rows, nil, time.Now())
	for _, over := range m.Over {
		for i := range d.list {
			if d.list[i].ID == over.ID {
				d.list[i] = over
			}
		}
	}
	return m, nil
}

// acceptedCells are the cells of the column of accepted risks in the tables of a page, by KB.
func acceptedCells(p view.Page) map[string]string {
	out := map[string]string{}
	for _, part := range p.Parts {
		table, ok := part.(view.Table)
		if !ok {
			continue
		}
		for i, c := range table.Columns {
			if c.Key != "accepted" {
				continue
			}
			for at := range table.Len() {
				row := table.Row(at)
				out[row[0].Text] = row[i].Text
			}
		}
	}
	return out
}

// An accepted update is counted and marked in digests, and its end is told once, with the reason, though nothing else has
// changed.
func TestDigestsOfAcceptedUpdates(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.ids = []string{edge, windows}
		h.defender.rows = []patchgap.Row{seed(), row(windows, "5074224", 20, 66)}
		accepted := &decisions{}
		h.Accepted = accepted
		page, _ := h.week()
		if strings.Contains(page.Lead, "accepted") || len(acceptedCells(page)) > 0 {
			t.Errorf("marked though nothing is accepted: %s", page.Lead)
		}
		a := risk.Acceptance{ID: "1", Tenant: digest.DefaultTenant, KB: "5074224", Reason: "frozen", By: "U1", At: time.Now(), Until: time.Now().AddDate(0, 0, 15), State: risk.Accepted}
		a.Rows, a.Name = risk.RowsOf(h.defender.rows, a.KB, "")
		accepted.list = []risk.Acceptance{a}
		if _, posted := h.week(); posted {
			t.Error("an acceptance is no news, but something was posted")
		}
		h.defender.rows = append(h.defender.rows, row(windows, "5080000", 3, 9))
		page, _ = h.week()
		if !strings.Contains(page.Lead, "3 updates missing") || !strings.Contains(page.Lead, "1 of 3 accepted until 18 Jan 2000.") || acceptedCells(page)["KB5074224"] != "until 18 Jan 2000" {
			t.Errorf("digest: %s\n%v", page.Lead, acceptedCells(page))
		}
		page, posted := h.week()
		want := "KB5074224: its date has passed"
		if !posted || !strings.HasPrefix(page.Title, "Worth a look") || !strings.HasPrefix(page.Lead, "1 update is no longer accepted. 3 updates missing") || fact(page, "No longer accepted") != want {
			t.Errorf("its end: posted %v, %q, %s, %q", posted, page.Title, page.Lead, fact(page, "No longer accepted"))
		}
		if _, posted := h.week(); posted {
			t.Error("its end was told twice")
		}
	})
}

// accepting accepts an update where it is missing now.
func accepting(rows []patchgap.Row, kb, software string) *decisions {
	a := risk.Acceptance{ID: "1", Tenant: digest.DefaultTenant, KB: kb, Software: software, Reason: "frozen", By: "U1", At: time.Now(), Until: time.Now().AddDate(1, 0, 0), State: risk.Accepted}
	a.Rows, a.Name = risk.RowsOf(rows, a.KB, software)
	return &decisions{list: []risk.Acceptance{a}}
}

// Accepting an update accepts neither what it contains nor what is missing in other software: these require action as before.
func TestAcceptedInPart(t *testing.T) {
	t.Parallel()
	twice := []patchgap.Row{row(windows, "5000002", 20, 6), row(edge, "5000002", 10, 6)}
	for name, c := range map[string]struct {
		rows         []patchgap.Row
		kb, software string
		title, lead  string
		cell         string
	}{
		"an update that contains others": {chain(), "5000003", "", "Action required (1 exploited, 1 overdue)", "1 is overdue: KB5000002, by 2 days.", ", not KB5000001 (exploited)"},
		"in one software of two":         {twice, "5000002", windows, "Action required (1 overdue)", "1 is overdue: KB5000002, by 2 days.", "in part until"},
		"in both":                        {twice, "5000002", "", "Worth a look (first digest)", "", "until"},
	} {
		inHouse(t, weekly(), func(h *house) {
			t := h.t
			policy, err := deadline.Parse("other:10")
			if err != nil {
				t.Fatal(err)
			}
			h.defender.ids, h.defender.rows = []string{edge, windows}, c.rows
			h.Advise, h.Accepted = advising(published("5000001")), accepting(c.rows, c.kb, c.software)
			h.Ages = func(_ context.Context, r digest.Report) digest.Ages {
				seen := map[patchgap.Key]patchgap.Seen{}
				for _, r := range c.rows {
					if r.KB == "5000002" {
						seen[r.Key] = patchgap.Seen{First: time.Now().AddDate(0, 0, -12), Before: time.Now().AddDate(0, 0, -13)}
					}
				}
				return aging.Facts{Now: time.Now(), Policy: policy, Seen: seen}.Of(r.After.Updates(), r.Inside)
			}
			page, _ := h.week()
			if !strings.HasPrefix(page.Title, c.title+":") || !strings.Contains(page.Lead, c.lead) {
				t.Errorf("%s: %q, %q", name, page.Title, page.Lead)
			}
			if got := acceptedCells(page)["KB"+c.kb]; !strings.Contains(got, c.cell) {
				t.Errorf("%s: the cell says %q, want %q", name, got, c.cell)
			}
		})
	}
}
