package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLookupCloud(t *testing.T) {
	t.Parallel()
	const public = "https://api.securitycenter.microsoft.com/.default"
	for _, tc := range []struct {
		name, region string
		want         Cloud
	}{
		{"", "", Cloud{"public", "https://api.security.microsoft.com", public, "https://login.microsoftonline.com"}},
		{"public", "", Cloud{"public", "https://api.security.microsoft.com", public, "https://login.microsoftonline.com"}},
		{" Public ", "EU", Cloud{"public", "https://eu.api.security.microsoft.com", public, "https://login.microsoftonline.com"}},
		{"gcc", "", Cloud{"gcc", "https://api-gcc.securitycenter.microsoft.us", "https://api-gcc.securitycenter.microsoft.us/.default", "https://login.microsoftonline.com"}},
		{"gcc-high", "", Cloud{"gcc-high", "https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us/.default", "https://login.microsoftonline.us"}},
		{"dod", "", Cloud{"dod", "https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us/.default", "https://login.microsoftonline.us"}},
	} {
		got, err := LookupCloud(tc.name, tc.region)
		if err != nil {
			t.Errorf("LookupCloud(%q, %q): %v", tc.name, tc.region, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("LookupCloud(%q, %q) (-want +got):\n%s", tc.name, tc.region, diff)
		}
	}
	for _, region := range []string{"us", "eu", "uk", "au", "swa", "ina", "aea"} {
		got, err := LookupCloud("public", region)
		if want := "https://" + region + ".api.security.microsoft.com"; err != nil || got.Endpoint != want || got.Scope != public {
			t.Errorf("region %s: %+v, %v", region, got, err)
		}
	}
}

func TestLookupCloudRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, region, says string }{
		{"azure", "", "public, gcc, gcc-high, dod"},
		{"public", "mars", "us, eu, uk, au, swa, ina, aea"},
		{"gcc", "eu", "no regions"},
	} {
		got, err := LookupCloud(tc.name, tc.region)
		if err == nil || !strings.Contains(err.Error(), tc.says) || got != (Cloud{}) {
			t.Errorf("LookupCloud(%q, %q) = %v, %v; want an error that says %q", tc.name, tc.region, got, err, tc.says)
		}
	}
}

// A cloud that is half given takes the rest from the public one.
func TestCloudDefaults(t *testing.T) {
	t.Parallel()
	got := Cloud{Endpoint: "https://x.example", Authority: "https://login.example"}.orPublic()
	want := Cloud{Endpoint: "https://x.example", Scope: PublicCloud().Scope, Authority: "https://login.example"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("orPublic (-want +got):\n%s", diff)
	}
	if got := (Cloud{}).orPublic(); got != PublicCloud() {
		t.Errorf("orPublic of nothing = %v", got)
	}
}

func TestOtherScopes(t *testing.T) {
	t.Parallel()
	const com, us = "https://securitycenter.onmicrosoft.com/windowsatpservice/.default", "https://securitycenter.onmicrosoft.us/windowsatpservice/.default"
	for name, older := range map[string]string{"public": com, "gcc": com, "gcc-high": us, "dod": us} {
		c, err := LookupCloud(name, "")
		if err != nil {
			t.Fatal(err)
		}
		own := c.Scope
		if diff := cmp.Diff([]string{older}, c.OtherScopes()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if c.Scope = older; !cmp.Equal([]string{own}, c.OtherScopes()) {
			t.Errorf("%s by its older scope: %q", name, c.OtherScopes())
		}
		if c.Scope = "https://elsewhere.example/.default"; !cmp.Equal([]string{own, older}, c.OtherScopes()) {
			t.Errorf("%s by a wrong scope: %q", name, c.OtherScopes())
		}
		for _, scope := range c.OtherScopes() {
			if !FitsDefender(strings.TrimSuffix(scope, "/.default")) {
				t.Errorf("%s: Defender takes no token for %s", name, scope)
			}
		}
	}
}
