package e2e

import (
	"strings"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

const nobodyAnswers = `() => ![...document.querySelectorAll("[data-testid=message][data-kind=app]")].length`

func share(p *tab) {
	p.ask("microsoft-_-edge")
	p.answer("Missing updates: Edge")
	p.click("button", "Share to channel")
	p.see("the shared answer", `() => document.querySelector("[data-testid=message][data-kind=app][data-ephemeral=false]")`)

	p.be(sandbox.Bob)
	p.see("one message for Bob", `() => document.querySelectorAll("[data-testid=message][data-kind=app]").length === 1`)
	p.last = "0"
	m := p.answer("Missing updates: Edge")
	if m.Only || !strings.Contains(m.Text, "Shared by @alice") {
		p.t.Errorf("Bob sees (for him alone: %v) %q, want who shared it", m.Only, m.Text)
	}
	if rows := p.table(m).Rows; len(rows) != 1 || rows[0][0] != "KB4540673" {
		p.t.Errorf("Bob reads %q", rows)
	}
	// What Bob does with it is his own: the shared answer stays.
	p.click("button", "Refresh")
	p.see("an answer for Bob alone", `() => document.querySelector("[data-testid=message][data-kind=app][data-ephemeral=true]")`)
	p.see("the shared answer as it was", hasText, m.TS, "Shared by")
}

func shareRefused(p *tab) {
	p.click("channel-"+sandbox.SharedChannel, "")
	p.ask("microsoft-_-edge")
	p.answer("Missing updates: Edge")
	p.click("button", "Share to channel")
	m := p.answer("Not posted here")
	if !m.Only || !strings.Contains(m.Text, "another organisation") {
		p.t.Errorf("the refusal (for Alice alone: %v) says %q", m.Only, m.Text)
	}
	for _, other := range []string{sandbox.Bob, sandbox.External} {
		p.be(other)
		p.see(other+" to see nothing of it", nobodyAnswers)
	}
}

func otherOrganisation(p *tab) {
	p.be(sandbox.External)
	rooms := read[[]string](p, "Eve's channels", `() => [...document.querySelectorAll("[data-testid^=channel-]")].map((e) => e.dataset.testid)`)
	for _, r := range rooms {
		if r != "channel-"+sandbox.SharedChannel && r != "channel-home" {
			p.t.Errorf("Eve sees %s", r)
		}
	}
	p.ask("microsoft-_-edge")
	read[message](p, "Slack's refusal", findMessage, p.last, "error", "/missingkbs is not a valid command")
	p.see("no answer for Eve", nobodyAnswers)
}
