package sandbox

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// tokenKind says which token a method wants.
type tokenKind int

const (
	botToken tokenKind = iota
	appToken
	configToken
	noToken
)

// method is one method of the Web API.
type method struct {
	run   func(*Workspace, protocol.Args) (object, error)
	scope string // of the bot token; empty: none needed
	token tokenKind
}

// methods lists what the sandbox can do; everything else is unknown_method.
func methods() map[string]method {
	return map[string]method{
		"api.test":                     {(*Workspace).apiTest, "", noToken},
		"auth.teams.list":              {(*Workspace).teamsList, "", botToken},
		"auth.test":                    {(*Workspace).authTest, "", botToken},
		"apps.connections.open":        {(*Workspace).connectionsOpen, "", appToken},
		"apps.manifest.export":         {(*Workspace).manifestExport, "", configToken},
		"blocks.validate":              {(*Workspace).blocksValidate, "", noToken},
		"bots.info":                    {(*Workspace).botsInfo, "users:read", botToken},
		"chat.delete":                  {(*Workspace).chatDelete, "chat:write", botToken},
		"chat.getPermalink":            {(*Workspace).chatGetPermalink, "", botToken},
		"chat.postEphemeral":           {(*Workspace).chatPostEphemeral, "chat:write", botToken},
		"chat.postMessage":             {(*Workspace).chatPostMessage, "chat:write", botToken},
		"chat.update":                  {(*Workspace).chatUpdate, "chat:write", botToken},
		"conversations.history":        {(*Workspace).conversationsHistory, "channels:history", botToken},
		"conversations.info":           {(*Workspace).conversationsInfo, "channels:read", botToken},
		"conversations.join":           {(*Workspace).conversationsJoin, "channels:join", botToken},
		"conversations.list":           {(*Workspace).conversationsList, "channels:read", botToken},
		"conversations.members":        {(*Workspace).conversationsMembers, "channels:read", botToken},
		"conversations.open":           {(*Workspace).conversationsOpen, "im:write", botToken},
		"conversations.replies":        {(*Workspace).conversationsReplies, "channels:history", botToken},
		"files.completeUploadExternal": {(*Workspace).filesComplete, "files:write", botToken},
		"files.getUploadURLExternal":   {(*Workspace).filesGetUploadURL, "files:write", botToken},
		"team.info":                    {(*Workspace).teamInfo, "team:read", botToken},
		"usergroups.list":              {(*Workspace).usergroupsList, "usergroups:read", botToken},
		"usergroups.users.list":        {(*Workspace).usergroupsUsersList, "usergroups:read", botToken},
		"users.info":                   {(*Workspace).usersInfo, "users:read", botToken},
		"users.list":                   {(*Workspace).usersList, "users:read", botToken},
		"views.open":                   {(*Workspace).viewsOpen, "", botToken},
		"views.publish":                {(*Workspace).viewsPublish, "", botToken},
		"views.push":                   {(*Workspace).viewsPush, "", botToken},
		"views.update":                 {(*Workspace).viewsUpdate, "", botToken},
	}
}

// scopes returns what the bot token may do.
func (w *Workspace) scopes() []string {
	if w.opts.Scopes != nil {
		return w.opts.Scopes
	}
	all := []string{"commands", "groups:read", "groups:history", "im:read", "im:history", "app_mentions:read"}
	for _, m := range w.methods {
		if m.scope != "" && !slices.Contains(all, m.scope) {
			all = append(all, m.scope)
		}
	}
	slices.Sort(all)
	return all
}

