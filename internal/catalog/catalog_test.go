package catalog_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/catalog"
)

func TestURL(t *testing.T) {
	t.Parallel()
	const made = "https://www.catalog.update.microsoft.com/Search.aspx?q=KB4540673"
	for address, want := range map[string]string{
		"https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673":                                               "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673",
		"\thttps://www.catalog.update.microsoft.com/Search.aspx?q=1\n":                                                       "https://www.catalog.update.microsoft.com/Search.aspx?q=1",
		"https://catalog.update.microsoft.com/v7/site/ScopedViewRedirect.aspx?updateid=7a1b2c3d-1234-5678-9abc-def012345678": "https://catalog.update.microsoft.com/v7/site/ScopedViewRedirect.aspx?updateid=7a1b2c3d-1234-5678-9abc-def012345678",
		"https://www.catalog.update.microsoft.com/Search.aspx?q=kb4540673%20x64":                                             "https://www.catalog.update.microsoft.com/Search.aspx?q=kb4540673%20x64",
		"https://www.catalog.update.microsoft.com/Search.aspx?q=KB5012170":                                                   made,
		"https://www.catalog.update.microsoft.com/Search.aspx?q=5012170":                                                     made,
		"https://www.catalog.update.microsoft.com/Search.aspx?q=KB%205012170":                                                made,
		"https://www.catalog.update.microsoft.com/Search.aspx?q=%4BB5012170":                                                 made,
		"https://www.catalog.update.microsoft.com/Search.aspx?p=1&q=kb5012170&q=x":                                           made,
		"https://www.catalog.update.microsoft.com/Search.aspx?q=KB4540673+KB5012170":                                         made,
		"https://www.catalog.update.microsoft.com/KB5012170":                                                                 made,
		"https://www.catalog.update.microsoft.com/Search.aspx#KB5012170":                                                     made,
		"https://www.catalog.update.microsoft.com/Search.aspx?q=KB45406731":                                                  made,
		"":                                     made,
		"http://catalog.update.microsoft.com/": made,
		"https://catalog.update.microsoft.com.evil.example/":                      made,
		"https://catalog.update.microsoft.com@evil.example/":                      made,
		"https://user@catalog.update.microsoft.com/":                              made,
		"https://catalog.update.microsoft.com:8443/":                              made,
		"javascript:alert(1)":                                                     made,
		"https://catalog.update.microsoft.com/" + strings.Repeat("x", 2000):       made,
		"https://catalog.update.microsoft.com/%zz":                                made,
		"//catalog.update.microsoft.com/":                                         made,
		"https://support.microsoft.com/help/4540673":                              made,
		"https://evil.example/?https://www.catalog.update.microsoft.com/q=454067": made,
	} {
		if got := catalog.URL("4540673", address); got != want {
			t.Errorf("%q: got %q, want %q", address, got, want)
		}
	}
	for _, id := range []string{"", "12345", "123456789", "ADV200002", "45406７3", "4540673&x"} {
		if got := catalog.URL(id, "https://evil.example/"); got != "" {
			t.Errorf("id %q: got %q, want none", id, got)
		}
	}
}

func TestLabel(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"4540673": "KB4540673", "123456": "KB123456", "RHSA-2024:9315": "RHSA-2024:9315", "": "", "12345": "12345"} {
		if got := catalog.Label(id); got != want {
			t.Errorf("%q: got %q, want %q", id, got, want)
		}
	}
}

// Whatever comes, people are sent to the catalog or nowhere.
func FuzzURL(f *testing.F) {
	f.Add("4540673", "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673")
	f.Add("x", "https://evil.example\\@catalog.update.microsoft.com/")
	f.Fuzz(func(t *testing.T, id, address string) {
		got := catalog.URL(id, address)
		if got == "" {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "https" || u.Host != "catalog.update.microsoft.com" && u.Host != "www.catalog.update.microsoft.com" {
			t.Errorf("URL(%q, %q) = %q", id, address, got)
		}
	})
}
