// Package setup walks an operator through Slack and Entra and writes the settings file. It asks for each missing
// setting, says where to find it, and checks it with the checks of internal/doctor. It writes nothing before the end.
// It does not know the command line, and calls no service by itself.
package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/tty"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Options configure a walk.
type Options struct {
	Settings config.Settings   // what flags, environment and a file set already
	Parts    config.AppParts   // parts that the Slack app is created without
	Given    map[string]string // the same settings by name; they are not asked for
	Env      config.Environment
	File     *config.File // the settings file that was read, for the checks
	Path     string       // the file to write
	Offline  bool         // only check the form of values, and call no service
	Prompt   *tty.Prompt
	Out      io.Writer
}

// errStopped reports that the operator ended the walk.
var errStopped = errors.New("the set-up was stopped; nothing was written")

// Run walks through all steps. After an error nothing has been written.
func Run(ctx context.Context, o Options) error {
	w := &walk{Options: o, values: maps.Clone(o.Given)}
	if w.values == nil {
		w.values = map[string]string{}
	}
	for _, step := range []func(context.Context) error{w.begin, w.inherit, w.slack, w.entra, w.database, w.end} {
		err := step(ctx)
		switch {
		case err != nil && ctx.Err() != nil, errors.Is(err, tty.ErrNoAnswer) && w.Prompt.Person():
			return errStopped
		case errors.Is(err, tty.ErrNoAnswer):
			return fmt.Errorf("%w; nothing was written. Answers come one a line, in the order of the questions", err)
		case err != nil:
			return err
		}
	}
	return nil
}

// walk is one run.
type walk struct {
	Options
	values    map[string]string // values for the file, by name
	replace   bool              // the operator agreed to replace the file
	unchecked []string          // settings kept although a check failed
}

// say prints a line. It may contain text of services, so secrets are hidden once more.
func (w *walk) say(format string, args ...any) {
	fmt.Fprintln(w.Out, redact.String(fmt.Sprintf(format, args...)))
}

// begin says what the operator needs. If the file exists, it asks about that first.
func (w *walk) begin(ctx context.Context) error {
	w.say(`This asks for what the bot needs to reach Slack and Microsoft Defender, checks each value, and
writes them into %s. It takes a person who may install apps in Slack, and one who
may grant admin consent in Entra. Secrets are not shown while they are typed; @/path/to/file names
a file that holds one. Ctrl-C stops, and nothing is written before the end.`, w.Path)
	there, err := checkPlace(w.Path)
	if err != nil || !there {
		return err
	}
	answer, err := w.choose(ctx, w.Path+" is there already. Replace it at the end?", "no", "yes", "no")
	if err != nil {
		return err
	}
	if w.replace = answer == "yes"; !w.replace {
		return config.UsageError{Err: fmt.Errorf("%s was kept as it is; --file names another", w.Path)}
	}
	return nil
}

// inherit says what is set already. It rejects values that serve would reject, because no question corrects them.
func (w *walk) inherit(context.Context) error {
	if len(w.Given) == 0 {
		return nil
	}
	w.say("\nThese settings are set already and are written as they are: %s.", list(slices.Sorted(maps.Keys(w.Given))))
	var errs config.Errors
	w.Settings.Read(&errs, w.Env)
	var wrong []string
	for _, err := range errs.All() {
		name, _, _ := strings.Cut(err.Error(), " ")
		if w.given(strings.TrimSuffix(strings.TrimSuffix(name, ":"), config.FileSuffix)) != "" {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) > 0 {
		return config.UsageError{Err: failure("correct these settings, or unset them to be asked: " + strings.Join(wrong, "; "))}
	}
	return nil
}

// environment returns the variables that programs of every kind read. They are not in the file, but serve may need
// them.
func (w *walk) environment() []string {
	var set []string
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"} {
		if value, _ := w.Env(name); value != "" {
			set = append(set, name)
		}
	}
	return set
}

// choose asks for one of several words; its first letters are enough. An empty answer means fallback.
func (w *walk) choose(ctx context.Context, question, fallback string, words ...string) (string, error) {
	for {
		answer, err := w.Prompt.Line(ctx, fmt.Sprintf("%s (%s) [%s]", question, list(words), fallback))
		if err != nil {
			return "", err
		}
		if answer == "" {
			return fallback, nil
		}
		if word, ok := match(answer, words); ok {
			return word, nil
		}
		if err := w.wrong("this takes one of " + list(words)); err != nil {
			return "", err
		}
	}
}

// wrong reports an invalid answer. A person is asked again. A script ends, because its next line was meant for the next
// question.
func (w *walk) wrong(text string) error {
	if w.Prompt.Person() {
		w.say("  wrong: %s", view.OneLine(text))
		return nil
	}
	return config.UsageError{Err: failure(text)}
}

// failure returns the error that ends a script. It may contain text of services, so secrets are hidden once more.
func failure(text string) error {
	return errors.New(redact.String(view.OneLine(text)) + "; nothing was written")
}

// database asks where digests are stored. Most operators just press Enter.
func (w *walk) database(ctx context.Context) error {
	w.say("\n3. Database")
	return w.ask(ctx, group{
		questions: []question{{
			setting: "DATABASE_URL", title: "Address, or Enter for a SQLite file in your data folder", secret: true, optional: true,
			where: "Digests are kept there. Several replicas need PostgreSQL: postgres://user:password@host:5432/database",
			set:   func(s *config.Settings, v string) { s.Database.URL = config.NewSecret(v) },
		}},
		checks: []string{"database"},
	})
}

// end writes the file and says what comes next.
func (w *walk) end(context.Context) error {
	if err := write(w.Path, w.values, w.replace); err != nil {
		return err
	}
	w.say("\nWrote %s, which only you can read. It holds secrets.", w.Path)
	if len(w.unchecked) > 0 {
		slices.Sort(w.unchecked)
		w.say("Kept although the checks fail: %s.", list(slices.Compact(w.unchecked)))
	}
	if set := w.environment(); len(set) > 0 {
		w.say("The checks used these variables of the environment, which serve needs too and the file does not hold: %s.", list(set))
	}
	w.say(`Next, check everything, the clock and the network too; then run the bot:

  missingkbs doctor --config %[1]s
  missingkbs serve --config %[1]s

and in a channel of Slack: /invite @missingkbs, then /missingkbs help`, w.Path)
	return nil
}
