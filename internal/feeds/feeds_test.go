package feeds_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/advisory/advisorytest"
	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
	"github.com/missingkbs/missingkbs/internal/store/storetest"
)

// world is a publisher, a database and the clock of both.
type world struct {
	*advisorytest.Server
	store *store.Store
	log   *strings.Builder

	mu  sync.Mutex
	now time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func second(m time.Month) time.Time { return time.Date(2031, m, 12, 18, 0, 0, 0, time.UTC) }

// published are three updates in each of five months. One of each supersedes the one of the month before.
func published() []advisorytest.Update {
	var all []advisorytest.Update
	for m := time.January; m <= time.May; m++ {
		for n := range 3 {
			u := advisorytest.Update{
				KB: strconv.Itoa(5090000 + int(m)*100 + n), Product: strconv.Itoa(9000 + n), Released: second(m),
				Build: fmt.Sprintf("10.0.2610%d.%d", n, 4000+100*int(m)), CVEs: []string{cve(m, n), cve(m, 9)},
			}
			if n == 0 && m > time.January {
				u.Supersedes = strconv.Itoa(5090000 + int(m-1)*100)
			}
			all = append(all, u)
		}
	}
	return all
}

func cve(m time.Month, n int) string { return fmt.Sprintf("CVE-2031-%d", 10000+int(m)*100+n) }

func newWorld(t *testing.T, databaseURL string) *world {
	t.Helper()
	w := &world{now: time.Date(2031, 5, 21, 9, 0, 0, 0, time.UTC), log: &strings.Builder{}}
	w.Server = advisorytest.Start(advisorytest.Options{Now: w.clock, Updates: published, Listed: func() []advisorytest.Exploited {
		var all []advisorytest.Exploited
		for m := time.January; m <= time.May; m++ {
			all = append(all, advisorytest.Exploited{CVE: cve(m, 0), Added: second(m).AddDate(0, 0, 3)}, advisorytest.Exploited{CVE: cve(m, 7), Added: second(m)})
		}
		return all
	}})
	t.Cleanup(w.Close)
	w.store = openStore(t, databaseURL)
	return w
}

func openStore(t *testing.T, databaseURL string) *store.Store {
	t.Helper()
	storetest.File(t, databaseURL)
	s, err := store.Open(t.Context(), databaseURL, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func sqlite(t *testing.T) string {
	t.Helper()
	return "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "missingkbs.db"))
}

func (w *world) options() feeds.Options {
	return feeds.Options{Pause: -1, FetchOptions: advisory.FetchOptions{
		MSRC: w.MSRC(), KEV: w.KEV(), Transport: w.Client(), Retry: policy.RetryOptions{MaxRetries: 1, RetryDelay: time.Millisecond, MaxRetryDelay: time.Millisecond},
	}}
}

func (w *world) refresher(t *testing.T) *feeds.Refresher {
	t.Helper()
	r, err := feeds.NewRefresher(w.store, w.options(), w.clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rows are all that is stored of the documents.
func rows(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	documents, err := s.FeedDocuments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents {
		all[d.Feed+" "+d.ID] = fmt.Sprintf("%v %v %d %v ", d.Released, d.Revised, d.Entries, d.Chained)
	}
	if err := s.EachFeedBody(t.Context(), func(feed, id string, body []byte) error {
		all[feed+" "+id] += string(body)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func failures(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	states, err := s.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range states {
		all[f.Name] = f.Failure
	}
	return all
}

func eachDatabase(t *testing.T, f func(t *testing.T, databaseURL string)) {
	t.Helper()
	for name, url := range map[string]func(*testing.T) string{
		"SQLite": sqlite, "PostgreSQL": func(t *testing.T) string { t.Helper(); return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, url(t))
		})
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, url string) {
		t.Helper()
		w := newWorld(t, url)
		cache := feeds.NewCache(w.store, slog.New(slog.DiscardHandler))
		if cache.Snapshot() != nil {
			t.Error("there is a snapshot before anything was fetched")
		}
		r := w.refresher(t)
		if !r.Refresh(t.Context()) {
			t.Fatal(failures(t, w.store))
		}
		if err := cache.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := cache.Snapshot()
		if updates, exploited := s.Len(); updates != 15 || exploited != 10 || s.LastMonth != "2031-May" {
			t.Errorf("%d updates, %d exploited, to %s", updates, exploited, s.LastMonth)
		}
		if f, ok := s.Update("5090500"); !ok || !f.Exploited() || f.KEV[0].CVE != cve(time.May, 0) {
			t.Errorf("%+v, %v", f, ok)
		}
		// Nothing new: the index and the list are asked again, no document, and the snapshot stays.
		asked := len(w.Asked())
		if !r.Refresh(t.Context()) {
			t.Fatal(failures(t, w.store))
		}
		if got := w.Asked()[asked:]; len(got) != 2 {
			t.Errorf("asked %q for nothing new", got)
		}
		if err := cache.Load(t.Context()); err != nil || cache.Snapshot() != s {
			t.Errorf("the snapshot was made again, %v", err)
		}
		// A revision of May alone.
		w.pass(8 * 24 * time.Hour)
		asked = len(w.Asked())
		r.Refresh(t.Context())
		if got := w.Asked()[asked:]; !slices.Contains(got, "/cvrf/v3.0/cvrf/2031-May") && len(got) != 2 {
			t.Errorf("asked %q", got)
		}
	})
}

// faults are all that the publishers were seen to do or might do wrong, with what is told of each feed; "" for nothing. What
// does no harm to a feed is fetched in spite of it.
func faults() map[advisorytest.Fault]struct{ kev, msrc string } {
	const same = "redirected to https://localhost"
	return map[advisorytest.Fault]struct{ kev, msrc string }{
		advisorytest.Down:             {"answers 503", "answers 503"},
		advisorytest.Throttled:        {"answers 429", "answers 429"},
		advisorytest.Forbidden:        {"", ""}, // the copy is asked
		advisorytest.AllForbidden:     {"answers 403", "answers 403"},
		advisorytest.WebPage:          {"answers with a web page", "answers with a web page"},
		advisorytest.CutOff:           {"unexpected EOF", "unexpected EOF"},
		advisorytest.Absurd:           {"read KEV list", "read CVRF document"},
		advisorytest.Endless:          {"more than 1 MiB", "more than 1 MiB"},
		advisorytest.Blank:            {"more than 1 MiB", "more than 1 MiB"},
		advisorytest.ToHTTP:           {"redirected to http://", "redirected to http://"},
		advisorytest.ToOtherHost:      {same, same},
		advisorytest.WrongMonth:       {"", advisory.ErrWrongDocument.Error()},
		advisorytest.EarlyRelease:     {"", advisory.ErrShrunk.Error() + ": 1 updates of 3"},
		advisorytest.OlderRevision:    {advisory.ErrOlder.Error(), advisory.ErrOlder.Error()},
		advisorytest.NoSupersedence:   {"", "no update supersedes another any more"},
		advisorytest.FutureDate:       {"dated in the future", "dated in the future"},
		advisorytest.MonthsLeaveIndex: {"", ""}, // they are asked for by address
		advisorytest.WrongCount:       {"not the count that it names", ""},
		advisorytest.ShrunkList:       {advisory.ErrShrunk.Error() + ": 5 entries of 10", ""},
		advisorytest.EmptyList:        {"cannot have 0 entries", ""},
		advisorytest.OddValues:        {"", ""}, // see TestOddValuesChangeNothing
	}
}

// Each fault of the publishers leaves what is held of the feed, and is told until it is over.
func TestFaultsKeepWhatIsHeld(t *testing.T) {
	t.Parallel()
	all := faults()
	if len(all) != len(advisorytest.Faults()) {
		t.Errorf("%d faults, the publishers have %d", len(all), len(advisorytest.Faults()))
	}
	for _, fault := range advisorytest.Faults() {
		want, known := all[fault]
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			if !known {
				t.Fatal("it is not said what is told of it")
			}
			w := newWorld(t, sqlite(t))
			w.pass(-7 * 24 * time.Hour) // then every document is revised once more
			r := w.refresher(t)
			if !r.Refresh(t.Context()) {
				t.Fatal(failures(t, w.store))
			}
			before := rows(t, w.store)
			w.pass(14 * 24 * time.Hour)
			w.Set(fault, true)
			if ok := r.Refresh(t.Context()); ok != (want.kev+want.msrc == "") {
				t.Errorf("refreshed: %v", ok)
			}
			told, after := failures(t, w.store), rows(t, w.store)
			for feed, want := range map[string]string{feeds.KEV: want.kev, feeds.MSRC: want.msrc} {
				if (told[feed] == "") != (want == "") || !strings.Contains(told[feed], want) {
					t.Errorf("of %s is told %q, want %q", feed, told[feed], want)
				}
			}
			for id, row := range before {
				feed, name, _ := strings.Cut(id, " ")
				failed := told[feed] != "" && (feed == feeds.KEV || strings.Contains(told[feed], name))
				if failed && after[id] != row {
					t.Errorf("%s changed, though it says %s", id, told[feed])
				}
			}
			if len(after) < len(before) {
				t.Errorf("%d documents are left of %d", len(after), len(before))
			}
			if strings.Contains(told[feeds.MSRC]+told[feeds.KEV], "/kev/") {
				t.Errorf("the failure repeats an address: %v", told)
			}
			w.Set(fault, false)
			if !r.Refresh(t.Context()) || len(failures(t, w.store)[feeds.MSRC]+failures(t, w.store)[feeds.KEV]) > 0 {
				t.Errorf("it is not over: %v", failures(t, w.store))
			}
		})
	}
}

// Documents with all the odd values that MSRC was seen to write give the rows of those without.
func TestOddValuesChangeNothing(t *testing.T) {
	t.Parallel()
	plain, odd := newWorld(t, sqlite(t)), newWorld(t, sqlite(t))
	odd.Set(advisorytest.OddValues, true)
	for _, w := range []*world{plain, odd} {
		if !w.refresher(t).Refresh(t.Context()) {
			t.Fatal(failures(t, w.store))
		}
	}
	if diff := cmp.Diff(rows(t, plain.store), rows(t, odd.store)); diff != "" {
		t.Errorf("rows (-plain +odd):\n%s", diff)
	}
}

// A first fetch with a fault stores nothing wrong, and no future date keeps later documents out.
func TestNothingAbsurdIsStoredFirst(t *testing.T) {
	t.Parallel()
	for _, fault := range []advisorytest.Fault{advisorytest.FutureDate, advisorytest.WrongMonth, advisorytest.Absurd, advisorytest.WebPage, advisorytest.CutOff, advisorytest.ToOtherHost} {
		w := newWorld(t, sqlite(t))
		w.Set(fault, true)
		w.refresher(t).Refresh(t.Context())
		for id := range rows(t, w.store) {
			if strings.HasPrefix(id, "msrc ") {
				t.Errorf("%s: stored %s", fault, id)
			}
		}
	}
}

// An import gives the rows that a fetch gives, byte for byte, and refuses what a fetch refuses.
func TestImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	if !w.refresher(t).Refresh(t.Context()) {
		t.Fatal(failures(t, w.store))
	}
	folder := t.TempDir()
	save := func() (saved int) {
		t.Helper()
		if err := feeds.Save(t.Context(), folder, w.options(), w.clock(), func(_ string, did bool, _ error) {
			if did {
				saved++
			}
		}); err != nil {
			t.Fatal(err)
		}
		return saved
	}
	if n := save(); n != 6 {
		t.Errorf("%d files were saved", n)
	}
	if n := save(); n != 1 { // the list has no index
		t.Errorf("%d files were saved again", n)
	}
	other := openStore(t, sqlite(t))
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) != 6 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if _, changed, err := feeds.Import(t.Context(), other, file, w.clock()); err != nil || !changed {
			t.Errorf("%s: %v, %v", file, changed, err)
		}
		if _, changed, err := feeds.Import(t.Context(), other, file, w.clock()); err != nil || changed {
			t.Errorf("%s again: %v, %v", file, changed, err)
		}
	}
	if d := cmp.Diff(rows(t, w.store), rows(t, other)); d != "" {
		t.Errorf("rows (-fetched +imported):\n%s", d)
	}

	held := rows(t, other)
	wrong := filepath.Join(t.TempDir(), "2031-Feb.json")
	may, err := os.ReadFile(filepath.Join(folder, "2031-May.json"))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]error{string(may): advisory.ErrWrongDocument, `{"a":[{"Vulnerability":1}]}`: nil, "<html>": nil, "": nil, `{"vulnerabilities":[],"count":0}`: nil} {
		if err := os.WriteFile(wrong, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := feeds.Import(t.Context(), other, wrong, w.clock()); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	if _, _, err := feeds.Import(t.Context(), other, filepath.Join(folder, "no such file"), w.clock()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if d := cmp.Diff(held, rows(t, other)); d != "" {
		t.Errorf("a refused import changed rows (-want +got):\n%s", d)
	}
}

// Job does nothing while the last try is near, whichever process made it, and tries again soon after a failure.
func TestJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	job := func(failed int, want time.Duration, calls bool) {
		t.Helper()
		asked := len(w.Asked())
		if again := w.refresher(t).Job(t.Context(), failed); again != want {
			t.Errorf("again in %v, want %v", again, want)
		}
		if called := len(w.Asked()) > asked; called != calls {
			t.Errorf("called: %v, want %v", called, calls)
		}
	}
	job(0, 0, true)
	w.pass(4 * time.Hour)
	job(0, 0, false)
	w.pass(time.Hour)
	job(0, 0, true)
	w.Set(advisorytest.Down, true)
	w.pass(6 * time.Hour)
	job(0, 15*time.Minute, true)
	job(1, time.Hour, true)
	job(2, 0, true)
	w.Set(advisorytest.Down, false)
	job(0, 0, true)
}

// A body without end is given up early, and takes little memory.
func TestEndlessBody(t *testing.T) { //nolint:paralleltest // it measures memory
	for _, fault := range []advisorytest.Fault{advisorytest.Endless, advisorytest.Blank} {
		w := newWorld(t, sqlite(t))
		w.Set(fault, true)
		var before, after runtime.MemStats
		runtime.GC()
		debug.FreeOSMemory()
		runtime.ReadMemStats(&before)
		w.refresher(t).Refresh(t.Context())
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: memory from the system grew by %d MiB, %d MiB were allocated", fault, (after.Sys-before.Sys)>>20, allocated>>20)
		if allocated > 100<<20 {
			t.Errorf("%s: %d MiB were allocated", fault, allocated>>20)
		}
		if told := failures(t, w.store); told[feeds.KEV] == "" || told[feeds.MSRC] == "" {
			t.Errorf("%s: it says %v", fault, told)
		}
	}
}
