package config

import (
	"os"
	"path/filepath"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// Database are the settings about where digests and their history are stored, and for how long.
type Database struct {
	URL       Secret `name:"database-url" env:"DATABASE_URL" unset:"a file in your data folder" placeholder:"URL" help:"sqlite:///path/file.db or postgres://…; by default a file in your data folder."`
	Retention string `name:"retention-days" env:"MISSINGKBS_RETENTION_DAYS" default:"400" help:"How many days the history of digests is kept; 0 keeps it forever (${default})."`
	Audits    string `name:"audit-days" env:"MISSINGKBS_AUDIT_DAYS" default:"400" help:"How many days the audit is kept; 0 keeps it forever (${default})."`
}

// Read checks the settings.
func (s Database) Read(e *Errors, env Environment) (address string, o store.Options) {
	address = e.Secret("DATABASE_URL", s.URL)
	if !s.URL.IsSet() {
		address = ownFile(e, env)
	}
	if address != "" {
		if err := store.CheckURL(address); err != nil {
			e.Add("DATABASE_URL:", "%v", err)
		}
	}
	o.Retention = e.days("MISSINGKBS_RETENTION_DAYS", s.Retention)
	o.Audits = e.days("MISSINGKBS_AUDIT_DAYS", s.Audits)
	return address, o
}

// ReadAddress returns the database address for a command that can do without a database. It is empty if there is none.
func (s Database) ReadAddress(e *Errors, env Environment) string {
	if !s.URL.IsSet() {
		return ownFile(&Errors{}, env)
	}
	address := e.Secret("DATABASE_URL", s.URL)
	if address == "" {
		return ""
	}
	if err := store.CheckURL(address); err != nil {
		e.Add("DATABASE_URL:", "%v", err)
	}
	return address
}

// ownFile returns the database file in the data folder of the user that runs the program.
func ownFile(e *Errors, env Environment) string {
	folder, _ := env("XDG_DATA_HOME")
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if home, _ := env(name); folder == "" && home != "" {
			folder = filepath.Join(home, ".local", "share")
		}
	}
	if folder == "" {
		e.Add("DATABASE_URL", "is missing, and this user has no home folder to keep a file in: set it, such as sqlite:///var/lib/missingkbs/missingkbs.db")
		return ""
	}
	return "sqlite://" + filepath.ToSlash(filepath.Join(folder, "missingkbs", "missingkbs.db"))
}

// DigestFile holds the subscriptions of the file of MISSINGKBS_DIGESTS.
type DigestFile struct {
	Path          string
	Subscriptions []digest.Subscription
}

// readDigests reads the digest file. It returns nil without a path.
func readDigests(e *Errors, path string) *DigestFile {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		e.Add("MISSINGKBS_DIGESTS", "names a file that cannot be read: %v", err)
		return nil
	}
	subscriptions, err := digest.ReadFile(text)
	if err != nil {
		e.Add("MISSINGKBS_DIGESTS:", "%s: %v", path, err)
		return nil
	}
	return &DigestFile{path, subscriptions}
}
