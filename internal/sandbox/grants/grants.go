// Package grants keeps what the app may use for a while after a user did something: trigger ids and response URLs. It also
// remembers which secrets were given out, and limits how often the app posts. It knows Slack's rules for their age and number,
// but not what they are used for.
package grants

import (
	"net/http"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// Grant is what the app may do for a while after a user did something.
type Grant struct {
	Question string // the id of the envelope that told of it
	User     string
	Channel  string
	Command  bool   // made by a slash command: the response URL never changes a message
	Original string // ts of the app's message that the response URL changes, if any

	made time.Time
	left int // uses
}

// Triggers keeps the trigger ids: each opens one modal, within three seconds.
type Triggers struct {
	life time.Duration
	mu   sync.Mutex
	made map[string]*Grant
}

// NewTriggers returns trigger ids that work for life.
func NewTriggers(life time.Duration) *Triggers {
	return &Triggers{life: life, made: map[string]*Grant{}}
}

// Issue returns a new id for what a user did: g names the user, the envelope, and the channel if there is one.
func (t *Triggers) Issue(g Grant) string {
	id := protocol.RandomDigits(13) + "." + protocol.RandomDigits(12) + "." + protocol.RandomHex(16)
	t.mu.Lock()
	defer t.mu.Unlock()
	for old, g := range t.made {
		if time.Since(g.made) > 20*t.life {
			delete(t.made, old)
		}
	}
	g.made, g.left = time.Now(), 1
	t.made[id] = &g
	return id
}

// Redeem uses the id and returns what it was issued for.
func (t *Triggers) Redeem(id string) (Grant, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.made[id]
	switch {
	case id == "":
		return Grant{}, protocol.Missing("trigger_id")
	case g == nil:
		return Grant{}, protocol.Refuse("invalid_trigger_id")
	case g.left == 0:
		return Grant{}, protocol.Refuse("exchanged_trigger_id")
	case time.Since(g.made) > t.life:
		return Grant{}, protocol.Refuse("expired_trigger_id")
	}
	g.left--
	return *g, nil
}

// Of returns the user of an id and the envelope of what the user did.
func (t *Triggers) Of(id string) (user, question string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.made[id]; g != nil {
		return g.User, g.Question
	}
	return "", ""
}

// Hooks keeps the response URLs: each works five times within thirty minutes.
type Hooks struct {
	team string
	life time.Duration
	mu   sync.Mutex
	made map[string]*Grant
}

// HookUses is how often a response URL works.
const HookUses = 5

// NewHooks returns response URLs of the workspace team that work for life.
func NewHooks(team string, life time.Duration) *Hooks {
	return &Hooks{team: team, life: life, made: map[string]*Grant{}}
}

// Issue returns the path of a new response URL for one command or click.
func (h *Hooks) Issue(g Grant) (path string) {
	path = "/commands/" + h.team + "/" + protocol.RandomDigits(13) + "/" + protocol.RandomHex(12)
	h.mu.Lock()
	defer h.mu.Unlock()
	for old, g := range h.made {
		if time.Since(g.made) > 2*h.life {
			delete(h.made, old)
		}
	}
	g.made, g.left = time.Now(), HookUses
	h.made[path] = &g
	return path
}

// Use takes one use of a response URL. If limit returns an error for the channel, use
// returns that error and takes none.
func (h *Hooks) Use(path string, limit func(channelID string) error) (Grant, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.made[path]
	switch {
	case g == nil:
		return Grant{}, HookError{Status: http.StatusNotFound, Code: "no_hook"}
	case time.Since(g.made) > h.life:
		return Grant{}, HookError{Status: http.StatusNotFound, Code: "expired_url"}
	case g.left == 0:
		return Grant{}, HookError{Status: http.StatusNotFound, Code: "used_url"}
	}
	if err := limit(g.Channel); err != nil {
		return Grant{}, err
	}
	g.left--
	return *g, nil
}

// Of returns the grant of a response URL without using it.
func (h *Hooks) Of(path string) Grant {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g := h.made[path]; g != nil {
		return *g
	}
	return Grant{}
}

// About sets the message that a response URL changes from now on; "" is none.
func (h *Hooks) About(path, ts string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g := h.made[path]; g != nil {
		g.Original = ts
	}
}

// HookError is a refusal by a response URL.
type HookError struct {
	Status int
	Code   string
}

// Error implements error.
func (e HookError) Error() string { return e.Code }
