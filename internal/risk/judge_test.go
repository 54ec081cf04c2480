package risk_test

import (
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
)

const (
	win11  = "microsoft-_-windows_11"
	server = "microsoft-_-windows_server_2022"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func row(software, kb, build string, devices int) patchgap.Row {
	return patchgap.Row{Key: patchgap.Key{Software: software, KB: kb, OSBuild: build}, Name: "Update " + kb, Devices: devices, CVEs: 3}
}

// publishedData is what is published: CVEs that CISA lists by KB, and which KB contains which.
type publishedData struct {
	listed   map[string][]string
	contains map[[2]string]bool // newer, older
}

func (p publishedData) Listed(kb string) []string { return p.listed[kb] }

func (p publishedData) Contains(newer, older patchgap.Row) bool {
	return newer.Software == older.Software && newer.OSBuild == older.OSBuild && p.contains[[2]string{newer.KB, older.KB}]
}

func acceptance(rows []patchgap.Row, software string) risk.Acceptance {
	a := risk.Acceptance{
		ID: "1", Tenant: "default", KB: "5000001", Software: software, Reason: "frozen", By: "U1", At: now.AddDate(0, 0, -10), Until: now.AddDate(0, 0, 20), State: risk.Accepted,
	}
	a.Rows, a.Name = risk.RowsOf(rows, a.KB, software)
	return a
}

// When an acceptance ends by itself, and why.
func TestWhatEndsAnAcceptance(t *testing.T) {
	t.Parallel()
	then := []patchgap.Row{row(win11, "5000001", "22631", 30), row(win11, "5000001", "26100", 10), row(server, "5000001", "20348", 8)}
	with := func(devices ...int) []patchgap.Row {
		rows := slices.Clone(then)
		for i, n := range devices {
			rows[i].Devices = n
		}
		return rows
	}
	for name, c := range map[string]struct {
		rows      []patchgap.Row
		published risk.Advisories
		change    func(*risk.Acceptance)
		end       risk.End
		detail    string
	}{
		"nothing has changed":                     {rows: then},
		"its last moment":                         {rows: then, change: func(a *risk.Acceptance) { a.Until = now.Add(time.Nanosecond) }},
		"its date":                                {rows: then, change: func(a *risk.Acceptance) { a.Until = now }, end: risk.ByDate},
		"a quarter more devices":                  {rows: with(30, 20), end: risk.ByGrowth, detail: "40 to 50"},
		"not quite a quarter":                     {rows: with(30, 19)},
		"software with fewer devices grew":        {rows: with(30, 10, 40)},
		"it grew above the software with most":    {rows: with(30, 10, 50), end: risk.ByGrowth, detail: "40 to 50"},
		"devices moved to another build":          {rows: with(10, 30)},
		"a new build":                             {rows: append(with(30, 10), row(win11, "5000001", "27000", 12)), end: risk.ByGrowth, detail: "40 to 52"},
		"one device became two":                   {rows: []patchgap.Row{row(win11, "5000001", "", 2)}, change: func(a *risk.Acceptance) { a.Rows = []risk.Row{{Software: win11, Devices: 1}} }, end: risk.ByGrowth, detail: "1 to 2"},
		"fewer devices":                           {rows: with(1, 1, 1)},
		"gone":                                    {},
		"CISA lists a CVE":                        {rows: then, published: publishedData{listed: map[string][]string{"5000001": {"CVE-2026-1"}}}, end: risk.ByKEV, detail: "CVE-2026-1"},
		"CISA lists a CVE of what is gone":        {published: publishedData{listed: map[string][]string{"5000001": {"CVE-2026-1"}}}, end: risk.ByKEV, detail: "CVE-2026-1"},
		"CISA listed it when it was accepted":     {rows: then, published: publishedData{listed: map[string][]string{"5000001": {"CVE-2026-1"}}}, change: func(a *risk.Acceptance) { a.Listed = []string{"CVE-2026-1"} }},
		"CISA lists one more":                     {rows: then, published: publishedData{listed: map[string][]string{"5000001": {"CVE-2026-1", "CVE-2026-2"}}}, change: func(a *risk.Acceptance) { a.Listed = []string{"CVE-2026-1"} }, end: risk.ByKEV, detail: "CVE-2026-2"},
		"CISA lists a CVE of another update":      {rows: append(with(), row(win11, "5000002", "22631", 30)), published: publishedData{listed: map[string][]string{"5000002": {"CVE-2026-2"}}}},
		"CISA lists a CVE of the newer update":    {rows: append(with(), row(win11, "5000002", "22631", 30)), published: publishedData{listed: map[string][]string{"5000002": {"CVE-2026-2"}}, contains: map[[2]string]bool{{"5000002", "5000001"}: true}}, end: risk.ByKEV, detail: "CVE-2026-2"},
		"a newer one was missing on more devices": {rows: append(with(), row(win11, "5000002", "22631", 80)), published: publishedData{contains: map[[2]string]bool{{"5000002", "5000001"}: true}}},
		"the newer one took its place":            {rows: []patchgap.Row{row(win11, "5000002", "22631", 31), then[1], then[2]}, published: publishedData{contains: map[[2]string]bool{{"5000002", "5000001"}: true}}},
		"the newer one took its place, and grew":  {rows: []patchgap.Row{row(win11, "5000002", "22631", 80), then[1], then[2]}, published: publishedData{contains: map[[2]string]bool{{"5000002", "5000001"}: true}}, end: risk.ByGrowth, detail: "40 to 90"},
		"a request is not judged by what is seen": {rows: with(100), change: func(a *risk.Acceptance) { a.State = risk.Requested }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acceptance(then, "")
			if c.change != nil {
				c.change(&a)
			}
			m := risk.Judge([]risk.Acceptance{a}, c.rows, c.published, now)
			var end risk.End
			detail := ""
			for _, over := range m.Over {
				end, detail = over.End, over.Detail
			}
			if end != c.end || detail != c.detail {
				t.Errorf("ended by %q %q, want %q %q", end, detail, c.end, c.detail)
			}
			for _, u := range patchgap.Updates(slices.Clone(c.rows)) {
				_, _, found := m.Of(u)
				took := strings.HasPrefix(name, "the newer one took its place") // and its mark
				if want := c.end == "" && a.State == risk.Accepted && (u.KB() == "5000001" || took); found != want {
					t.Errorf("KB%s is marked: %v, want %v", u.KB(), found, want)
				}
			}
			if past := len(m.Past) == 1; past != (c.end != "" && len(c.rows) > 0) {
				t.Errorf("told as ended: %v", m.Past)
			}
		})
	}
}

