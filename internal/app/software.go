package app

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/asked"
	"github.com/missingkbs/missingkbs/internal/inventory"
)

// defaultListFresh is the age from which a search renews the software list in the background.
const defaultListFresh = 5 * time.Minute

// listTimeout bounds one renewal of the software list, which yields to questions.
const listTimeout = 5 * time.Minute

// finding are the parts that find software by words.
type finding struct {
	index    *search.Index
	defender commands.Defender // its list is the one in inventory
	list     *inventory.Inventory
	people   *asked.Memory // nil if nothing is remembered
}

// newFinding creates the search over the software list that is kept in memory.
func (a *App) newFinding(auth *authState) *finding {
	client := storedAnswers(a.Defender, a.Store, a.StaleFor, a.Now, auth)
	index := &search.Index{}
	list := inventory.New(inventory.Options{
		Ask: client.Catalog, Store: a.Store, Prepare: index.Prepare, Refused: auth.refused,
		Fresh: a.ListFresh, MaxAge: a.StaleFor, Timeout: listTimeout, Now: a.Now, Log: a.Log,
	})
	f := &finding{index: index, list: list, defender: listed{client, list}}
	if a.AskedFor > 0 {
		f.people = asked.New(asked.Options{Store: a.Store, Life: a.AskedFor, Now: a.Now, Log: a.Log})
		index.People = f.people
	}
	return f
}

// parts returns what runs in the background.
func (f *finding) parts() []func(ctx context.Context) {
	if f.people == nil {
		return []func(context.Context){f.list.Run}
	}
	return []func(context.Context){f.list.Run, f.people.Run}
}

// listed is a client whose software list comes from the inventory.
type listed struct {
	commands.Defender
	list *inventory.Inventory
}

// Catalog implements [commands.Defender].
func (l listed) Catalog(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error) {
	return l.list.Catalog(ctx, opts...)
}
