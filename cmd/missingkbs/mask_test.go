package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"
)

// Should anybody log a secret after all, or put one where a flag's name belongs, it does not get out.
func TestLogIsMasked(t *testing.T) {
	t.Parallel()
	const token = "xoxb-123456789012-1234567890123-hunter2hunter2"
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		var m mistakes
		log := logSettings{Format: format}.loggerAt(&m, &out, slog.LevelDebug)
		log.With("a", token).Error("it was "+token, "b", token, "error", errors.New("POST: "+token))
		if strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), "xoxb-(hidden)") {
			t.Errorf("%s: %s", format, out.String())
		}
	}
	for _, args := range [][]string{{"serve", token}, {token}, {"serve", "--" + token}, {"serve", "--slack-bot-tokn=" + token}, {"--config", "/no/" + token, "serve"}} {
		if got := invoke(t, noEnv, args...); got.code != exitWrongUse || strings.Contains(got.err+got.out, "hunter2") {
			t.Errorf("%q: %s", args, got.err)
		}
	}
}

// Whoever's words they are: what is logged or told on stderr makes up no line of its own and steers no terminal.
func TestForeignTextSteersNeitherLogNorTerminal(t *testing.T) {
	t.Parallel()
	const evil = "evil\n{\"level\":\"ERROR\"}\r\nlevel=ERROR\x1b[2J\a\u009b31m\u202egpj\x7f"
	steers := func(text string) bool {
		return strings.ContainsFunc(text, func(r rune) bool {
			return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
		})
	}
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		var m mistakes
		log := logSettings{Format: format}.loggerAt(&m, &out, slog.LevelDebug)
		log.With("a", evil).WithGroup(evil).Error(evil, "b", evil, evil, "c", "error", errors.New(evil), "d", []string{evil})
		if n := strings.Count(out.String(), "\n"); n != 1 || steers(out.String()) || !strings.Contains(out.String(), "evil") {
			t.Errorf("%s: %d lines: %q", format, n, out.String())
		}
	}
	for _, args := range [][]string{{evil}, {"serve", "--" + evil}, {"ask", "--sandbox", evil}, {"ask", "--sandbox", "-o", "json", evil}, {"audit", "--since", evil}, {"--config", "/no/" + evil, "serve"}} {
		if got := invoke(t, noEnv, args...); got.code == exitDone || steers(got.err) || steers(got.out) {
			t.Errorf("%q: %d %q %q", args, got.code, got.out, got.err)
		}
	}
}