// What an acceptance covers: its software, and the newer update that contains it where it was missing.
func TestWhatAnAcceptanceCovers(t *testing.T) {
	t.Parallel()
	then := []patchgap.Row{row(win11, "5000001", "22631", 30), row(server, "5000001", "20348", 8)}
	newer := publishedData{contains: map[[2]string]bool{{"5000002", "5000001"}: true}}
	rows := []patchgap.Row{
		row(win11, "5000001", "22631", 30), row(win11, "5000002", "22631", 31), row(win11, "5000002", "26100", 5), row(win11, "5000003", "22631", 9),
		row(server, "5000001", "20348", 8), row(server, "5000002", "20348", 8),
	}
	cells := func(m risk.Marks) map[string]string {
		out := map[string]string{}
		for _, u := range patchgap.Updates(slices.Clone(rows)) {
			out[u.KB()] = m.Cell(u)
		}
		return out
	}
	for name, c := range map[string]struct {
		software  string
		published risk.Advisories
		want      map[string]string
		words     string
	}{
		"everywhere":             {"", nil, map[string]string{"5000001": "until 18 Dec 2026", "5000002": "", "5000003": ""}, "1 of 3 accepted until 18 Dec 2026"},
		"one software":           {server, nil, map[string]string{"5000001": "in part until 18 Dec 2026", "5000002": "", "5000003": ""}, ""},
		"it follows the newer":   {"", newer, map[string]string{"5000001": "until 18 Dec 2026", "5000002": "in part until 18 Dec 2026, as KB5000001", "5000003": ""}, "1 of 3 accepted until 18 Dec 2026"},
		"follows in one product": {server, newer, map[string]string{"5000001": "in part until 18 Dec 2026", "5000002": "in part until 18 Dec 2026, as KB5000001", "5000003": ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acceptance(then, c.software)
			a.Until = time.Date(2026, 12, 19, 0, 0, 0, 0, time.UTC)
			m := risk.Judge([]risk.Acceptance{a}, rows, c.published, now)
			if diff := cmp.Diff(c.want, cells(m)); diff != "" {
				t.Errorf("marks (-want +got):\n%s", diff)
			}
			if got := m.Words(patchgap.Updates(slices.Clone(rows))); got != c.words {
				t.Errorf("words %q, want %q", got, c.words)
			}
		})
	}
}

