package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/logging"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/view"
)

// A secret in the place of a flag or a command does not get into the error text.
func TestUsageErrorsHideSecrets(t *testing.T) {
	t.Parallel()
	const token = "xoxb-123456789012-1234567890123-hunter2hunter2"
	for _, args := range [][]string{{"serve", token}, {token}, {"serve", "--" + token}, {"serve", "--slack-bot-tokn=" + token}, {"--config", "/no/" + token, "serve"}} {
		if got := invoke(t, noEnv, args...); got.code != exitWrongUse || strings.Contains(got.err+got.out, "hunter2") {
			t.Errorf("%q: %s", args, got.err)
		}
	}
}

// secretText is a text that holds secrets of one form.
type secretText struct {
	Form   string   `json:"form"`
	Text   string   `json:"text"`
	Secret []string `json:"secret"`
}

// secretTexts are one of each form and more.
func secretTexts(tb testing.TB) []secretText {
	tb.Helper()
	raw, err := os.ReadFile("../../internal/redact/testdata/secrets.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	var all []secretText
	for line := range bytes.Lines(raw) {
		var one secretText
		if err := json.Unmarshal(line, &one); err != nil {
			tb.Fatal(err)
		}
		all = append(all, one)
	}
	if len(all) < 50 {
		tb.Fatalf("only %d texts", len(all))
	}
	return all
}

// Each form of secret, in each place where a text can get out: none knows fewer forms than another, and all say the same
// word for what they hide.
func TestEachSecretInEachPlace(t *testing.T) {
	t.Parallel()
	page := func(err error) string {
		var out strings.Builder
		if err := view.WriteText(&out, commands.Explain(err)); err != nil {
			t.Error(err)
		}
		return out.String()
	}
	logged := func(format string) func(text string) string {
		return func(text string) string {
			var out bytes.Buffer
			log := logging.New(&out, format, slog.LevelDebug)
			log.With("with", text).Error("it was "+text, "attr", text, "error", errors.New(text), "list", []string{text}) //nolint:sloglint // a secret in the message itself must be hidden, too
			return out.String()
		}
	}
	for where, out := range map[string]func(text string) string{
		"log as text": logged("text"),
		"log as JSON": logged("json"),
		"audit": func(text string) string {
			a := app.AuditEntry(bot.Observation{Line: "search " + text, Command: "search", Outcome: bot.Answered}, "")
			return a.Detail + a.Subject
		},
		"audit of a change that was refused": func(text string) string {
			a := app.AuditEntry(bot.Observation{Line: cmdline.Join("digest", "pause", text), Command: "digest", Action: "digest.pause", Subject: text, Needs: access.Change, Outcome: bot.Failed}, "")
			return a.Detail + a.Subject
		},
		"stderr": func(text string) string {
			got := invoke(t, noEnv, "no command: "+text)
			return got.err + got.out
		},
		"page of a usage error": func(text string) string {
			return page(&commands.Error{Usage: true, Title: text, Message: "What is " + text, Actions: []view.Action{{Label: text, Command: "help"}}})
		},
		"page of Defender's refusal": func(text string) string {
			return page(&api.Error{Kind: api.ErrPermission, Status: 403, Roles: []string{text}, Target: text, RequestID: "x"})
		},
		"answer": func(text string) string {
			router, err := commands.NewRouter(commands.Command{Run: func(context.Context, commands.Request) (view.Page, error) {
				return view.Page{
					Title: text, Lead: text, Context: text, Note: text, Actions: []view.Action{{Label: text, Command: "help"}},
					Parts: []view.Part{view.Facts{{Name: "Fact", Value: text}}, view.List{Name: "List", Items: []string{text}}, view.Table{Caption: text, Columns: []view.Column{{Title: "Column"}}}},
				}, nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			p, err := router.Run(t.Context(), commands.Request{Words: []string{"x"}})
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(p)
		},
		"doctor": func(text string) string {
			var out bytes.Buffer
			r := doctor.Report{Results: []doctor.Result{{Check: "x", Finding: doctor.Finding{Status: doctor.Fail, Found: text, Cure: text}}}}
			if err := errors.Join(doctor.WriteText(&out, r), doctor.WriteJSON(&out, r)); err != nil {
				t.Error(err)
			}
			return out.String()
		},
	} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			for _, s := range secretTexts(t) {
				got := out(s.Text)
				for _, secret := range s.Secret {
					if strings.Contains(got, secret) {
						t.Errorf("%s: %q is left of %q: %s", s.Form, secret, s.Text, got)
					}
				}
				if !strings.Contains(got, redact.Hidden) {
					t.Errorf("%s: nothing says that something was hidden: %s", s.Form, got)
				}
			}
		})
	}
}

// Text of any origin on standard output or standard error does not steer the terminal.
func TestForeignTextSteersNoTerminal(t *testing.T) {
	t.Parallel()
	const evil = "evil\n{\"level\":\"ERROR\"}\r\nlevel=ERROR\x1b[2J\a\u009b31m\u202egpj\x7f"
	steers := func(text string) bool {
		return strings.ContainsFunc(text, func(r rune) bool {
			return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
		})
	}
	for _, args := range [][]string{{evil}, {"serve", "--" + evil}, {"ask", "--sandbox", evil}, {"ask", "--sandbox", "-o", "json", evil}, {"audit", "--since", evil}, {"--config", "/no/" + evil, "serve"}} {
		if got := invoke(t, noEnv, args...); got.code == exitDone || steers(got.err) || steers(got.out) {
			t.Errorf("%q: %d %q %q", args, got.code, got.out, got.err)
		}
	}
}
