package e2e

import (
	"github.com/chromedp/chromedp/kb"

	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// homeSays waits until the Home tab says something.
func (p *tab) homeSays(words string) {
	p.t.Helper()
	p.see("a Home tab that says "+words, `(words) => document.querySelector("[data-testid=home]")?.textContent.includes(words)`, words)
}

// typeSoftware types into the select at hand and chooses what is offered first, with keys alone.
func (p *tab) typeSoftware(within, typed, offered string) {
	p.t.Helper()
	p.clickOn(within+" "+hook("combobox"), "")
	p.press(typed)
	p.see(offered+" among what is offered", `(id) => [...document.querySelectorAll("[role=option]")].some((o) => o.textContent.startsWith(id))`, offered)
	p.press(kb.ArrowDown + kb.Enter)
}

// homeTab goes through the Home tab: it is filled when it is opened, finds software while one types, and leads back.
func homeTab(p *tab) {
	p.click("channel-home", "")
	p.homeSays("Missing KBs")
	p.homeSays("Windows 1")
	p.typeSoftware(hook("home"), "edge chrom", "Edge (Chromium)")
	p.homeSays("Missing updates: Edge (Chromium)")
	p.click("button", "Home")
	p.homeSays("Your digests")

	p.be(sandbox.Bob)
	p.click("channel-home", "")
	p.homeSays("Missing KBs")
}

// useShortcut asks through the shortcut's modal; the answer is a direct message.
func useShortcut(p *tab) {
	p.click("shortcut-"+demo.Shortcut().CallbackID, "")
	p.see("the modal", `() => document.querySelector("[data-testid=modal]")`)
	p.typeSoftware(hook("modal"), "windows 11", "Windows 11")
	p.click("modal-submit", "Show")
	p.see("the modal gone", `() => !document.querySelector("[data-testid=modal]")`)
	p.click("channel-"+sandbox.AliceDM, "")
	p.last = "0"
	p.answer("Missing updates: Windows 11")
}
