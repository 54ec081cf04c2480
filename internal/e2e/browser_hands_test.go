package e2e

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// hook is the selector of the elements that the page marks with a name for tests.
func hook(name string) string { return `[data-testid="` + name + `"]` }

// findSpot looks for the last element that fits a selector and begins with a text, and returns its middle once it can be
// clicked there: it stands still, is enabled, and nothing covers it. The page then notes whether a click hits it.
const findSpot = `(() => {
	let before = "";
	const aim = (e) => {
		if (!window.aim) addEventListener("click", (click) => { window.aim.hit ||= window.aim.at.contains(click.target); }, { capture: true });
		window.aim = { at: e, hit: false };
	};
	return (selector, text) => {
		const all = [...document.querySelectorAll(selector)];
		const e = all.findLast((e) => e.textContent.trim().startsWith(text));
		if (!e || e.disabled) return null;
		e.scrollIntoView({ block: "nearest", inline: "nearest" });
		const box = e.getBoundingClientRect();
		const spot = { X: box.x + box.width / 2, Y: box.y + box.height / 2 };
		const still = before === JSON.stringify(spot);
		before = JSON.stringify(spot);
		if (!still || !e.contains(document.elementFromPoint(spot.X, spot.Y))) return null;
		aim(e);
		return spot;
	};
})()`

// click presses the last thing with a hook whose words begin with a text.
func (p *tab) click(name, text string) {
	p.t.Helper()
	p.clickOn(hook(name), text)
}

func (p *tab) clickOn(selector, text string) {
	p.t.Helper()
	what := strings.TrimSpace(selector + " " + text)
	for range 5 { // a message that comes moves what was aimed at
		spot := read[struct{ X, Y float64 }](p, "a way to click "+what, findSpot, selector, text)
		p.do("click "+what, chromedp.MouseClickXY(spot.X, spot.Y))
		if read[string](p, "whether the click hit "+what, `() => window.aim.hit ? "yes" : "no"`) == "yes" {
			return
		}
	}
	p.t.Fatalf("no click hits %s", what)
}

// press types keys into whatever has the focus, with modifiers held down.
func (p *tab) press(keys string, held ...kb.Modifier) {
	p.t.Helper()
	for _, r := range keys {
		for _, event := range keyEvents(r, held) {
			p.do("press "+event.Key, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
				_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, event)
				return chromedp.Void{}, err
			})
		}
	}
}

// keyEvents are a key's way down and up. chromedp's own KeyEvent sends the key's character apart from its way down, and
// so it arrives even where the page took the key for itself, such as an Enter that sends a message.
func keyEvents(r rune, held []kb.Modifier) []input.DispatchKeyEventParams {
	var down, up input.DispatchKeyEventParams
	for _, event := range kb.Encode(r) {
		switch event.Type {
		case kb.KeyDown:
			down = *event
		case kb.KeyChar:
			down.Text, down.UnmodifiedText = event.Text, event.UnmodifiedText
		case kb.KeyUp:
			up = *event
		}
	}
	for _, m := range held {
		down.Modifiers |= int64(m)
		up.Modifiers |= int64(m)
	}
	return []input.DispatchKeyEventParams{down, up}
}

// tabTo presses Tab until something that fits a selector has the focus.
func (p *tab) tabTo(selector string, held ...kb.Modifier) {
	p.t.Helper()
	for range 100 {
		if read[string](p, "the focus", `(s) => document.activeElement.matches(s) ? "yes" : "no"`, selector) == "yes" {
			return
		}
		p.press(kb.Tab, held...)
	}
	p.t.Fatalf("the Tab key does not lead to %s", selector)
}

// be becomes another person: it picks an option of the select element, and tells the page as a browser does.
func (p *tab) be(person string) {
	p.t.Helper()
	p.see("the page to offer being "+person, `(selector, value) => {
		const e = document.querySelector(selector);
		if (!e || ![...e.options].some((o) => o.value === value)) return false;
		e.value = value;
		return e.dispatchEvent(new Event("change", { bubbles: true }));
	}`, hook("who"), person)
}

// panel opens the panel, which is closed at first, on one of its tabs.
func (p *tab) panel(name string) {
	p.t.Helper()
	if read[string](p, "the panel's button", `(s) => document.querySelector(s)?.ariaExpanded`, hook("toggle-panel")) == "false" {
		p.click("toggle-panel", "")
	}
	p.click("tab-"+name, "")
}

// fault switches a fault on or off in the panel.
func (p *tab) fault(name string, on bool) {
	p.t.Helper()
	p.panel("time")
	p.click("fault-"+name, "")
	p.see(name+" to be switched", `(s, on) => document.querySelector(s).checked === on`, hook("fault-"+name), on)
}

// say enters a line in the composer and sends it with Enter.
func (p *tab) say(line string) {
	p.t.Helper()
	p.last = read[string](p, "messages", `() => [...document.querySelectorAll("[data-testid=message]")].map((m) => m.dataset.ts).sort().at(-1) ?? "0"`)
	p.clickOn(hook("composer"), "")
	p.press(line + kb.Escape + kb.Enter) // Escape closes the completions, which would take the Enter
}

// ask asks the bot.
func (p *tab) ask(words string) {
	p.t.Helper()
	p.say("/missingkbs " + words)
}

// message is a message as a person sees it.
type message struct {
	TS   string
	Text string
	Only bool // visible to this person alone
}

const findMessage = `(since, kind, title) => {
	const all = [...document.querySelectorAll("[data-testid=message][data-kind=" + kind + "]")];
	const m = all.findLast((m) => m.dataset.ts > since && m.querySelector(".message-body").innerText.trim().startsWith(title));
	return m && { TS: m.dataset.ts, Text: m.querySelector(".message-body").innerText, Only: m.dataset.ephemeral === "true" };
}`

// answer waits for a message of the bot that came after the last question and begins with a title.
func (p *tab) answer(title string) message {
	p.t.Helper()
	return read[message](p, "the answer "+title, findMessage, p.last, "app", title)
}

// table is a data_table as a person reads it.
type table struct {
	Caption string
	Head    []string
	Sorted  []string // aria-sort of each heading
	Rows    [][]string
	Range   string
}

const findTable = `(ts) => {
	const root = document.querySelector("[data-testid=message][data-ts='" + ts + "'] [data-testid=data-table]");
	if (!root) return null;
	const words = (e) => {
		const copy = e.cloneNode(true);
		copy.querySelectorAll("[aria-hidden=true]").forEach((hidden) => hidden.remove());
		return copy.textContent.trim();
	};
	const head = [...root.querySelectorAll("thead th")];
	return {
		Caption: words(root.querySelector(".table-caption")),
		Head: head.map(words),
		Sorted: head.map((h) => h.ariaSort ?? ""),
		Rows: [...root.querySelectorAll("[data-testid=row]")].map((r) => [...r.children].map(words)),
		Range: words(root.querySelector("[data-testid=table-range]")),
	};
}`

// table reads the table of a message.
func (p *tab) table(m message) table {
	p.t.Helper()
	return read[table](p, "a table", findTable, m.TS)
}

// column returns the cells under a heading.
func (t table) column(head string) []string {
	for i, h := range t.Head {
		if h != head {
			continue
		}
		cells := make([]string, len(t.Rows))
		for n, row := range t.Rows {
			cells[n] = row[i]
		}
		return cells
	}
	return nil
}
