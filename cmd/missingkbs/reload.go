package main

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/internal/store"
)

// lookEvery is how often the settings are looked at because a secret was refused: its successor may not be there yet,
// and a secret that is simply wrong is refused with every question.
const lookEvery = 10 * time.Second

// changeable are the settings that change without a restart. Of DATABASE_URL it is user and password only.
func changeable() []string {
	return []string{
		"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN",
		"AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_FEDERATED_TOKEN_FILE",
		"DATABASE_URL", "LOG_LEVEL",
	}
}

// reloader reads the settings again while the program runs: when it is told to (SIGHUP), and by itself when a secret is
// refused. What may change is put into the parts that use it; a mistake anywhere in the settings changes nothing. The
// command line and the environment stay what they were: it is files that change.
type reloader struct {
	streams streams
	started map[string]any // the settings at start, by name
	tokens  *bot.Tokens
	cred    *api.Credential
	level   *slog.LevelVar
	tracing tracing.Provider // of token requests
	log     *slog.Logger

	mu       sync.Mutex // one reading at a time; those who wait for one find what it has changed
	signIn   signIn
	database string // its URL as it was last read
	url      secret // where that stands
}

// run reads the settings whenever it is told to, until ctx ends.
func (r *reloader) run(ctx context.Context, told <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-told:
			r.mu.Lock()
			r.read(ctx, true)
			r.mu.Unlock()
		}
	}
}

// refused returns what is to be called when a secret of one service is refused. It returns when the settings have been
// looked at, unless that was done for this service a moment ago.
func (r *reloader) refused() func(context.Context) {
	var looked time.Time
	return func(ctx context.Context) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if time.Since(looked) < lookEvery {
			return
		}
		r.read(ctx, false)
		looked = time.Now()
	}
}

// login is the database URL for the next connection to PostgreSQL. Its file is read each time.
func (r *reloader) login() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var m mistakes
	if now := m.secret("DATABASE_URL", r.url); now != "" && m.err() == nil {
		r.database = now
	}
	return r.database
}

// read reads the settings and uses what is new: of all that may change when asked, else of the secrets.
func (r *reloader) read(ctx context.Context, asked bool) {
	c, parsed, err := r.streams.again()
	if err != nil {
		r.mistaken(ctx, err)
		return
	}
	var m mistakes
	p := c.Serve.plan(&m, r.streams)
	if len(m.wrong) > 0 {
		r.mistaken(ctx, m.wrong...)
		return
	}
	p.credential.Tracing = r.tracing
	cred, err := newCredential(p.credential)
	if err != nil {
		r.mistaken(ctx, err)
		return
	}
	restart := r.needRestart(parsed, p)
	changed := r.change(p, cred, restart)
	if asked {
		m.tell(r.log)
		if r.level.Level() != p.level {
			r.level.Set(p.level)
			changed = append(changed, "LOG_LEVEL")
		}
	}
	switch {
	case asked:
		for _, name := range restart {
			r.log.WarnContext(ctx, "a changed setting needs a restart", "setting", name)
		}
		r.log.InfoContext(ctx, "read the settings again", "changed", changed)
	case len(changed) > 0:
		r.log.InfoContext(ctx, "a secret was refused; another one stands in the settings now and is used", "changed", changed)
	}
}

// change puts what is new into the parts that use it, and says what that is.
func (r *reloader) change(p plan, cred credential, restart []string) (changed []string) {
	if r.tokens.Rotate(p.slack.Tokens.Current()) {
		changed = append(changed, "Slack tokens")
	}
	elsewhere := slices.ContainsFunc(restart, func(name string) bool { return slices.Contains(signInPlace(), name) })
	if cred.signIn != r.signIn && !elsewhere {
		r.cred.Replace(cred.TokenCredential)
		r.signIn = cred.signIn
		changed = append(changed, "credential of Defender")
	}
	if slices.Contains(restart, "DATABASE_URL") {
		return changed
	}
	r.url = p.url
	if r.database != p.database {
		r.database = p.database
		changed = append(changed, "database login")
	}
	return changed
}

// mistaken tells why the settings are not taken.
func (r *reloader) mistaken(ctx context.Context, wrong ...error) {
	texts := make([]string, len(wrong))
	for i, err := range wrong {
		texts[i] = err.Error()
	}
	r.log.ErrorContext(ctx, "the settings were read again and need mending; nothing was changed", "mistakes", texts)
}

// needRestart names the settings that have changed since the start and cannot change while the program runs.
func (r *reloader) needRestart(parsed *kong.Context, p plan) (names []string) {
	now := settingValues(parsed)
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if !reflect.DeepEqual(now[name], r.started[name]) && !slices.Contains(changeable(), name) {
			names = append(names, name)
		}
	}
	if !store.SameDatabase(r.database, p.database) {
		names = append(names, "DATABASE_URL")
	}
	return names
}

// signInPlace are the settings that say where the credential is good: with another of these it waits for the restart.
func signInPlace() []string {
	return []string{"AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST", "DEFENDER_CLOUD", "DEFENDER_REGION", "DEFENDER_API_URL", "DEFENDER_SCOPE"}
}

// settingValues are the settings of the command that runs, by the names of their environment variables.
func settingValues(parsed *kong.Context) map[string]any {
	values := map[string]any{}
	for _, flag := range parsed.Selected().Flags {
		for _, name := range flag.Envs {
			values[name] = flag.Target.Interface()
		}
	}
	return values
}
