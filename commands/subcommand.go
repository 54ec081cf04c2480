package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Subcommand is a word that may follow the name of a command.
type Subcommand struct {
	Name    string
	Needs   access.Right // required right; empty for Ask
	Subject bool         // the next word is its subject, such as a digest
}

// SubcommandHandler is a subcommand with its help and its function.
type SubcommandHandler struct {
	Subcommand

	Usage, Summary string
	Run            func(ctx context.Context, req Request) (view.Page, error) // gets req.Words without the name
}

// DescribeSubcommands returns what the [Command] with these subcommands declares in Subs, Usage and Help.
func DescribeSubcommands(command string, handlers []SubcommandHandler) (subs []Subcommand, usage string, help []view.Fact) {
	var names []string
	for _, h := range handlers {
		subs, names = append(subs, h.Subcommand), append(names, h.Name)
		help = append(help, view.Fact{Name: strings.TrimSpace(command + " " + h.Name + " " + h.Usage), Value: h.Summary})
	}
	return subs, strings.Join(names, " | "), help
}

// FindSubcommand returns the handler of a name, or false.
func FindSubcommand(name string, handlers []SubcommandHandler) (SubcommandHandler, bool) {
	i := slices.IndexFunc(handlers, func(h SubcommandHandler) bool { return h.Name == name })
	if i < 0 {
		return SubcommandHandler{}, false
	}
	return handlers[i], true
}

// UnknownSubcommand returns the error for words that start with no known subcommand. It suggests the closest name, if
// there is one. help holds the buttons after the suggestion.
func UnknownSubcommand(command string, words []string, handlers []SubcommandHandler, help []view.Action) error {
	var names []string
	for _, h := range handlers {
		names = append(names, h.Name)
	}
	name := strings.ToLower(words[0])
	e := &Error{Usage: true, Message: fmt.Sprintf("There is no %s command %q. There are: %s.", command, name, strings.Join(names, ", ")), Actions: help}
	if near := cmdline.Closest(name, names); near != "" {
		e.Message = fmt.Sprintf("There is no %s command %q. Did you mean %s %s?", command, name, command, near)
		line := cmdline.Join(append([]string{command, near}, words[1:]...)...)
		e.Actions = append([]view.Action{{Label: line, Command: line}}, help...)
	}
	return e
}

// RejectWords returns an [Error] for words that a command does not take, or nil if there are none. It never ignores
// them: they may have been meant to narrow what the command does.
func RejectWords(usage string, words []string, help ...view.Action) error {
	if len(words) == 0 {
		return nil
	}
	return &Error{Usage: true, Message: fmt.Sprintf("Unexpected word %q. Usage: %s", words[0], usage), Actions: help}
}
