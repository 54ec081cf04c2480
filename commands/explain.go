package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/failure"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Error is a failure whose text was written for the person who asked.
type Error struct {
	Title   string        // heading; a general one when empty
	Message string        // what happened and what to do next
	Actions []view.Action // what could be pressed instead
	Usage   bool          // the question itself was wrong
	Field   string        // where it belongs in a dialog: the name of an option, or [view.WordsField]; empty if nowhere
	Refused bool          // the person may not have this; the refusal is already in the log
	Here    bool          // it is about the conversation alone: in another one the same may be had
	Reason  string        // for metrics and the audit, one of few words; a general one when empty
	Err     error         // the cause, for the log; may be nil
}

// Error returns the message and the cause, for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrPanic is the failure of a command that crashed.
var ErrPanic = errors.New("the command crashed")

// Explain returns the page of a failure: what happened and what to do next. Of an unknown error the page says only that it
// was logged, because its text may hold anything. The page hides what looks like a secret, even if the person typed it.
func Explain(err error) view.Page { return presentable(explain(err)) }

func explain(err error) view.Page {
	if own, ok := errors.AsType[*Error](err); ok {
		title := cmp.Or(own.Title, "That question could not be read")
		actions := own.Actions
		if len(actions) == 0 {
			actions = []view.Action{{Label: "Help", Command: HelpName}}
		}
		return view.Page{Title: title, Lead: own.Message, Actions: actions}
	}
	if e, ok := explanationOf(err); ok {
		page := view.Page{Title: e.title, Lead: e.lead}
		if e.more != nil {
			page.Lead = strings.TrimSpace(page.Lead + " " + e.more(err))
		}
		if target := supportID(err); target != "" {
			page.Note = "Quote " + target + " to Microsoft support: Defender's id of this request."
		}
		return page
	}
	return view.Page{
		Title: "Something went wrong here",
		Lead:  "The bot could not answer because of a fault of its own, which it logged. Ask again; if it persists, tell the operator of this bot.",
	}
}

// Reason is the kind of a failure in one of few words, for metrics and the audit: "" for none, "usage" for a question that was
// wrong, "declined" for one that was answered with a reason, "database" for trouble with the store, "internal" for what [Explain]
// does not know, else the kind of Defender's failure.
func Reason(err error) string {
	if err == nil {
		return ""
	}
	own, ok := errors.AsType[*Error](err)
	if ok && own.Reason != "" { // it is more exact than the cause
		return own.Reason
	}
	if e, ok := explanationOf(err); ok {
		return string(e.kind)
	}
	switch {
	case ok && own.Usage:
		return string(failure.Usage)
	case ok:
		return string(failure.Declined)
	}
	return string(failure.Internal)
}

// Reasons are the words of [Reason] for failures, but for those that refusals bring along.
func Reasons() []string {
	words := make([]string, 0, len(failure.Kinds()))
	for _, k := range failure.Kinds() {
		words = append(words, string(k))
	}
	return words
}

// Logged is what the log may hold of the failure of a question: its kind and its cause, without the words of who asked. What
// was asked is in the audit, where that is wanted.
func Logged(err error) string {
	if own, ok := errors.AsType[*Error](err); ok {
		if own.Usage || own.Err == nil { // what is wrong with a question repeats it
			return Reason(err)
		}
		return Reason(err) + ": " + Logged(own.Err)
	}
	if defenderErr, ok := errors.AsType[*api.Error](err); ok {
		return defenderErr.Redacted()
	}
	return err.Error()
}

// explanationOf finds the first explanation that fits.
func explanationOf(err error) (explanation, bool) {
	if trouble := digest.TroubleOf(err); trouble != "" { // also where it did not answer in time
		e, ok := storeExplanations[trouble]
		e.kind = failure.Database
		return e, ok
	}
	defenderErr, _ := errors.AsType[*api.Error](err)
	for _, e := range explanations {
		if errors.Is(err, e.is) && (e.when == nil || defenderErr != nil && e.when(defenderErr)) {
			return e, true
		}
	}
	return explanation{}, false
}

