package audit_test

import (
	"os"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/audit"
)

// Readers of exports look the actions up there.
func TestDocsNameEveryAction(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	row := "| `action` | `" + strings.Join(audit.Actions(), "`, `") + "` |"
	if !strings.Contains(string(page), row) {
		t.Errorf("docs/audit.md lacks %s", row)
	}
}