// serveAPI answers /api/{method}.
func (w *Workspace) serveAPI(rw http.ResponseWriter, r *http.Request) {
	start := time.Now()
	name := r.PathValue("method")
	a, err := protocol.ReadArgs(rw, r)
	var answer object
	status := http.StatusOK
	fault, acts := w.faults.Begin(r.Context(), name)
	switch {
	case errors.Is(err, protocol.ErrBadJSON):
		err = protocol.Refuse("invalid_json")
	case err != nil:
		err = protocol.Refuse("invalid_form_data")
	case acts:
		if refused := w.faults.WebAPI(r.Context()); refused != nil {
			err = refused
		} else {
			answer, err = w.call(name, token(r, a), a)
		}
	}
	if fault.Spoils() {
		w.reportCall(name, a, answer, fault.String())
		w.trace.Add(trace.WebAPI, name, time.Since(start), object{"request": a.Shown(), "done": answer != nil, "fault": fault.String()})
		fault.Answer(rw)
		return
	}
	if err == nil {
		w.reportCall(name, a, answer, "")
		answer["ok"] = true
	} else {
		w.reportCall(name, a, nil, err.Error())
		answer, status = w.refusal(rw, err)
	}
	h := rw.Header()
	if scopes, ok := w.scopesOf(token(r, a)); ok {
		setFilled(h, "X-OAuth-Scopes", scopes)
		setFilled(h, "X-Accepted-OAuth-Scopes", w.methods[name].scope)
	}
	w.faults.Misdate(h)
	h.Set("X-Slack-Req-Id", protocol.RandomHex(16))
	writeJSON(rw, status, answer)
	w.trace.Add(trace.WebAPI, name, time.Since(start), object{"request": a.Shown(), "status": status, "response": answer})
}

// setFilled sets a header unless it would be empty: Slack sends none then.
func setFilled(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// refusal turns an error into an answer and its status.
func (w *Workspace) refusal(rw http.ResponseWriter, err error) (object, int) {
	if limit, ok := errors.AsType[protocol.RateLimited](err); ok {
		rw.Header().Set("Retry-After", strconv.Itoa(limit.Seconds()))
		return object{"ok": false, "error": "ratelimited"}, http.StatusTooManyRequests
	}
	answer := object{}
	code := err.Error()
	if e, ok := errors.AsType[protocol.Refusal](err); ok {
		maps.Copy(answer, e.Extra)
		code = e.Code
	}
	answer["ok"], answer["error"] = false, code
	return answer, http.StatusOK
}

// call checks the token and runs the method.
func (w *Workspace) call(name, token string, a protocol.Args) (object, error) {
	m, ok := w.methods[name]
	if !ok {
		w.trace.Fail(name, "unknown Web API method", a.Shown())
		return nil, protocol.RefuseWith("unknown_method", object{"req_method": name})
	}
	if err := w.authorize(m, token, a); err != nil {
		return nil, err
	}
	return m.run(w, a)
}

// token finds the token of a call. Slack reads it from a header or a form, never
// from a JSON body.
func token(r *http.Request, a protocol.Args) string {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return bearer
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return ""
	}
	return a["token"]
}

func writeJSON(rw http.ResponseWriter, status int, body any) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(status)
	_, _ = rw.Write(protocol.Encode(body))
}

func (w *Workspace) apiTest(a protocol.Args) (object, error) {
	return object{"args": a.Shown()}, nil
}

func (w *Workspace) authTest(protocol.Args) (object, error) {
	o := object{
		"url": w.URL() + "/", "team": TeamName, "user": BotName, "team_id": TeamID,
		"user_id": BotUser, "bot_id": BotID, "is_enterprise_install": false,
	}
	if w.inOrg() {
		o["enterprise_id"] = OrgID
	}
	if w.opts.OrgWide {
		o["team"], o["team_id"], o["is_enterprise_install"] = OrgName, OrgID, true
	}
	return o, nil
}

func (w *Workspace) connectionsOpen(protocol.Args) (object, error) {
	return object{"url": w.sockets.Ticket()}, nil
}

func (w *Workspace) teamInfo(protocol.Args) (object, error) {
	return object{"team": object{"id": TeamID, "name": TeamName, "domain": TeamDomain, "email_domain": "", "icon": object{"image_default": true}}}, nil
}
