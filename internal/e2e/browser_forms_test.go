package e2e

import (
	"strings"

	"github.com/chromedp/chromedp/kb"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// hands are one way to fill in a form: with the mouse, or with the keyboard alone.
type hands struct {
	press  presser                    // a button of the newest answer
	reach  func(selector string)      // the focus on a field
	choose func(field, option string) // an option of a menu, by its label
	check  func(field, choice string) // the last of a field's choices
	offer  func(within, offer string) // what a select offers for what was typed
	submit func(label string)         // the form
}

func (p *tab) mouse() hands {
	return hands{
		press: p.byClick,
		reach: func(selector string) { p.t.Helper(); p.clickOn(selector, "") },
		choose: func(field, option string) { // the menu itself is the browser's own
			p.t.Helper()
			p.see("the option "+option, `(s, label) => {
				const e = document.querySelector(s);
				const o = e && [...e.options].find((o) => o.text === label);
				if (!o) return false;
				Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set.call(e, o.value);
				return e.dispatchEvent(new Event("change", { bubbles: true }));
			}`, field+" select", option)
		},
		check:  func(field, choice string) { p.t.Helper(); p.clickOn(field+" label.choice", choice) },
		offer:  func(_, offer string) { p.t.Helper(); p.clickOn("[role=option]", offer) },
		submit: func(label string) { p.t.Helper(); p.click("modal-submit", label) },
	}
}

func (p *tab) keyboard() hands {
	return hands{
		press: p.byKey,
		reach: func(selector string) { p.t.Helper(); p.tabTo(selector) },
		choose: func(field, option string) {
			p.t.Helper()
			p.tabTo(field + " select")
			for _, key := range []string{kb.Home, kb.ArrowDown} { // from the first one on
				for range 12 {
					if read[string](p, "the option", `(s) => document.querySelector(s).selectedOptions[0]?.text ?? "none"`, field+" select") == option {
						return
					}
					p.press(key)
				}
			}
			p.t.Fatalf("no option %q in %s", option, field)
		},
		check: func(field, choice string) {
			p.t.Helper()
			p.tabTo(field + " input")
			p.press(kb.ArrowDown)
			p.see(choice+" to be chosen", `(s, choice) => document.querySelector(s)?.innerText.startsWith(choice)`, field+" label.choice:has(:checked)", choice)
		},
		offer: func(within, offer string) {
			p.t.Helper()
			p.press(kb.ArrowDown)
			p.see(offer+" to be marked", `(offer) => document.querySelector("[role=option].active")?.textContent.startsWith(offer)`, offer)
			p.press(kb.Enter)
		},
		submit: func(label string) { p.t.Helper(); p.tabTo(hook("modal-submit")); p.press(kb.Enter) },
	}
}

// fieldOf is the selector of a field of the open form.
func fieldOf(name string) string { return hook("modal") + " [data-block-id='" + name + "']" }

// formIs waits for the form with a title.
func (p *tab) formIs(title string) {
	p.t.Helper()
	p.see("the form "+title, `(s, title) => document.querySelector(s)?.innerText === title`, hook("modal")+" h2", title)
}

func (p *tab) formIsClosed() {
	p.t.Helper()
	p.see("the form closed", `(s) => !document.querySelector(s)`, hook("modal"))
}

// wrongIn waits until a field says what is wrong with it, and no other field does.
func (p *tab) wrongIn(name, words string) {
	p.t.Helper()
	p.see("an error at "+name, `(s, all, words) => {
		const e = document.querySelector(s);
		return e?.innerText.includes(words) && document.querySelectorAll(all).length === 1;
	}`, fieldOf(name)+" "+hook("input-error"), hook("modal")+" "+hook("input-error"), words)
}

// software finds software in a field and takes what is offered.
func (p *tab) software(h hands, typed, offered string) {
	p.t.Helper()
	field := fieldOf("words")
	h.reach(field + " " + hook("combobox"))
	p.press(typed)
	p.see(offered+" to be offered first", `(offered) => document.querySelector("[role=option]")?.textContent.startsWith(offered)`, offered)
	h.offer(field, offered)
	p.see(offered+" in the field", `(s, offered) => {
		const field = document.querySelector(s);
		return field.textContent.includes(offered) || field.querySelector("[role=combobox]").value.startsWith(offered);
	}`, field, offered)
}

// write writes text into a field, in place of what stands there.
func (p *tab) write(h hands, name, text string) {
	p.t.Helper()
	input := fieldOf(name) + " " + hook("input")
	h.reach(input)
	before := read[struct{ Text string }](p, "a text", `(s) => ({ Text: document.querySelector(s).value })`, input).Text
	p.press(kb.End + strings.Repeat(kb.Backspace, len(before)) + text)
	p.see(text+" in "+name, `(s, text) => document.querySelector(s).value === text`, input, text)
}

// browseForm looks for software in the form that a button of the help opens. What is wrong is said at its field; the answer is for
// everyone, as chosen.
func (p *tab) browseForm(h hands) {
	p.t.Helper()
	p.ask("help")
	p.answer("What you can ask")
	h.press(newestAnswer, "", "Browse")
	p.formIs("Missing KBs")
	h.submit("Show")
	p.wrongIn("words", "Please complete all required fields")

	p.software(h, "windows 11", "Windows 11")
	h.choose(fieldOf("sort"), "Most CVEs first")
	p.write(h, "min-devices", "-1")
	h.submit("Show")
	p.wrongIn("min-devices", "not below 0")

	p.write(h, "min-devices", "1")
	h.check(fieldOf("audience"), "Everyone in the channel")
	h.choose(fieldOf("channel"), "Choose a channel")
	h.submit("Show")
	p.wrongIn("audience", "Choose the channel in which everyone should see the answer")

	h.choose(fieldOf("channel"), "#general")
	h.submit("Show")
	p.formIsClosed()
	p.says(p.answer("Missing updates: Windows 11"), false, "Shared by")
}

// digestForm adds a digest in its form and edits it there.
func (p *tab) digestForm(h hands) {
	p.t.Helper()
	p.ask("digest add")
	p.formIs("New digest")
	p.software(h, "windows 11", "Windows 11")
	p.write(h, "tz", "Mars/Base")
	h.submit("Add")
	p.wrongIn("tz", "no time zone")
	p.write(h, "tz", "UTC")
	p.write(h, "words-at", "whenever")
	h.submit("Add")
	p.wrongIn("words-at", "A schedule needs days and a time")
	p.write(h, "words-at", "fri 15:00")
	h.submit("Add")
	p.formIsClosed()
	id := read[string](p, "the confirmation", `(...args) => (`+findMessage+`)(...args)?.Text.match(/^Digest (\d+) is set up/)?.[1]`, p.last, "app", "Digest ")
	p.says(p.answer("Digest "+id+" is set up"), true, "15:00")

	h.press(newestAnswer, "", "Settings")
	p.formIs("Digest " + id)
	p.write(h, "words-at", "")
	h.choose(fieldOf("at"), "Weekdays 08:30")
	p.write(h, "min-devices", "5")
	p.write(h, "tz", "")
	h.submit("Save")
	p.wrongIn("tz", "Please complete all required fields")
	p.write(h, "tz", "Europe/Stockholm")
	h.choose(fieldOf("quiet"), "Post one line")
	h.submit("Save")
	p.formIsClosed()
	p.says(p.answer("Digest "+id+" is changed"), true, "08:30", "5 devices")
}

func browseByClicks(p *tab) { p.browseForm(p.mouse()) }
func browseByKeys(p *tab)   { p.browseForm(p.keyboard()) }

func digestFormByClicks(p *tab) {
	p.enter(sandbox.Patching)
	p.digestForm(p.mouse())
}

func digestFormByKeys(p *tab) { p.digestForm(p.keyboard()) }

// watchByKeys goes from an answer to a digest of its software in two steps, without the mouse.
func watchByKeys(p *tab) {
	h := p.keyboard()
	p.ask("microsoft-_-edge")
	p.answer("Missing updates: Edge")
	h.press(newestAnswer, "", "Watch this")
	p.formIs("New digest")
	h.submit("Add")
	p.formIsClosed()
	p.newestSays("is set up")
}

// copyAsText takes a list along as text, which is for the person alone and as long as it was.
func copyAsText(p *tab) {
	p.ask("microsoft-_-windows_11")
	rows := len(p.table(p.answer("Missing updates: Windows 11")).Rows)
	p.byClick(newestAnswer, "", "Copy as text")
	m := p.answer("As text: Missing updates: Windows 11")
	p.says(m, true, "Copy this into a ticket", "devices;", "https://")
	text := read[string](p, "the text", `(ts) => document.querySelector("[data-ts='" + ts + "'] pre")?.innerText`, m.TS)
	if n := strings.Count(text, "\nKB"); n != rows {
		p.t.Errorf("the text has %d updates of %d: %s", n, rows, text)
	}
}
