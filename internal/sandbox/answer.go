package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/grants"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

const inChannel = "in_channel"

// answer is a message in an acknowledgement or to a response URL.
type answer struct {
	content
	ResponseType    string `json:"response_type"`
	ReplaceOriginal bool   `json:"replace_original"`
	DeleteOriginal  bool   `json:"delete_original"`
	ThreadTS        string `json:"thread_ts"`
}

// message makes the answer a new message to user. It is ephemeral unless it asks
// for the channel.
func (a answer) message(user, channelID string) Message {
	m := Message{Channel: channelID, User: BotUser, Kind: KindApp, ThreadTS: a.ThreadTS, ResponseType: inChannel}
	if a.ResponseType != inChannel {
		m.ResponseType, m.EphemeralFor = "ephemeral", user
	}
	a.into(&m)
	return m
}

// serveHook answers a response URL. See
// https://docs.slack.dev/interactivity/handling-user-interaction
func (w *Workspace) serveHook(rw http.ResponseWriter, r *http.Request) {
	start := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, protocol.MaxBody))
	seen := Delivery{Question: w.hooks.Of(r.URL.Path).Question, Way: WayHook}
	fault, acts := w.faults.Begin(r.Context(), WayHook)
	if err == nil && acts {
		if refused := w.faults.ResponseURL(r.Context()); refused != nil {
			err = refused
		} else {
			seen.Message, err = w.respond(r.URL.Path, r.Header.Get("Content-Type"), body)
			seen.Shown = err == nil
		}
	}
	if fault.Spoils() {
		seen.Fault = fault.String()
		w.report(seen)
		w.trace.Add(trace.ResponseURL, seen.Fault, time.Since(start), object{"done": seen.Shown, "request": jsonOrText(body)})
		fault.Answer(rw)
		return
	}
	status, reply := http.StatusOK, "ok"
	if err != nil {
		seen.Fault = err.Error()
		status, reply = http.StatusBadRequest, err.Error()
		if e, ok := errors.AsType[grants.HookError](err); ok {
			status = e.Status
		}
		if limit, ok := errors.AsType[protocol.RateLimited](err); ok {
			status, reply = http.StatusTooManyRequests, "rate_limited"
			rw.Header().Set("Retry-After", strconv.Itoa(limit.Seconds()))
		}
	}
	w.report(seen)
	rw.Header().Set("Content-Type", "text/html")
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, reply)
	w.trace.Add(trace.ResponseURL, reply, time.Since(start), object{"status": status, "request": jsonOrText(body)})
}

func jsonOrText(body []byte) any {
	if json.Valid(body) {
		return json.RawMessage(body)
	}
	return string(body)
}

// respond carries out what the app sent to a response URL.
func (w *Workspace) respond(path, contentType string, body []byte) (Message, error) {
	a, err := readAnswer(contentType, body)
	if err != nil {
		return Message{}, err
	}
	remove := a.DeleteOriginal && a.empty()
	if !remove {
		if err := w.checkContent(a.content); err != nil {
			w.trace.Fail("response_url", "Slack refuses this message", w.refusalDetail(err))
			return Message{}, err
		}
	}
	g, err := w.hooks.Use(path, w.limits.Allow)
	if err != nil {
		return Message{}, err
	}
	if c, _ := w.rooms.get(g.Channel); c.Archived {
		return Message{}, protocol.Refuse("is_archived")
	}
	return w.carryOut(path, g, a)
}

// carryOut posts an answer, or changes the clicked message. A slash command has no message to change: such an answer
// becomes a new message, as people report about Slack (https://github.com/slackapi/bolt-js/issues/2287,
// https://github.com/slackapi/bolt-python/issues/1268).
func (w *Workspace) carryOut(path string, g grants.Grant, a answer) (Message, error) {
	if g.Command {
		if a.ReplaceOriginal || a.DeleteOriginal {
			w.trace.Fail("response_url", "of a slash command: nothing is replaced or deleted", nil)
		}
		if a.empty() {
			return Message{Channel: g.Channel}, nil
		}
		a.ReplaceOriginal, a.DeleteOriginal = false, false
	}
	if a.DeleteOriginal {
		w.rooms.remove(g.Channel, g.Original)
		w.hooks.About(path, "")
		g.Original = ""
		if a.empty() {
			return Message{Channel: g.Channel}, nil
		}
	}
	if a.ReplaceOriginal {
		// What was ephemeral stays so, and what was not too.
		if m, ok := w.rooms.edit(g.Channel, g.Original, a.into); ok {
			return m, nil
		}
	}
	if a.ThreadTS != "" {
		if _, ok := w.rooms.message(g.Channel, a.ThreadTS); !ok {
			return Message{}, protocol.Refuse("thread_not_found")
		}
	}
	m := w.rooms.post(a.message(g.User, g.Channel))
	if g.Original == "" && !g.Command {
		w.hooks.About(path, m.TS)
	}
	return m, nil
}

func readAnswer(contentType string, body []byte) (answer, error) {
	var a answer
	if strings.HasPrefix(contentType, "application/x-www-form-urlencoded") {
		form, _ := url.ParseQuery(string(body))
		body = []byte(form.Get("payload"))
	}
	if json.Unmarshal(body, &a) != nil {
		return a, grants.HookError{Status: http.StatusBadRequest, Code: "invalid_payload"}
	}
	return a, nil
}
