package digest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/aging"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// chain are three updates of one product, each of which contains those before, and one apart that is larger.
func chain() []patchgap.Row {
	rows := []patchgap.Row{
		build(windows, "5000001", "26100", 70, 5), build(windows, "5000002", "26100", 80, 4), build(windows, "5000003", "26100", 90, 3), row(edge, "5000009", 400, 9),
	}
	for i, month := range []string{"September", "October", "November"} {
		rows[i].Name = month + " 2026 Security Updates"
	}
	return rows
}

// cellOf is the text of a cell of a table, by the KB of its row and the key of its column.
func cellOf(t view.Table, kb, key string) string {
	for i := range t.FileLen() {
		row := t.FileRow(i)
		for at, c := range t.Columns {
			if c.Key == key && row[0].Text == kb {
				return row[at].Text
			}
		}
	}
	return "no cell"
}

func kbsOf(t view.Table) string {
	var all []string
	for i := range t.Len() {
		all = append(all, t.Row(i)[0].Text)
	}
	return strings.Join(all, " ")
}

// A digest, its thread and what can be read of it later fold contained updates, say both counts, and say of the update to
// install what it contains: an exploited one, or one that is overdue.
func TestDigestsFold(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		policy, err := deadline.Parse("other:10")
		if err != nil {
			t.Fatal(err)
		}
		h.defender.ids, h.defender.rows = []string{edge, windows}, chain()
		known := published("5000001")
		h.Advise = advising(known)
		late := chain()[1].Key
		h.Ages = func(_ context.Context, r digest.Report) digest.Ages {
			seen := map[patchgap.Key]patchgap.Seen{late: {First: time.Now().AddDate(0, 0, -12), Before: time.Now().AddDate(0, 0, -13)}}
			return aging.Facts{Now: time.Now(), Policy: policy, Seen: seen}.Of(r.After.Updates(), r.Inside)
		}
		h.week()
		m := h.slack.posted[0]
		if want := "4 rows from Defender = 2 updates to install."; !strings.Contains(m.digest.Lead, "4 updates missing") || !strings.Contains(m.digest.Lead, want) || !strings.Contains(m.details.Lead, want) {
			t.Errorf("leads %q, %q; want %q", m.digest.Lead, m.details.Lead, want)
		}
		later, err := h.Details(t.Context(), weekly(), h.store.baselines["7"], time.Now(), false)
		if err != nil {
			t.Fatal(err)
		}
		for name, page := range map[string]view.Page{"digest": m.digest, "thread": m.details, "later": later} {
			table := tableOf(page)
			exploited := "KEV (KB5000001)"
			if name == "later" {
				exploited = "yes (KB5000001)"
			}
			got := []string{kbsOf(table), cellOf(table, "KB5000003", "exploited"), cellOf(table, "KB5000003", "deadline"), cellOf(table, "KB5000002", "contained_in"), cellOf(table, "KB5000002", "why")}
			if name == "digest" { // it makes no file
				got = got[:3]
			}
			if diff := cmp.Diff([]string{"KB5000003 KB5000009", exploited, "overdue by 2 days (KB5000002)", "KB5000003", "newer build"}[:len(got)], got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if !strings.Contains(m.digest.Title, "1 exploited, 1 overdue") {
			t.Errorf("title %q", m.digest.Title)
		}
		rows, err := h.Details(t.Context(), weekly(), h.store.baselines["7"], time.Now(), true)
		if err != nil {
			t.Fatal(err)
		}
		if got := kbsOf(tableOf(rows)); got != "KB5000001 KB5000002 KB5000009 KB5000003" {
			t.Errorf("rows as Defender gave them: %s", got)
		}
	})
}

// An update that becomes contained in a new one is not closed while Defender lists it, nor when it no longer does.
func TestContainedIsNotClosed(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]func(is, was []patchgap.Update) digest.Advice{"feeds": advising(published("")), "no feeds": advising(nil)} {
		inHouse(t, weekly(), func(h *house) {
			t := h.t
			h.Advise, h.defender.ids = known, []string{edge, windows}
			h.defender.rows = chain()[:2]
			h.week()
			h.defender.rows = chain()[:3]
			if page, _ := h.week(); fact(page, "Closed") != "" || fact(page, "New") != "KB5000003 (Windows 11): 90 devices, 3 CVEs" || !strings.Contains(page.Lead, "3 rows from Defender = 1 update to install") {
				t.Errorf("%s: still listed: %q, closed %q, new %q", name, page.Lead, fact(page, "Closed"), fact(page, "New"))
			}
			h.defender.rows = chain()[2:3]
			if page, _ := h.week(); fact(page, "Closed") != "" || fact(page, "No longer listed") == "" || strings.Contains(page.Lead, "from Defender") {
				t.Errorf("%s: no longer listed: %q, closed %q", name, page.Lead, fact(page, "Closed"))
			}
			h.defender.rows = []patchgap.Row{chain()[0], chain()[2]}
			if page, _ := h.week(); !strings.HasSuffix(fact(page, "Reopened")+fact(page, "New"), "contained in KB5000003") {
				t.Errorf("%s: listed again: %q, %q", name, fact(page, "Reopened"), fact(page, "New"))
			}
		})
	}
}
