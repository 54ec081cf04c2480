package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/manifest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// sameApp checks that both tokens belong to the same app.
func (c *Checker) sameApp(ctx context.Context) []Finding {
	me := c.installed.Load()
	if me == nil {
		return skip("the bot token does not work")
	}
	inspect := newInspector(c.values.Slack)
	ofToken := inspect.appOfToken()
	if ofToken == "" {
		return skip("SLACK_APP_TOKEN names no app")
	}
	ofBot, err := inspect.appOfBot(ctx, *me)
	switch {
	case err != nil || ofBot == "":
		return skip("Slack does not say to which app the bot token belongs")
	case ofBot != ofToken:
		return fail(fmt.Sprintf("SLACK_APP_TOKEN belongs to the app %s, SLACK_BOT_TOKEN to the app %s", ofToken, ofBot),
			"take both tokens from the settings of one app: questions come to the one, answers go out as the other")
	}
	return pass("both tokens belong to the app " + ofBot)
}

// slackScopes compares the scopes of the bot token with those that the bot uses.
func (c *Checker) slackScopes(context.Context) []Finding {
	me := c.installed.Load()
	switch {
	case me == nil:
		return skip("the bot token does not work")
	case me.Scopes == nil:
		return skip("Slack does not say which scopes the token has")
	}
	var all []Finding
	more, spare := slices.DeleteFunc(slices.Clone(me.Scopes), func(name string) bool { return slices.Contains(manifest.DirectScopes(), name) }), ""
	for _, s := range manifest.Scopes() {
		more = slices.DeleteFunc(more, func(name string) bool { return name == s.Name })
		switch {
		case slices.Contains(me.Scopes, s.Name), slices.Contains(c.without, s.Part):
		case s.Part == manifest.Groups && len(c.groups) == 0:
			spare = fmt.Sprintf("; without %s (%s), which no setting asks for", s.Name, s.Use)
		default:
			status := Fail
			if s.Optional && s.Part != manifest.Groups {
				status = Warn
			}
			all = append(all, Finding{
				Status: status, Found: fmt.Sprintf("the scope %s is missing (%s): %s", s.Name, s.Use, s.Without),
				Cure: "add it under OAuth & Permissions > Bot Token Scopes, or paste what missingkbs manifest prints under App Manifest, and install the app again",
			})
		}
	}
	if len(more) > 0 {
		all = append(all, warn("scopes that are not used: "+strings.Join(more, ", "), "remove them under OAuth & Permissions > Bot Token Scopes, and install the app again")...)
	}
	if len(all) == 0 {
		return pass("has all scopes that are used" + spare)
	}
	return all
}

// slackManifest compares the app's settings at Slack with manifest.yaml. It needs a configuration token.
func (c *Checker) slackManifest(ctx context.Context) []Finding {
	var m config.Errors
	token := m.Secret("SLACK_CONFIG_TOKEN", c.ConfigToken)
	switch {
	case m.Err() != nil:
		return fail(m.All()[0].Error(), "make a configuration token under Your App Configuration Tokens at https://api.slack.com/apps")
	case token == "":
		return newFinding(Skip, "not compared with the app's settings; scopes and Socket Mode are checked above",
			"set SLACK_CONFIG_TOKEN (Your App Configuration Tokens at https://api.slack.com/apps), or compare App Manifest there with manifest.yaml")
	case !strings.HasPrefix(token, "xoxe"):
		return fail("SLACK_CONFIG_TOKEN is no configuration token", "it begins with xoxe; find it under Your App Configuration Tokens at https://api.slack.com/apps")
	case c.slackHost.Load() == nil:
		return skip("Slack was not reached")
	}
	inspect := newInspector(c.values.Slack)
	app := inspect.appOfToken()
	if app == "" {
		return skip("SLACK_APP_TOKEN names no app")
	}
	set, err := inspect.manifest(ctx, token, app)
	if err != nil {
		return refusedToken("SLACK_CONFIG_TOKEN", "Your App Configuration Tokens at https://api.slack.com/apps (it is good for twelve hours)", err)
	}
	if all := c.differences(set); len(all) > 0 {
		return all
	}
	return pass("the app " + app + " is set up as manifest.yaml says")
}

// differences reports the differences between an app and manifest.yaml that matter.
func (c *Checker) differences(set *slack.Manifest) []Finding {
	const cure = "paste what missingkbs manifest prints under App Manifest of the app at https://api.slack.com/apps, and install the app again"
	var all []Finding
	want := func(ok bool, text string) {
		if !ok {
			all = append(all, fail(text, cure)...)
		}
	}
	want(slices.ContainsFunc(set.Features.SlashCommands, func(c slack.ManifestSlashCommand) bool { return c.Command == manifest.Command }),
		"the app has no command "+manifest.Command+": no one can ask questions")
	want(slices.Contains(c.without, manifest.Home) || set.Features.AppHome.HomeTabEnabled, "the Home tab is switched off")
	want(set.Settings.Interactivity != nil && set.Settings.Interactivity.IsEnabled, "interactivity is switched off: no button works")
	want(set.Settings.SocketModeEnabled, "Socket Mode is switched off: nothing reaches the bot")
	want(!set.Settings.TokenRotationEnabled, "token rotation is switched on: the bot's token ends after twelve hours")
	all = append(all, c.missingWays(set, cure)...)
	var events []string
	if s := set.Settings.EventSubscriptions; s != nil {
		events = s.BotEvents
	}
	if more := slices.DeleteFunc(slices.Clone(events), func(s string) bool { return slices.Contains(manifest.Events(), s) }); len(more) > 0 {
		all = append(all, warn("the app subscribes to more events than are used: "+strings.Join(more, ", "), "take them away under Event Subscriptions")...)
	}
	if me := c.installed.Load(); me != nil && me.Scopes != nil {
		for _, name := range set.OAuthConfig.Scopes.Bot {
			if !slices.Contains(me.Scopes, name) && !slices.Contains(set.OAuthConfig.Scopes.BotOptional, name) {
				all = append(all, warn("the app asks for the scope "+name+", but the token was made before", "install the app again, and set the new SLACK_BOT_TOKEN if it changes")...)
			}
		}
	}
	return all
}

