package e2e

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// screenshots makes [TestScreenshots] draw the pictures of the README anew:
//
//	go test ./cmd/missingkbs -run TestScreenshots -screenshots
var screenshots = flag.Bool("screenshots", false, "draw docs/images anew")

func TestScreenshots(t *testing.T) {
	if !*screenshots {
		t.Skip("this makes pictures and tests nothing: run it with -screenshots")
	}
	b := startBrowser(t)
	for _, c := range []struct {
		file string
		show func(p *tab)
		size size
		dark bool
		clip string // selector of what is shown; empty for the window
	}{
		{file: "reply-light.png", show: showReply, size: size{1440, 860}},
		{file: "reply-dark.png", show: showReply, size: size{1440, 860}, dark: true},
		{file: "failure.png", show: showFailure, size: size{1440, 580}},
		{file: "narrow.png", show: showNarrow, size: size{390, 844}},
		{file: "home.png", show: showHome, size: size{1440, 860}},
		{file: "wire.png", show: showWire, size: size{1440, 660}, clip: ".panel"},
	} {
		t.Run(c.file, func(t *testing.T) {
			p := b.open(t)
			p.dress(c.size, c.dark)
			c.show(p)
			p.draw(c.file, c.clip)
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
	p.see("the end of the panel", `(s) => { document.querySelector(s).scrollIntoView({ block: "end" }); return true; }`, hook("faults-off"))
}

func showNarrow(p *tab) {
	p.ask("microsoft-_-windows_11")
	p.answer("Missing updates: Windows 11")
}

func showWire(p *tab) {
	p.ask("microsoft-_-windows_11")
	p.answer("Missing updates: Windows 11")
	p.panel("wire")
	p.clickOn(hook("wire-entry")+"[data-kind=defender] button", "")
	p.see("the JSON", `() => document.querySelector(".entry-body")`)
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

// draw writes a picture of the window, or of what a selector finds in it.
func (p *tab) draw(file, clip string) {
	p.t.Helper()
	p.see("the caret to be gone", `() => { document.activeElement.blur(); return true; }`)
	var params page.CaptureScreenshotParams
	if clip != "" {
		params.Clip = read[*page.Viewport](p, clip, `(s) => {
			const box = document.querySelector(s).getBoundingClientRect();
			return { x: box.x, y: box.y, width: box.width, height: box.height, scale: 1 };
		}`, clip)
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	picture, err := chromedp.Call(ctx, page.CaptureScreenshot, params)
	if err != nil {
		p.t.Fatal(err)
	}
	folder := filepath.Join("..", "..", "docs", "images")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, file), picture.Data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
