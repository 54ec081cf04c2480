package alert

import (
	"context"
	"maps"
	"sync"
	"time"
)

// DatabasePrefix begins the name of each condition of the database. A trouble of package digest follows.
const DatabasePrefix = "database_"

// databaseCondition is a condition of the database.
type databaseCondition struct {
	name string
	min  time.Duration // how long it must last to be reported; zero if it does not end by itself
	text Text
}

// databaseConditions returns a condition for each trouble of package digest.
func databaseConditions() []databaseCondition {
	return []databaseCondition{
		{"away", time.Minute, Text{
			Title:  "The bot's database cannot be reached",
			Lead:   "Look at the database server, and at the network between it and the bot, which connects again by itself.",
			Closed: "The bot's database can be reached again",
		}},
		{"busy", 2 * time.Minute, Text{
			Title:  "The bot's database is too busy",
			Lead:   "It has no connection to spare (max_connections, limits of the role), or another program holds it locked. The bot goes on by itself once that is over.",
			Closed: "The bot's database is no longer too busy",
		}},
		{"full", 0, Text{
			Title:  "The bot's database has no space left",
			Lead:   "Nothing can be written. Make room on the disk it lies on, or raise the quota; the bot goes on by itself.",
			Closed: "The bot's database has room again",
		}},
		{"read_only", time.Minute, Text{
			Title:  "The bot's database is read-only",
			Lead:   "It can be read but not written: DATABASE_URL may name a standby server, or the file system was mounted again for reading only. The bot goes on by itself.",
			Closed: "The bot's database takes changes again",
		}},
		{"disk", 0, Text{
			Title:  "The disk of the bot's database fails",
			Lead:   "It reports errors when the database reads or writes. Look at the disk and at the log of the machine, and at the rights on the folder.",
			Closed: "The disk of the bot's database works again",
		}},
		{"damaged", 0, Text{
			Title:  "The bot's database is damaged",
			Lead:   "Some of it cannot be read any more, and that does not pass by itself: restore a backup. The log says which database, and how.",
			Closed: "The bot's database can be read again",
		}},
		{"denied", time.Minute, Text{
			Title:  "The bot's database refuses the bot",
			Lead:   "Its password, its rights or the name of the database have changed. Mend DATABASE_URL (the bot reads its file for each connection) or the rights of its user.",
			Closed: "The bot's database admits the bot again",
		}},
		{"replaced", 0, Text{
			Title:  "The bot's database is gone",
			Lead:   "Its file or its tables were removed or replaced while the bot was running; what it writes now may be lost. Stop the bot, put the database back, and start it again.",
			Closed: "The bot's database is back",
		}},
	}
}

// DatabaseConditions returns the conditions of the database. While one lasts nothing can be stored, so each process
// keeps their states in a [Memory]. A condition that may end by itself is reported once it has lasted and was observed
// three times.
func DatabaseConditions() []Condition {
	const meanwhile = " Questions are answered meanwhile; digests wait and come afterwards, marked as late, and the audit waits in memory. missingkbs doctor tells more."
	var all []Condition
	for _, d := range databaseConditions() {
		c := Condition{Name: DatabasePrefix + d.name, MinDuration: d.min, MinCount: 1, Text: d.text}
		if d.min > 0 {
			c.MinCount = 3
		}
		c.Text.Lead += meanwhile
		all = append(all, c)
	}
	return all
}

// Memory is a [Store] within one process.
type Memory struct {
	mu     sync.Mutex
	states map[string]string
}

// AlertStates implements [Store].
func (m *Memory) AlertStates(context.Context) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.states), nil
}

// ChangeAlertState implements [Store].
func (m *Memory) ChangeAlertState(_ context.Context, name string, change func(state string) (string, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	state, err := change(m.states[name])
	if err != nil {
		return err
	}
	if m.states == nil {
		m.states = map[string]string{}
	}
	m.states[name] = state
	return nil
}
