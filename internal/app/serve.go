package app

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/store"
)

// ServeOptions configure [Serve].
type ServeOptions struct {
	Version  string
	Settings Settings                 // without errors
	Reread   func() (Settings, error) // reads the settings again
	Reload   <-chan os.Signal         // requests a reload; see [NotifySIGHUP]
	Log      *slog.Logger
	Level    *slog.LevelVar // level of Log; a reload may change it
}

// Serve runs a bot with its settings until ctx is done, which is not an error. It opens everything that an [App] needs,
// serves health checks and metrics from the start, and reloads settings.
func Serve(ctx context.Context, o ServeOptions) error {
	var opened cleanups
	defer opened.run()
	v := o.Settings.Values
	m := startMonitor(ctx, &v, o, &opened)
	cred, err := NewCredential(v.Credential)
	if err != nil {
		return err
	}
	reload := newReloader(o, v, cred)
	v.Slack.Refused = reload.onRefusal()
	stop, err := startAdminServer(ctx, v.Admin, m, o.Log)
	if err != nil {
		return err
	}
	opened.add(stop)
	v.Store.Log, v.Store.Login = o.Log, reload.login
	database, err := waitForDatabase(ctx, v.DatabaseURL, v.Store, m)
	switch {
	case err != nil && ctx.Err() != nil: // stopped while it waited
		return nil
	case err != nil:
		return err
	}
	opened.add(func() { _ = database.Close() })
	v.Defender.Budget = SharedBudget(database)
	defender, err := NewClient(Credential{TokenCredential: reload.cred, kind: cred.kind}, v.Defender, o.Log)
	if err != nil {
		return err
	}
	opened.add(defender.Close)
	o.Log.Info("starting", "version", o.Version, "defender", defender.Host())
	ctx, cancel := context.WithCancel(ctx)
	var reloading sync.WaitGroup
	reloading.Go(func() { reload.run(ctx, o.Reload) })
	opened.add(func() { cancel(); reloading.Wait() })
	options := optionsOf(v, o.Version, m, database, defender, o.Log)
	options.Deadlines = reload.sla
	return New(options).Run(ctx)
}

// startMonitor starts tracing and lets the client report to the monitor.
func startMonitor(ctx context.Context, v *config.Values, o ServeOptions, opened *cleanups) *monitor.Monitor {
	if v.Traces != nil {
		v.Traces.Version = o.Version
	}
	traces, stop := monitor.StartTracing(ctx, v.Traces, o.Log)
	opened.add(stop)
	m := monitor.New(o.Version, traces)
	m.ObserveClient(&v.Defender)
	v.Credential.Tracing = v.Defender.Tracing
	return m
}

func newReloader(o ServeOptions, v config.Values, cred Credential) *reloader {
	r := &reloader{
		read: o.Reread, started: o.Settings.Snapshot, tokens: v.Slack.Tokens, level: o.Level, sla: &deadline.Setting{}, tracing: v.Defender.Tracing, log: o.Log,
		identity: cred.identity, databaseURL: v.DatabaseURL, databaseSetting: v.DatabaseSetting,
	}
	r.sla.Set(v.Deadlines)
	r.cred = api.HoldCredential(cred.TokenCredential, r.onRefusal())
	return r
}

func optionsOf(v config.Values, version string, m *monitor.Monitor, database *store.Store, defender *api.Client, log *slog.Logger) Options {
	o := Options{
		Slack: v.Slack, Bot: v.Bot, Access: v.Access, Defender: defender, Store: database, Digests: v.Digests, Monitor: m,
		ListFresh: max(v.Defender.CacheTTL, 0), AskedFor: v.AskedFor,
		StaleFor: v.Defender.StaleFor, AuditQuestions: v.AuditQuestions, AlertChannel: v.AlertChannel, CertExpiry: certExpiry(v.Credential),
		TwoPerson: v.TwoPerson, Feeds: v.Feeds,
		Now: time.Now, Log: log,
	}
	o.Bot.Log = log
	if o.Feeds != nil {
		o.Feeds.Version = version
	}
	if v.Webhook != nil {
		w := *v.Webhook
		w.Version = version
		o.Webhook = &w
	}
	return o
}
