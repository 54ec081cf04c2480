package logging_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/logging"
)

// A secret that a caller logs by mistake is hidden.
func TestLogHidesSecrets(t *testing.T) {
	t.Parallel()
	const token = "xoxb-123456789012-1234567890123-hunter2hunter2"
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := logging.New(&out, format, slog.LevelDebug)
		log.With("a", token).Error("it was "+token, "b", token, "error", errors.New("POST: "+token))
		if strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), "xoxb-(hidden)") {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

// Text of any origin makes no log line of its own, and does not steer the terminal.
func TestForeignTextSteersNoLog(t *testing.T) {
	t.Parallel()
	const evil = "evil\n{\"level\":\"ERROR\"}\r\nlevel=ERROR\x1b[2J\a\u009b31m\u202egpj\x7f"
	steers := func(text string) bool {
		return strings.ContainsFunc(text, func(r rune) bool {
			return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
		})
	}
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := logging.New(&out, format, slog.LevelDebug)
		log.With("a", evil).WithGroup(evil).Error(evil, "b", evil, evil, "c", "error", errors.New(evil), "d", []string{evil})
		if n := strings.Count(out.String(), "\n"); n != 1 || steers(out.String()) || !strings.Contains(out.String(), "evil") {
			t.Errorf("%s: %d lines: %q", format, n, out.String())
		}
	}
}

// Each record of a question has its ID, also after With and WithGroup.
func TestRecordsNameTheirQuestion(t *testing.T) {
	t.Parallel()
	ctx := commands.WithID(context.Background(), "54baf910")
	for _, format := range []string{logging.Text, logging.JSON} {
		var out bytes.Buffer
		log := logging.New(&out, format, slog.LevelInfo)
		log.InfoContext(ctx, "one")
		log.With("key", 1).WithGroup("group").InfoContext(ctx, "two")
		log.DebugContext(ctx, "below the level")
		log.Info("outside of a question")
		if got := out.String(); strings.Count(got, "54baf910") != 2 || strings.Count(got, "\n") != 3 {
			t.Errorf("%s: %s", format, got)
		}
	}
}

// Operators read durations in words, whatever the format, and no attribute without a value.
func TestDurationsAreReadable(t *testing.T) {
	t.Parallel()
	for _, format := range []string{logging.Text, logging.JSON} {
		var out bytes.Buffer
		var none error
		logging.New(&out, format, slog.LevelInfo).Info("x",
			"lifetime", time.Hour, "lived", 5720000123*time.Nanosecond, "took", 1500*time.Microsecond, "cause", none, slog.Group("g", "after", 90*time.Second))
		for _, want := range []string{"1h0m0s", "5.72s", "1.5ms", "1m30s"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: does not say %s: %s", format, want, out.String())
			}
		}
		if strings.Contains(out.String(), "cause") {
			t.Errorf("%s: an attribute without a value: %s", format, out.String())
		}
	}
}
