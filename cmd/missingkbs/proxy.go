package main

import (
	"net/url"
	"strings"
)

// proxyVariables are those by which Go learns of proxies; each goes in small letters, too.
func proxyVariables() []string { return []string{"HTTPS_PROXY", "HTTP_PROXY"} }

// proxySetting is a variable about proxies, and its name as it is set.
func proxySetting(env func(string) (string, bool), name string) (as, value string) {
	as = name
	if value, _ = env(name); value == "" {
		if value, _ = env(strings.ToLower(name)); value != "" {
			as = strings.ToLower(name)
		}
	}
	return as, value
}

// unreadableProxies names the variables that hold no address, as Go reads them. It does without their proxy then, and says
// nothing.
func unreadableProxies(env func(string) (string, bool)) (names []string) {
	for _, name := range proxyVariables() {
		as, value := proxySetting(env, name)
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		if err != nil || u.Scheme == "" || u.Host == "" {
			_, err = url.Parse("http://" + value)
		}
		if err != nil {
			names = append(names, as)
		}
	}
	return names
}

// proxyCure is what a variable about proxies takes.
const proxyCure = "it takes an address such as http://user:password@proxy.example:3128, in which % of the password is written %25, @ %40, : %3A and / %2F"

// proxies notes which variables about proxies are not heeded.
func (m *mistakes) proxies(env func(string) (string, bool)) {
	for _, name := range unreadableProxies(env) {
		m.warn(name, "cannot be read, so that no proxy is used: "+proxyCure)
	}
}
