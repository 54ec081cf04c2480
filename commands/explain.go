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

// Error is an error whose text is written for the user.
type Error struct {
	Title   string        // heading; a general one if empty
	Message string        // what happened and what to do next
	Actions []view.Action // buttons with alternatives
	Usage   bool          // the question itself is invalid
	Field   string        // form field that it belongs to: the name of an option or [view.WordsField]; may be empty
	Refused bool          // the user lacks the right; the refusal is already logged
	Here    bool          // it only holds for this conversation: another one may be allowed
	Reason  string        // for metrics and audit, one of a few words; a general one if empty
	Err     error         // cause, for the log; may be nil
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

// ErrPanic is the error of a command that panicked.
var ErrPanic = errors.New("the command crashed")

// Explain returns the page for an error: what happened and what to do next. For an unknown error the page only says
// that it was logged, because its text may contain anything. The page hides what looks like a secret, even if the user
// typed it.
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

// Reason classifies an error in one of a few words, for metrics and audit: "" for nil, "usage" for an invalid question,
// "declined" for a refusal with an explanation, "database" for a store failure, "internal" for an error that [Explain]
// does not know, otherwise the kind of Defender's error.
func Reason(err error) string {
	if err == nil {
		return ""
	}
	own, ok := errors.AsType[*Error](err)
	if ok && own.Reason != "" { // more specific than the cause
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

// Reasons returns the values of [Reason] for errors, except those that refusals set themselves.
func Reasons() []string {
	words := make([]string, 0, len(failure.Kinds()))
	for _, k := range failure.Kinds() {
		words = append(words, string(k))
	}
	return words
}

// Logged returns what the log may contain about a failed question: its kind and cause, without what was typed. The
// audit records that, if configured.
func Logged(err error) string {
	if own, ok := errors.AsType[*Error](err); ok {
		if own.Usage || own.Err == nil { // messages about invalid questions repeat them
			return Reason(err)
		}
		return Reason(err) + ": " + Logged(own.Err)
	}
	if defenderErr, ok := errors.AsType[*api.Error](err); ok {
		return defenderErr.Redacted()
	}
	return err.Error()
}

// explanationOf returns the first explanation that applies.
func explanationOf(err error) (explanation, bool) {
	if trouble := digest.TroubleOf(err); trouble != "" { // includes timeouts
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

// explanation is the text for one kind of error.
type explanation struct {
	is    error
	when  func(*api.Error) bool // nil for always
	kind  failure.Kind          // for metrics and audit
	title string
	lead  string
	more  func(error) string
}

// explanations lists the kinds of errors, specific ones before general ones.
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

// code matches errors with one of Defender's error codes.
func code(words ...string) func(*api.Error) bool {
	return func(e *api.Error) bool { return slices.Contains(words, e.Code) }
}

// status matches errors with one of the HTTP statuses.
func status(codes ...int) func(*api.Error) bool {
	return func(e *api.Error) bool { return slices.Contains(codes, e.Status) }
}

// atSignIn matches sign-in errors with a known cause.
func atSignIn(e *api.Error) bool { return e.Fault != "" }

// advice says what is wrong with the sign-in and who has to fix it, in the same words as the log and doctor.
func advice(err error) string {
	e, ok := errors.AsType[*api.Error](err)
	if !ok {
		return ""
	}
	told := e.Fault.Advice()
	return strings.TrimSpace(told.What + " " + told.Cure + " " + entraCode(err))
}

// byDefender matches errors from Defender. Entra's are returned before a request has an ID.
func byDefender(e *api.Error) bool { return e.RequestID != "" && e.Status != 0 }

// unnamed matches refusals that do not name the required permission.
func unnamed(e *api.Error) bool { return byDefender(e) && len(e.Roles) == 0 }

// missingRoles names the permissions that Defender's refusal asks for, if it does.
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
