package sandbox

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// slack returns the conversation as conversations.info does.
func (c channel) slack() object {
	o := object{
		"id": c.ID, "created": 1700000000, "is_archived": c.Archived, "context_team_id": TeamID, "updated": 1700000000000,
		"is_im": c.IM, "is_mpim": false, "is_private": c.Private || c.IM, "is_channel": !c.IM && !c.Private, "is_group": c.Private,
		"is_shared": c.Shared, "is_ext_shared": c.Shared, "is_org_shared": false, "is_pending_ext_shared": false, "pending_shared": []string{},
	}
	if c.IM {
		o["user"] = c.Members[0]
		return o
	}
	o["name"], o["name_normalized"] = c.Name, c.Name
	o["is_general"], o["is_member"], o["creator"] = c.ID == General, c.has(BotUser), Alice
	o["topic"] = object{"value": c.Topic, "creator": Alice, "last_set": 1700000000}
	o["purpose"] = object{"value": "", "creator": "", "last_set": 0}
	o["num_members"] = len(c.Members)
	o["shared_team_ids"] = []string{TeamID}
	if c.Shared {
		o["connected_team_ids"] = []string{ExternalTeamID}
		o["shared_team_ids"] = []string{TeamID, ExternalTeamID}
	}
	c.spans(o)
	return o
}

func (w *Workspace) conversationsInfo(a protocol.Args) (object, error) {
	c, err := w.room(a["channel"])
	if err != nil {
		return nil, err
	}
	return object{"channel": c.slack()}, nil
}

func (w *Workspace) conversationsList(a protocol.Args) (object, error) {
	if _, err := w.teamWanted(a); err != nil {
		return nil, err
	}
	types := a.List("types")
	if len(types) == 0 {
		types = []string{"public_channel"}
	}
	var found []object
	for _, c := range w.rooms.all() {
		kind := "public_channel"
		switch {
		case c.IM:
			kind = "im"
		case c.Private:
			kind = "private_channel"
		}
		hidden := c.Private && !c.has(BotUser) || c.Archived && a.Bool("exclude_archived")
		if slices.Contains(types, kind) && !hidden {
			found = append(found, c.slack())
		}
	}
	page, next, err := paged(found, a, 100)
	return object{"channels": page, "response_metadata": object{"next_cursor": next}}, err
}

func (w *Workspace) conversationsMembers(a protocol.Args) (object, error) {
	c, err := w.room(a["channel"])
	if err != nil {
		return nil, err
	}
	page, next, err := paged(c.Members, a, 100)
	return object{"members": page, "response_metadata": object{"next_cursor": next}}, err
}

func (w *Workspace) conversationsOpen(a protocol.Args) (object, error) {
	if a["channel"] != "" {
		c, err := w.room(a["channel"])
		return object{"channel": object{"id": c.ID}}, err
	}
	users := a.List("users")
	if len(users) != 1 {
		return nil, protocol.Refuse("users_list_not_supplied")
	}
	user, ok := w.people.find(users[0])
	if !ok || user.Kind == "bot" {
		return nil, protocol.Refuse("user_not_found")
	}
	return object{"channel": object{"id": w.rooms.openDM(user.ID)}}, nil
}

func (w *Workspace) conversationsJoin(a protocol.Args) (object, error) {
	c, err := w.room(a["channel"])
	switch {
	case err != nil:
		return nil, err
	case c.Archived:
		return nil, protocol.Refuse("is_archived")
	case c.IM || c.Private:
		return nil, protocol.Refuse("method_not_supported_for_channel_type")
	}
	w.Invite(c.ID, BotUser)
	c, _ = w.rooms.get(c.ID)
	return object{"channel": c.slack()}, nil
}

// readable finds a conversation whose messages the bot may read.
func (w *Workspace) readable(a protocol.Args) (channel, error) {
	c, err := w.room(a["channel"])
	if err == nil && !c.has(BotUser) {
		err = protocol.Refuse("not_in_channel")
	}
	return c, err
}

func (w *Workspace) conversationsHistory(a protocol.Args) (object, error) {
	c, err := w.readable(a)
	if err != nil {
		return nil, err
	}
	found := w.rooms.messages(c.ID, func(m Message) bool {
		return m.EphemeralFor == "" && m.Kind != KindError && (!m.isReply() || m.Broadcast) && between(m.TS, a)
	})
	slices.Reverse(found) // newest first
	return w.historyPage(found, a)
}

