package sandbox

import (
	"cmp"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// botApp returns the app that owns the bot token.
func (w *Workspace) botApp() string { return cmp.Or(w.opts.BotApp, AppID) }

func (w *Workspace) botsInfo(a protocol.Args) (object, error) {
	if a["team_id"] != OrgID { // which is as good as a workspace
		if _, err := w.teamWanted(a); err != nil {
			return nil, err
		}
	}
	if a["bot"] != BotID {
		return nil, protocol.Refuse("bot_not_found")
	}
	return object{"bot": object{"id": BotID, "app_id": w.botApp(), "user_id": BotUser, "name": BotName, "deleted": false, "updated": 1700000000, "icons": object{}}}, nil
}

// manifestExport returns how the app is set up: https://docs.slack.dev/reference/methods/apps.manifest.export
func (w *Workspace) manifestExport(a protocol.Args) (object, error) {
	switch a["app_id"] {
	case "":
		return nil, protocol.Missing("app_id")
	case AppID, w.botApp():
	default:
		return nil, protocol.Refuse("invalid_app_id")
	}
	if w.opts.Manifest != nil {
		return object{"manifest": w.opts.Manifest}, nil
	}
	return object{"manifest": w.manifest()}, nil
}

// manifest returns the manifest of an app that has what the options name, with buttons and over a socket.
func (w *Workspace) manifest() object {
	commands := []object{}
	for _, c := range w.commands {
		commands = append(commands, object{"command": c.Command, "description": cmp.Or(c.Description, c.Command), "usage_hint": c.UsageHint, "should_escape": false})
	}
	shortcuts := []object{}
	for _, c := range w.opts.Shortcuts {
		kind := "global"
		if c.OfMessage {
			kind = "message"
		}
		shortcuts = append(shortcuts, object{"name": c.Name, "type": kind, "callback_id": c.CallbackID, "description": cmp.Or(c.Description, c.Name)})
	}
	settings := object{
		"interactivity": object{"is_enabled": true}, "org_deploy_enabled": false,
		"socket_mode_enabled": true, "token_rotation_enabled": false,
	}
	if len(w.opts.Events) > 0 {
		settings["event_subscriptions"] = object{"bot_events": w.opts.Events}
	}
	return object{
		"display_information": object{"name": "Missing KBs"},
		"features": object{
			"bot_user":       object{"display_name": BotName, "always_online": true},
			"app_home":       object{"home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": !w.subscribed("message.im")},
			"slash_commands": commands,
			"shortcuts":      shortcuts,
		},
		"oauth_config": object{"scopes": object{"bot": w.scopes()}},
		"settings":     settings,
	}
}
