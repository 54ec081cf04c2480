package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/digestcmd"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// suggest answers what a user types into a select. A select cannot show a reason, so it stays empty if the user may not
// ask or Defender is unavailable.
func (b *Bot) suggest(ctx context.Context, q question) {
	began := time.Now()
	ctx, traced := b.startTrace(commands.WithTyped(commands.WithID(ctx, q.id), q.line), q)
	seen := q.observed()
	seen.Needs, seen.Command, seen.Queued, seen.InAck = access.Ask, "suggest", began.Sub(q.came), true
	quickly, cancel := context.WithDeadline(ctx, q.came.Add(b.options.AckAfter))
	defer cancel()
	offer, err := b.offer(quickly, q)
	seen.Working = time.Since(began)
	switch {
	case err == nil:
		seen.Outcome = Answered
	case errors.Is(err, errRefused):
		seen.Outcome, seen.Reason = Refused, commands.Reason(err)
	default:
		seen.Outcome, seen.Reason = Failed, commands.Reason(err)
		b.log.WarnContext(ctx, "could not offer suggestions", "error", commands.Logged(err))
	}
	if !b.sendAck(ctx, q.envelope, offer) {
		seen.Outcome = Lost
		b.log.WarnContext(ctx, "could not deliver suggestions to the select") // they cannot travel any other way
		b.sendAck(ctx, q.envelope, blocks.Suggestions(nil))                   // an empty list rather than an error
	}
	seen.Reply = time.Since(began) - seen.Working
	traced(seen)
	b.options.Observe(context.WithoutCancel(ctx), seen)
}

// offer returns the options of a select. With an error it returns an empty list.
func (b *Bot) offer(ctx context.Context, q question) (o blocks.Offer, err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			err = fmt.Errorf("%w: %v", commands.ErrPanic, recovered)
		}
	}()
	o = blocks.Suggestions(nil)
	if refusal := b.mayAsk(ctx, q, access.Ask, false); refusal != nil {
		return o, fmt.Errorf("%w: %w", errRefused, refusal)
	}
	found, err := b.options.Suggest.Suggest(ctx, q.user, q.line, blocks.MaxSuggestions)
	if err != nil {
		return o, fmt.Errorf("suggest software: %w", err)
	}
	var all []blocks.Suggestion
	if q.kind == blocks.Watch {
		all = beyondIDs(q.line)
	}
	for _, s := range found {
		one := blocks.Suggestion{Label: s.Name, Small: s.ID, Value: s.ID}
		if q.kind == blocks.Choose { // choosing an entry asks about it
			one.Value = cmdline.Join(s.ID)
		}
		all = append(all, one)
	}
	return fitSuggestions(all), nil
}

// beyondIDs offers what a digest can watch other than software ids: all software, and a typed pattern.
func beyondIDs(typed string) []blocks.Suggestion {
	typed = strings.ToLower(strings.TrimSpace(typed))
	switch {
	case strings.HasPrefix(digest.All, typed): //nolint:gocritic // typed may be the beginning of the word
		return []blocks.Suggestion{{Label: digestcmd.AllLabel, Value: digest.All}}
	case strings.Contains(typed, "*") && strings.Contains(typed, cmdline.IDSeparator) && !strings.ContainsAny(typed, " \t"):
		return []blocks.Suggestion{{Label: "Everything that matches " + typed, Value: typed}}
	}
	return nil
}

// fitSuggestions returns as many suggestions as an acknowledgement can carry.
func fitSuggestions(all []blocks.Suggestion) blocks.Offer {
	for {
		o := blocks.Suggestions(all)
		raw, err := json.Marshal(o)
		if err != nil || len(raw) <= maxAck {
			return o
		}
		all = all[:len(all)*maxAck/len(raw)]
	}
}