// missingWays reports the ways to ask that an app does not have. Those that came later than the app are no failure: the others
// work without them.
func (c *Checker) missingWays(set *slack.Manifest, cure string) []Finding {
	var all []Finding
	tell := func(optional bool, text string) {
		if optional {
			all = append(all, warn(text, cure)...)
		} else {
			all = append(all, fail(text, cure)...)
		}
	}
	for _, own := range manifest.AppShortcuts() {
		has := slices.ContainsFunc(set.Features.Shortcuts, func(s slack.Shortcut) bool { return s.CallbackID == own.CallbackID })
		if !has && !slices.Contains(c.without, manifest.Shortcuts) {
			tell(own.Type == manifest.OfMessage, fmt.Sprintf("the app has no shortcut %s (%s)", own.CallbackID, own.Name))
		}
	}
	for _, event := range manifest.Subscriptions() {
		has := set.Settings.EventSubscriptions != nil && slices.Contains(set.Settings.EventSubscriptions.BotEvents, event.Name)
		if !has && !slices.Contains(c.without, event.Part) {
			tell(event.Optional, fmt.Sprintf("the app does not subscribe to the event %s (%s)", event.Name, event.Use))
		}
	}
	if set.Features.AppHome.MessagesTabReadOnlyEnabled && !slices.Contains(c.without, manifest.Messages) {
		tell(true, "the Messages tab is read-only: no one can write to the bot there")
	}
	return all
}

// slackBlocks gives Slack's validator a page, rendered in every form that the bot may use.
func (c *Checker) slackBlocks(ctx context.Context) []Finding {
	if c.slackHost.Load() == nil {
		return skip("Slack was not reached")
	}
	inspect := newInspector(c.values.Slack)
	var unsupported, messages []string
	for _, form := range sampleForms() {
		v, err := inspect.validateBlocks(ctx, samplePage(), form)
		switch {
		case errors.Is(err, errNoValidator):
			return warn("cannot be checked here: "+err.Error(), "ask the bot something in Slack, and see whether a table comes")
		case err != nil:
			return warn("could not be checked: "+err.Error(), "try again in a minute")
		case len(v.Faults) > 0:
			return fail("Slack refuses what the bot sends: "+v.Faults[0], "this is a fault of missingkbs, or Slack has changed: please report this")
		case len(v.Words) > 0 && form == blocks.Classic():
			return fail("Slack refuses the classic drawing: "+v.Words[0], "this is a fault of missingkbs, or Slack has changed: please report this")
		case len(v.Words) > 0:
			messages = append(messages, v.Words[0])
		}
		for _, f := range v.Unsupported {
			if !slices.Contains(unsupported, string(f)) {
				unsupported = append(unsupported, string(f))
			}
		}
	}
	return c.refusedBlocks(unsupported, messages)
}

// refusedBlocks reports what it means that Slack refuses some of the newer blocks.
func (c *Checker) refusedBlocks(unsupported, messages []string) []Finding {
	switch {
	case len(messages) == 0:
		return pass("tables, charts and the classic drawing are taken")
	case len(unsupported) == 0:
		return warn("Slack refuses some of the newer blocks and does not say which: "+messages[0], "answers are drawn more simply and nothing is missing; please report this if it lasts")
	}
	names := strings.Join(unsupported, ", ")
	switch {
	case c.values.Bot.Tables == blocks.TablesData && slices.ContainsFunc(unsupported, func(s string) bool { return s != string(blocks.Table) }):
		return fail("Slack refuses the newer blocks "+names+": "+messages[0], "set MISSINGKBS_TABLES to auto or classic: with data_table Slack refuses each message once, and drops acknowledgements that hold a table")
	case c.values.Bot.Tables == blocks.TablesClassic:
		return pass("Slack refuses the newer blocks " + names + "; MISSINGKBS_TABLES is classic, so they are not used")
	}
	return warn("Slack refuses the newer blocks "+names+", so they are drawn more simply: "+messages[0], "no action is needed; MISSINGKBS_TABLES=table or classic saves a try after each start")
}

// sampleForms returns forms that together use every newer block.
func sampleForms() []blocks.Form {
	return []blocks.Form{{}, {Tables: blocks.LinkTables}, {Tables: blocks.PlainTables}, blocks.Classic()}
}

// samplePage returns a page with every part that pages can have.
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
