package completion

import (
	"embed"
	"strings"
)

//go:embed scripts
var scripts embed.FS

// Shells returns the supported shells.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

// Script returns the completion script of a shell. ok is false for an unknown shell.
func Script(shell string) (script string, ok bool) {
	text, err := scripts.ReadFile("scripts/missingkbs." + strings.ToLower(shell))
	return string(text), err == nil
}
