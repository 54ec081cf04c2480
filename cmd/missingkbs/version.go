package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"strings"
)

// version is set by the linker; see the Makefile and the Dockerfile.
var version string

// archived is the version of an archive that git or its host made, and its commit: git puts both in place of the format,
// see .gitattributes.
const archived = "$Format:%(describe:tags=true)|%h$"

type versionCmd struct{}

// Run prints the version and what it was built from.
func (versionCmd) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, "missingkbs", buildVersion())
	return err
}

func buildVersion() string {
	info, _ := debug.ReadBuildInfo()
	return versionOf(version, archived, info)
}

// versionOf takes the first of what the linker, an archive and the Go toolchain say. Where none of them knows, it says so.
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