// explanation is the text for one kind of failure.
type explanation struct {
	is    error
	when  func(*api.Error) bool // nil: always
	kind  failure.Kind          // for metrics and the audit
	title string
	lead  string
	more  func(error) string
}

// explanations holds the kinds of failure, special ones before general ones.
var explanations = []explanation{
	{is: api.ErrPermission, when: atSignIn, kind: failure.Permission, title: "This bot lacks a permission in Defender", more: advice},
	{is: api.ErrLicence, when: atSignIn, kind: failure.Licence, title: "Defender Vulnerability Management is not available in this tenant", more: advice},
	{is: api.ErrCredential, when: atSignIn, kind: failure.Credential, title: "Sign-in to Defender failed", more: advice},
	{is: api.ErrUnavailable, when: atSignIn, kind: failure.Unavailable, title: "Sign-in to Defender is not possible now", more: advice},
	{
		is: api.ErrNotFound, kind: failure.NotFound, title: "Defender does not know that",
		lead: "Check the spelling, or it may have left the tenant. Search for it by a part of its name.",
	},
	{
		is: api.ErrPermission, when: code("DisallowedOperation"), kind: failure.Permission, title: "Defender does not allow that",
		lead: "The tenant's settings forbid it; no permission of the bot's app is missing. Ask an administrator of Defender why.",
	},
	{
		is: api.ErrPermission, when: unnamed, kind: failure.Permission, title: "Defender refuses this bot",
		lead: "It knows who the bot is, but does not say what is missing. The operator of this bot should check that the app registration has Software.Read.All with admin consent, " +
			"and that DEFENDER_SCOPE, if set, names Defender's own service.",
	},
	{
		is: api.ErrPermission, kind: failure.Permission, title: "This bot lacks a permission in Defender",
		lead: "An administrator of Entra has to add it to the app registration under API permissions > WindowsDefenderATP > Application permissions and grant admin consent.",
		more: missingRoles,
	},
	{
		is: api.ErrNotDefender, when: status(401, 403, 407), kind: failure.NotDefender, title: "Something between this bot and Defender refuses",
		lead: "A firewall, proxy or gateway answered in Defender's place, so nothing is known about your question. The bot's app lacks no permission. " +
			"The operator of this bot has to have Defender's address allowed there, and should check DEFENDER_API_URL if it is set.",
	},
	{
		is: api.ErrNotDefender, kind: failure.NotDefender, title: "This is not Defender's API",
		lead: "The server at the address that this bot calls does not answer as Defender does, so nothing is known about your question. " +
			"The operator of this bot should check DEFENDER_API_URL and DEFENDER_CLOUD, and any proxy or gateway in between.",
	},
	{
		is: api.ErrLicence, when: code("DisabledFeature"), kind: failure.Licence, title: "Defender Vulnerability Management is not available in this tenant",
		lead: "Defender says that this feature is switched off. Ask an administrator of Defender.",
	},
	{
		is: api.ErrLicence, kind: failure.Licence, title: "Defender Vulnerability Management is not available in this tenant",
		lead: "The tenant has no licence for it, or its Defender workspace is not active yet (activation takes some hours). Ask an administrator of Defender.",
	},
	{
		is: api.ErrCredential, when: byDefender, kind: failure.Credential, title: "Sign-in to Defender failed",
		lead: "Defender does not accept the token that Entra gave this bot. If asking again does not help, the token belongs to another tenant or cloud: " +
			"the operator of this bot should check AZURE_TENANT_ID, DEFENDER_CLOUD and DEFENDER_SCOPE.",
	},
	{
		is: api.ErrCredential, kind: failure.Credential, title: "Sign-in to Defender failed",
		lead: "Entra refused the bot's app credential: its secret or certificate may have expired, or belong to another app or tenant. The operator of this bot has to renew it.",
		more: entraCode,
	},
	{
		is: api.ErrThrottled, kind: failure.Throttled, title: "Defender asks for a pause",
		lead: "Too many questions in a short time: the tenant's quota is used up.",
		more: retryHint,
	},
	{
		is: api.ErrBusy, kind: failure.Busy, title: "Too many long answers at once",
		lead: "Defender's answer is long, and the bot reads only a few long answers at a time. Ask again in a minute.",
	},
	{
		is: api.ErrBadResponse, kind: failure.BadResponse, title: "Defender's answer could not be read",
		lead: "It is not what the API promises, so the bot shows none of it. Try again in a minute; if it persists, a proxy may be answering in Defender's place, " +
			"or DEFENDER_API_URL names another address: the operator of this bot should check both.",
	},
	{
		is: api.ErrBadRequest, when: code("OsPlatformNotSupported", "ClientVersionNotSupported"), kind: failure.BadRequest, title: "Defender cannot say that about this device",
		lead: "It does not support this for the device's operating system, or for the version of its Defender client. Ask about another device, or again after the client's next update.",
	},
	{
		is: api.ErrBadRequest, when: code("ODataError", "InvalidRequestBody", "MissingRequiredParameter", "MaximumBatchSizeExceeded"), kind: failure.BadRequest,
		title: "Defender does not understand that question",
		lead:  "The fault is in the bot's request, not in your question. The bot logged it: tell the operator of this bot.",
	},
	{
		is: api.ErrBadRequest, kind: failure.BadRequest, title: "Defender does not understand that question",
		lead: "It refused the request as malformed. Check the id or name you typed, or search for it.",
	},
	{
		is: api.ErrUnavailable, kind: failure.Unavailable, title: "Defender cannot be reached",
		lead: "It did not answer, or reported that it is down, even after several tries. Nothing is known about your question until it is back; try again in a few minutes.",
	},
	{
		is: context.DeadlineExceeded, kind: failure.Timeout, title: "That took too long",
		lead: "Defender did not answer in time. Ask again in a minute: if the answer arrives meanwhile, the bot keeps it.",
	},
	{
		is: context.Canceled, kind: failure.Cancelled, title: "The bot is restarting",
		lead: "It stopped before it could answer you. Ask again in a moment.",
	},
}

