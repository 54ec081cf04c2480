package search

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/api"
)

// estate is the software of an ordinary tenant, with the devices that each exposes.
var estate = map[string]int{
	"microsoft-_-windows_11": 102, "microsoft-_-windows_10": 63, "microsoft-_-windows_server_2012_r2": 2, "microsoft-_-windows_server_2016": 10,
	"microsoft-_-windows_server_2019": 13, "microsoft-_-windows_server_2022": 15, "microsoft-_-windows_server_2025": 9, "microsoft-_-windows_admin_center": 3,
	"microsoft-_-edge": 240, "microsoft-_-edge_chromium-based": 120, "microsoft-_-internet_explorer": 33, "microsoft-_-.net": 74, "microsoft-_-.net_framework": 87,
	"microsoft-_-asp.net_core": 2, "microsoft-_-sql_server_2016": 1, "microsoft-_-sql_server_2017": 1, "microsoft-_-sql_server_2019": 12, "microsoft-_-sql_server_2022": 2,
	"microsoft-_-sql_server_management_studio": 4, "microsoft-_-365_apps": 75, "microsoft-_-office": 41, "microsoft-_-office_online_server": 0, "microsoft-_-teams": 62,
	"microsoft-_-exchange_server_2016": 4, "microsoft-_-exchange_server_2019": 1, "microsoft-_-visual_studio_2019": 7, "microsoft-_-visual_studio_2022": 15,
	"microsoft-_-visual_studio_code": 46, "microsoft-_-visual_c++_2015-2022_redistributable": 21, "microsoft-_-powershell": 56, "microsoft-_-remote_desktop": 46,
	"microsoft-_-skype_for_business": 13, "microsoft-_-word": 43, "microsoft-_-excel": 31, "microsoft-_-onedrive": 34, "microsoft-_-dynamics_365": 1,
	"google-_-chrome": 72, "adobe-_-acrobat_reader_dc": 63, "adobe-_-acrobat_dc": 19, "7-zip-_-7-zip": 172, "videolan-_-vlc_media_player": 24, "oracle-_-jre": 27,
	"mozilla-_-firefox": 50, "notepad++-_-notepad++": 14, "vmware-_-tools": 33, "cisco-_-secure_client": 61, "zoom-_-zoom": 49, "nodejs-_-node.js": 23, "putty-_-putty": 9,
	"contoso-_-edgeworth": 900, "contoso-_-teamster": 400, "contoso-_-chromebook_agent": 300,
}

func estateList() api.Answer[[]api.Software] {
	a := api.Answer[[]api.Software]{FetchedAt: time.Unix(1, 0)}
	for id, exposed := range estate {
		vendor, name, _ := strings.Cut(id, "-_-")
		a.Value = append(a.Value, api.Software{ID: id, Name: name, Vendor: vendor, ExposedMachines: exposed})
	}
	slices.SortFunc(a.Value, func(a, b api.Software) int { return strings.Compare(a.ID, b.ID) })
	return a
}

// remembered is what one person asked about.
type remembered []string

func (r remembered) Asked(_ context.Context, _ string) []string { return r }
func (r remembered) NoteAsked(string, string)                   {}

