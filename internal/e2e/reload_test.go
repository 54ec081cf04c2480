//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

const nextSecret = "apitest~the-next-secret"

// replace writes a file anew, as whoever rotates a secret does.
func replace(tb testing.TB, path, content string) {
	tb.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// hangUp tells the program to read its settings again, and waits until it has.
func (w *world) hangUp(tb testing.TB) string {
	tb.Helper()
	before := len(w.log.String())
	if err := w.process.Process.Signal(syscall.SIGHUP); err != nil {
		tb.Fatal(err)
	}
	var said string
	eventually(tb, func() (string, bool) {
		said = w.log.String()[before:]
		return "the settings were not read again", strings.Contains(said, "read the settings again") || strings.Contains(said, "need mending")
	})
	return said
}

// answers fails unless the program answers a question from Defender.
func (w *world) answers(tb testing.TB, id string) {
	tb.Helper()
	if m := w.ask(tb, id); title(m) != "Missing updates: "+called(id) {
		tb.Errorf("got %q", m.Text)
	}
}

// A secret of Entra that is rotated in its file serves from SIGHUP on; nothing fails in between.
func TestEntraSecretIsRotated(t *testing.T) {
	t.Parallel()
	file := keep(t, "secret", apitest.ClientSecret)
	w := newWorld(t, map[string]string{"AZURE_CLIENT_SECRET": "", "AZURE_CLIENT_SECRET_FILE": file, "MISSINGKBS_CACHE_TTL": "0"})
	w.answers(t, edge)
	w.defender.SetSecret(nextSecret) // Entra forgets the old one
	w.answers(t, edge)
	replace(t, file, nextSecret+"\n")
	if said := w.hangUp(t); !strings.Contains(said, "credential of Defender") {
		t.Errorf("the log does not say what changed: %s", said)
	}
	w.answers(t, edge)
	w.defender.RevokeTokens()
	w.answers(t, edge) // with a token of the new secret, at the first try
	if strings.Contains(w.log.String(), "question failed") {
		t.Error("a question failed")
	}
	if said := w.hangUp(t); !strings.Contains(said, `"changed":null`) {
		t.Errorf("nothing has changed, but the log says %s", said)
	}
}

// A secret whose file was replaced is found when the old one is refused, without a signal.
func TestRefusedEntraSecretIsReadAgain(t *testing.T) {
	t.Parallel()
	file := keep(t, "secret", apitest.ClientSecret)
	w := newWorld(t, map[string]string{"AZURE_CLIENT_SECRET": "", "AZURE_CLIENT_SECRET_FILE": file, "MISSINGKBS_CACHE_TTL": "0"})
	w.defender.SetSecret(nextSecret)
	replace(t, file, nextSecret)
	w.answers(t, edge)
	if strings.Contains(w.log.String(), "question failed") {
		t.Error("a question failed")
	}
}

// With a mistake in the new settings everything stays as it is, and all mistakes are told.
func TestMistakesInNewSettingsChangeNothing(t *testing.T) {
	t.Parallel()
	file := keep(t, "secret", apitest.ClientSecret)
	config := keep(t, "settings.yaml", "AZURE_CLIENT_SECRET_FILE: "+file+"\n")
	w := newWorld(t, map[string]string{"AZURE_CLIENT_SECRET": "", "MISSINGKBS_CONFIG": config, "MISSINGKBS_CACHE_TTL": "", "LOG_LEVEL": ""})
	replace(t, file, "another-secret")
	replace(t, config, "AZURE_CLIENT_SECRET_FILE: "+file+"\nMISSINGKBS_CACHE_TTL: soon\nMISSINGKBS_TABLES: fancy\nLOG_LEVEL: debug\n")
	said := w.hangUp(t)
	for _, want := range []string{"MISSINGKBS_CACHE_TTL takes a time", "MISSINGKBS_TABLES takes one of", "nothing was changed"} {
		if !strings.Contains(said, want) {
			t.Errorf("the log does not say %q: %s", want, said)
		}
	}
	w.answers(t, edge)
	if strings.Contains(w.log.String(), `"level":"DEBUG"`) {
		t.Error("the log level changed")
	}
	replace(t, config, "AZURE_CLIENT_SECRET: [\n")
	if said := w.hangUp(t); !strings.Contains(said, config+": line 1") {
		t.Errorf("the log does not say which file is broken: %s", said)
	}
}

// What cannot change while the program runs is named; the log level and the deadlines can.
func TestWhatNeedsARestartIsTold(t *testing.T) {
	t.Parallel()
	config := keep(t, "settings.yaml", "LOG_LEVEL: warn\n")
	w := newWorld(t, map[string]string{"MISSINGKBS_CONFIG": config, "LOG_LEVEL": ""})
	replace(t, config, "LOG_LEVEL: debug\nMISSINGKBS_SLA: critical:14\nMISSINGKBS_CACHE_TTL: 1m\nDEFENDER_CLOUD: gcc\n")
	said := w.hangUp(t)
	for _, want := range []string{`"changed":["LOG_LEVEL","MISSINGKBS_SLA"]`, `"setting":"MISSINGKBS_CACHE_TTL"`, `"setting":"DEFENDER_CLOUD"`} {
		if !strings.Contains(said, want) {
			t.Errorf("the log does not say %s: %s", want, said)
		}
	}
	w.answers(t, edge)
	eventually(t, func() (string, bool) {
		return "the log level did not change", strings.Contains(w.log.String(), `"level":"DEBUG"`)
	})
}

// A password of the database that is rotated in its file serves the next connections, without a signal.
func TestDatabasePasswordIsRotated(t *testing.T) {
	t.Parallel()
	login := pgtest.NewLogin(t, pgtest.Database(t), "hunter2")
	file := keep(t, "url", login.URL("hunter2"))
	w := newWorld(t, map[string]string{"DATABASE_URL": "", "DATABASE_URL_FILE": file})
	replace(t, file, login.URL("hunter3"))
	login.SetPassword("hunter3")
	login.Disconnect()
	eventually(t, func() (string, bool) {
		m := w.ask(t, "digest list")
		return m.Text, strings.Contains(title(m), "igests")
	})
	if strings.Contains(w.log.String(), "hunter") {
		t.Error("the log holds a password")
	}
	replace(t, file, pgtest.Database(t))
	if said := w.hangUp(t); !strings.Contains(said, `"setting":"DATABASE_URL"`) {
		t.Errorf("another database needs a restart, but the log says %s", said)
	}
	w.ask(t, "digest list")
}

// slackFiles has the tokens of Slack in files, and returns what replaces them.
func slackFiles(tb testing.TB, w *world) (settings map[string]string, rotate func()) {
	tb.Helper()
	app, bot := keep(tb, "app", w.slack.AppToken()), keep(tb, "bot", w.slack.BotToken())
	settings = map[string]string{
		"SLACK_APP_TOKEN": "", "SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN_FILE": app, "SLACK_BOT_TOKEN_FILE": bot,
	}
	return settings, func() {
		replace(tb, app, w.slack.NewAppToken()+"\n")
		replace(tb, bot, w.slack.NewBotToken()+"\n")
	}
}

// revoke makes Slack refuse tokens.
func (w *world) revoke(tokens ...string) {
	for _, token := range tokens {
		w.slack.RefuseToken(token, "token_revoked")
	}
}

// Tokens of Slack that are rotated in their files serve from SIGHUP on: nobody goes without an answer, and when the old
// ones are revoked nothing is lost.
func TestSlackTokensAreRotated(t *testing.T) {
	t.Parallel()
	w := stage(t)
	oldApp, oldBot := w.slack.AppToken(), w.slack.BotToken()
	settings, rotate := slackFiles(t, w)
	w.start(t, settings)
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	w.answers(t, edge)
	rotate()
	if said := w.hangUp(t); !strings.Contains(said, `"Slack tokens"`) {
		t.Errorf("the log does not say what changed: %s", said)
	}
	w.answers(t, windows11)
	w.revoke(oldApp, oldBot)
	w.answers(t, edge)
	w.reconnects(t)
	m := w.ask(t, edge)
	w.click(t, sandbox.Alice, m, "Share to channel") // looks the channel up, by the bot token
	w.answer(t, sandbox.General, func(m sandbox.Message) bool { return m.EphemeralFor == "" && m.Kind == sandbox.KindApp })
	for _, token := range []string{oldApp, oldBot, "xoxb-", "xapp-"} {
		if strings.Contains(w.log.String(), token) {
			t.Error("the log holds a token")
		}
	}
}

// Tokens whose files were replaced are found when the old ones are refused, without a signal: the process neither ends
// nor fails a call.
func TestRefusedSlackTokensAreReadAgain(t *testing.T) {
	t.Parallel()
	w := stage(t)
	oldApp, oldBot := w.slack.AppToken(), w.slack.BotToken()
	settings, rotate := slackFiles(t, w)
	w.start(t, settings)
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	m := w.ask(t, edge)
	rotate()
	w.revoke(oldApp, oldBot)
	w.click(t, sandbox.Alice, m, "Share to channel")
	w.answer(t, sandbox.General, func(m sandbox.Message) bool { return m.EphemeralFor == "" && m.Kind == sandbox.KindApp })
	w.reconnects(t)
	w.answers(t, windows11)
}

// A bot token that was revoked before its file was replaced is waited for: the process does not end.
func TestLateBotTokenIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := stage(t)
	old := w.slack.BotToken()
	file := keep(t, "bot", old)
	w.start(t, map[string]string{"SLACK_BOT_TOKEN": "", "SLACK_BOT_TOKEN_FILE": file})
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	m := w.ask(t, edge)
	w.revoke(old)
	w.click(t, sandbox.Alice, m, "Share to channel") // looks the channel up, and cannot
	eventually(t, func() (string, bool) {
		return "nobody noticed", strings.Contains(w.log.String(), "Slack refuses the bot token")
	})
	replace(t, file, w.slack.NewBotToken())
	eventually(t, func() (string, bool) {
		return "the new token was not found", strings.Contains(w.log.String(), "the settings hold another one now")
	})
	m = w.ask(t, windows11)
	w.click(t, sandbox.Alice, m, "Share to channel")
	w.answer(t, sandbox.General, func(m sandbox.Message) bool { return m.EphemeralFor == "" && m.Kind == sandbox.KindApp })
}

// reconnects cuts all connections and waits for the next one, which the newest tokens are needed for.
func (w *world) reconnects(tb testing.TB) {
	tb.Helper()
	w.slack.Drop()
	if err := w.slack.WaitConnected(soon(tb), 1); err != nil {
		tb.Fatal(err)
	}
}

// keep writes a file that only its owner can read.
func keep(tb testing.TB, name, content string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}
