package month_test

import (
	"regexp"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/month"
)

func TestMonths(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct{ month, without string }{
		"November 2026 Security Updates":                       {"2026-11", "Security Updates"},
		"march 2020 security updates":                          {"2020-03", "security updates"},
		"Updates of May, 2031":                                 {"2031-05", "Updates of"},
		"2026-11 Cumulative Update for Windows 11":             {"2026-11", "Cumulative Update for Windows 11"},
		"Cumulative Update for Windows 11 (2026-09) KB5074224": {"2026-09", "Cumulative Update for Windows 11 () KB5074224"},
		"November":           {"", "November"},
		"2026-13 Update":     {"", "2026-13 Update"},
		"12026-11 Update":    {"", "12026-11 Update"},
		"November 20266":     {"", "November 20266"},
		"Novembers 2026":     {"", "Novembers 2026"},
		"\u017f November 20": {"", "\u017f November 20"},
		"":                   {"", ""},
	} {
		at, ok := month.Of(name)
		got := ""
		if ok {
			got = at.Format("2006-01")
		}
		if got != want.month || month.Without(name) != want.without {
			t.Errorf("%q: %q and %q, want %q and %q", name, got, month.Without(name), want.month, want.without)
		}
	}
}

var (
	inDigits = regexp.MustCompile(`\b20\d\d-(0[1-9]|1[0-2])\b`)
	inWords  = regexp.MustCompile(`(?i)\b(January|February|March|April|May|June|July|August|September|October|November|December),? (20\d\d)\b`)
)

// The reader agrees with expressions that say the same, and is there because they take ten times as long.
func TestAgreesWithExpressions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`([a-z (]{0,2}(2026-1[0-9]|20[0-9]{2}-0[0-9]|(May|june|DECEMBER),? ?20[0-9]{2,3}|x)[ )_a]{0,2}){0,3}`).Draw(t, "name")
		var want time.Time
		if m := inDigits.FindString(name); m != "" {
			want, _ = time.Parse("2006-01", m)
		} else if m := inWords.FindStringSubmatch(name); m != nil {
			want, _ = time.Parse("January 2006", m[1]+" "+m[2])
		}
		if got, ok := month.Of(name); !got.Equal(want) || ok == want.IsZero() {
			t.Fatalf("%q: %v, want %v", name, got, want)
		}
	})
}
