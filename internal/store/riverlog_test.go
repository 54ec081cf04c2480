package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// Of what River says, warnings and errors are kept; that a stop has cut off its start is neither.
func TestQuietLogOfRiver(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := (&Store{log: slog.New(slog.NewTextHandler(&out, nil))}).quietLog().With("service", "river")
	for name, err := range map[string]error{
		"bare": context.Canceled, "wrapped": fmt.Errorf("begin: %w", context.Canceled), "text": errors.New("context canceled"),
	} {
		log.Error("Error starting transaction", "form", name, "error", err)
		log.Error("Error starting transaction", "form", name, slog.String("error", err.Error()))
	}
	log.Info("chatter")
	log.Error("kept", "error", errors.New("disk full"))
	log.Warn("kept, too")
	got := out.String()
	if strings.Count(got, "\n") != 2 || !strings.Contains(got, "disk full") || !strings.Contains(got, "kept, too") || strings.Contains(got, "transaction") {
		t.Errorf("the log holds:\n%s", got)
	}
}
