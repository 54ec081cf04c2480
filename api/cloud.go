package api

import (
	"fmt"
	"slices"
	"strings"
)

// Cloud describes where Defender and its sign-in are. The scope is a separate setting because it does not follow from
// the endpoint: the public cloud answers on one host and wants tokens for another.
type Cloud struct {
	Name      string // "public", "gcc", "gcc-high" or "dod"
	Endpoint  string // base URL of the API, https only
	Scope     string // what a token is asked for
	Authority string // base URL of the login host
}

const (
	loginPublic = "https://login.microsoftonline.com"
	loginGov    = "https://login.microsoftonline.us"
	scopePublic = "https://api.securitycenter.microsoft.com/.default"
)

// The scopes of Defender by its older name. They are those of the same resource,
// and tools use them with success:
// https://learn.microsoft.com/defender-endpoint/api/exposed-apis-create-app-webapp
const (
	olderScope    = "https://securitycenter.onmicrosoft.com/windowsatpservice/.default"
	olderScopeGov = "https://securitycenter.onmicrosoft.us/windowsatpservice/.default"
)

// clouds is the whole table of what Microsoft runs, the default first.
//
// Hosts: https://learn.microsoft.com/defender-endpoint/api/exposed-apis-list and
// https://learn.microsoft.com/defender-endpoint/gov. The scope of the government
// clouds is not documented; it is the one that msticpy uses with success.
func clouds() []Cloud {
	return []Cloud{
		{"public", "https://api.security.microsoft.com", scopePublic, loginPublic},
		{"gcc", "https://api-gcc.securitycenter.microsoft.us", "https://api-gcc.securitycenter.microsoft.us/.default", loginPublic},
		{"gcc-high", "https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us/.default", loginGov},
		{"dod", "https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us/.default", loginGov},
	}
}

// regions returns the regional hosts of the public cloud.
func regions() []string {
	return []string{"us", "eu", "uk", "au", "swa", "ina", "aea"}
}

// PublicCloud returns Defender's commercial cloud, the default of [Options].
func PublicCloud() Cloud { return clouds()[0] }

// LookupCloud finds a cloud by its name and, for the public cloud only, picks
// the host of a region. Both may be empty and are read without regard to case.
// The error of an unknown name lists the known ones.
func LookupCloud(name, region string) (Cloud, error) {
	name, region = strings.ToLower(strings.TrimSpace(name)), strings.ToLower(strings.TrimSpace(region))
	if name == "" {
		name = PublicCloud().Name
	}
	all := clouds()
	at := slices.IndexFunc(all, func(c Cloud) bool { return c.Name == name })
	if at < 0 {
		return Cloud{}, fmt.Errorf("unknown cloud %q, want one of %s", name, strings.Join(cloudNames(), ", "))
	}
	return all[at].near(region)
}

// near returns the cloud with its endpoint in a region; "" leaves it as it is.
func (c Cloud) near(region string) (Cloud, error) {
	switch {
	case region == "":
		return c, nil
	case c.Name != PublicCloud().Name:
		return Cloud{}, fmt.Errorf("cloud %q has no regions, but region %q is set", c.Name, region)
	case !slices.Contains(regions(), region):
		return Cloud{}, fmt.Errorf("unknown region %q, want one of %s", region, strings.Join(regions(), ", "))
	}
	host := strings.TrimPrefix(c.Endpoint, "https://")
	c.Endpoint = "https://" + region + "." + host
	return c, nil
}

// OtherScopes returns further spellings of Defender's scope in the cloud. Which one a tenant accepts is not documented
// for the government clouds: if Entra does not know the resource (AADSTS500011), another one may work.
func (c Cloud) OtherScopes() []string {
	older, own := olderScope, PublicCloud().Scope
	for _, known := range clouds() {
		if known.Name != c.Name {
			continue
		}
		if own = known.Scope; known.Authority == loginGov {
			older = olderScopeGov
		}
	}
	return slices.DeleteFunc([]string{own, older}, func(s string) bool { return s == c.Scope })
}

// orPublic fills what is empty from the public cloud.
func (c Cloud) orPublic() Cloud {
	d := PublicCloud()
	if c.Endpoint != "" {
		d.Endpoint, d.Name = c.Endpoint, c.Name
	}
	if c.Scope != "" {
		d.Scope = c.Scope
	}
	if c.Authority != "" {
		d.Authority = c.Authority
	}
	return d
}

func cloudNames() []string {
	var names []string
	for _, c := range clouds() {
		names = append(names, c.Name)
	}
	return names
}
