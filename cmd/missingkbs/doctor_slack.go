package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/view"
)

// slackChecks are those that ask Slack.
func (e *exam) slackChecks(there *doctor.Check) []*doctor.Check {
	botToken := &doctor.Check{Name: "slack-bot-token", Run: e.botToken, After: []*doctor.Check{there}}
	after := []*doctor.Check{botToken}
	return []*doctor.Check{
		botToken,
		{Name: "slack-app-token", Run: e.appToken, After: []*doctor.Check{there}},
		{Name: "slack-same-app", Run: e.sameApp, After: after},
		{Name: "slack-scopes", Run: e.slackScopes, After: after},
		{Name: "slack-manifest", Run: e.slackManifest, After: after},
		{Name: "slack-blocks", Run: e.slackBlocks, After: []*doctor.Check{there}},
	}
}

// Where the tokens stand in the app's settings.
const (
	botTokenPage = "OAuth & Permissions of the app at https://api.slack.com/apps"
	appTokenPage = "Basic Information > App-Level Tokens of the app at https://api.slack.com/apps"
)

// usable says why a token cannot be tried, nil when it can.
func (e *exam) usable(setting, token, prefix, page string) []doctor.Finding {
	kinds := map[string]string{"xapp-": "an app-level token", "xoxb-": "a bot token", "xoxp-": "a user token", "xoxe": "a configuration token or one that rotates", "xoxs-": "a workspace token"}
	switch {
	case token == "" && e.wrong(setting+" is missing"):
		return unwell(setting+" is missing", "copy the token that begins with "+prefix+" from "+page)
	case token == "":
		return unwell(setting+" cannot be read", "see configuration")
	case !strings.HasPrefix(token, prefix):
		kind := "no token of Slack's"
		for begin, name := range kinds {
			if strings.HasPrefix(token, begin) {
				kind = name
			}
		}
		return unwell(setting+" holds "+kind, "put there the token that begins with "+prefix+", from "+page)
	case e.slackVisit.Load() == nil:
		return unchecked("Slack was not reached")
	}
	return nil
}

// refusedToken says what is wrong with a token that Slack does not take.
func refusedToken(setting, page string, err error) []doctor.Finding {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return doubtful("Slack asks for a pause before it says anything of "+setting, "try again in "+view.Age(limited.RetryAfter))
	}
	refused, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok {
		return unwell("Slack does not answer as it should: "+err.Error(), cmp.Or(bot.Cure(err), networkCure(err)))
	}
	cure := bot.Cure(err)
	switch refused.Err {
	case "invalid_auth":
		cure = "copy it anew, whole, from " + page
	case "token_revoked":
		cure = "make a new one: " + page
	case "account_inactive":
		cure = "the app was removed from the workspace: install it again, and set the new token"
	case "ratelimited":
		return doubtful("Slack asks for a pause before it says anything of "+setting, "try again in a minute")
	}
	return unwell(fmt.Sprintf("Slack refuses %s: %s", setting, refused.Err), cmp.Or(cure, "see https://docs.slack.dev for this error, or try again in a minute"))
}

func (e *exam) botToken(ctx context.Context) []doctor.Finding {
	_, token := e.slack.Tokens.Current()
	if f := e.usable("SLACK_BOT_TOKEN", token, "xoxb-", botTokenPage); f != nil {
		return f
	}
	me, err := bot.Inspect(e.slack).Installation(ctx)
	if err != nil {
		return refusedToken("SLACK_BOT_TOKEN", botTokenPage, err)
	}
	e.installed.Store(&me)
	text := fmt.Sprintf("%s in the workspace %s (%s, %s)", me.User, me.Team, me.TeamID, me.URL)
	if me.Enterprise != "" {
		text += ", of the organisation " + me.Enterprise
	}
	return well(text)
}

func (e *exam) appToken(ctx context.Context) []doctor.Finding {
	token, _ := e.slack.Tokens.Current()
	if f := e.usable("SLACK_APP_TOKEN", token, "xapp-", appTokenPage); f != nil {
		return f
	}
	if err := bot.Inspect(e.slack).TryOpening(ctx); err != nil {
		return refusedToken("SLACK_APP_TOKEN", appTokenPage, err)
	}
	return well("opens connections: Socket Mode is on")
}

