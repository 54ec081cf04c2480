package main

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/store"
)

// lookEvery is how often the settings are looked at because a secret was refused: its successor may not be there yet,
// and a secret that is simply wrong is refused with every question.
const lookEvery = 10 * time.Second

// reloader reads the settings again while the program runs: when it is told to (SIGHUP), and by itself when a secret is
// refused. What may change is put into the parts that use it; a mistake anywhere in the settings changes nothing. The
// command line and the environment stay what they were: it is files that change.
type reloader struct {
	streams streams
	started config.Snapshot // the settings at start
	tokens  *slackapi.Tokens
	cred    *api.Credential
	level   *slog.LevelVar
	tracing tracing.Provider // of token requests
	log     *slog.Logger

	mu       sync.Mutex // one reading at a time; those who wait for one find what it has changed
	signIn   signIn
	database string        // its URL as it was last read
	url      config.Secret // where that stands
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
	var m config.Errors
	if now := m.Secret("DATABASE_URL", r.url); now != "" && m.Err() == nil {
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
	var m config.Errors
	v := c.Serve.Settings.Read(&m, r.streams.env)
	if len(m.All()) > 0 {
		r.mistaken(ctx, m.All()...)
		return
	}
	v.Credential.Tracing = r.tracing
	cred, err := newCredential(v.Credential)
	if err != nil {
		r.mistaken(ctx, err)
		return
	}
	restart := r.needRestart(config.TakeSnapshot(parsed), v)
	changed := r.change(v, cred, restart)
	if asked {
		m.LogWarnings(r.log)
		if r.level.Level() != v.LogLevel {
			r.level.Set(v.LogLevel)
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
func (r *reloader) change(v config.Values, cred credential, restart []string) (changed []string) {
	if r.tokens.Rotate(v.Slack.Tokens.Current()) {
		changed = append(changed, "Slack tokens")
	}
	if cred.signIn != r.signIn && !config.MovesCredential(restart) {
		r.cred.Replace(cred.TokenCredential)
		r.signIn = cred.signIn
		changed = append(changed, "credential of Defender")
	}
	if slices.Contains(restart, "DATABASE_URL") {
		return changed
	}
	r.url = v.DatabaseSetting
	if r.database != v.DatabaseURL {
		r.database = v.DatabaseURL
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
func (r *reloader) needRestart(now config.Snapshot, v config.Values) (names []string) {
	names = r.started.NeedRestart(now)
	if !store.SameDatabase(r.database, v.DatabaseURL) {
		names = append(names, "DATABASE_URL")
	}
	return names
}
