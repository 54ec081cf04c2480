package sandbox

import (
	"errors"
	"net/url"
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

func TestShortcut(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{Shortcuts: []Shortcut{{Name: "Ask", CallbackID: "ask"}}})
	a := greeted(t, w)
	ctx := soon(t)
	p := clicked(t, a, func() (sockets.Dispatch, error) { return w.Shortcut(ctx, Alice, "ask") })
	if p["type"] != "shortcut" || p["callback_id"] != "ask" || p["channel"] != nil || p["container"] != nil || p["response_url"] != nil {
		t.Errorf("payload = %v, want a shortcut that comes from no channel", p)
	}
	trigger, _ := p["trigger_id"].(string)
	if got := form(t, w, "views.open", w.BotToken(), url.Values{"trigger_id": {trigger}, "view": {modalJSON}}); got["view"] == nil {
		t.Errorf("views.open with its trigger: %v", got)
	}
	for _, c := range []struct{ who, id string }{{External, "ask"}, {Alice, "other"}} {
		if _, err := w.Shortcut(ctx, c.who, c.id); !errors.Is(err, ErrNoElement) {
			t.Errorf("%s uses %s: %v, want ErrNoElement", c.who, c.id, err)
		}
	}
}
