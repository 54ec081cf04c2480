package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/view"
)

// refusedCall reports a call that failed for another reason than its blocks. If no other call can succeed, it stops the run.
func (l *liveRun) refusedCall(call string, person bool, err error) Finding {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		l.stopped = "Slack asks for a pause"
		return warn("Slack asks for a pause of "+view.Age(limited.RetryAfter), "run it again after that")[0]
	}
	slackErr, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok {
		return l.noAnswer(err)
	}
	l.unanswered = 0
	if slackErr.Err == "missing_scope" {
		if call == "chat.postMessage" {
			l.stopped = "a scope is missing"
		}
		return fail("the scope "+cmp.Or(slackErr.Needed, "for "+call)+" is missing", scopeCure)[0]
	}
	if slackapi.Cure(err) != "" || slackErr.Err == "invalid_auth" {
		l.stopped = "the bot token does not work"
		return refusedToken("SLACK_BOT_TOKEN", botTokenPage, err)[0]
	}
	code := slackErr.Err
	if person && code == "channel_not_found" { // there is no conversation with a person whom Slack does not know
		code = "user_not_found"
	}
	if known, ok := liveRefusals()[code]; ok {
		if known.final {
			l.stopped = "nothing can be posted there"
		}
		return fail(known.found, known.cure)[0]
	}
	return fail("Slack says "+slackErr.Err+" to "+call, "see https://docs.slack.dev/reference/methods/"+call+"#errors; if nothing there helps, please report this")[0]
}

// noAnswer reports a call without a response.
func (l *liveRun) noAnswer(err error) Finding {
	if errors.Is(err, context.Canceled) {
		l.stopped = "interrupted"
		return fail("interrupted before Slack answered", "run it again")[0]
	}
	if l.unanswered++; l.unanswered == 2 {
		l.stopped = "Slack did not answer twice in a row"
	}
	cure := "run it again"
	if _, ok := errors.AsType[slack.StatusCodeError](err); !ok {
		cure = networkCure(err) + "; then run it again"
	}
	return fail("the response was lost, so the message may have been posted: "+liveError(err), cure)[0]
}

// liveRefusal describes a refusal.
type liveRefusal struct {
	found, cure string
	final       bool // Slack will refuse all other messages, too
}

// liveRefusals returns what refusals mean, by Slack's error code.
func liveRefusals() map[string]liveRefusal {
	const (
		chooseMember = "--user takes the id of a person who is in the channel"
		other        = "choose another channel"
	)
	readOnly := liveRefusal{"the channel does not let the bot post", "let the bot post there, or " + other, true}
	stranger := liveRefusal{"Slack knows no person with this id whom the bot may write to", chooseMember, false}
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
		"messages_tab_disabled":                    {"the app's Messages tab is off, so that it cannot send direct messages", "switch it on under App Home of the app's settings, or paste what missingkbs manifest prints under App Manifest", false},
		"not_enabled":                              {"the app's Home tab is off", "switch it on under App Home of the app's settings, or paste what missingkbs manifest prints under App Manifest", false},
	}
}

// evidenceOf returns the call for the report.
func evidenceOf(r callResult) *Evidence {
	e := &Evidence{Call: r.call, Said: []string{}}
	if len(r.sent) > 0 {
		e.Sent, _ = json.Marshal(r.sent) // of slack-go's own types, which marshal
	}
	slackErr, ok := errors.AsType[slack.SlackErrorResponse](r.err)
	switch {
	case ok:
		e.Error = slackErr.Err
		for _, words := range r.verdict.Words {
			if words != slackErr.Err {
				e.Said = append(e.Said, redact.String(words))
			}
		}
	case r.err != nil:
		e.Error = liveError(r.err)
	}
	return e
}

// firstText returns the first of Slack's messages about blocks.
func firstText(words []string) string { return strings.TrimPrefix(redact.String(words[0]), "[ERROR] ") }

// liveError formats an error without addresses, because others read the report.
func liveError(err error) string {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return "ratelimited, " + view.Age(limited.RetryAfter)
	}
	return redact.String(strings.TrimSpace(err.Error()))
}

// finding reports the result of a call. The message was for one person, or for the channel.
func (l *liveRun) finding(what string, person bool, r callResult) Finding {
	if r.err == nil {
		l.unanswered = 0
		f := pass("taken: " + what)[0]
		f.Evidence = evidenceOf(r)
		return f
	}
	var f Finding
	switch v := r.verdict; {
	case len(v.Words) == 0:
		f = l.refusedCall(r.call, person, r.err)
	case len(v.Faults) > 0:
		f = fail("Slack refuses what the bot sends ("+what+"): "+firstText(v.Faults), reportCure)[0]
	case len(v.Unsupported) > 0:
		f = l.unsupported(what, v)
	case len(blocks.Uses(r.sent)) == 0:
		f = fail("Slack refuses what every workspace takes ("+what+"): "+firstText(v.Words), reportCure)[0]
	default:
		f = warn("Slack refuses "+what+" and does not say why: "+firstText(v.Words),
			"the bot draws a page more simply when Slack refuses it so, and nothing is missing; please report this, with what -o json prints")[0]
	}
	f.Evidence = evidenceOf(r)
	return f
}

// unsupported reports what the bot uses in place of a newer block that the workspace refuses.
func (l *liveRun) unsupported(what string, v blocks.Verdict) Finding {
	found := "not taken: " + what + ": Slack says " + firstText(v.Words)
	feature := v.Unsupported[0]
	switch inTable := feature != blocks.DataVisualization; {
	case l.checker.values.Bot.Tables == blocks.TablesClassic:
		return pass(found + "; MISSINGKBS_TABLES is classic, so it is not used")[0]
	case l.checker.values.Bot.Tables == blocks.TablesPlain && (feature == blocks.ActionCell || feature == blocks.DataTable):
		return pass(found + "; MISSINGKBS_TABLES is table, so it is not used")[0]
	case l.checker.values.Bot.Tables == blocks.TablesData && inTable:
		return fail(found, "set MISSINGKBS_TABLES to auto: with data_table Slack refuses each message once, and drops acknowledgements that hold a table")[0]
	}
	return warn(found, "no action is needed: the bot uses "+inPlaceOf(feature)+" instead, and tries again after a day")[0]
}

// inPlaceOf says what the bot sends where a workspace refuses a feature.
func inPlaceOf(f blocks.Feature) string {
	switch f {
	case blocks.ActionCell:
		return "tables with a link in each row, and sections where a row runs a command,"
	case blocks.DataTable:
		return "plain tables, which neither sort nor page by themselves,"
	case blocks.Table:
		return "sections with a button for each row"
	default:
		return "charts drawn as text"
	}
}
