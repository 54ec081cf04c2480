package reading

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// maxAsked is how many software ids one question may ask Defender about: half of the calls of one minute.
	maxAsked = 25
	// atOnce is how many are asked about concurrently.
	atOnce = 4
	// maxStored is how old a digest's reading may be to replace a call.
	maxStored = 7 * 24 * time.Hour
)

// Reader reads what is missing in software. It is safe for concurrent use.
type Reader struct {
	Defender commands.Defender
	Index    *search.Index
	Stored   commands.Readings // what digests have read; may be nil
	Now      func() time.Time  // the clock; nil for [time.Now]
}

func (r *Reader) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}

// AllHelp says in the help of a command what it reads of all software.
func AllHelp() view.Fact {
	return view.Fact{Name: digest.All, Value: fmt.Sprintf("the %d Microsoft products with the most exposed devices, and those that a digest has read in the last week; the answer says how many. A digest of all reads every product", maxAsked)}
}

// Gap is what is missing in several software ids.
type Gap struct {
	Rows    []patchgap.Row
	Read    []string // ids that were read, sorted
	Stored  int      // how many of them a digest has read
	Failed  []string // why others could not be read, without repeats
	Unread  int      // how many could not be read
	Left    int      // ids left out because of the limit on calls
	Skipped int      // rows that could not be read
	AsOf    view.AsOf
	Version uint64 // of the answer if there is just one; 0 otherwise
}

// Note says what the rows do not cover.
func (g Gap) Note() string {
	var notes []string
	if g.Unread > 0 {
		notes = append(notes, fmt.Sprintf("%s could not be read: %s.", software(g.Unread), view.Join(g.Failed)))
	}
	if g.Left > 0 {
		notes = append(notes, fmt.Sprintf("%s of Microsoft's with fewer exposed devices %s not read: a question asks about %d at most. A digest of all reads each.", software(g.Left), were(g.Left), maxAsked))
	}
	if g.Stored > 0 {
		notes = append(notes, fmt.Sprintf("%s %s as a digest read them.", software(g.Stored), is(g.Stored)))
	}
	if g.Skipped > 0 {
		notes = append(notes, commands.CouldNotRead(g.Skipped)+", so more may be missing.")
	}
	return view.JoinSentences(notes...)
}

func software(n int) string {
	if n == 1 {
		return "1 software"
	}
	return view.Thousands(n) + " software ids"
}

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func is(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// Read reads software. Ids beyond the limit come from digests' recent readings. It only returns an error if nothing at
// all could be read.
func (r *Reader) Read(ctx context.Context, ids []string, opts ...api.CallOption) (Gap, error) {
	g := gathering{reader: r}
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	asked := ids[:min(len(ids), maxAsked)]
	for _, id := range asked {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			answer, err := r.Defender.MissingKBs(ctx, id, append(slices.Clip(opts), api.ReadOnly())...)
			g.add(id, answer, err)
		})
	}
	all.Wait()
	for _, id := range ids[len(asked):] {
		g.stored(ctx, id)
	}
	if len(g.Read) == 0 && g.err != nil {
		return Gap{}, fmt.Errorf("read missing KBs: %w", g.err)
	}
	if len(ids) > 1 {
		g.Version = 0
	}
	slices.Sort(g.Read)
	slices.SortFunc(g.Rows, func(a, b patchgap.Row) int { return a.Compare(b.Key) })
	return g.Gap, nil
}

// gathering collects concurrent answers.
type gathering struct {
	Gap

	reader *Reader
	mu     sync.Mutex
	err    error // the first failure
}

// add records the answer about one software, or why there is none.
func (g *gathering) add(id string, answer api.Answer[[]api.MissingKB], err error) {
	if err == nil {
		g.reader.Index.Note(id, answer.Value)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.Unread++
		if why := commands.Explain(err).Title; !slices.Contains(g.Failed, why) {
			g.Failed = append(g.Failed, why)
		}
		if g.err == nil || errors.Is(err, api.ErrPermission) { // a missing permission affects all software
			g.err = err
		}
		return
	}
	g.Read, g.Rows = append(g.Read, id), append(g.Rows, commands.Rows(id, answer.Value)...)
	g.Skipped, g.Version = g.Skipped+answer.Skipped, answer.Version
	g.AsOf = commands.Oldest(commands.AsOf(answer), g.AsOf)
}

// stored adds a digest's reading of a software, if it is recent.
func (g *gathering) stored(ctx context.Context, id string) {
	if g.reader.Stored == nil {
		g.Left++
		return
	}
	snap, found, err := g.reader.Stored.Reading(ctx, digest.DefaultTenant, id)
	age := g.reader.now().Sub(snap.At)
	if err != nil || !found || age > maxStored {
		g.Left++
		return
	}
	g.Read, g.Rows, g.Stored = append(g.Read, id), append(g.Rows, snap.Rows...), g.Stored+1
	g.AsOf = commands.Oldest(view.AsOf{Time: snap.At, Age: max(age, 0)}, g.AsOf)
}
