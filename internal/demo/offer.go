package demo

import (
	"github.com/missingkbs/missingkbs/internal/manifest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// SlashCommand describes the bot's command for the composer of the page.
func SlashCommand() sandbox.SlashCommand {
	return sandbox.SlashCommand{
		Command:     manifest.Command,
		Description: manifest.CommandAbout,
		UsageHint:   manifest.CommandHint,
		Completions: []sandbox.Completion{
			{Text: "microsoft-_-windows_11", Hint: "the missing KBs of one product"},
			{Text: "microsoft-_-windows_11 --sort cves", Hint: "another order"},
			{Text: "microsoft-_-windows_10 --min-devices 5", Hint: "only what is missing on many devices"},
			{Text: "windows 11", Hint: "finds software by name"},
			{Text: "search chorme", Hint: "typos are tolerated"},
			{Text: "search", Hint: "all software, Microsoft's first"},
			{Text: `digest add microsoft-_-windows_11 --at "mon 09:00"`, Hint: "post here every Monday"},
			{Text: "digest list", Hint: "the digests of this channel"},
			{Text: "microsoft-_-edge", Hint: "a single update, from 2020"},
			{Text: "help", Hint: "what you can ask"},
		},
	}
}

// Shortcut describes the bot's global shortcut for the page.
func Shortcut() sandbox.Shortcut { return Shortcuts()[0] }

// Shortcuts describes the bot's shortcuts for the page: the global one first, then the one of messages.
func Shortcuts() []sandbox.Shortcut {
	var all []sandbox.Shortcut
	for _, own := range manifest.AppShortcuts() {
		all = append(all, sandbox.Shortcut{Name: own.Name, CallbackID: own.CallbackID, Description: own.Description, OfMessage: own.Type == manifest.OfMessage})
	}
	return all
}
