package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Request is one question, from any source.
type Request struct {
	ID      string   // identifies the question in logs, traces and on error pages
	Words   []string // what was typed, split into words
	User    string   // who asks, as the Slack edge names users; empty on a terminal
	Channel string   // where it was asked; empty on a terminal

	// Terminal means that the operator asks on a terminal of the host and may see everything.
	Terminal bool

	Exact bool     // the words come from one of our pages: a comma in them separates nothing
	meant []string // the line that a line with a misspelt command may have meant; nil for none
	far   bool     // meant has so many typing errors that software with fewer is preferred
}

// Parse reads a typed line of at most [cmdline.MaxTyped] bytes with [cmdline.Read]. The caller fills in who asks and
// where.
func Parse(line string) (Request, error) { return parse(line, cmdline.MaxTyped, cmdline.Read) }

// ParseOffered reads the line of a button or select, of at most [cmdline.MaxOffered] bytes, exactly as written: a
// software id may contain any character. A line offered for one that was read always fits.
func ParseOffered(line string) (Request, error) {
	req, err := parse(line, cmdline.MaxOffered, cmdline.Split)
	req.Exact = true
	return req, err
}

// parse checks the limits of a line and splits it into words.
func parse(line string, most int, read func(string) []string) (Request, error) {
	if len(line) > most {
		return Request{}, tooLong(len(line), most)
	}
	if strings.ContainsRune(line, 0) { // never part of an ID or name, and PostgreSQL cannot store it
		return Request{}, &Error{Usage: true, Message: "That line contains a NUL character. Type it again."}
	}
	// Replace each run of invalid bytes by one mark: otherwise each byte would grow to three.
	words := read(strings.ToValidUTF8(line, "\uFFFD"))
	if n := len(cmdline.Join(words...)); n > cmdline.MaxOffered { // some characters expand to several
		return Request{}, tooLong(n, most)
	}
	return Request{Words: words}, nil
}

func tooLong(size, most int) error {
	return &Error{
		Usage:   true,
		Message: fmt.Sprintf("That line has %d bytes; the bot reads at most %d. Ask for one software id or a few words.", size, most),
	}
}

// Command is one thing that people can ask.
type Command struct {
	Name     string // first word; empty for the command that takes all lines without a command
	Usage    string // what follows the name, such as "<words>"
	Summary  string // one line for the list of commands
	Help     []view.Fact
	Needs    access.Right                                              // right required without a subcommand; empty for Ask
	Subs     []Subcommand                                              // words that may follow the name
	Shared   func(req Request) bool                                    // whether the answer may be posted for everyone in a channel; nil for never
	Unlisted bool                                                      // not in help, because people say it in other words
	Audited  bool                                                      // the audit records who asked about what, even where it records no other questions
	Run      func(ctx context.Context, req Request) (view.Page, error) // gets req.Words without the name
}

func (c Command) subNames() []string {
	names := make([]string, len(c.Subs))
	for i, s := range c.Subs {
		names[i] = s.Name
	}
	return names
}

// Intent describes what a request is about to do.
type Intent struct {
	Needs   access.Right // the right that the user must have
	Command string       // name of the command; "software" for a line without one
	Action  string       // the audit's name of the action, such as "digest.pause"; empty for questions that are not [Command.Audited]
	Subject string       // what the action is about, as typed; may be empty
}

// Router finds and runs the command of a request. It is safe for concurrent use.
type Router struct {
	commands []Command
	byName   map[string]Command
}

// NewRouter returns a router for the given commands and adds browse and help. Exactly one command must have no name; a
// repeated name is an error.
func NewRouter(cmds ...Command) (*Router, error) {
	r := &Router{byName: make(map[string]Command, len(cmds)+1)}
	r.commands = append(append(r.commands, cmds...), browseCommand(r), helpCommand(r))
	for _, c := range r.commands {
		if _, twice := r.byName[c.Name]; twice {
			return nil, fmt.Errorf("two commands are named %q", c.Name)
		}
		r.byName[c.Name] = c
	}
	if _, ok := r.byName[""]; !ok {
		return nil, errors.New("no command takes the lines that name no command")
	}
	return r, nil
}

// Commands returns the commands in the order of the help.
func (r *Router) Commands() []Command { return r.commands }

// Run answers a request. It adds a button to watch the page's software if there are digests, and hides what looks like
// a secret in text that the page repeats. [Explain] explains its error; a page that says "nothing found" is not an
// error.
func (r *Router) Run(ctx context.Context, req Request) (view.Page, error) {
	cmd, req := r.resolve(req)
	if asksHelp(req) {
		return commandHelp(cmd), nil
	}
	page, err := cmd.Run(ctx, req)
	if _, digests := r.byName[DigestName]; digests && cmd.Name != DigestName && !req.Terminal {
		page.Actions = append(slices.Clip(page.Actions), watchAction(page)...)
	}
	return presentable(page), explainOption(err)
}

// watchAction returns the button that adds a digest of a page's software. On the page of an update its label names the
// software that misses it.
func watchAction(p view.Page) []view.Action {
	label, watched := "Watch this", []string{p.Software}
	switch {
	case p.Software != "":
	case len(p.LackedBy) == 1:
		label, watched = "Watch "+product.Name(p.LackedBy[0], ""), p.LackedBy
	case len(p.LackedBy) > 1:
		label, watched = fmt.Sprintf("Watch these %d software", len(p.LackedBy)), p.LackedBy
	default:
		return nil
	}
	line := cmdline.Join(append([]string{DigestName, "watch"}, watched...)...)
	if _, err := digest.ReadWatch(watched); err != nil || len(line) > cmdline.MaxOffered {
		return nil // no digest takes such an id
	}
	return []view.Action{{Label: label, Command: line}}
}

