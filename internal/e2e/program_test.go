package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
)

const programPackage = "github.com/missingkbs/missingkbs/cmd/missingkbs"

// The forms of the program. Each is built when the first test needs it, and once for all tests.
var (
	// ordinary is for most tests. It has a race detector if the tests have one.
	ordinary = newBuild(append([]string{"build"}, raceFlags()...))
	// released is without a race detector, which would count where memory and time are measured.
	released = newBuild([]string{"build", "-trimpath", "-ldflags=-s -w"}, "CGO_ENABLED=0")
	// leakChecked is the test binary of the program. With [leakCheck] set it runs as the program, and then looks for
	// goroutines that the program left behind.
	leakChecked = newBuild(append([]string{"test", "-c"}, raceFlags()...))
)

// leakCheck is the variable that makes leakChecked run as the program.
const leakCheck = "MISSINGKBS_TEST_LEAKS"

func program(tb testing.TB) string            { tb.Helper(); return ordinary.file(tb) }
func releasedProgram(tb testing.TB) string    { tb.Helper(); return released.file(tb) }
func leakCheckedProgram(tb testing.TB) string { tb.Helper(); return leakChecked.file(tb) }

// testBinary is the file of these tests, for the processes that [TestMain] knows.
func testBinary(tb testing.TB) string {
	tb.Helper()
	file, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

// build is a form of the program.
type build struct {
	once   func() (string, error)
	folder string
}

// newBuild returns a form that the go command makes with these arguments and variables.
func newBuild(args []string, env ...string) *build {
	b := &build{}
	b.once = sync.OnceValues(func() (string, error) {
		folder, err := os.MkdirTemp("", "missingkbs-e2e-")
		if err != nil {
			return "", err
		}
		b.folder = folder
		file := filepath.Join(folder, "missingkbs.exe") // Windows runs no file without that ending
		cmd := exec.Command("go", append(slices.Clone(args), "-o", file, programPackage)...)
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build the program: %w\n%s", err, out)
		}
		return file, nil
	})
	return b
}

func (b *build) file(tb testing.TB) string {
	tb.Helper()
	file, err := b.once()
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

// removePrograms deletes what was built.
func removePrograms() {
	for _, b := range []*build{ordinary, released, leakChecked} {
		if b.folder != "" {
			_ = os.RemoveAll(b.folder)
		}
	}
	if before.folder != "" {
		_ = os.RemoveAll(before.folder)
	}
}

// raceFlags are -race if the tests were built with it, and what the compiler was told beside it (see the Makefile).
func raceFlags() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok || !slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return nil
	}
	flags := []string{"-race"}
	for _, s := range info.Settings {
		if s.Key == "-gcflags" {
			flags = append(flags, "-gcflags="+s.Value)
		}
	}
	return flags
}
