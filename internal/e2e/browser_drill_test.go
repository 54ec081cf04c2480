package e2e

import (
	"github.com/chromedp/chromedp/kb"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// pickButton marks the button of the newest answer, or of the Home tab, that has a label; in a table, that of a row with a text.
const pickButton = `(within, row, label) => {
	document.querySelectorAll("[data-pick]").forEach((e) => e.removeAttribute("data-pick"));
	const places = [...document.querySelectorAll(within)];
	const place = places.at(-1);
	if (!place) return false;
	const parts = row === "" ? [place] : [...place.querySelectorAll("[data-testid=row], tr")].filter((r) => r.innerText.includes(row));
	for (const part of parts) {
		const found = [...part.querySelectorAll("[data-testid=button]")].find((b) => b.innerText.trim() === label && !b.disabled);
		if (found) {
			found.setAttribute("data-pick", "");
			return true;
		}
	}
	return false;
}`

// newestAnswer is the selector of the bot's messages; the last of them is meant.
const newestAnswer = `[data-testid=message][data-kind=app]`

// presser presses the button of a row, or of a whole page where row is empty.
type presser func(within, row, label string)

// byClick presses with the mouse.
func (p *tab) byClick(within, row, label string) {
	p.t.Helper()
	p.see("a button "+label, pickButton, within, row, label)
	p.clickOn("[data-pick]", "")
}

// byKey walks to the button from the composer, below all messages, and presses Enter.
func (p *tab) byKey(within, row, label string) {
	p.t.Helper()
	p.see("a button "+label, pickButton, within, row, label)
	p.see("the focus in the composer", `(s) => { document.querySelector(s).focus(); return document.activeElement.matches(s); }`, hook("composer"))
	p.tabTo("[data-pick]", kb.ModifierShift)
	p.press(kb.Enter)
}

// drillByClicks goes from an empty composer to the CVEs of an update, to a device that lacks it, and back, and types nothing.
func drillByClicks(p *tab) {
	p.click("channel-home", "")
	p.homeSays("Missing KBs")
	p.byClick(hook("home"), "", "Show") // the software with the widest gap
	p.homeSays("Missing updates: Edge")
	p.drill(p.byClick, hook("home"), func(words string) { p.homeSays(words) })
	p.byClick(hook("home"), "", "Home")
	p.homeSays("Your digests")
}

// drillByKeys does the same in a channel, without the mouse.
func drillByKeys(p *tab) {
	p.tabTo(hook("composer"))
	p.last = "0"
	p.press("/missingkbs microsoft-_-edge" + kb.Escape + kb.Enter)
	p.answer("Missing updates: Edge")
	p.drill(p.byKey, newestAnswer, func(words string) { p.newestSays(words) })
}

// drill goes from the missing updates of Edge to those pages, and back to the update and the software.
func (p *tab) drill(press presser, within string, says func(words string)) {
	p.t.Helper()
	const update = "KB4540673"
	press(within, update, "Details")
	says(update + ": March 2020 Security Updates")
	says("CVEs that " + update + " fixes")
	press(within, "", "All CVEs")
	says("It fixes ")
	press(within, "", "Back to "+update)
	says(update + ": March 2020 Security Updates")
	press(within, "CVE-", "Details")
	says("1 update fixes it")
	press(within, update, "Details")
	says(update + ": March 2020 Security Updates")
	press(within, "", "Devices")
	says("Devices that lack " + update)
	press(within, "", "Details") // of the first device
	says("It lacks ")
	press(within, update, "Details")
	says(update + ": March 2020 Security Updates")
	press(within, "", "Show") // the software that lacks it
	says("Missing updates: Edge")
}

// newestSays waits until the newest answer says something.
func (p *tab) newestSays(words string) {
	p.t.Helper()
	p.see("an answer that says "+words, `(s, words) => [...document.querySelectorAll(s)].at(-1)?.innerText.includes(words)`, newestAnswer, words)
}

// drillForOthers asks for the devices of an update as a colleague: what one may see, all may who may ask.
func drillForOthers(p *tab) {
	p.be(sandbox.Bob)
	p.ask("kb KB4540673")
	p.answer("KB4540673: March 2020 Security Updates")
	p.byClick(newestAnswer, "", "Devices")
	p.newestSays("Devices that lack KB4540673")
}
