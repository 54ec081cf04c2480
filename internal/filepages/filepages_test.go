package filepages_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/missingkbs/missingkbs/internal/filepages"
)

// The program goes on as before, with no more of its file in memory than before.
func TestDrop(t *testing.T) {
	before := resident(t)
	if err := filepages.Drop(); err != nil {
		t.Fatal(err)
	}
	after := resident(t)
	t.Logf("%d KiB of the file in memory before, %d after", before, after)
	if after > before {
		t.Errorf("more of the file is in memory: %d KiB, before %d", after, before)
	}
}

// resident is how many KiB of files the process has in memory.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("memory is read from /proc")
	}
	kb, err := strconv.Atoi(regexp.MustCompile(`RssFile:\s*(\d+)`).FindStringSubmatch(string(status))[1])
	if err != nil {
		t.Fatal(err)
	}
	return kb
}
