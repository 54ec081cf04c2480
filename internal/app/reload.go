package app

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
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/store"
)

// reloadInterval is the least time between two reloads caused by a service that rejected a secret. The new secret may
// not be there yet, and a wrong one is rejected with every question.
const reloadInterval = 10 * time.Second

// Settings are the settings of one reading.
type Settings struct {
	Values   config.Values
	Snapshot config.Snapshot
	Errors   *config.Errors
}

// reloader reads the settings again while the program runs: after SIGHUP, and after a service has rejected a secret. It
// applies those that may change. An error in any setting changes nothing. Flags and environment cannot change, files
// can. It is safe for concurrent use.
type reloader struct {
	read    func() (Settings, error)
	started config.Snapshot // the settings at start
	tokens  *slackapi.Tokens
	cred    *api.Credential
	level   *slog.LevelVar
	sla     *deadline.Setting
	tracing tracing.Provider // of token requests
	log     *slog.Logger

	mu              sync.Mutex // serialises reloads; a caller that waited may find its change already applied
	identity        identity
	databaseURL     string // as last read
	databaseSetting config.Secret
}

// run reloads after each signal until ctx is done.
func (r *reloader) run(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			r.mu.Lock()
			r.reloadLocked(ctx, true)
			r.mu.Unlock()
		}
	}
}

// onRefusal returns a function to call when a service rejects a secret. It reloads, unless it did so for this service
// within [reloadInterval].
func (r *reloader) onRefusal() func(context.Context) {
	var last time.Time
	return func(ctx context.Context) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if time.Since(last) < reloadInterval {
			return
		}
		r.reloadLocked(ctx, false)
		last = time.Now()
	}
}

// login returns the database URL for the next connection to PostgreSQL. It reads the URL's file each time.
func (r *reloader) login() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs config.Errors
	if now := errs.Secret("DATABASE_URL", r.databaseSetting); now != "" && errs.Err() == nil {
		r.databaseURL = now
	}
	return r.databaseURL
}

// reloadLocked reads the settings and applies changes. If an operator requested it, that includes the log level and the
// deadlines, and the log says which changes need a restart.
func (r *reloader) reloadLocked(ctx context.Context, requested bool) {
	now, err := r.read()
	if err != nil {
		r.logErrors(ctx, err)
		return
	}
	if errs := now.Errors.All(); len(errs) > 0 {
		r.logErrors(ctx, errs...)
		return
	}
	now.Values.Credential.Tracing = r.tracing
	cred, err := NewCredential(now.Values.Credential)
	if err != nil {
		r.logErrors(ctx, err)
		return
	}
	restart := r.needRestartLocked(now)
	changed := r.applyLocked(now.Values, cred, restart)
	if !requested {
		if len(changed) > 0 {
			r.log.InfoContext(ctx, "a secret was refused; the settings hold another one now, which is used", "changed", changed)
		}
		return
	}
	now.Errors.LogWarnings(r.log)
	if r.level.Level() != now.Values.LogLevel {
		r.level.Set(now.Values.LogLevel)
		changed = append(changed, "LOG_LEVEL")
	}
	if r.sla.Policy().String() != now.Values.Deadlines.String() {
		r.sla.Set(now.Values.Deadlines)
		changed = append(changed, "MISSINGKBS_SLA")
	}
	for _, name := range restart {
		r.log.WarnContext(ctx, "a changed setting needs a restart", "setting", name)
	}
	r.log.InfoContext(ctx, "read the settings again", "changed", changed)
}

// applyLocked applies changes and returns their names.
func (r *reloader) applyLocked(v config.Values, cred Credential, restart []string) (changed []string) {
	if r.tokens.Rotate(v.Slack.Tokens.Current()) {
		changed = append(changed, "Slack tokens")
	}
	if cred.identity != r.identity && !config.MovesCredential(restart) {
		r.cred.Replace(cred.TokenCredential)
		r.identity = cred.identity
		changed = append(changed, "credential of Defender")
	}
	if slices.Contains(restart, "DATABASE_URL") {
		return changed
	}
	r.databaseSetting = v.DatabaseSetting
	if r.databaseURL != v.DatabaseURL {
		r.databaseURL = v.DatabaseURL
		changed = append(changed, "database login")
	}
	return changed
}

// logErrors logs why the settings are not used.
func (r *reloader) logErrors(ctx context.Context, errs ...error) {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	r.log.ErrorContext(ctx, "the settings were read again and need mending; nothing was changed", "mistakes", texts)
}

// needRestartLocked returns the names of settings that have changed since the start and cannot change while the program
// runs.
func (r *reloader) needRestartLocked(now Settings) (names []string) {
	names = r.started.NeedRestart(now.Snapshot)
	if !store.SameDatabase(r.databaseURL, now.Values.DatabaseURL) {
		names = append(names, "DATABASE_URL")
	}
	return names
}
