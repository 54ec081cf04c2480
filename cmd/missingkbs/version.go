package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"strings"
)

// version is set by the linker; see the Makefile and the Dockerfile.
var version string

// archived holds the version and the commit of an archive made by git or its host. Git replaces the format, see .gitattributes.
const archived = "$Format:%(describe:tags=true)|%h$"

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, "missingkbs", buildVersion())
	return err
}

func buildVersion() string {
	info, _ := debug.ReadBuildInfo()
	return versionOf(version, archived, info)
}

// versionOf returns the version from the linker, from an archive or from the Go toolchain, in this order, or (devel).
func versionOf(linked, archived string, info *debug.BuildInfo) string {
	described, commit, _ := strings.Cut(archived, "|")
	switch {
	case linked != "":
		return linked
	case archived != "" && !strings.HasPrefix(archived, "$Format"):
		return cmp.Or(described, commit)
	case info != nil && info.Main.Version != "":
		return info.Main.Version
	}
	return "(devel)"
}
