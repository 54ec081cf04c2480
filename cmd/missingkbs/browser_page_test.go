package main

import (
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// wire opens what went over the wires for one question.
func wire(p *tab) {
	p.ask("microsoft-_-edge")
	p.answer("Missing updates: microsoft-_-edge")
	p.click("tab-wire", "")
	p.see("the way of the question", `() => {
		const kinds = [...document.querySelectorAll("[data-testid=wire-entry]")].map((e) => e.dataset.kind);
		return ["ui", "socket-out", "socket-in", "defender", "response-url"].every((k) => kinds.includes(k));
	}`)
	p.click("wire-search", "")
	p.press("getmissingkbs")
	p.see("one entry", `() => document.querySelectorAll("[data-testid=wire-entry]").length === 1`)
	p.clickOn(hook("wire-entry")+" button", "")
	p.see("its JSON", `() => document.querySelector(".entry-body")?.innerText.includes("KB4540673") || document.querySelector(".entry-body")?.innerText.includes("status")`)
	for _, secret := range []string{"xoxb-", "xapp-"} {
		p.see("no secret on the page", `(secret) => !document.body.innerText.includes(secret)`, secret)
	}
}

// narrow does it on the screen of a phone, where the columns hide behind buttons.
func narrow(p *tab) {
	p.do("make the window narrow", chromedp.EmulateViewport(390, 844))
	p.click("toggle-sidebar", "")
	p.click("channel-C0PATCHES", "")
	p.see("the channel", `() => document.querySelector("h1").innerText === "#patching"`)
	p.ask("microsoft-_-edge")
	p.answer("Missing updates: microsoft-_-edge")
	p.click("button", "Share to channel")
	p.see("the shared answer", `() => document.querySelector("[data-testid=message][data-kind=app][data-ephemeral=false]")`)
	p.click("toggle-panel", "")
	p.see("the panel", `(s) => document.querySelector(s)`, hook("close-panel"))
	p.press(kb.Escape)
	p.see("the panel to close", `(s) => !document.querySelector(s)`, hook("close-panel"))
	if wide := read[int](p, "the page's width", `() => document.documentElement.scrollWidth`); wide > 390 {
		p.t.Errorf("the page is %d wide on a screen of 390", wide)
	}
}