// What people type finds first what they mean, typed whole in a question and in a select.
func TestFirstHit(t *testing.T) {
	t.Parallel()
	x := &Index{}
	x.Prepare(estateList())
	for typed, want := range map[string]struct {
		id     string
		surely bool // so much better than the second that it is answered at once
	}{
		"win11": {"windows_11", true}, "w11": {"windows_11", true}, "w11 24h2": {"windows_11", true}, "windows 11 23H2": {"windows_11", true}, "11": {"windows_11", true},
		"windows 11": {"windows_11", true}, "11 windows": {"windows_11", true}, "windows11": {"windows_11", true}, "widnows 11": {"windows_11", true}, "windwos 11": {"windows_11", true},
		"server 2022": {"windows_server_2022", true}, "2022 server": {"windows_server_2022", true}, "2019 server sql": {"sql_server_2019", true}, "365 office": {"365_apps", true}, "2019": {"windows_server_2019", true}, "2016": {"windows_server_2016", true},
		"ws2019": {"windows_server_2019", true}, "win2022": {"windows_server_2022", true}, "windows 2019": {"windows_server_2019", true}, "2012 r2": {"windows_server_2012_r2", true},
		"server": {"windows_server_2022", false}, "windows": {"windows_11", false}, "win": {"windows_11", false},
		"edge": {"edge", true}, "msedge": {"edge", true}, "new edge": {"edge_chromium-based", true}, "edge chromium": {"edge_chromium-based", true}, "egde": {"edge", false},
		"ie": {"internet_explorer", true}, "internet explorer": {"internet_explorer", true}, "explorer": {"internet_explorer", true},
		".net": {".net", true}, "dotnet": {".net", true}, ".net framework": {".net_framework", true}, "asp.net": {"asp.net_core", true},
		"sql 2019": {"sql_server_2019", true}, "sql server 2019": {"sql_server_2019", true}, "2019 sql": {"sql_server_2019", true}, "sql": {"sql_server_2019", false}, "ssms": {"sql_server_management_studio", true},
		"o365": {"365_apps", true}, "m365": {"365_apps", true}, "office 365": {"365_apps", true}, "office": {"office", true}, "offcie": {"office", false}, "365": {"365_apps", false},
		"teams": {"teams", true}, "taems": {"teams", false}, "vs code": {"visual_studio_code", true}, "vscode": {"visual_studio_code", true}, "vs2022": {"visual_studio_2022", true}, "vs": {"visual_studio_code", false},
		"chrome": {"google-_-chrome", true}, "chorme": {"google-_-chrome", false}, "google": {"google-_-chrome", true}, "google chrome": {"google-_-chrome", true},
		"adobe": {"adobe-_-acrobat_reader_dc", false}, "acrobat": {"adobe-_-acrobat_reader_dc", false}, "adobe reader": {"adobe-_-acrobat_reader_dc", true}, "oracle": {"oracle-_-jre", true}, "java": {"oracle-_-jre", true},
		"vlc": {"videolan-_-vlc_media_player", true}, "7zip": {"7-zip-_-7-zip", true}, "7z": {"7-zip-_-7-zip", true}, "npp": {"notepad++-_-notepad++", true}, "notepad++": {"notepad++-_-notepad++", true},
		"vmware tools": {"vmware-_-tools", true}, "exchange": {"exchange_server_2016", false}, "exchange 2019": {"exchange_server_2019", true}, "rdp": {"remote_desktop", true}, "skype": {"skype_for_business", true},
		"Windows 11 Pro": {"windows_11", true}, "Windows 11 Enterprise 24H2": {"windows_11", true}, "windows 10 1809 LTSC": {"windows_10", true}, "win11 x64": {"windows_11", true}, "Windows Server 2022 Datacenter": {"windows_server_2022", true},
		"SQL Server 2019 Express": {"sql_server_2019", true}, "sql server 2019 std cu14": {"sql_server_2019", true}, "Visual Studio 2022 Professional": {"visual_studio_2022", true}, "chrome 131.0.6778.86": {"google-_-chrome", true}, "firefox 128 esr": {"mozilla-_-firefox", true}, "windwos 11 pro": {"windows_11", true},
		"what is missing on windows 11": {"windows_11", true}, "updates for chrome": {"google-_-chrome", true}, "show me server 2022": {"windows_server_2022", true}, "is edge vulnerable": {"edge", true},
		"w2k22": {"windows_server_2022", true}, "svr 2016": {"windows_server_2016", false}, "sql srv 2017": {"sql_server_2017", true}, "mssql srv 2016": {"sql_server_2016", true},
		"pwsh": {"powershell", true}, "node": {"nodejs-_-node.js", true}, "vcredist": {"visual_c++_2015-2022_redistributable", true}, "micrsoft edge": {"edge", false}, "fire": {"mozilla-_-firefox", true},
	} {
		id := want.id
		if !strings.Contains(id, "-_-") {
			id = Microsoft + id
		}
		found, err := x.Find(t.Context(), fixed(estateList()), Question{Words: strings.Fields(typed)})
		switch {
		case err != nil || len(found.Software) == 0:
			t.Errorf("%s: found nothing, %v", typed, err)
			continue
		case found.Software[0].ID != id:
			t.Errorf("%s: found %s first, want %s", typed, found.Software[0].ID, id)
		case (found.Clear || len(found.Software) == 1) != want.surely:
			t.Errorf("%s: clear is %t of %d, the second is %v", typed, found.Clear, len(found.Software), ids(found.Software)[1:min(3, len(found.Software))])
		}
		offered, err := x.Suggest(t.Context(), Question{Words: strings.Fields(typed)}, 5)
		if err != nil || len(offered) == 0 || offered[0].ID != id {
			t.Errorf("%s in a select: %v, %v, want %s first", typed, ids(offered), err, id)
		}
	}
}

