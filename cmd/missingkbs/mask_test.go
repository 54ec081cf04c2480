package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
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
