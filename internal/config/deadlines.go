package config

import "github.com/missingkbs/missingkbs/internal/deadline"

// Deadlines is the setting about when missing updates are to be installed.
type Deadlines struct {
	SLA string `name:"sla" env:"MISSINGKBS_SLA" unset:"no deadlines" placeholder:"CLASS:DAYS,…" help:"Days within which updates are to be installed, such as exploited:3,critical:14,important:30,other:60; by default there are no deadlines."`
}

// Read checks the setting.
func (s Deadlines) Read(e *Errors) deadline.Policy {
	p, err := deadline.Parse(s.SLA)
	if err != nil {
		e.Add("MISSINGKBS_SLA:", "%v", err)
	}
	return p
}