// Editions and versions are left out only where nothing matches with them, and are told. Years are names.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	x := &Index{}
	list := estateList()
	list.Value = append(list.Value, api.Software{ID: "acme-_-viewer_pro", Name: "viewer_pro"}, api.Software{ID: "acme-_-viewer", Name: "viewer"})
	x.Prepare(list)
	for typed, want := range map[string][]string{
		"windows 11": nil, "Windows 11 Pro": {"Pro"}, "Windows 11 Enterprise 24H2": {"Enterprise", "24H2"}, "w11 23h2": {"23h2"}, "office 365": nil, "viewer pro": nil, "viewer standard": {"standard"}, "server 2012 r2": nil, "updates for windows 11": nil,
	} {
		found, err := x.Find(t.Context(), fixed(list), Question{Words: strings.Fields(typed)})
		if diff := gocmp.Diff(want, found.LeftOut, cmpopts.EquateEmpty()); diff != "" || err != nil || len(found.Software) == 0 {
			t.Errorf("%s: %v, %v (-want +got):\n%s", typed, ids(found.Software), err, diff)
		}
	}
	if found, err := x.Find(t.Context(), fixed(list), Question{Words: []string{"viewer", "pro"}}); err != nil || found.Software[0].ID != "acme-_-viewer_pro" {
		t.Errorf("an edition that is a name: %v, %v", ids(found.Software), err)
	}
	for _, typed := range []string{"sql 2014", "exchange 2010", "what is missing", "nosuch pro", "windows server 2008 standard"} {
		if found, err := x.Find(t.Context(), fixed(list), Question{Words: strings.Fields(typed)}); err != nil || len(found.Software) == 1 || found.Clear {
			t.Errorf("%s is taken for %v, %v", typed, ids(found.Software), err)
		}
	}
}

// What a person asked about before comes before its equals, but not before what was named in full.
func TestAskedBefore(t *testing.T) {
	t.Parallel()
	x := &Index{People: remembered{Microsoft + "sql_server_2019", Microsoft + "excel", "gone-_-software"}}
	x.Prepare(estateList())
	for typed, want := range map[string]string{
		"2019": "sql_server_2019", "server": "sql_server_2019", "server 2019": "sql_server_2019", "windows server 2019": "windows_server_2019", "e": "excel", "edge": "edge",
	} {
		offered, err := x.Suggest(t.Context(), Question{Words: strings.Fields(typed), Person: "U1"}, 5)
		if err != nil || len(offered) == 0 || offered[0].ID != Microsoft+want {
			t.Errorf("%s: %v, %v, want %s first", typed, ids(offered), err, want)
		}
	}
	for person, want := range map[string][]string{
		"U1": {Microsoft + "sql_server_2019", Microsoft + "excel", Microsoft + "edge"},
		"":   {Microsoft + "edge", Microsoft + "windows_11", Microsoft + ".net_framework"},
	} {
		offered, err := x.Suggest(t.Context(), Question{Person: person}, 3)
		if diff := gocmp.Diff(want, ids(offered)); diff != "" || err != nil {
			t.Errorf("nothing typed by %q: %v (-want +got):\n%s", person, err, diff)
		}
	}
}

// The file of aliases holds what a search can use.
func TestAliases(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, a := range aliases() {
		typed, name := strings.Join(a.typed, " "), strings.Join(a.name, " ")
		if typed == "" || typed == name || seen[typed] {
			t.Errorf("%q = %q is of no use, or there twice", typed, name)
		}
		if seen[typed] = true; name == "" {
			continue
		}
		if out := spelledOut(a.typed); !slices.Equal(out, a.name) {
			t.Errorf("%q is read as %q, want %q", typed, out, name)
		}
		x := &Index{}
		named := api.Answer[[]api.Software]{Value: []api.Software{{ID: "acme-_-x"}, {ID: Microsoft + strings.ReplaceAll(name, " ", "_")}}}
		x.Prepare(named)
		if got, err := x.Find(t.Context(), fixed(named), Question{Words: a.typed}); err != nil || len(got.Software) != 1 {
			t.Errorf("%q finds %q, %v", typed, ids(got.Software), err)
		}
	}
	for typed, want := range map[string]string{
		"2019": "windows server 2019", "sql 2019": "sql server 2019", "exchange 2019": "exchange server 2019", "w11 24h2": "windows 11", "24h2": "", "acme 2019": "acme 2019",
	} {
		if got := strings.Join(spelledOut(strings.Fields(typed)), " "); got != want {
			t.Errorf("%q is read as %q, want %q", typed, got, want)
		}
	}
}

// oracle is how well a term fits, as its words in [scoring] say, without any index.
func oracle(s api.Software, term string, how scoring) int32 {
	words, name := entryWords(s), squeeze(name(s))
	whole := how == wholeness && short(term)
	var best int32
	for _, w := range words {
		switch {
		case w == term:
			best = wordScore
		case strings.HasPrefix(w, term) && !whole:
			best = max(best, prefixScore)
		}
	}
	if term == initialsOf(s.ID) {
		best = max(best, initialsScore)
	}
	if !whole && strings.HasPrefix(name, term) {
		best = max(best, nameScore)
	}
	if !short(term) && isPart(s, term) {
		best = max(best, partScore)
	}
	return best
}

