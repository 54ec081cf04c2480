package setup

import (
	"context"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/doctor"
)

// question asks for one setting.
type question struct {
	setting  string
	title    string // what to type
	where    string // where it is found, by the names of menus
	secret   bool
	optional bool                      // an empty answer leaves the setting unset
	form     func(value string) string // returns what is wrong with a value; nil if config's checks suffice
	set      func(*config.Settings, string)
}

// group holds questions whose answers are checked together.
type group struct {
	questions []question
	checks    []string // names of doctor's checks
}

// The choices after a failed check.
const (
	again = "again" // after fixing it in Slack or Entra
	other = "other"
	keep  = "keep"
)

// ask asks all questions of a group and runs its checks, until they pass or the operator keeps the values as they are.
func (w *walk) ask(ctx context.Context, g group) error {
	if err := w.askAll(ctx, g, false); err != nil {
		return err
	}
	for !w.Offline {
		failed := w.check(ctx, g.checks)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if failed == "" {
			return nil
		}
		if !w.Prompt.Person() {
			return failure(failed)
		}
		switch next, err := w.choose(ctx, "Check again, type other values, or keep these?", again, again, other, keep); {
		case err != nil:
			return err
		case next == keep:
			for _, q := range g.questions {
				w.unchecked = append(w.unchecked, q.setting)
			}
			return nil
		case next == other:
			if err := w.askAll(ctx, g, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// askAll asks the questions of a group. It skips settings that have a value, unless evenGiven is set.
func (w *walk) askAll(ctx context.Context, g group, evenGiven bool) error {
	for _, q := range g.questions {
		if name := w.given(q.setting); name != "" && !evenGiven {
			w.say("%s is set already.", name)
			continue
		}
		if err := w.askOne(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// given returns the name under which a setting, or the file of a secret, is set already.
func (w *walk) given(setting string) string {
	for _, name := range []string{setting, setting + config.FileSuffix} {
		if _, ok := w.Given[name]; ok {
			return name
		}
	}
	return ""
}

// askOne asks until the value has the right form.
func (w *walk) askOne(ctx context.Context, q question) error {
	w.say("%s", q.where)
	read := w.Prompt.Line
	if q.secret {
		read = w.Prompt.Secret
	}
	for {
		value, err := read(ctx, q.title)
		if err != nil {
			return err
		}
		if wrong := w.take(q, value); wrong == "" {
			return nil
		} else if err := w.wrong(wrong); err != nil {
			return err
		}
	}
}

// take sets a value, or returns why it is wrong.
func (w *walk) take(q question, value string) (wrong string) {
	q.set(&w.Settings, value)
	delete(w.values, q.setting+config.FileSuffix)
	delete(w.values, q.setting)
	if value == "" && q.optional {
		return ""
	}
	if q.form != nil {
		if wrong := q.form(value); wrong != "" {
			return q.setting + " " + wrong
		}
	}
	var errs config.Errors
	w.Settings.Read(&errs, w.Env)
	for _, err := range errs.All() {
		if text := err.Error(); strings.HasPrefix(strings.ReplaceAll(text, ":", ""), q.setting+" ") {
			return text
		}
	}
	w.values[q.setting] = value
	return ""
}

// check runs checks of doctor and prints their findings. It returns the first failure.
func (w *walk) check(ctx context.Context, names []string) (failed string) {
	checker := doctor.New(doctor.Options{Settings: w.Settings, Parts: w.Parts, Env: w.Env, File: w.File})
	defer checker.Close()
	for _, one := range checker.RunSome(ctx, names...).Results {
		wanted := slices.Contains(names, one.Check)
		switch {
		case one.Status == doctor.Fail:
			w.finding("FAIL", one)
			if failed == "" {
				failed = one.Found + ": " + one.Cure
			}
		case wanted && one.Status == doctor.Warn:
			w.finding("warn", one)
		case wanted && one.Status == doctor.OK:
			w.finding("ok", one)
		}
	}
	return failed
}
