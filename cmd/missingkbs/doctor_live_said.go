package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/view"
)

// refusedCall says what it means that a call failed for anything but its blocks, and ends the trial where no other can
// succeed.
func (l *liveTrial) refusedCall(call string, person bool, err error) doctor.Finding {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		l.halted = "Slack asks for a pause"
		return doubtful("Slack asks for a pause of "+view.Age(limited.RetryAfter), "run it again after that")[0]
	}
	refused, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok {
		return l.unanswered(err)
	}
	l.lost = 0
	if refused.Err == "missing_scope" {
		if call == "chat.postMessage" {
			l.halted = "a scope is missing"
		}
		return unwell("the scope "+cmp.Or(refused.Needed, "for "+call)+" is missing", scopeCure)[0]
	}
	if bot.Cure(err) != "" || refused.Err == "invalid_auth" {
		l.halted = "the bot token does not work"
		return refusedToken("SLACK_BOT_TOKEN", botTokenPage, err)[0]
	}
	code := refused.Err
	if person && code == "channel_not_found" { // no conversation with a person whom Slack does not know
		code = "user_not_found"
	}
	if known, ok := liveRefusals()[code]; ok {
		if known.ends {
			l.halted = "nothing can be posted there"
		}
		return unwell(known.found, known.cure)[0]
	}
	return unwell("Slack says "+refused.Err+" to "+call, "see https://docs.slack.dev/reference/methods/"+call+"#errors; if nothing there helps, please report this")[0]
}

// unanswered says that no answer came.
func (l *liveTrial) unanswered(err error) doctor.Finding {
	if errors.Is(err, context.Canceled) {
		l.halted = "interrupted"
		return unwell("interrupted before Slack answered", "run it again")[0]
	}
	if l.lost++; l.lost == 2 {
		l.halted = "Slack did not answer twice in a row"
	}
	cure := "run it again"
	if _, ok := errors.AsType[slack.StatusCodeError](err); !ok {
		cure = networkCure(err) + "; then run it again"
	}
	return unwell("the answer was lost, so that the message may have been posted: "+liveError(err), cure)[0]
}

// liveRefusal is a refusal of Slack's in words.
type liveRefusal struct {
	found, cure string
	ends        bool // nothing else can be posted either
}

// liveRefusals are refusals by Slack's code.
func liveRefusals() map[string]liveRefusal {
	const (
		chooseMember = "--user takes the id of a person who is in the channel"
		other        = "choose another channel"
	)
	readOnly := liveRefusal{"the channel does not let the bot post", "let the bot post there, or " + other, true}
	stranger := liveRefusal{"Slack knows no such person whom the bot may write to", chooseMember, false}
	return map[string]liveRefusal{
		"channel_not_found":                        {"the channel is not there, or is private and the bot is no member", inviteCure, true},
		"not_in_channel":                           {"the bot is no member of the channel", inviteCure, true},
		"is_archived":                              {"the channel is archived", "unarchive it, or " + other, true},
		"restricted_action":                        readOnly,
		"restricted_action_read_only_channel":      readOnly,
		"restricted_action_thread_only_channel":    readOnly,
		"restricted_action_non_threadable_channel": {"the channel takes no threads, into which details of digests go", other, false},
		"user_not_in_channel":                      {"the person is not in the channel", chooseMember, false},
		"user_not_found":                           stranger,
		"user_disabled":                            stranger,
		"cannot_dm_bot":                            stranger,
		"messages_tab_disabled":                    {"the app's Messages tab is off, so that it cannot send direct messages", "switch it on under App Home of the app's settings, or paste manifest.yaml under App Manifest", false},
		"not_enabled":                              {"the app's Home tab is off", "switch it on under App Home of the app's settings, or paste manifest.yaml under App Manifest", false},
	}
}

// evidenceOf is what a report keeps of a call.
func evidenceOf(r bot.TrialResult) *doctor.Evidence {
	e := &doctor.Evidence{Call: r.Call, Said: []string{}}
	if len(r.Sent) > 0 {
		e.Sent, _ = json.Marshal(r.Sent) // of slack-go's own types, which marshal
	}
	refused, ok := errors.AsType[slack.SlackErrorResponse](r.Err)
	switch {
	case ok:
		e.Error = refused.Err
		for _, words := range r.Verdict.Words {
			if words != refused.Err {
				e.Said = append(e.Said, redact.String(words))
			}
		}
	case r.Err != nil:
		e.Error = liveError(r.Err)
	}
	return e
}

// saidWords are the first of Slack's words.
func saidWords(words []string) string { return strings.TrimPrefix(redact.String(words[0]), "[ERROR] ") }

// liveError is an error for a report, which is read by others: without addresses.
func liveError(err error) string {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return "ratelimited, " + view.Age(limited.RetryAfter)
	}
	return redact.String(strings.TrimSpace(err.Error()))
}
