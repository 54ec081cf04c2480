package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
	"github.com/missingkbs/missingkbs/internal/sandbox/ui"
)

// routeUI adds what the web page reads and does.
func (w *Workspace) routeUI(mux *http.ServeMux) {
	mux.HandleFunc("GET /ui/state", func(rw http.ResponseWriter, _ *http.Request) {
		writeJSON(rw, http.StatusOK, w.state())
	})
	mux.HandleFunc("GET /ui/events", w.serveEvents)
	mux.HandleFunc("GET /ui/files/{id}", w.serveFile)
	mux.HandleFunc("POST /ui/send", page(w.uiSend))
	mux.HandleFunc("POST /ui/action", page(w.uiAction))
	mux.HandleFunc("POST /ui/suggest", page(w.uiSuggest))
	mux.HandleFunc("POST /ui/view", page(w.uiView))
	mux.HandleFunc("POST /ui/home", page(w.uiHome))
	mux.HandleFunc("POST /ui/shortcut", page(w.uiShortcut))
	mux.HandleFunc("POST /ui/clock", page(w.uiClock))
	mux.HandleFunc("POST /ui/faults", page(w.uiFaults))
}

// page makes a handler of a function that takes a request's JSON and returns an
// answer's. An error is answered with 400 and its words. Only JSON is taken: a
// form of another site can't send it.
func page[T any](act func(*http.Request, T) (object, error)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
			writeJSON(rw, http.StatusUnsupportedMediaType, object{"ok": false, "error": "send JSON"})
			return
		}
		var in T
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, protocol.MaxBody))
		if err == nil {
			err = json.Unmarshal(body, &in)
		}
		var out object
		if err == nil {
			out, err = act(r, in)
		}
		if err != nil {
			writeJSON(rw, http.StatusBadRequest, object{"ok": false, "error": err.Error()})
			return
		}
		writeJSON(rw, http.StatusOK, out)
	}
}

// delivered words a delivery for the page. Where nothing was to be delivered, as
// for a message that mentions no user, there is none in it.
func delivered(d sockets.Dispatch, err error) (object, error) {
	if err != nil {
		return nil, err
	}
	out := object{"ok": d.Err == ""}
	if d.EnvelopeID != "" || d.Err != "" {
		out["delivery"] = d.Shown()
	}
	if d.Err != "" {
		out["error"] = d.Err
	}
	return out, nil
}

type sendRequest struct {
	User     string `json:"user"`
	Channel  string `json:"channel"`
	Text     string `json:"text"`
	ThreadTS string `json:"thread_ts"`
}

func (w *Workspace) uiSend(r *http.Request, in sendRequest) (object, error) {
	if strings.TrimSpace(in.Text) == "" {
		return nil, errors.New("nothing typed")
	}
	if !strings.HasPrefix(in.Text, "/") {
		return delivered(w.reply(r.Context(), Message{User: in.User, Channel: in.Channel, Text: in.Text, ThreadTS: in.ThreadTS}))
	}
	if in.ThreadTS != "" {
		return nil, errors.New("slash commands cannot be used in threads")
	}
	return delivered(w.Command(r.Context(), in.User, in.Channel, in.Text))
}

// target is where an element is, as the page says it.
type target struct {
	User      string `json:"user"`
	Channel   string `json:"channel"`
	MessageTS string `json:"message_ts"`
	ViewID    string `json:"view_id"`
	BlockID   string `json:"block_id"`
	ActionID  string `json:"action_id"`
}

func (t target) target() Target {
	return Target{Channel: t.Channel, TS: t.MessageTS, ViewID: t.ViewID, BlockID: t.BlockID, ActionID: t.ActionID}
}

// actionRequest is a target with what was chosen there: value, selected_….
type actionRequest struct {
	target
	input Input
}

// UnmarshalJSON implements [json.Unmarshaler].
func (a *actionRequest) UnmarshalJSON(body []byte) error {
	if err := json.Unmarshal(body, &a.target); err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return err
	}
	a.input = Input{Fields: object{}, State: fields["state"]}
	for key, raw := range fields {
		if key != "value" && key != "rich_text_value" && !strings.HasPrefix(key, "selected_") {
			continue
		}
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return err
		}
		a.input.Fields[key] = value
	}
	return nil
}

func (w *Workspace) uiAction(r *http.Request, in actionRequest) (object, error) {
	return delivered(w.Act(r.Context(), in.User, in.target.target(), in.input))
}

type suggestRequest struct {
	target
	Value string `json:"value"`
}

func (w *Workspace) uiSuggest(r *http.Request, in suggestRequest) (object, error) {
	d, err := w.Suggest(r.Context(), in.User, in.target.target(), in.Value)
	if err != nil {
		return nil, err
	}
	if d.Err != "" {
		return nil, errors.New(d.Err)
	}
	out := object{}
	if len(d.AckPayload) > 0 {
		err = json.Unmarshal(d.AckPayload, &out)
	}
	return out, err
}

type viewRequest struct {
	User   string `json:"user"`
	ViewID string `json:"view_id"`
	Op     string `json:"op"` // submit or close
	State  struct {
		Values any `json:"values"`
	} `json:"state"`
}

func (w *Workspace) uiView(r *http.Request, in viewRequest) (object, error) {
	switch in.Op {
	case "close":
		return delivered(w.CloseView(r.Context(), in.User, in.ViewID))
	case "submit":
		d, err := w.SubmitView(r.Context(), in.User, in.ViewID, in.State.Values)
		if wrong, ok := errors.AsType[*InputError](err); ok {
			return object{"ok": false, "errors": wrong.Errors}, nil
		}
		out, err := delivered(d, err)
		var a viewAnswer
		if err == nil && json.Unmarshal(d.AckPayload, &a) == nil && len(a.Errors) > 0 {
			out["errors"] = a.Errors
		}
		if err == nil && d.Err != "" {
			out["error"] = "We had some trouble connecting. Try again?"
		}
		return out, err
	}
	return nil, fmt.Errorf("unknown op %q", in.Op)
}

func (w *Workspace) uiHome(r *http.Request, in struct {
	User string `json:"user"`
},
) (object, error) {
	return delivered(w.OpenHome(r.Context(), in.User))
}

// maxAdvance bounds one push of the clock.
const maxAdvance = 366 * 24 * time.Hour

func (w *Workspace) uiClock(r *http.Request, in struct {
	Advance string `json:"advance"`
	Skip    bool   `json:"skip"` // as if the app had been off: the clock waits for nothing
},
) (object, error) {
	d, err := time.ParseDuration(in.Advance)
	if err != nil || d <= 0 || d > maxAdvance {
		return nil, fmt.Errorf("advance by a duration such as 24h, not %q", in.Advance)
	}
	if in.Skip {
		w.Advance(d)
	} else if err := w.Travel(r.Context(), d); err != nil {
		return nil, err
	}
	return object{"ok": true, "clock": w.Now()}, nil
}

func (w *Workspace) uiFaults(_ *http.Request, in map[string]any) (object, error) {
	for name, value := range in {
		if err := w.SetFault(name, value); err != nil {
			return nil, err
		}
	}
	return object{"ok": true, "faults": w.faults.Values()}, nil
}

func (w *Workspace) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", w.serveAPI)
	mux.HandleFunc("GET "+sockets.Path, w.sockets.Serve)
	mux.HandleFunc("POST /commands/", w.serveHook)
	mux.HandleFunc("POST /upload/v1/{key}", w.serveUpload)
	w.routeUI(mux)
	mux.Handle("/", http.FileServerFS(ui.Files()))
	return mux
}