// isPart reports whether a term is a part of a word, or the beginning of several words written as one.
func isPart(s api.Software, term string) bool {
	if slices.ContainsFunc(entryWords(s), func(w string) bool { return strings.Contains(w, term) }) {
		return true
	}
	for words := wordsOf(s.ID); len(words) > 0; words = words[1:] {
		if strings.HasPrefix(strings.Join(words, ""), term) {
			return true
		}
	}
	return false
}

// The index finds what looking at each software by itself finds, in the same order.
func TestIndexFindsWhatALookAtEachFinds(t *testing.T) {
	t.Parallel()
	pieces := []string{"win", "windows", "server", "sql", "net", "2019", "20", "a", "edge", "chromium", "zip", "ie", "e", "x86"}
	piece := rapid.SampledFrom(pieces)
	rapid.Check(t, func(t *rapid.T) {
		var software []api.Software
		for _, name := range rapid.SliceOfNDistinct(rapid.SliceOfN(piece, 1, 4), 1, 30, func(p []string) string { return strings.Join(p, "_") }).Draw(t, "names") {
			vendor := rapid.SampledFrom([]string{"microsoft", "a", "x86-_"}).Draw(t, "vendor")
			software = append(software, api.Software{ID: vendor + "-_-" + strings.Join(name, "_"), ExposedMachines: rapid.IntRange(0, 3).Draw(t, "exposed")})
		}
		terms := termsOf(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			whole := piece.Draw(t, "term") + rapid.SampledFrom(append(pieces, "", "", "")).Draw(t, "more")
			return whole[:rapid.IntRange(1, len(whole)).Draw(t, "typed")]
		}), 1, 3).Draw(t, "terms"))
		how := rapid.SampledFrom([]scoring{wholeness, exactness}).Draw(t, "how")
		l := newList(software)
		got, err := l.match(t.Context(), []reading{{terms, wholeBonus}}, how, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		var want []hit
		for at, s := range l.software {
			h := hit{place: int32(at)}
			joined := strings.Join(terms, "")
			for _, term := range terms {
				score := oracle(s, term, how)
				if h.score += score; score == 0 {
					h.score = -1 << 30
				}
			}
			switch {
			case h.score > 0:
				of := wordsOf(name(s))
				if h.score /= int32(len(terms)); joined == squeeze(s.ID) || joined == squeeze(name(s)) || slices.Equal(slices.Sorted(slices.Values(terms)), slices.Sorted(slices.Values(of))) {
					h.score += wholeBonus
				}
			case len(terms) > 1 && !short(joined) && isPart(s, joined):
				h.score = partScore
			default:
				continue
			}
			want = append(want, h)
		}
		slices.SortFunc(want, func(a, b hit) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.place, b.place)) })
		if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(hit{}), gocmp.FilterValues(func(a, b []hit) bool { return len(a)+len(b) == 0 }, gocmp.Ignore())); diff != "" {
			t.Fatalf("%q in %q (-want +got):\n%s", terms, ids(l.software), diff)
		}
		few, err := l.match(t.Context(), []reading{{terms, wholeBonus}}, how, nil, 3)
		if err != nil || !slices.Equal(few, got[:min(3, len(got))]) {
			t.Fatalf("%q: the first three are %v, %v, want %v", terms, few, err, got[:min(3, len(got))])
		}
	})
}

// The order of words does not matter, nor does one typing error in a long word: the software is among those that are found.
func TestTypedInAnyOrderWithAnError(t *testing.T) {
	t.Parallel()
	x := &Index{}
	x.Prepare(estateList())
	all := estateList().Value
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(all).Draw(t, "software")
		words := rapid.Permutation(wordsOf(name(s))).Draw(t, "order")
		if at := slices.IndexFunc(words, func(w string) bool { return len(w) >= 4 && strings.Trim(w, "0123456789") != "" }); at >= 0 && rapid.Bool().Draw(t, "mistyped") {
			w := words[at]
			i := rapid.IntRange(1, len(w)-2).Draw(t, "where")
			words[at] = w[:i] + w[i+1:i+2] + w[i:i+1] + w[i+2:] // two letters swapped
		}
		if rapid.Bool().Draw(t, "cut") && len(words[0]) > 4 {
			words[0] = words[0][:len(words[0])-1] // not typed to its end
		}
		offered, err := x.Suggest(t.Context(), Question{Words: words}, 100)
		if err != nil || !slices.Contains(ids(offered), s.ID) {
			t.Fatalf("%q: %v, %v, want %s among them", words, ids(offered), err, s.ID)
		}
	})
}
