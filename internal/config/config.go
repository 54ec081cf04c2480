// Package config reads the program's settings: from flags, from the environment and from a YAML file. It knows their names,
// defaults and rules, reads secrets from files, collects all errors, and knows what a reload may change. It turns settings
// into the options of other packages. It opens nothing and calls no service.
package config

import (
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/tracing"
	"github.com/missingkbs/missingkbs/internal/webhook"
)

// Settings are the settings of serve, as the user wrote them. They are strings: kong stops at the first value that it
// cannot parse, but an operator needs to see all errors at once. [Settings.Read] parses them. For secrets see [Secret].
type Settings struct {
	Slack    Slack       `embed:"" group:"Slack"`
	Sockets  Sockets     `embed:"" group:"Slack"`
	Defender Defender    `embed:"" group:"Defender"`
	Quota    Quota       `embed:"" group:"Defender"`
	Access   Access      `embed:"" group:"Who may"`
	Queue    Queue       `embed:"" group:"Load"`
	Database Database    `embed:"" group:"Digests"`
	Deadline Deadlines   `embed:"" group:"Digests"`
	Digests  string      `env:"MISSINGKBS_DIGESTS" unset:"none" placeholder:"FILE" group:"Digests" help:"YAML file of digests to run in addition to those created in Slack."`
	Webhook  Webhook     `embed:"" group:"Digests"`
	Feeds    Feeds       `embed:"" group:"Feeds"`
	Asked    Asked       `embed:"" group:"Operations"`
	Audit    Audit       `embed:"" group:"Operations"`
	Alerts   Alerts      `embed:"" group:"Operations"`
	Admin    AdminServer `embed:"" group:"Operations"`
	Traces   Traces      `embed:"" group:"Traces"`
	Log      Log         `embed:"" group:"Log"`
}

// Values are the settings of serve, checked, as the options of the packages that use them.
type Values struct {
	LogLevel        slog.Level
	LogFormat       string // empty for the default
	Slack           slackapi.Config
	Bot             bot.Options
	Access          access.Policy
	Defender        api.Options
	Credential      api.CredentialOptions
	DatabaseSetting Secret // read again for each new login
	DatabaseURL     string
	Store           store.Options
	Digests         *DigestFile      // nil if there is none
	Webhook         *webhook.Options // nil if no events are sent
	Deadlines       deadline.Policy
	Feeds           *feeds.Options // nil if nothing is fetched
	AskedFor        time.Duration  // how long people's questions are remembered; 0 for not at all
	AuditQuestions  bool
	TwoPerson       bool   // a second person has to approve accepted risks
	AlertChannel    string // an ID; empty for none
	Admin           AdminAddress
	Traces          *tracing.Options // nil if no traces are recorded
}

// Environment looks up an environment variable, like [os.LookupEnv].
type Environment func(name string) (value string, ok bool)

// Read checks the settings. It reads the files that they name, and adds all errors to e.
func (s Settings) Read(e *Errors, env Environment) Values {
	v := Values{
		LogLevel: s.Log.ReadLevel(e), DatabaseSetting: s.Database.URL, Digests: readDigests(e, s.Digests),
		Access: s.Access.read(e), Admin: s.Admin.Read(e), Traces: s.Traces.read(e),
	}
	warnUnreadableProxies(e, env)
	v.Slack, v.Bot = s.Slack.Read(e)
	v.Bot.Sockets = s.Sockets.read(e)
	s.Queue.read(e, &v.Bot)
	v.DatabaseURL, v.Store = s.Database.Read(e, env)
	v.Webhook, v.Deadlines = s.Webhook.read(e), s.Deadline.Read(e)
	v.Feeds = s.Feeds.read(e)
	v.TwoPerson = e.boolean("MISSINGKBS_TWO_PERSON", s.Access.TwoPerson)
	v.AskedFor = e.Duration("MISSINGKBS_ASKED_FOR", s.Asked.For, 0)
	v.AuditQuestions, v.AlertChannel = s.Audit.read(e), s.Alerts.read(e)
	v.Defender = s.Defender.ReadClient(e)
	s.Quota.Read(e, &v.Defender)
	v.Credential = s.Defender.ReadCredential(e, v.Defender.Cloud.Authority)
	v.LogFormat = s.Log.ReadFormat(e)
	return v
}
