package config

import (
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
)

// Slack are the settings about how the bot reaches Slack.
type Slack struct {
	AppToken Secret `name:"slack-app-token" env:"SLACK_APP_TOKEN" unset:"required" placeholder:"xapp-…" help:"App-level token with the scope connections:write."`
	BotToken Secret `name:"slack-bot-token" env:"SLACK_BOT_TOKEN" unset:"required" placeholder:"xoxb-…" help:"Bot token of the installed app."`
	APIURL   string `name:"slack-api-url" env:"SLACK_API_URL" unset:"Slack's" placeholder:"URL" help:"Base URL of Slack's Web API; by default https://slack.com/api/."`
	Tables   string `name:"tables" env:"MISSINGKBS_TABLES" default:"auto" help:"How tables are drawn: auto uses the richest form that the workspace supports; data_table always tries that block first; table uses the simpler block; classic uses sections and buttons (${default})."`
	Timeout  string `name:"answer-timeout" env:"MISSINGKBS_ANSWER_TIMEOUT" default:"30s" help:"Time limit for answering a question (${default})."`
}

// Read checks the settings.
func (s Slack) Read(e *Errors) (slackapi.Config, bot.Options) {
	c := slackapi.Config{Tokens: slackapi.NewTokens(
		e.token("SLACK_APP_TOKEN", s.AppToken, "xapp-", "Basic Information > App-Level Tokens"),
		e.token("SLACK_BOT_TOKEN", s.BotToken, "xoxb-", "OAuth & Permissions"),
	)}
	if s.APIURL != "" {
		c.APIURL = strings.TrimSuffix(e.address("SLACK_API_URL", s.APIURL, true), "/") + "/"
	}
	return c, bot.Options{
		Tables: blocks.TableSetting(e.OneOf("MISSINGKBS_TABLES", s.Tables,
			string(blocks.TablesAuto), string(blocks.TablesData), string(blocks.TablesPlain), string(blocks.TablesClassic))),
		Timeout: e.Duration("MISSINGKBS_ANSWER_TIMEOUT", s.Timeout, time.Second),
	}
}

// token checks that a Slack token is set and of the right kind.
func (e *Errors) token(setting string, given Secret, prefix, page string) string {
	value := e.Secret(setting, given)
	switch {
	case value == "" && given.IsSet(): // the error was added
	case value == "":
		e.Add(setting, "is missing: find it under %s in the app's settings at https://api.slack.com/apps; it looks like %s…", page, prefix)
	case !strings.HasPrefix(value, prefix):
		e.Add(setting, "is another kind of token: it looks like %s…; find it under %s in the app's settings", prefix, page)
	}
	return value
}

// Sockets is the setting about how many connections the bot keeps to Slack.
type Sockets struct {
	Sockets string `name:"sockets" env:"MISSINGKBS_SOCKETS" default:"2" help:"Number of connections to Slack, 1 to 5; with 2 or more, one stays up while Slack refreshes another (${default})."`
}

// maxSockets leaves room for replacement connections and for a second process: Slack allows ten for each app.
const maxSockets = 5

func (s Sockets) read(e *Errors) int {
	n, err := strconv.Atoi(s.Sockets)
	if err != nil || n < 1 || n > maxSockets {
		e.Add("MISSINGKBS_SOCKETS", "must be a whole number from 1 to %d: with 2 or more, one connection serves while Slack refreshes another", maxSockets)
	}
	return n
}

// Queue are the settings about how many questions run at once and how many may wait.
type Queue struct {
	Workers string `name:"workers" env:"MISSINGKBS_WORKERS" default:"200" help:"Maximum questions answered at the same time; a quarter of these workers is reserved for questions that do not wait for Defender (${default})."`
	Queue   string `name:"queue" env:"MISSINGKBS_QUEUE" default:"1000" help:"Maximum questions that wait for a worker; beyond that, people are asked to try again (${default})."`
}

// read sets the options of the bot.
func (s Queue) read(e *Errors, o *bot.Options) {
	if o.Workers = e.number("MISSINGKBS_WORKERS", s.Workers); s.Workers == "0" {
		e.Add("MISSINGKBS_WORKERS", "must be a whole number, 1 or more, such as 200: without workers nothing is answered")
	}
	if o.Queue = e.number("MISSINGKBS_QUEUE", s.Queue); o.Queue == 0 {
		o.Queue = -1 // no question waits
	}
}
