package config

import "github.com/missingkbs/missingkbs/internal/deadline"

// Deadlines is the setting for when missing updates are due.
type Deadlines struct {
	SLA string `name:"sla" env:"MISSINGKBS_SLA" unset:"none" placeholder:"CLASS:DAYS,…" help:"Deadlines for installing updates, in days by class, such as exploited:3,critical:14,important:30,other:60; by default there are none."`
}

// Read checks the setting.
func (s Deadlines) Read(e *Errors) deadline.Policy {
	p, err := deadline.Parse(s.SLA)
	if err != nil {
		e.Add("MISSINGKBS_SLA:", "%v", err)
	}
	return p
}
