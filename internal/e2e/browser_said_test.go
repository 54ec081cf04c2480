package e2e

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// hover points the mouse at the last thing that fits a selector and begins with a text, once the page shows it.
func (p *tab) hover(selector, text string) {
	p.t.Helper()
	what := selector + " " + text
	for range 5 { // a message that comes moves what was pointed at
		spot := read[struct{ X, Y float64 }](p, "something to point at: "+what, findSpot, selector, text)
		p.do("point at "+what, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, t, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: spot.X, Y: spot.Y})
			return chromedp.Void{}, err
		})
		if read[string](p, "whether the mouse is over "+what, `() => window.aim.at.matches(":hover") ? "yes" : "no"`) == "yes" {
			return
		}
	}
	p.t.Fatalf("the mouse does not get over %s", what)
}

// plainWordsByClicks mentions the bot, looks up what is in a message, and writes to the bot.
func plainWordsByClicks(p *tab) {
	p.say("@missingkbs which updates is edge missing?")
	if m := p.answer("Missing updates: Edge"); !m.Only {
		p.t.Errorf("the answer to a mention is for everyone: %+v", m)
	}
	p.say("Mail says: kb 4540673 and KB5074202, see CVE-2020-0645")
	p.hover(`[data-testid=message][data-kind=person] .message-body`, "Mail says")
	p.click("message-menu", "")
	p.clickOn("[role=menuitem]", "Look up KBs in message")
	if m := p.answer("Found: 2 KB numbers and 1 CVE id"); !m.Only {
		p.t.Errorf("what is in a message is told to everyone: %+v", m)
	}
	p.byClick(newestAnswer, "KB4540673", "Show")
	p.newestSays("KB4540673: March 2020 Security Updates")

	p.click("channel-"+sandbox.AliceDM, "")
	p.say("edge?")
	if m := p.answer("Missing updates: Edge"); m.Only {
		p.t.Errorf("a direct message is answered beside the conversation: %+v", m)
	}
	p.say("thanks!")
	p.answer("You are welcome")
}

// plainWordsByKeys does the same without the mouse.
func plainWordsByKeys(p *tab) {
	p.tabTo(hook("composer"))
	p.last = "0"
	p.press("@missingkbs show me edge" + kb.Enter)
	p.answer("Missing updates: Edge")
	p.press("please install KB4540673" + kb.Enter)
	p.see("the message", `() => [...document.querySelectorAll("[data-testid=message][data-kind=person]")].at(-1)?.innerText.includes("please install")`)
	p.tabTo(hook("message-menu"), kb.ModifierShift)
	p.press(kb.Enter)
	p.see("the menu", `() => document.activeElement.matches("[role=menuitem]")`)
	p.press(kb.Enter)
	p.answer("KB4540673: March 2020 Security Updates")
}