// sameApp compares the apps of the two tokens.
func (e *exam) sameApp(ctx context.Context) []doctor.Finding {
	me := e.installed.Load()
	if me == nil {
		return unchecked("the bot token does not work")
	}
	inspector := bot.Inspect(e.slack)
	ofToken := inspector.AppOfToken()
	if ofToken == "" {
		return unchecked("SLACK_APP_TOKEN names no app")
	}
	ofBot, err := inspector.AppOfBot(ctx, me.BotID)
	switch {
	case err != nil || ofBot == "":
		return unchecked("Slack does not say which app the bot token is of")
	case ofBot != ofToken:
		return unwell(fmt.Sprintf("SLACK_APP_TOKEN is of the app %s, SLACK_BOT_TOKEN of the app %s", ofToken, ofBot),
			"take both tokens from the settings of one app: questions come to the one, answers go out as the other")
	}
	return well("both tokens are of the app " + ofBot)
}

// slackScopes compares what the bot token may do with what the bot uses.
func (e *exam) slackScopes(context.Context) []doctor.Finding {
	me := e.installed.Load()
	switch {
	case me == nil:
		return unchecked("the bot token does not work")
	case me.Scopes == nil:
		return unchecked("Slack does not say which scopes the token has")
	}
	var all []doctor.Finding
	more, spare := slices.DeleteFunc(slices.Clone(me.Scopes), func(name string) bool { return slices.Contains(directScopes(), name) }), ""
	for _, s := range scopes() {
		more = slices.DeleteFunc(more, func(name string) bool { return name == s.name })
		switch {
		case slices.Contains(me.Scopes, s.name):
		case s.optional && !e.groups:
			spare = fmt.Sprintf("; without %s (%s), which no setting asks for", s.name, s.what)
		default:
			all = append(all, doctor.Finding{
				Status: doctor.Fail, Found: fmt.Sprintf("the scope %s is missing (%s): %s", s.name, s.what, s.without),
				Cure: "add it under OAuth & Permissions > Bot Token Scopes, or paste manifest.yaml under App Manifest, and install the app again",
			})
		}
	}
	if len(more) > 0 {
		all = append(all, doubtful("more than is used: "+strings.Join(more, ", "), "take the scopes away under OAuth & Permissions > Bot Token Scopes, and install the app again")...)
	}
	if len(all) == 0 {
		return well("all that is used" + spare)
	}
	return all
}

// slackManifest compares the app's settings at Slack with manifest.yaml, where a configuration token lets us see them.
func (e *exam) slackManifest(ctx context.Context) []doctor.Finding {
	var m mistakes
	token := m.secret("SLACK_CONFIG_TOKEN", e.cmd.ConfigToken)
	switch {
	case m.err() != nil:
		return unwell(m.wrong[0].Error(), "make a configuration token under Your App Configuration Tokens at https://api.slack.com/apps")
	case token == "":
		return found(doctor.Skip, "not compared with the app's settings; scopes and Socket Mode are checked above",
			"set SLACK_CONFIG_TOKEN (Your App Configuration Tokens at https://api.slack.com/apps), or compare App Manifest there with manifest.yaml")
	case !strings.HasPrefix(token, "xoxe"):
		return unwell("SLACK_CONFIG_TOKEN is no configuration token", "it begins with xoxe, and stands under Your App Configuration Tokens at https://api.slack.com/apps")
	case e.slackVisit.Load() == nil:
		return unchecked("Slack was not reached")
	}
	inspector := bot.Inspect(e.slack)
	app := inspector.AppOfToken()
	if app == "" {
		return unchecked("SLACK_APP_TOKEN names no app")
	}
	set, err := inspector.Manifest(ctx, token, app)
	if err != nil {
		return refusedToken("SLACK_CONFIG_TOKEN", "Your App Configuration Tokens at https://api.slack.com/apps (it is good for twelve hours)", err)
	}
	if all := e.differences(set); len(all) > 0 {
		return all
	}
	return well("the app " + app + " is set up as manifest.yaml says")
}

