package e2e

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/repotest"
)

// screenshots makes [TestScreenshots] draw the pictures of the documents anew, and write down what they show:
//
//	go test ./internal/e2e -run Screenshot -screenshots
var screenshots = flag.Bool("screenshots", false, "draw docs/images anew")

// picture is one of the documents.
type picture struct {
	file  string
	show  func(p *tab)
	size  size
	words string // the last element that this CSS selector finds has them
}

// The pictures of the documents show what the page shows today: beside each lie the words in it.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	for _, c := range []picture{
		{file: "reply-light.png", show: showReply, size: size{1440, 860}, words: "body"},
		{file: "failure.png", show: showFailure, size: size{1440, 580}, words: "body"},
		{file: "home.png", show: showHome, size: size{1440, 860}, words: "body"},
		{file: "digest.png", show: showDigest, size: size{1440, 1230}, words: "[data-ts]"},
	} {
		t.Run(c.file, func(t *testing.T) {
			p := b.open(t)
			p.dress(c.size, false)
			c.show(p)
			p.draw(c.file, c.words)
		})
	}
}

// size is a window's, in CSS pixels.
type size struct{ width, height int64 }

func showReply(p *tab) {
	p.closePanel()
	p.ask("microsoft-_-windows_11")
	p.answer("Missing updates: Windows 11")
}

func showHome(p *tab) {
	p.closePanel()
	p.click("channel-home", "")
	p.homeSays("microsoft-_-windows_1")
}

func showFailure(p *tab) {
	p.fault("defender_forbidden", true)
	p.ask("microsoft-_-windows_11")
	p.answer("This bot lacks a permission in Defender")
	p.see("the fault in the panel", `(s) => { document.querySelector(s).scrollIntoView({ block: "center" }); return true; }`, hook("fault-defender_forbidden"))
}

func (p *tab) closePanel() {
	p.t.Helper()
	if read[string](p, "the panel's button", `(s) => document.querySelector(s).ariaExpanded`, hook("toggle-panel")) == "true" {
		p.click("close-panel", "")
	}
	p.see("the panel to close", `(s) => !document.querySelector(s)`, hook("close-panel"))
}

// dress gives the window a size and a theme.
func (p *tab) dress(window size, dark bool) {
	p.t.Helper()
	theme := "light"
	if dark {
		theme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	p.do("set size and theme", chromedp.EmulateViewport(window.width, window.height), func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
		return chromedp.Void{}, err
	})
	p.see("the theme", `(theme) => document.documentElement.dataset.theme === theme`, theme)
}

// draw compares the words of an element with those of a picture. With -screenshots it writes both.
func (p *tab) draw(file, element string) {
	p.t.Helper()
	p.see("the caret to be gone", `() => { document.activeElement.blur(); return true; }`)
	p.compareWords(strings.TrimSuffix(file, ".png")+".txt", element)
	if !*screenshots {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	picture, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(imageFile(p.t, file), picture.Data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func imageFile(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(repotest.Root(t), "docs", "images", name)
}

// changing are words that differ from one run to the next: connections so far, names of digests, references, ports, times that something took, times of the day.
var changing = regexp.MustCompile(`\b\d+ socket connections?\b|\bDigest \w+:|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{8}\b|127\.0\.0\.1:\d+|\d+(\.\d+)? ?(ms|s)\b|\b\d\d?:\d\d(:\d\d)?( [AP]M)?( UTC)?\b`)

// compareWords compares the words of an element with what was written down when its picture was drawn, a line for each
// text. Those that lie outside the window count too, since its edge depends on the fonts of the machine.
func (p *tab) compareWords(file, element string) {
	p.t.Helper()
	shown := read[string](p, "the words", `(selector) => {
		const texts = document.createTreeWalker([...document.querySelectorAll(selector)].at(-1), NodeFilter.SHOW_TEXT);
		const lines = [];
		for (let n = texts.nextNode(); n; n = texts.nextNode()) {
			if (n.textContent.trim() && n.parentElement.checkVisibility()) lines.push(n.textContent.trim());
		}
		return lines.join("\n");
	}`, element)
	shown = changing.ReplaceAllString(shown, "…") + "\n"
	if *screenshots {
		if err := os.WriteFile(imageFile(p.t, file), []byte(shown), 0o644); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	if diff := gocmp.Diff(repotest.Read(p.t, "docs/images/"+file), shown); diff != "" {
		p.t.Errorf("the page no longer shows what the picture does; draw it anew with: go test ./internal/e2e -run Screenshot -screenshots\n(-picture +page):\n%s", diff)
	}
}
