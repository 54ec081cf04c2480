package config

import "github.com/missingkbs/missingkbs/internal/manifest"

// AppParts is the setting that names parts which the Slack app does not have.
type AppParts struct {
	Without string `env:"MISSINGKBS_WITHOUT" placeholder:"PART,…" group:"Slack" help:"Parts that the Slack app is made without: home, shortcuts, mentions, messages, digests, files, groups. Their scopes and events are left out, and doctor does not miss them."`
}

// Read checks the setting.
func (s AppParts) Read(e *Errors) []manifest.Part {
	parts, err := manifest.ReadParts(s.Without)
	if err != nil {
		e.Add("MISSINGKBS_WITHOUT", "%v", err)
	}
	return parts
}
