package completion

import (
	"embed"
	"strings"
)

//go:embed scripts
var scripts embed.FS

// Shells lists the shells that there is a script for.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

// Script returns the script that a shell loads. ok is false for a shell that has none.
func Script(shell string) (script string, ok bool) {
	text, err := scripts.ReadFile("scripts/missingkbs." + strings.ToLower(shell))
	return string(text), err == nil
}
