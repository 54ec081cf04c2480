package config

import (
	"net/url"
	"strings"
)

// ProxyVariables returns the variables from which Go reads proxies. Each may be in lower case, too.
func ProxyVariables() []string { return []string{"HTTPS_PROXY", "HTTP_PROXY"} }

// ProxySetting returns a proxy variable, and its name in the case in which it is set.
func ProxySetting(env Environment, name string) (as, value string) {
	as = name
	if value, _ = env(name); value == "" {
		if value, _ = env(strings.ToLower(name)); value != "" {
			as = strings.ToLower(name)
		}
	}
	return as, value
}

// UnreadableProxies returns the names of variables without a valid address. Go ignores them silently, and connects
// without a proxy.
func UnreadableProxies(env Environment) (names []string) {
	for _, name := range ProxyVariables() {
		as, value := ProxySetting(env, name)
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

// ProxyCure says what a proxy variable has to contain.
const ProxyCure = "it takes an address such as http://user:password@proxy.example:3128, in which % of the password is written %25, @ %40, : %3A and / %2F"

// warnUnreadableProxies adds a warning for each proxy variable that Go ignores.
func warnUnreadableProxies(e *Errors, env Environment) {
	for _, name := range UnreadableProxies(env) {
		e.warn(name, "cannot be read, so no proxy is used: "+ProxyCure)
	}
}
