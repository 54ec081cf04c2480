package manifest

import (
	"cmp"
	"fmt"

	"github.com/goccy/go-yaml"
)

// document is an app manifest with what this app uses: https://docs.slack.dev/reference/app-manifest.
type document struct {
	Metadata metadata `yaml:"_metadata"`
	Display  display  `yaml:"display_information"`
	Features features `yaml:"features"`
	OAuth    oauth    `yaml:"oauth_config"`
	Settings settings `yaml:"settings"`
}

type metadata struct {
	Major int `yaml:"major_version"`
	Minor int `yaml:"minor_version"`
}

type display struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	Background  string `yaml:"background_color"`
}

type features struct {
	Home      appHome        `yaml:"app_home"`
	Bot       botUser        `yaml:"bot_user"`
	Commands  []slashCommand `yaml:"slash_commands"`
	Shortcuts []shortcut     `yaml:"shortcuts,omitempty"`
}

type appHome struct {
	Home     bool `yaml:"home_tab_enabled"`
	Messages bool `yaml:"messages_tab_enabled"`
	ReadOnly bool `yaml:"messages_tab_read_only_enabled"`
}

type botUser struct {
	Name   string `yaml:"display_name"`
	Always bool   `yaml:"always_online"`
}

type slashCommand struct {
	Command     string `yaml:"command"`
	Description string `yaml:"description"`
	Hint        string `yaml:"usage_hint"`
	Escape      bool   `yaml:"should_escape"`
}

type shortcut struct {
	Name        string `yaml:"name"`
	Type        string `yaml:"type"`
	CallbackID  string `yaml:"callback_id"`
	Description string `yaml:"description"`
}

type oauth struct {
	Scopes scopes `yaml:"scopes"`
}

type scopes struct {
	Bot      []string `yaml:"bot"`
	Optional []string `yaml:"bot_optional,omitempty"`
}

type settings struct {
	Events        *events       `yaml:"event_subscriptions,omitempty"`
	Interactivity interactivity `yaml:"interactivity"`
	SocketMode    bool          `yaml:"socket_mode_enabled"`
	OrgDeploy     bool          `yaml:"org_deploy_enabled"`
	Rotation      bool          `yaml:"token_rotation_enabled"`
}

type events struct {
	Bot []string `yaml:"bot_events"`
}

type interactivity struct {
	Enabled bool `yaml:"is_enabled"`
}

// document returns the manifest without the parts that are left out.
func (o Options) document() document {
	d := document{
		Metadata: metadata{Major: 2, Minor: 1},
		Display: display{
			Name: cmp.Or(o.Name, "Missing KBs"), Background: "#1d3557",
			Description: "Which security updates are missing on your devices, according to Microsoft Defender",
		},
		Features: features{
			Home:     appHome{Home: o.has(Home), Messages: true, ReadOnly: !o.has(Messages)},
			Bot:      botUser{Name: cmp.Or(o.BotName, "missingkbs"), Always: true},
			Commands: []slashCommand{{Command: Command, Description: CommandAbout, Hint: CommandHint}},
		},
		Settings: settings{Interactivity: interactivity{Enabled: true}, SocketMode: true, OrgDeploy: o.OrgWide},
	}
	if o.has(Shortcuts) {
		for _, s := range AppShortcuts() {
			d.Features.Shortcuts = append(d.Features.Shortcuts, shortcut(s))
		}
	}
	for _, s := range Scopes() {
		if o.has(s.Part) {
			d.OAuth.Scopes.Bot = append(d.OAuth.Scopes.Bot, s.Name)
			if s.Optional {
				d.OAuth.Scopes.Optional = append(d.OAuth.Scopes.Optional, s.Name)
			}
		}
	}
	for _, e := range Subscriptions() {
		if o.has(e.Part) {
			if d.Settings.Events == nil {
				d.Settings.Events = &events{} // Slack takes no empty list
			}
			d.Settings.Events.Bot = append(d.Settings.Events.Bot, e.Name)
		}
	}
	return d
}

// comments returns the reasons, by the place of what they explain.
func comments(d document) yaml.CommentMap {
	all := yaml.CommentMap{}
	add := func(place, reason string) { all[place] = []*yaml.Comment{yaml.LineComment(" " + reason)} }
	add("$.features.app_home.home_tab_enabled", "the start page, with a field that finds software")
	add("$.features.app_home.messages_tab_enabled", "answers to shortcuts, and notices about digests")
	if !d.Features.Home.ReadOnly {
		add("$.features.app_home.messages_tab_read_only_enabled", "people write to the bot there")
	}
	add("$.features.slash_commands[0].should_escape", "the words as typed, not turned into mentions and links")
	add("$.settings.interactivity.is_enabled", "buttons; they arrive over the socket, so no URL is needed")
	add("$.settings.socket_mode_enabled", "no public address needed")
	add("$.settings.token_rotation_enabled", "the bot does not renew tokens itself")
	use, without := map[string]string{}, map[string]string{}
	for _, s := range Scopes() {
		use[s.Name], without[s.Name] = s.Use, s.Without
	}
	for i, name := range d.OAuth.Scopes.Bot {
		add(fmt.Sprintf("$.oauth_config.scopes.bot[%d]", i), use[name])
	}
	for i, name := range d.OAuth.Scopes.Optional {
		add(fmt.Sprintf("$.oauth_config.scopes.bot_optional[%d]", i), "without it "+without[name])
	}
	if d.Settings.Events != nil {
		for i, name := range d.Settings.Events.Bot {
			for _, e := range Subscriptions() {
				if e.Name == name {
					add(fmt.Sprintf("$.settings.event_subscriptions.bot_events[%d]", i), e.Use)
				}
			}
		}
	}
	return all
}
