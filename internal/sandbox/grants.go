package sandbox

import (
	"net/http"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// grant is something that works for a while after a person did something.
type grant struct {
	question      string // the envelope of what was done
	user, channel string
	made          time.Time
	left          int    // uses
	command       bool   // of a slash command: its response URL never changes a message
	original      string // ts of the app's message that this chain is about, if any
}

// triggers keeps the trigger ids: each opens one modal, within three seconds.
type triggers struct {
	life time.Duration
	mu   sync.Mutex
	made map[string]*grant
}

func newTriggers(life time.Duration) *triggers {
	return &triggers{life: life, made: map[string]*grant{}}
}

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

// redeem returns the user whose click the id stands for.
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

// of tells whom an id is for, and what was done.
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
	life time.Duration
	mu   sync.Mutex
	made map[string]*grant
}

const hookUses = 5

func newHooks(life time.Duration) *hooks {
	return &hooks{life: life, made: map[string]*grant{}}
}

// issue returns the path of a new response URL for one command or click.
func (h *hooks) issue(g grant) (path string) {
	path = "/commands/" + TeamID + "/" + protocol.RandomDigits(13) + "/" + protocol.RandomHex(12)
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

// use takes one use of a response URL, unless limit says that its channel has to
// wait.
func (h *hooks) use(path string, limit func(channelID string) error) (grant, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.made[path]
	switch {
	case g == nil:
		return grant{}, hookError{http.StatusNotFound, "no_hook"}
	case time.Since(g.made) > h.life:
		return grant{}, hookError{http.StatusNotFound, "expired_url"}
	case g.left == 0:
		return grant{}, hookError{http.StatusNotFound, "used_url"}
	}
	if err := limit(g.channel); err != nil {
		return grant{}, err
	}
	g.left--
	return *g, nil
}

// of returns what a response URL stands for, without using it.
func (h *hooks) of(path string) grant {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g := h.made[path]; g != nil {
		return *g
	}
	return grant{}
}

// about notes which message the chain of a response URL is about from now on.
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
