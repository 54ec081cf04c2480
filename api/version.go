package api

import (
	"regexp"
	"runtime/debug"
)

const modulePath = "github.com/missingkbs/missingkbs"

// moduleVersion is our version as azcore accepts it for the User-Agent: strict,
// where the build information says "(devel)" or "v1.2.3+dirty".
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return strictVersion("")
	}
	if info.Main.Path == modulePath {
		return strictVersion(info.Main.Version)
	}
	for _, dep := range info.Deps {
		if dep.Path == modulePath {
			return strictVersion(dep.Version)
		}
	}
	return strictVersion("")
}

var semver = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z_.-]+)?`)

func strictVersion(v string) string {
	if s := semver.FindString(v); s != "" {
		return s
	}
	return "v0.0.0"
}
