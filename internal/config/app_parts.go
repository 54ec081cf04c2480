package config

import "github.com/missingkbs/missingkbs/internal/manifest"

// AppParts is the setting that names the parts that the Slack app does not have.
type AppParts struct {
	Without string `env:"MISSINGKBS_WITHOUT" placeholder:"PART,…" group:"Slack" help:"Parts to leave out of the Slack app: home, shortcuts, mentions, messages, digests, files, groups. The manifest omits their scopes and events, and doctor does not report them as missing."`
}

// Read checks the setting.
func (s AppParts) Read(e *Errors) []manifest.Part {
	parts, err := manifest.ReadParts(s.Without)
	if err != nil {
		e.Add("MISSINGKBS_WITHOUT", "%v", err)
	}
	return parts
}
