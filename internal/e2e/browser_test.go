package e2e

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowser goes through the sandbox as a person does: the whole program as a process, its page in a Chromium
// without a window, real keys and clicks. Every test has a process and a browser profile of its own. Whatever a test
// is about, no request may leave this machine, the page comes under a strict content policy, and the browser has nothing
// to complain about; see [browser.newTab].
func TestBrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	for _, c := range []struct {
		name string
		test func(*tab)
	}{
		{"slow failures", slowFailures},
		{"digest fails", digestFails},
		{"ask with the keyboard alone", askWithTheKeyboard},
		{"sort by click and key", sortTable},
		{"page and filter", pageTable},
		{"page in the classic rendering", pageClassic},
		{"search and choose", searchAndChoose},
		{"share", share},
		{"share is refused", shareRefused},
		{"another organisation", otherOrganisation},
		{"time machine", moveTheClock},
		{"connection breaks while asking", connectionBreaks},
		{"quick failures", quickFailures},
		{"silent app", silentApp},
		{"delivered twice", deliveredTwice},
		{"home tab", homeTab},
		{"shortcut", useShortcut},
		{"plain words and the menu of a message by clicks", plainWordsByClicks},
		{"plain words and the menu of a message by keys", plainWordsByKeys},
		{"software, update, CVE, device and back by clicks", drillByClicks},
		{"software, update, CVE, device and back by keys", drillByKeys},
		{"devices of an update for a colleague", drillForOthers},
		{"wire", wire},
		{"narrow", narrow},
		{"exploited, accepted, digest", acceptRisk},
		{"columns in sight", columnsInSight},
		{"plain text", plainText},
		{"new messages", newMessages},
		{"times of the zone", workspaceTimes},
		{"digest with changes", digestChanges},
		{"five weeks of digests", fiveWeeks},
		{"digest is silent", digestSilent},
		{"digest by buttons", digestByButtons},
		{"digest is late, and seen by others", digestPeople},
		{"browse form by clicks", browseByClicks},
		{"browse form by keys", browseByKeys},
		{"digest form by clicks", digestFormByClicks},
		{"digest form by keys", digestFormByKeys},
		{"watch by keys", watchByKeys},
		{"copy as text", copyAsText},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(b.open(t))
		})
	}
}

// browser is a running Chromium.
type browser struct{ ctx context.Context }

// startBrowser starts the one browser of a test. It is told to resolve no name, so that even a page that wanted to
// could reach nothing but this machine.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)),
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("lang", "en-US"),
		chromedp.Env("LANGUAGE=en_US", "TZ=America/Los_Angeles"),
		chromedp.WindowSize(1440, 900),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	begin(ctx, t)
	return &browser{ctx}
}

// begin starts what a new chromedp context stands for, a browser or a tab. That lives as long as the context of its
// first use, which therefore has no deadline of its own.
func begin(ctx context.Context, t *testing.T) {
	t.Helper()
	started := make(chan error, 1)
	go func() { started <- chromedp.Do(ctx) }()
	select {
	case err := <-started:
		if err != nil {
			t.Fatalf("start Chromium: %v", err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("Chromium did not start")
	}
}

// chromium finds the browser. Without one the tests are skipped, but not where everything has to run.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no Chromium on the PATH: install Debian's package chromium")
	}
	t.Skip("no Chromium on the PATH: install it (Debian's package is chromium) to run the browser tests")
	return ""
}

// open starts a sandbox and shows its page to Alice in #general.
func (b *browser) open(t *testing.T) *tab {
	t.Helper()
	p := b.newTab(t, startSandbox(t))
	p.see("the channel", `() => document.querySelector("[data-testid=composer]") !== null`)
	return p
}

// startSandbox runs the sandbox command as a process until the test ends, and returns the address that it prints.
func startSandbox(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := &locked{}
	cmd := exec.CommandContext(ctx, program(t), "sandbox", "--addr", "127.0.0.1:0")
	cmd.Env = environment(nil)
	cmd.Stderr = log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	address := make(chan string, 1)
	reading.Go(func() { readGreeting(out, address) })
	t.Cleanup(func() {
		cancel()
		reading.Wait()
		if err := cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the sandbox ended badly: %v", err)
		}
		if t.Failed() {
			t.Logf("the sandbox's log:\n%s", log)
		}
	})
	select {
	case url := <-address:
		if url != "" {
			return url
		}
		t.Fatal("the sandbox ended before it printed an address")
	case <-time.After(2 * time.Minute):
		t.Fatal("the sandbox printed no address")
	}
	return ""
}

// readGreeting reads what the sandbox prints to its end and hands out the address in it, or nothing.
func readGreeting(r io.Reader, address chan<- string) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "The sandbox is at "); ok {
			address <- url
		}
	}
	close(address)
}