func (w *Workspace) conversationsReplies(a protocol.Args) (object, error) {
	c, err := w.readable(a)
	if err != nil {
		return nil, err
	}
	parent, ok := w.rooms.message(c.ID, a["ts"])
	if !ok || parent.EphemeralFor != "" {
		return nil, protocol.Refuse("thread_not_found")
	}
	found := w.rooms.messages(c.ID, func(m Message) bool {
		return m.EphemeralFor == "" && (m.TS == parent.TS || m.ThreadTS == parent.TS && between(m.TS, a))
	})
	return w.historyPage(found, a)
}

// between returns true if a ts lies inside the bounds that the call asked for.
func between(ts string, a protocol.Args) bool {
	at, oldest, latest := protocol.Micros(ts), protocol.Micros(a["oldest"]), protocol.Micros(a["latest"])
	if a.Bool("inclusive") {
		oldest, latest = oldest-1, latest+1
	}
	return (a["oldest"] == "" || at > oldest) && (a["latest"] == "" || at < latest)
}

func (w *Workspace) historyPage(found []Message, a protocol.Args) (object, error) {
	page, next, err := paged(found, a, 999)
	if err != nil {
		return nil, err
	}
	out := make([]object, 0, len(page))
	for _, m := range page {
		o := m.slack()
		if a.Bool("include_all_metadata") {
			o = w.withMetadata(m)
		}
		w.countReplies(m, o)
		out = append(out, o)
	}
	return object{"messages": out, "has_more": next != "", "response_metadata": object{"next_cursor": next}}, nil
}

func (w *Workspace) countReplies(m Message, o object) {
	if m.isReply() {
		return
	}
	replies := w.rooms.messages(m.Channel, func(r Message) bool { return r.ThreadTS == m.TS && r.TS != m.TS && r.EphemeralFor == "" })
	if n := len(replies); n > 0 {
		o["thread_ts"], o["reply_count"], o["latest_reply"] = m.TS, n, replies[n-1].TS
	}
}

// paged cuts a list by the call's limit and cursor.
func paged[T any](list []T, a protocol.Args, standard int) (page []T, next string, err error) {
	from := 0
	if cursor := a["cursor"]; cursor != "" {
		text, err := base64.StdEncoding.DecodeString(cursor)
		if from, err = cursorOffset(string(text), err); err != nil || from > len(list) {
			return nil, "", protocol.Refuse("invalid_cursor")
		}
	}
	to := min(len(list), from+a.Int("limit", standard, 1000))
	if to < len(list) {
		next = base64.StdEncoding.EncodeToString([]byte("offset:" + strconv.Itoa(to)))
	}
	return append([]T{}, list[from:to]...), next, nil
}

func cursorOffset(text string, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimPrefix(text, "offset:"))
	if err == nil && n < 0 {
		err = strconv.ErrRange
	}
	return n, err
}

func (w *Workspace) usersInfo(a protocol.Args) (object, error) {
	user, ok := w.people.find(a["user"])
	if !ok {
		return nil, protocol.Refuse("user_not_found")
	}
	return object{"user": w.user(user, a.Bool("include_locale"))}, nil
}

func (w *Workspace) usersList(a protocol.Args) (object, error) {
	if _, err := w.teamWanted(a); err != nil {
		return nil, err
	}
	var all []object
	for _, user := range w.people.all() {
		all = append(all, w.user(user, a.Bool("include_locale")))
	}
	page, next, err := paged(all, a, 1000)
	return object{"members": page, "cache_ts": w.clock.now().Unix(), "response_metadata": object{"next_cursor": next}}, err
}

func (w *Workspace) usergroupsList(a protocol.Args) (object, error) {
	team, err := w.teamWanted(a)
	if err != nil {
		return nil, err
	}
	all := []object{}
	for _, g := range w.people.allGroups() {
		if g.in(team) {
			all = append(all, g.slack(a.Bool("include_users")))
		}
	}
	return object{"usergroups": all}, nil
}

func (w *Workspace) usergroupsUsersList(a protocol.Args) (object, error) {
	team, err := w.teamWanted(a)
	if err != nil {
		return nil, err
	}
	for _, g := range w.people.allGroups() {
		if g.ID == a["usergroup"] && g.in(team) {
			return object{"users": g.Users}, nil
		}
	}
	return nil, protocol.Refuse("no_such_subteam")
}
