package e2e

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// The exit codes that operators know.
const (
	exitDone     = 0
	exitFailed   = 1
	exitWrongUse = 2
	exitRefused  = 3
)

func TestMain(m *testing.M) {
	if os.Getenv(unlimitedProcess) != "" {
		if err := runUnlimited(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitFailed)
		}
		return
	}
	if err := waitTogether(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitFailed)
	}
	code := m.Run()
	removePrograms()
	os.Exit(code)
}

// waitTogether runs more tests at once than there are processors, unless -parallel says otherwise: most of them wait for
// processes most of the time.
func waitTogether() error {
	flag.Parse()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "test.parallel" })
	if set {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)))
}

// output is a run of the program.
type output struct {
	code     int
	out, err string
}

// invoke runs the program with these settings as its environment, and no others.
func invoke(t *testing.T, settings map[string]string, args ...string) output {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), args...)
	cmd.Env = environment(settings)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return output{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// environment is the environment of a process with these settings: the path is all that it takes from this one.
func environment(settings map[string]string) []string {
	list := []string{"PATH=" + os.Getenv("PATH")}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		list = append(list, name+"="+settings[name])
	}
	return list
}

// locked is a buffer that a process writes while a test reads.
type locked struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