// differences are those that matter between an app and manifest.yaml.
func (e *exam) differences(set *slack.Manifest) []doctor.Finding {
	const cure = "paste manifest.yaml under App Manifest of the app at https://api.slack.com/apps, and install the app again"
	var all []doctor.Finding
	want := func(ok bool, text string) {
		if !ok {
			all = append(all, unwell(text, cure)...)
		}
	}
	want(slices.ContainsFunc(set.Features.SlashCommands, func(c slack.ManifestSlashCommand) bool { return c.Command == slashCommand().Command }),
		"the app has no command "+slashCommand().Command+": nobody can ask")
	want(slices.ContainsFunc(set.Features.Shortcuts, func(s slack.Shortcut) bool { return s.CallbackID == shortcut().CallbackID }),
		"the app has no shortcut "+shortcut().CallbackID)
	want(set.Features.AppHome.HomeTabEnabled, "the Home tab is switched off")
	want(set.Settings.Interactivity != nil && set.Settings.Interactivity.IsEnabled, "interactivity is switched off: no button works")
	want(set.Settings.SocketModeEnabled, "Socket Mode is switched off: nothing reaches the bot")
	want(!set.Settings.TokenRotationEnabled, "token rotation is switched on: the bot's token ends after twelve hours")
	var events []string
	if s := set.Settings.EventSubscriptions; s != nil {
		events = s.BotEvents
	}
	for _, event := range botEvents() {
		want(slices.Contains(events, event), "the app does not subscribe to the event "+event)
	}
	if more := slices.DeleteFunc(slices.Clone(events), func(s string) bool { return slices.Contains(botEvents(), s) }); len(more) > 0 {
		all = append(all, doubtful("the app subscribes to more events than are used: "+strings.Join(more, ", "), "take them away under Event Subscriptions")...)
	}
	if me := e.installed.Load(); me != nil && me.Scopes != nil {
		for _, name := range set.OAuthConfig.Scopes.Bot {
			if !slices.Contains(me.Scopes, name) && !slices.Contains(set.OAuthConfig.Scopes.BotOptional, name) {
				all = append(all, doubtful("the app asks for the scope "+name+", but the token was made before", "install the app again, and set the new SLACK_BOT_TOKEN if it changes")...)
			}
		}
	}
	return all
}

// slackBlocks has Slack's own validator look at a page, drawn in both ways.
func (e *exam) slackBlocks(ctx context.Context) []doctor.Finding {
	if e.slackVisit.Load() == nil {
		return unchecked("Slack was not reached")
	}
	inspector := bot.Inspect(e.slack)
	newer, err := inspector.ValidateBlocks(ctx, samplePage(), false)
	var classic []string
	if err == nil {
		classic, err = inspector.ValidateBlocks(ctx, samplePage(), true)
	}
	switch {
	case errors.Is(err, bot.ErrNoValidator):
		return doubtful("cannot be checked here: "+err.Error(), "ask the bot something in Slack, and see whether a table comes")
	case err != nil:
		return doubtful("could not be checked: "+err.Error(), "try again in a minute")
	case len(classic) > 0:
		return unwell("Slack refuses the classic drawing: "+classic[0], "this is a fault of missingkbs, or Slack has changed: please report it")
	case len(newer) == 0:
		return well("tables, charts and the classic drawing are taken")
	case e.tables == bot.TablesData:
		return unwell("Slack refuses the newer blocks: "+newer[0], "set MISSINGKBS_TABLES to auto or classic")
	case e.tables == bot.TablesClassic:
		return well("Slack refuses the newer blocks; MISSINGKBS_TABLES is classic, so they are not used")
	}
	return doubtful("Slack refuses the newer blocks, so tables are drawn in the classic way: "+newer[0], "nothing need be done; MISSINGKBS_TABLES=classic saves a try after each start")
}

// samplePage is a page with everything that pages hold.
func samplePage() view.Page {
	catalog := view.Action{Label: "Catalog", URL: "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB5000001"}
	return view.Page{
		Title: "Missing updates: microsoft-_-windows_11", Lead: "2 updates are missing.", Note: "An invented answer.",
		Parts: []view.Part{
			view.Facts{{Name: "Vendor", Value: "microsoft"}, {Name: "Devices", Value: "12"}},
			view.Table{
				Caption: "Missing updates",
				Columns: []view.Column{{Key: "kb", Title: "KB"}, {Key: "devices", Title: "Devices", Kind: view.Number}, {Key: "catalog", Title: "Catalog", Kind: view.Button}},
				Rows: [][]view.Cell{
					{view.TextCell("KB5000001"), view.NumberCell(12), {Text: "KB5000001", Action: &catalog}},
					{view.TextCell("KB5000002"), view.NumberCell(3), {Text: "KB5000002", Action: &catalog}},
				},
			},
			view.Chart{Title: "Devices", Unit: "devices", Points: []string{"W46", "W47", "W48"}, Series: []view.Series{{Name: "Missing", Values: []int{20, 17, 15}}}},
		},
		Actions: []view.Action{{Label: "Refresh", Command: "microsoft-_-windows_11 --refresh", Effect: view.Replace}},
	}
}

