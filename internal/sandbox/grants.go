package sandbox

import (
	"net/http"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// grant is what the app may do for a while after a user did something.
type grant struct {
	question string // the id of the envelope that told of it
	user     string
	channel  string
	command  bool   // made by a slash command: the response URL never changes a message
	original string // ts of the app's message that the response URL changes, if any

	made time.Time
	left int // uses
}

// triggers keeps the trigger ids: each opens one modal, within three seconds.
type triggers struct {
	life time.Duration
	mu   sync.Mutex
	made map[string]*grant
}

// newTriggers returns trigger ids that work for life.
func newTriggers(life time.Duration) *triggers {
	return &triggers{life: life, made: map[string]*grant{}}
}

// issue returns a new id for what the user did by the envelope question.
func (t *triggers) issue(user, question string) string {
	id := protocol.RandomDigits(13) + "." + protocol.RandomDigits(12) + "." + protocol.RandomHex(16)
	t.mu.Lock()
	defer t.mu.Unlock()
	for old, g := range t.made {
		if time.Since(g.made) > 20*t.life {
			delete(t.made, old)
		}
	}
	t.made[id] = &grant{question: question, user: user, made: time.Now(), left: 1}
	return id
}

// redeem uses the id and returns the user whose click it stands for.
func (t *triggers) redeem(id string) (user string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.made[id]
	switch {
	case id == "":
		return "", protocol.Missing("trigger_id")
	case g == nil:
		return "", protocol.Refuse("invalid_trigger_id")
	case g.left == 0:
		return "", protocol.Refuse("exchanged_trigger_id")
	case time.Since(g.made) > t.life:
		return "", protocol.Refuse("expired_trigger_id")
	}
	g.left--
	return g.user, nil
}

// of returns the user of an id and the envelope of what the user did.
func (t *triggers) of(id string) (user, question string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.made[id]; g != nil {
		return g.user, g.question
	}
	return "", ""
}

// hooks keeps the response URLs: each works five times within thirty minutes.
type hooks struct {
	team string
	life time.Duration
	mu   sync.Mutex
	made map[string]*grant
}

const hookUses = 5

// newHooks returns response URLs of the workspace team that work for life.
func newHooks(team string, life time.Duration) *hooks {
	return &hooks{team: team, life: life, made: map[string]*grant{}}
}

// issue returns the path of a new response URL for one command or click.
func (h *hooks) issue(g grant) (path string) {
	path = "/commands/" + h.team + "/" + protocol.RandomDigits(13) + "/" + protocol.RandomHex(12)
	h.mu.Lock()
	defer h.mu.Unlock()
	for old, g := range h.made {
		if time.Since(g.made) > 2*h.life {
			delete(h.made, old)
		}
	}
	g.made, g.left = time.Now(), hookUses
	h.made[path] = &g
	return path
}

// use takes one use of a response URL. If limit returns an error for the channel, use
// returns that error and takes none.
func (h *hooks) use(path string, limit func(channelID string) error) (grant, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.made[path]
	switch {
	case g == nil:
		return grant{}, hookError{status: http.StatusNotFound, code: "no_hook"}
	case time.Since(g.made) > h.life:
		return grant{}, hookError{status: http.StatusNotFound, code: "expired_url"}
	case g.left == 0:
		return grant{}, hookError{status: http.StatusNotFound, code: "used_url"}
	}
	if err := limit(g.channel); err != nil {
		return grant{}, err
	}
	g.left--
	return *g, nil
}

// of returns the grant of a response URL without using it.
func (h *hooks) of(path string) grant {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g := h.made[path]; g != nil {
		return *g
	}
	return grant{}
}

// about sets the message that a response URL changes from now on; "" is none.
func (h *hooks) about(path, ts string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g := h.made[path]; g != nil {
		g.original = ts
	}
}

// hookError is a refusal by a response URL.
type hookError struct {
	status int
	code   string
}

func (e hookError) Error() string { return e.code }