// explainOption turns an option's error into an [Error] that offers the corrected line, if there is one.
func explainOption(err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err // it wraps the option's error already
	}
	option, ok := errors.AsType[*cmdline.OptionError](err)
	if !ok {
		return err
	}
	e := &Error{Usage: true, Message: option.Message, Field: option.Name, Err: option.Err}
	if option.Line != nil {
		line := cmdline.Join(option.Line...)
		e.Actions = []view.Action{{Label: line, Command: line}, {Label: "Help", Command: HelpName}}
	}
	return e
}

// resolve finds the command of a request and removes its name from the words. No words mean browse.
func (r *Router) resolve(req Request) (Command, Request) {
	if len(req.Words) == 0 {
		return r.byName[BrowseName], req
	}
	if line := r.rewritten(req); line != nil {
		req.Words = line
	}
	name := strings.ToLower(req.Words[0])
	if cmd, ok := r.byName[name]; ok && name != "" {
		req.Words = req.Words[1:]
		return cmd, req
	}
	if own, ok := r.byName[itself(req)]; ok && own.Name != "" {
		return own, req
	}
	req.meant = r.meant(req)
	if len(req.meant) > 0 {
		req.far = !cmdline.IsNear(strings.ToLower(req.Words[0]), req.meant[0]) && !cmdline.IsNear(strings.ToLower(req.Words[0]), slices.Concat(req.meant, []string{""})[1])
	}
	return r.byName[""], req
}

// itself returns the command for a line that is just a KB number or CVE id with options; "" for others.
func itself(req Request) string {
	word := req.Words[0]
	for _, w := range req.Words[1:] {
		if !strings.HasPrefix(w, "-") {
			return ""
		}
	}
	switch {
	case isCVE(word):
		return cveName
	case isKB(word):
		return kbName
	}
	return ""
}

// machineWords are what people call a device, who may mean the command about one.
var machineWords = []string{"device", "host", "hostname", "computer", "pc", "laptop", "endpoint", "server"}

// meant returns the line that a line without a command probably meant, or nil: a misspelt command, or a subcommand
// without its command.
func (r *Router) meant(req Request) []string {
	first := strings.ToLower(req.Words[0])
	if req.Exact || strings.Contains(first, cmdline.IDSeparator) {
		return nil
	}
	var names []string
	for _, c := range r.commands {
		if c.Name != "" && !c.Unlisted {
			names = append(names, c.Name)
		}
	}
	if slices.Contains(machineWords, first) && r.byName[machineName].Name != "" {
		return append([]string{machineName}, req.Words[1:]...)
	}
	if name := cmdline.Closest(first, names); name != "" {
		return append([]string{name}, req.Words[1:]...)
	}
	if len(req.Words) > 2 && !strings.Contains(req.Words[1], cmdline.IDSeparator) && strings.Trim(req.Words[1], "#0123456789") != "" {
		return nil // a sentence, such as "show me edge"
	}
	for _, c := range r.commands {
		if word := cmdline.Closest(first, c.subNames()); word != "" && len(first) > 2 {
			return append([]string{c.Name, word}, req.Words[1:]...)
		}
	}
	return nil
}

// defaultName is the name of lines without a command in metrics and audit.
const defaultName = "software"

// Intent returns what a request is about to do. Help about a command only requires the right to ask.
func (r *Router) Intent(req Request) Intent {
	cmd, req := r.resolve(req)
	in := Intent{Needs: access.Ask, Command: cmp.Or(cmd.Name, defaultName)}
	if asksHelp(req) {
		return in
	}
	in.Needs, in.Action = cmp.Or(cmd.Needs, access.Ask), in.Command
	if len(req.Words) > 0 {
		name := strings.ToLower(req.Words[0])
		if i := slices.IndexFunc(cmd.Subs, func(s Subcommand) bool { return s.Name == name }); i >= 0 {
			in.Needs, in.Action = cmp.Or(cmd.Subs[i].Needs, access.Ask), in.Command+"."+name
			if cmd.Subs[i].Subject && len(req.Words) > 1 {
				in.Subject = strings.TrimPrefix(req.Words[1], "#")
			}
		}
	}
	switch {
	case cmd.Audited:
		in.Subject = subject(req.Words)
	case in.Needs == access.Ask:
		in.Action, in.Subject = "", ""
	}
	return in
}

// subject returns what a question is about: its words up to the first option.
func subject(words []string) string {
	end := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "--") })
	if end < 0 {
		end = len(words)
	}
	return strings.Join(words[:end], " ")
}

// Shared reports whether the answer to a request may be posted for everyone in a channel. By default it may not,
// whatever a button claims.
func (r *Router) Shared(req Request) bool {
	cmd, req := r.resolve(req)
	return cmd.Shared != nil && !asksHelp(req) && cmd.Shared(req)
}

func asksHelp(req Request) bool {
	return slices.ContainsFunc(req.Words, func(w string) bool { return w == "--help" || w == "-h" })
}
