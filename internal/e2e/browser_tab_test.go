package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long one thing may take to happen on a busy machine.
const patience = time.Minute

// tab is the page of one sandbox as one person sees it.
type tab struct {
	t       *testing.T
	ctx     context.Context
	browser *browser
	last    string // timestamp of the newest message when something was asked
}

// newTab opens an address in a browser profile of its own. When the test ends it fails for every request that left
// this machine, and for everything the browser complained about: faults of scripts, refused resources, violations of
// the content policy.
func (b *browser) newTab(t *testing.T, address string) *tab {
	t.Helper()
	w := &watch{}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(w.see))
	p := &tab{t: t, ctx: ctx, browser: b}
	t.Cleanup(func() {
		if t.Failed() {
			p.keepPicture()
		}
		for _, fault := range w.faults() {
			t.Error(fault)
		}
		cancel()
	})
	begin(ctx, t)
	p.do("open the page", chromedp.Navigate(address))
	return p
}

// watch collects what must not happen in a tab.
type watch struct {
	mu  sync.Mutex
	bad []string
}

func (w *watch) see(event any) {
	bad := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !local(e.Request.URL) {
			bad = "a request left this machine: " + e.Request.URL
		}
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			bad = policyFault(e.Response)
		}
	case *network.EventWebSocketCreated:
		if !local(e.URL) {
			bad = "a socket left this machine: " + e.URL
		}
	case *runtime.EventExceptionThrown:
		bad = "a script failed: " + exceptionText(e.ExceptionDetails)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			bad = "the console says: " + consoleText(e.Args)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			bad = fmt.Sprintf("the browser says: %s %s", e.Entry.Text, e.Entry.URL)
		}
	}
	if bad != "" {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.bad = append(w.bad, bad)
	}
}

func (w *watch) faults() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bad
}

// policyFault tells what a page could do that it must not. That the page keeps to its policy shows in the console.
func policyFault(r *network.Response) string {
	policy, _ := r.Headers["Content-Security-Policy"].(string)
	for _, want := range []string{"default-src 'none'; ", "script-src 'self'; ", "connect-src 'self'; "} {
		if !strings.Contains(policy, want) {
			return fmt.Sprintf("%s comes with the policy %q, want %q in it", r.URL, policy, want)
		}
	}
	return ""
}

func local(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Hostname() == "127.0.0.1" || u.Scheme == "data" || u.Scheme == "about")
}

func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Exception.Description
	}
	return d.Text
}

func consoleText(args []*runtime.RemoteObject) string {
	var b strings.Builder
	for _, a := range args {
		fmt.Fprintf(&b, "%s%s ", a.Value, a.Description)
	}
	return b.String()
}

// do runs steps in the tab. what says, for a failure, what was tried.
func (p *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%s: %v\nThe page says:\n%s", what, err, p.words())
	}
}

// lookFor calls a function of JavaScript once for each frame that the browser draws, until it returns something true,
// and gives that. (chromedp's own Poll makes a function from text, which the page's content policy forbids.)
const lookFor = `(async (look, ...args) => {
	for (;;) {
		const found = look(...args);
		if (found) return found;
		await new Promise(requestAnimationFrame);
	}
})(%s)`

// read waits until the page has what a function of JavaScript looks for, and returns it.
func read[T any](p *tab, what, look string, args ...any) T {
	p.t.Helper()
	all := []string{look}
	for _, a := range args {
		raw, err := json.Marshal(a)
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, string(raw))
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	expression := fmt.Sprintf(lookFor, strings.Join(all, ", "))
	found, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("wait for %s: %v\nThe page says:\n%s", what, err, p.words())
	}
	return found
}

// see waits until a function of JavaScript returns something true.
func (p *tab) see(what, look string, args ...any) {
	p.t.Helper()
	read[bool](p, what, "(...args) => Boolean(("+look+")(...args))", args...)
}

// words is all that the page shows, for failures.
func (p *tab) words() string {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// keepPicture leaves a picture of the page among the artifacts of a failed test (go test -artifacts).
func (p *tab) keepPicture() {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(p.t.ArtifactDir(), "page.png"), picture, 0o600)
	}
	if err != nil {
		p.t.Logf("no picture of the page: %v", err)
	}
}
