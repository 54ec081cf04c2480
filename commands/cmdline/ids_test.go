package cmdline

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestIDs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":          nil,
		"edge":      nil,
		"KB5074202": {"KB5074202"},
		"kb 5074202, KB-5074202, kb#5074202, KB: 5074202, kb5074202": {"KB5074202"},
		"KB5074202/KB5074203": {"KB5074202", "KB5074203"},
		"KB5074202KB5074203":  nil,
		"XKB5074202":          nil,
		"KB507420211":         nil,
		"KB50742":             nil,
		"5074202":             nil,
		"<https://catalog.update.microsoft.com/Search.aspx?q=KB5074202|the catalog>":                   {"KB5074202"},
		"https://www.catalog.update.microsoft.com/Search.aspx?q=5074202&amp;p=1":                       {"KB5074202"},
		"https://catalog.update.microsoft.com/Search.aspx?x=1&amp;q=%22KB5074202%22":                   {"KB5074202"},
		"https://support.microsoft.com/en-us/topic/january-13-2026-kb5074109-os-build-26200-7623-2f1b": {"KB5074109"},
		"https://support.microsoft.com/help/5074202":                                                   {"KB5074202"},
		"https://support.microsoft.com/en-us/help/5074202":                                             {"KB5074202"},
		"https://support.microsoft.com/?kbid=5074202&x=1":                                              {"KB5074202"},
		"https://support.microsoft.com/kb/5074202":                                                     {"KB5074202"},
		"windows11.0-kb5074202-x64_0123abcd.msu":                                                       {"KB5074202"},
		"KB4474419-v3, KB4493730v2":                                                                    {"KB4474419", "KB4493730"},
		"KB5074202vintage":                                                                             nil,
		"https://msrc.microsoft.com/update-guide/vulnerability/CVE-2026-60052":                         {"CVE-2026-60052"},
		"https://example.com/?q=5074202":                                                               nil,
		"CVE-2025-12345":                                                                               {"CVE-2025-12345"},
		"cve 2025 12345":                                                                               {"CVE-2025-12345"},
		"CVE‑2025–12345":                                                                               {"CVE-2025-12345"},
		"CVE_2025_12345.":                                                                              {"CVE-2025-12345"},
		"TVM-2025-0001":                                                                                {"TVM-2025-0001"},
		"CVE-2025":                                                                                     nil,
		"ＫＢ５０７４２０２":                                                                                    {"KB5074202"},
		"K\u200bB5074202":                                                                              {"KB5074202"},
		"CVE-2025-1234, KB5074202 and cve-2025-1234 again":                                             {"CVE-2025-1234", "KB5074202"},
	} {
		if diff := cmp.Diff(want, IDs(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// Behind the name of a command a number says by itself what it is.
func TestIDsOf(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"KB 5074202":                  {"KB5074202"},
		"KB 5074202 5074203":          {"KB5074202", "KB5074203"},
		"KB KB5074202 5074203":        {"KB5074202", "KB5074203"},
		"KB #5074202":                 {"KB5074202"},
		"KB 123":                      nil,
		"KB RHSA-2024:9315":           nil,
		"KB CVE-2026-60052":           {"CVE-2026-60052"},
		"CVE 2026-60052":              {"CVE-2026-60052"},
		"CVE 2026 60052":              {"CVE-2026-60052"},
		"CVE CVE-2026-1111 2026-2222": {"CVE-2026-1111", "CVE-2026-2222"},
		"CVE 60052":                   nil,
		"CVE 5074202":                 nil,
	} {
		kind, words, _ := strings.Cut(line, " ")
		if diff := cmp.Diff(want, IDsOf(kind, strings.Fields(words))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
}

// The loop that reads Slack's events looks ids up before it is known who asks: no text takes it long.
func TestIDsAreQuick(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"catalog.update.microsoft.com/KB5074202,", "catalog.update.microsoft.com/?", "support.microsoft.com/help/", "KB5074202 ", "kb:", "CVE-2025-", "%4B", "&lt;"} {
		text := strings.Repeat(unit, maxText/len(unit))
		least := time.Hour
		for range 3 { // other programs may run beside
			began := time.Now()
			IDs(text)
			least = min(least, time.Since(began))
		}
		if least > 10*time.Second { // far from what it takes; what grows with the square of the text takes longer
			t.Errorf("a text of %q takes %v", unit, least)
		}
	}
}
