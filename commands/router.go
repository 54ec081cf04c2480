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

// Request is one question, wherever it was asked.
type Request struct {
	ID      string   // names the question in logs, traces and on pages about failures
	Words   []string // what was asked, split into words
	User    string   // who asks, in the words of the edge that took the question; empty on a terminal
	Channel string   // where; empty on a terminal

	// Terminal reports that the operator asks on a terminal of the host and may see everything.
	Terminal bool

	Exact bool     // the words are those of a page of ours: a comma in them parts nothing
	meant []string // of a line that names no command, the line that a misspelt one may have meant; nil for none
	far   bool     // meant takes so many typing errors that software with fewer comes first
}

// Parse reads a typed line of at most [cmdline.MaxTyped] bytes, as [cmdline.Read] does. The caller fills in who asks and where.
func Parse(line string) (Request, error) { return parse(line, cmdline.MaxTyped, cmdline.Read) }

// ParseOffered reads the line that a button or a select of a page carries, at most [cmdline.MaxOffered] bytes: exactly as it was
// written, for a software id may hold any character. What is offered for a line that was read can always be pressed.
func ParseOffered(line string) (Request, error) {
	req, err := parse(line, cmdline.MaxOffered, cmdline.Split)
	req.Exact = true
	return req, err
}

func parse(line string, most int, read func(string) []string) (Request, error) {
	if len(line) > most {
		return Request{}, tooLong(len(line), most)
	}
	if strings.ContainsRune(line, 0) { // no id and no name has one, and PostgreSQL keeps none
		return Request{}, &Error{Usage: true, Message: "That line contains a NUL character. Type it again."}
	}
	// One mark for each run of bytes that are no text: written out again, each would be three bytes.
	words := read(strings.ToValidUTF8(line, "\uFFFD"))
	if n := len(cmdline.Join(words...)); n > cmdline.MaxOffered { // some characters stand for a whole sentence
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

// Command is one thing people can ask for.
type Command struct {
	Name     string // the first word; empty for the command that takes every line no other command claims
	Usage    string // what follows the name, such as "<words>"
	Summary  string // one line for the list of commands
	Help     []view.Fact
	Needs    access.Right                                              // what a request takes that names no subcommand; empty for Ask
	Subs     []Subcommand                                              // what may follow the name
	Shared   func(req Request) bool                                    // whether its answer may be posted for everyone in a channel; nil: never
	Unlisted bool                                                      // help does not name it: people say it in other words
	Audited  bool                                                      // the audit keeps who asked about what, also where it keeps no other questions
	Run      func(ctx context.Context, req Request) (view.Page, error) // req.Words without the name
}

func (c Command) subNames() []string {
	names := make([]string, len(c.Subs))
	for i, s := range c.Subs {
		names[i] = s.Name
	}
	return names
}

// Intent is what a request is about to do, before it is done.
type Intent struct {
	Needs   access.Right // what it takes of the person who makes it
	Command string       // the command that would take it; "software" for a line that names none
	Action  string       // what it wants, by the name that the audit has for it: "digest.pause"; empty for a question that is not [Command.Audited]
	Subject string       // what that is about, as typed; may be empty
}

// Router picks the command of a request. It is safe for concurrent use.
type Router struct {
	commands []Command
	byName   map[string]Command
}

// NewRouter returns a router for the given commands and adds the commands browse and help. One command must have no name; two of
// the same name are an error.
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

// Commands lists the commands in the order in which help names them.
func (r *Router) Commands() []Command { return r.commands }

// Run answers a request. Where there are digests, a page about software offers to watch it. What looks like a secret in what the page
// repeats is hidden. Its error is for [Explain]; a page that says "nothing found" is not an error.
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

// watchAction offers a digest of the software that a page is about. Where the page is about an update, the label says which software
// that is: the one that lacks it.
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

// explainOption turns the error of an option into an [Error] that offers the corrected line, if there is one.
func explainOption(err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err // it names the option error as its cause
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

// resolve finds the command of a request and takes its name off the words. No words at all ask for the form to browse in.
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

// itself is the command of a line that is nothing but the number of a KB or the id of a CVE, and options; "" for others.
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

// meant returns the line that was probably meant by one whose first word is no command, or nil: a command misspelt, or what
// follows the name of one without it.
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

// defaultName names, for metrics and the audit, the command of lines that name none.
const defaultName = "software"

// Intent says what a request is about to do. Asking for help with a command takes no more than asking.
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

// subject is what a question is about: its words up to the first option.
func subject(words []string) string {
	end := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "--") })
	if end < 0 {
		end = len(words)
	}
	return strings.Join(words[:end], " ")
}

// Shared reports whether the answer to a request may be posted for everyone in a channel. A command that does not say so
// answers the person alone, whatever a button claims.
func (r *Router) Shared(req Request) bool {
	cmd, req := r.resolve(req)
	return cmd.Shared != nil && !asksHelp(req) && cmd.Shared(req)
}

func asksHelp(req Request) bool {
	return slices.ContainsFunc(req.Words, func(w string) bool { return w == "--help" || w == "-h" })
}
