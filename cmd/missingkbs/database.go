package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// storeSettings are where digests and their history are kept.
type storeSettings struct {
	URL       secret `name:"database-url" env:"DATABASE_URL" placeholder:"URL" help:"sqlite:///path/file.db or postgres://…; by default a file in your data folder."`
	Retention string `name:"retention-days" env:"MISSINGKBS_RETENTION_DAYS" default:"400" help:"Days that history is kept; 0 keeps it for ever (${default})."`
	Audits    string `name:"audit-days" env:"MISSINGKBS_AUDIT_DAYS" default:"400" help:"Days that is kept who did what; 0 keeps it for ever (${default})."`
}

// maxRetentionDays is a hundred years.
const maxRetentionDays = 36_500

// check notes what is wrong with the settings; nothing is opened.
func (s storeSettings) check(m *mistakes, env func(string) (string, bool)) (address string, o store.Options) {
	address = m.secret("DATABASE_URL", s.URL)
	if !s.URL.set() {
		address = ownFile(m, env)
	}
	if address != "" {
		if err := store.CheckURL(address); err != nil {
			m.add("DATABASE_URL:", "%v", err)
		}
	}
	o.Retention = m.days("MISSINGKBS_RETENTION_DAYS", s.Retention)
	o.Audits = m.days("MISSINGKBS_AUDIT_DAYS", s.Audits)
	return address, o
}

// days reads how long something is kept. 0 stands for ever, which the store takes for a negative time.
func (m *mistakes) days(setting, value string) time.Duration {
	n := m.number(setting, value)
	if n > maxRetentionDays {
		m.add(setting, "takes at most %d; 0 keeps it for ever", maxRetentionDays)
	}
	if n == 0 {
		return -1
	}
	return time.Duration(n) * 24 * time.Hour
}

// open opens the database.
func (s storeSettings) open(ctx context.Context, m *mistakes, log *slog.Logger, env func(string) (string, bool)) (*store.Store, error) {
	address, o := s.check(m, env)
	if err := m.err(); err != nil {
		return nil, err
	}
	m.tell(log)
	o.Log = log
	return openStore(ctx, address, o)
}

// openStore opens a database. A mistake in its address is wrong use; a database that is away is not.
func openStore(ctx context.Context, address string, o store.Options) (*store.Store, error) {
	opened, err := store.Open(ctx, address, o)
	return opened, openError(ctx, address, err)
}

// openError says of an error of the database what to do, where that is known. One that only other settings or another
// database mend is wrong use: to start the program again as it is is in vain.
func openError(ctx context.Context, address string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	f, _, fileErr := store.LookAround(address)
	file := fileErr == nil && f.File != ""
	switch trouble := digest.TroubleOf(err); {
	case trouble == digest.TroubleDamaged:
		return usageError{fmt.Errorf("DATABASE_URL: the database is damaged: %w: %s", err, store.Cure(trouble, f.File, file))}
	case errors.Is(err, store.ErrAway) && file:
		return fmt.Errorf("DATABASE_URL: %w: %s", err, store.Cure(trouble, f.File, file))
	case errors.Is(err, store.ErrAway):
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	return usageError{fmt.Errorf("DATABASE_URL: %w", err)}
}

// read opens the database for a command that only reads. It is not changed, least of all brought to a version that the bot
// that runs does not know; a file that is not there is not made.
func (s storeSettings) read(ctx context.Context, m *mistakes, log *slog.Logger, env func(string) (string, bool)) (*store.Store, error) {
	address, _ := s.check(m, env)
	if err := m.err(); err != nil {
		return nil, err
	}
	m.tell(log)
	database, err := store.Peek(ctx, address)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("DATABASE_URL: %w: no bot has run with it", err)
	}
	if err != nil {
		return nil, openError(ctx, address, err)
	}
	if err := readable(ctx, database); err != nil {
		return nil, errors.Join(readError(database, err), database.Close())
	}
	return database, nil
}

// readError is the error of an open database, with what to do about it.
func readError(database *store.Store, err error) error {
	trouble := digest.TroubleOf(err)
	switch trouble {
	case "":
		return fmt.Errorf("DATABASE_URL: %w", err)
	case digest.TroubleDamaged:
		return usageError{fmt.Errorf("DATABASE_URL: the database is damaged: %w: %s", err, database.Cure(trouble))}
	}
	return fmt.Errorf("DATABASE_URL: %w: %s", err, database.Cure(trouble))
}

// readable reports, as an error, why a database cannot be read by this program.
func readable(ctx context.Context, database *store.Store) error {
	current, wanted, err := database.Version(ctx)
	switch {
	case err != nil:
		return err
	case current == 0:
		return errors.New("there are no tables: it is not the database of a bot that has run")
	case current < wanted:
		return fmt.Errorf("it is at version %d and this program reads version %d: use the missingkbs that the bot runs, or, where the bot is to be of this version, "+
			"start it or run missingkbs migrate", current, wanted)
	case current > wanted:
		return store.ErrNewer
	}
	return nil
}

// waitForStore opens the database of serve. One that is away is waited for.
func waitForStore(ctx context.Context, address string, o store.Options, watch *monitor.Monitor) (opened *store.Store, err error) {
	w := waiting{
		part: monitor.Database, reason: "the database does not answer yet", parts: &watch.Parts, log: o.Log,
		passes: func(err error) bool { return errors.Is(err, store.ErrAway) },
		cause: func(err error) string {
			if trouble := digest.TroubleOf(err); trouble != digest.TroubleAway {
				return monitor.DatabaseReason(trouble)
			}
			return ""
		},
	}
	err = w.until(ctx, func(ctx context.Context) (err error) {
		opened, err = openStore(ctx, address, o)
		return err
	})
	return opened, err
}

// ownFile is the database in the data folder of the user that runs the program.
func ownFile(m *mistakes, env func(string) (string, bool)) string {
	folder, _ := env("XDG_DATA_HOME")
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if home, _ := env(name); folder == "" && home != "" {
			folder = filepath.Join(home, ".local", "share")
		}
	}
	if folder == "" {
		m.add("DATABASE_URL", "is missing, and this user has no home folder to keep a file in: set it, such as sqlite:///var/lib/missingkbs/missingkbs.db")
		return ""
	}
	return "sqlite://" + filepath.ToSlash(filepath.Join(folder, "missingkbs", "missingkbs.db"))
}

// migrateCmd brings the database to the shape that this version of the program wants.
type migrateCmd struct {
	Store storeSettings `embed:""`
	Log   logSettings   `embed:"" group:"Log"`
}

// Run migrates and says from which version to which.
func (c migrateCmd) Run(ctx context.Context, s streams) error {
	var m mistakes
	log := c.Log.logger(&m, s.err)
	database, err := c.Store.open(ctx, &m, log, s.env)
	if err != nil {
		return err
	}
	defer database.Close()
	before, _, err := database.Version(ctx)
	if err != nil {
		return readError(database, err)
	}
	if err := database.Migrate(ctx); err != nil {
		return readError(database, err)
	}
	after, _, err := database.Version(ctx)
	if err != nil {
		return readError(database, err)
	}
	_, err = fmt.Fprintf(s.out, "The database was at version %d and is at version %d.\n", before, after)
	return err
}
