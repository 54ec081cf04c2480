package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// Options change the manifest. The zero value stands for manifest.yaml in the repository.
type Options struct {
	Without []Part
	Name    string // of the app; empty for "Missing KBs"
	BotName string // of its bot user; empty for "missingkbs"
	OrgWide bool   // the app can be installed in a whole organisation
}

// head is the comment above the manifest. JSON cannot have it.
const head = `# The Slack app of missingkbs, as "missingkbs manifest" prints it. Create it at https://api.slack.com/apps > Create New App >
# From a manifest. Then make the app-level token by hand (Basic Information > App-Level Tokens, scope connections:write): a
# manifest cannot hold it.
`

// YAML returns the manifest with a comment at each line that needs a reason.
func YAML(o Options) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	d := o.document()
	body, err := yaml.MarshalWithOptions(d, yaml.IndentSequence(true), yaml.WithComment(comments(d)))
	if err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	return append([]byte(head), body...), nil
}

// JSON returns the manifest as indented JSON.
func JSON(o Options) ([]byte, error) {
	body, err := YAML(o)
	if err != nil {
		return nil, err
	}
	line, err := yaml.YAMLToJSON(body)
	if err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(line), "", "  "); err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	return append(b.Bytes(), '\n'), nil
}

// Limits of https://docs.slack.dev/reference/app-manifest.
const (
	maxName    = 35
	maxBotName = 80
)

const botLetters = "abcdefghijklmnopqrstuvwxyz0123456789-_."

// check rejects names that Slack would refuse, before an operator pastes them.
func (o Options) check() error {
	switch {
	case utf8.RuneCountInString(o.Name) > maxName || strings.ContainsAny(o.Name, "\r\n\t"):
		return fmt.Errorf("the name of an app has at most %d characters on one line", maxName)
	case len(o.BotName) > maxBotName || strings.Trim(o.BotName, botLetters) != "":
		return errors.New("the name of a bot has at most 80 of a-z, 0-9, hyphen, underscore and full stop")
	}
	return nil
}

func (o Options) has(p Part) bool { return p == "" || !slices.Contains(o.Without, p) }
