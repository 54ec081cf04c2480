package e2e

import "github.com/missingkbs/missingkbs/internal/sandbox"

// acceptRisk goes by clicks from an exploited update of a software to its page, accepts there that it stays missing, and finds it
// counted apart and marked: on the pages, and in the next digest.
func acceptRisk(p *tab) {
	const software, update = "microsoft-_-windows_11", "KB5074224"
	p.enter(sandbox.Patching)
	p.subscribe(software + ` --at "mon 10:00"`)
	p.nextWeek()
	p.answer(exploited + called(software))
	p.closePanel()
	p.ask(software)
	p.newestSays("4 of 5 missing updates fix vulnerabilities under attack")
	p.byClick(newestAnswer, "", "All rows as Defender gave them")
	p.newestSays("Updates to install") // the rows are there
	p.byClick(newestAnswer, update, "Details")
	p.newestSays("Exploited, by CISA")
	p.byClick(newestAnswer, "", "Accept…")
	p.see("the form", `(s) => document.querySelector(s)`, hook("modal"))
	p.see("the field of the reason", `(s) => {
		document.querySelectorAll("[data-pick]").forEach((e) => e.removeAttribute("data-pick"));
		document.querySelectorAll(s)[1]?.setAttribute("data-pick", "");
		return document.querySelector("[data-pick]");
	}`, hook("modal")+" "+hook("input"))
	p.clickOn("[data-pick]", "")
	p.press("line 3 is frozen")
	p.click("modal-submit", "Accept")
	p.see("the form gone", `(s) => !document.querySelector(s)`, hook("modal"))
	p.newestSays(update + " is accepted until ")
	p.byClick(newestAnswer, "", "Show the update")
	p.newestSays("line 3 is frozen")
	p.byClick(newestAnswer, "", "Show") // the software that lacks it
	p.newestSays("accepted until ")
	p.ask("accept list") // is scrolled to, though the person has looked at what is above
	p.newestSays("line 3 is frozen")

	p.nextWeek() // CISA lists a CVE of the newer update
	p.says(p.answer("Action required (3 exploited, 2 overdue): "+called(software)), false, "No longer accepted", update+": CISA lists CVE-")
}