// An update that is accepted again is not told as ended, and of two acceptances the one that holds longer is shown.
func TestAcceptedAgain(t *testing.T) {
	t.Parallel()
	rows := []patchgap.Row{row(win11, "5000001", "22631", 30)}
	old, again, short := acceptance(rows, ""), acceptance(rows, ""), acceptance(rows, win11)
	old.Until = now.AddDate(0, 0, -1)
	again.ID, short.ID = "2", "3"
	short.Until = now.AddDate(0, 0, 2)
	m := risk.Judge([]risk.Acceptance{old, again, short}, rows, nil, now)
	if len(m.Over) != 1 || len(m.Past) != 0 {
		t.Errorf("over %v, told %v", m.Over, m.Past)
	}
	if a, whole, found := m.Of(patchgap.Updates(rows)[0]); a.ID != "2" || !whole || !found {
		t.Errorf("marked by %+v, %v, %v", a, whole, found)
	}
}

// Marks never change what is counted, whatever the rows and the order of acceptances.
func TestMarksHideNothing(t *testing.T) {
	t.Parallel()
	check := func(devices []uint8, software bool) bool {
		var rows []patchgap.Row
		for i, n := range devices {
			id := []string{win11, server}[i%2]
			rows = append(rows, row(id, []string{"5000001", "5000002", "5000003"}[i%3], string(rune('a'+i%26)), int(n)))
		}
		a, b := acceptance(rows, ""), acceptance(rows, server)
		b.ID, b.Until = "2", a.Until.AddDate(0, 0, 5)
		before := patchgap.Sum(patchgap.Updates(slices.Clone(rows)))
		one := risk.Judge([]risk.Acceptance{a, b}, rows, nil, now)
		other := risk.Judge([]risk.Acceptance{b, a}, rows, nil, now)
		for _, u := range patchgap.Updates(slices.Clone(rows)) {
			if one.Cell(u) != other.Cell(u) {
				return false
			}
		}
		return patchgap.Sum(patchgap.Updates(slices.Clone(rows))) == before
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
}

// A request that no second person approves expires, at its last day at the latest.
func TestRequestsExpire(t *testing.T) {
	t.Parallel()
	a := risk.Acceptance{At: now, Until: now.AddDate(0, 0, 30), State: risk.Requested}
	if _, _, over := a.Over(now.Add(risk.RequestLife - time.Second)); over {
		t.Error("it expired too soon")
	}
	if end, at, over := a.Over(now.Add(risk.RequestLife)); !over || end != risk.ByExpiry || !at.Equal(now.Add(risk.RequestLife)) {
		t.Errorf("ended %v by %q at %v", over, end, at)
	}
	a.Until = now.AddDate(0, 0, 2)
	if end, at, over := a.Over(now.AddDate(0, 0, 8)); !over || end != risk.ByDate || !at.Equal(a.Until) {
		t.Errorf("ended %v by %q at %v", over, end, at)
	}
}