// code fits errors that carry one of Defender's words.
func code(words ...string) func(*api.Error) bool {
	return func(e *api.Error) bool { return slices.Contains(words, e.Code) }
}

// status fits errors with one of some HTTP statuses.
func status(codes ...int) func(*api.Error) bool {
	return func(e *api.Error) bool { return slices.Contains(codes, e.Status) }
}

// atSignIn fits failures of the sign-in whose cause is known.
func atSignIn(e *api.Error) bool { return e.Fault != "" }

// advice says what is wrong with the sign-in and who has to do what. The words are those of the log and of the doctor.
func advice(err error) string {
	e, ok := errors.AsType[*api.Error](err)
	if !ok {
		return ""
	}
	told := e.Fault.Advice()
	return strings.TrimSpace(told.What + " " + told.Cure + " " + entraCode(err))
}

// byDefender fits refusals of Defender, unlike those of Entra, which are given before the request has an id.
func byDefender(e *api.Error) bool { return e.RequestID != "" && e.Status != 0 }

// unnamed fits refusals of Defender that do not say which permission they want.
func unnamed(e *api.Error) bool { return byDefender(e) && len(e.Roles) == 0 }

func missingRoles(err error) string {
	e, ok := errors.AsType[*api.Error](err)
	if !ok || len(e.Roles) == 0 {
		return ""
	}
	if len(e.Roles) == 1 {
		return "Defender asks for " + e.Roles[0] + "."
	}
	return "Defender asks for one of " + strings.Join(e.Roles, ", ") + "."
}

func entraCode(err error) string {
	if e, ok := errors.AsType[*api.Error](err); ok && strings.HasPrefix(e.Code, "AADSTS") {
		return "Entra's code is " + e.Code + "."
	}
	return ""
}

func retryHint(err error) string {
	if e, ok := errors.AsType[*api.Error](err); ok && e.RetryAfter > 0 {
		return fmt.Sprintf("Try again in %s.", view.Age(e.RetryAfter.Round(time.Second)+time.Second))
	}
	return "Try again in a minute."
}

func supportID(err error) string {
	if e, ok := errors.AsType[*api.Error](err); ok && e.Status >= 400 && redact.String(e.Target) == e.Target {
		return e.Target
	}
	return ""
}