const (
	maxChannels   = 40 // Slack takes some fifty questions about channels a minute
	channelsAtOne = 8
)

// wantedChannel is where something is to be posted.
type wantedChannel struct {
	id, what string
	paused   bool // nothing is posted for now
}

// channels looks at the channels of digests, those of the file of digests included, and at the operations channel.
func (e *exam) channels(ctx context.Context) []doctor.Finding {
	me := e.installed.Load()
	wanted, err := e.wantedChannels(ctx)
	switch {
	case me == nil:
		return unchecked("the bot token does not work")
	case err != nil:
		return unchecked("the digests cannot be read: " + err.Error())
	case len(wanted) == 0:
		return well("no channel is to be told anything yet")
	}
	asked := wanted[:min(len(wanted), maxChannels)]
	found := make([][]doctor.Finding, len(asked))
	slots := make(chan struct{}, channelsAtOne)
	var all sync.WaitGroup
	inspector := bot.Inspect(e.slack)
	for i, c := range asked {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			state, err := inspector.Channel(ctx, c.id)
			found[i] = c.finding(state, me.User, err)
		})
	}
	all.Wait()
	told := slices.Concat(found...)
	if n := len(wanted) - len(asked); n > 0 {
		told = append(told, unchecked(fmt.Sprintf("%s more", view.Count(n, "channel")))...)
	}
	if len(told) == 0 {
		return well("member of " + view.Count(len(asked), "channel") + " where something is posted")
	}
	return told
}

// finding says what is wrong with a channel; nothing of one that is well.
func (c wantedChannel) finding(state bot.ChannelState, name string, err error) []doctor.Finding {
	called := c.id
	if state.Name != "" {
		called = "#" + state.Name
	}
	bad := doctor.Fail
	if c.paused {
		bad = doctor.Warn
	}
	cureBy := func(text, cure string) []doctor.Finding {
		return found(bad, called+" ("+c.what+") "+text, cure)
	}
	refused, isRefusal := errors.AsType[slack.SlackErrorResponse](err)
	_, limited := errors.AsType[*slack.RateLimitedError](err)
	invite := "in that channel type /invite @" + name
	switch {
	case limited:
		return doubtful(called+": Slack asks for a pause", "try again in a minute")
	case isRefusal && refused.Err == "missing_scope":
		return unchecked(called + ": the scope " + cmp.Or(refused.Needed, "channels:read") + " is missing")
	case isRefusal && refused.Err == "channel_not_found":
		return cureBy("is not there, or is private and the bot is no member", invite+"; if the channel is gone, choose another")
	case err != nil:
		return doubtful(called+": "+err.Error(), "try again in a minute")
	case state.Archived:
		return cureBy("is archived", "unarchive it, or choose another channel")
	case state.Shared:
		return cureBy("is shared with another organisation: nothing is posted there", "choose a channel of your own")
	case state.ReadOnly:
		return cureBy("is read-only", "let the bot post there, or choose another channel")
	case !state.Member && !state.Direct:
		return cureBy("has not the bot as a member", invite)
	}
	return nil
}

func (e *exam) wantedChannels(ctx context.Context) ([]wantedChannel, error) {
	var wanted []wantedChannel
	add := func(id, what string, paused bool) {
		if i := slices.IndexFunc(wanted, func(c wantedChannel) bool { return c.id == id }); i >= 0 {
			wanted[i].paused = wanted[i].paused && paused
			return
		}
		wanted = append(wanted, wantedChannel{id, what, paused})
	}
	if e.ops != "" {
		add(e.ops, "MISSINGKBS_OPS_CHANNEL", false)
	}
	if e.digests != nil {
		for _, s := range e.digests.wanted {
			add(s.Channel, "digest "+s.ID, false)
		}
	}
	if s := e.store.Load(); s != nil && e.ready.Load() {
		subscriptions, err := s.Subscriptions(ctx, allSubscriptions)
		if err != nil {
			return nil, err
		}
		for _, sub := range subscriptions {
			add(sub.Channel, "digest "+sub.ID, sub.Paused)
		}
	}
	return wanted, nil
}
