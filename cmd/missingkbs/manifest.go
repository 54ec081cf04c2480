package main

import (
	"strings"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/manifest"
)

// manifestCmd prints the manifest of the Slack app.
type manifestCmd struct {
	Output  string `short:"o" default:"yaml" complete:"yaml,json" placeholder:"FORMAT" help:"Output format: yaml or json (${default})."`
	Name    string `placeholder:"NAME" help:"Name of the app; by default Missing KBs."`
	BotName string `placeholder:"NAME" help:"Name of its bot user; by default missingkbs."`
	OrgWide bool   `help:"Allow the app to be installed in a whole Enterprise organisation."`
	config.AppParts
}

// Run prints the manifest, for pasting into the app's settings.
func (c manifestCmd) Run(s streams) error {
	var errs config.Errors
	write, ok := map[string]func(manifest.Options) ([]byte, error){"yaml": manifest.YAML, outputJSON: manifest.JSON}[strings.ToLower(c.Output)]
	if !ok {
		errs.Add("--output", "takes one of yaml, json")
	}
	o := manifest.Options{Name: c.Name, BotName: c.BotName, OrgWide: c.OrgWide, Without: c.Read(&errs)}
	if err := errs.Err(); err != nil {
		return err
	}
	body, err := write(o)
	if err != nil {
		return config.UsageError{Err: err}
	}
	_, err = s.out.Write(body)
	return err
}
