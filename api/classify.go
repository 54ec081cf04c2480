package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/missingkbs/missingkbs/internal/httpclient"
)

const requestIDHeader = "x-ms-client-request-id"

// responseError makes an error, all but the call, of an answer that is not 200.
//
// https://learn.microsoft.com/defender-endpoint/api/common-errors
func responseError(resp *http.Response) *Error {
	e := &Error{Status: resp.StatusCode}
	if resp.Request != nil {
		e.RequestID = resp.Request.Header.Get(requestIDHeader)
	}
	body, _ := runtime.Payload(resp) // what cannot be read explains nothing
	var said struct {
		Error struct{ Code, Message, Target string }
	}
	_ = json.Unmarshal(body, &said) // whatever of it is there
	hide := withoutEchoes(resp)
	e.Code, e.Message = hide(said.Error.Code), hide(said.Error.Message)
	if target := oneLine(said.Error.Target); hide(target) == target { // else it is no id to quote
		e.Target = target
	}
	if notDefender(resp.StatusCode, e.Code, body) {
		e.Kind, e.Err = ErrNotDefender, whatElse(body)
		return e
	}
	e.Kind = kindOf(resp.StatusCode, e.Code, e.Message)
	switch {
	case e.Is(ErrPermission):
		e.Roles = roles(said.Error.Message, hide)
	case e.Is(ErrThrottled), e.Is(ErrUnavailable):
		e.RetryAfter = retryAfter(resp)
	}
	return e
}

// notDefender reports whether a refusal is not one of Defender's: something on the way answered in its place, or the
// address is that of something else. Defender's refusals have a code of its own. Without one, a server that is busy or
// down may still be Defender, and so may one that refuses a token or a question without a word.
func notDefender(status int, code string, body []byte) bool {
	switch {
	case status >= 300 && status < 400:
		return true
	case status == http.StatusNotFound:
		return !slices.Contains(notFoundCodes(), code)
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status == http.StatusBadRequest:
		return false
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return code == "" && len(bytes.TrimSpace(body)) > 0
	}
	return status >= 400 && status < 500 && code == ""
}

// notFoundCodes are Defender's words for what it does not know.
func notFoundCodes() []string { return []string{"NotFound", "ResourceNotFound"} }

// whatElse says what a body is that is not Defender's. It quotes nothing of it.
func whatElse(body []byte) error {
	if _, err := object(body); err != nil {
		return err
	}
	return errors.New("the answer is JSON of another service")
}

// kindOf sorts Defender's refusals. A 401 is not always about the credential, nor
// a 403 about permissions: a tenant without a licence gets them, too.
func kindOf(status int, code, message string) error {
	switch {
	case (status == http.StatusUnauthorized || status == http.StatusForbidden) && noLicence(message):
		return ErrLicence
	case status == http.StatusUnauthorized:
		return ErrCredential
	case status == http.StatusForbidden && code == "DisabledFeature":
		return ErrLicence
	case status == http.StatusForbidden:
		return ErrPermission
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusTooManyRequests:
		return ErrThrottled
	case status >= 500 || status == http.StatusRequestTimeout:
		return ErrUnavailable
	case status >= 400:
		return ErrBadRequest
	}
	return ErrBadResponse // a success that is none of ours
}

// licenceWords are in the refusals of a tenant without a licence, or whose workspace is not active.
var licenceWords = []string{"license", "licence", "account mode", "provisioned", "subscription", "not activated"}

// noLicence reports whether a refusal is about the tenant's licence. One that names permissions is not.
func noLicence(message string) bool {
	if rolesWanted.MatchString(message) {
		return false
	}
	message = strings.ToLower(message)
	return slices.ContainsFunc(licenceWords, func(w string) bool { return strings.Contains(message, w) })
}

var rolesWanted = regexp.MustCompile(`(?i)required roles:\s*(.*?),?\s*application roles:|permissions\s*\(([^)]*)\)`)

// roles finds the permissions that Defender asks for in the two sentences it has
// for that, both of which are seen in the wild:
//
//	Missing application roles. API required roles: A,B, application roles: C.
//	The application does not have any of the required application permissions (A, B) to access the resource.
//
// The message is the whole one, not the shortened.
func roles(message string, hide func(string) string) []string {
	m := rolesWanted.FindStringSubmatch(message)
	if m == nil {
		return nil
	}
	roles := strings.FieldsFunc(m[1]+m[2], func(r rune) bool { return r == ',' || r == ' ' })
	for i := range roles {
		roles[i] = hide(roles[i])
	}
	return roles
}

// unanswered makes an error of a call that brought no answer. ctx is that of the
// caller, without the timeout of the call.
func (c *Client) unanswered(ctx context.Context, call string, err error) *Error {
	e := c.whyUnanswered(ctx, err)
	e.Call = call
	return e
}

func (c *Client) whyUnanswered(ctx context.Context, err error) *Error {
	if e, ok := errors.AsType[*signInError](err); ok && ctx.Err() == nil {
		return signInFailed(e.err)
	}
	if e, ok := errors.AsType[*tooLate](err); ok {
		own := e.why
		own.RetryAfter = e.wait
		return &own
	}
	if e, ok := errors.AsType[*gaveUp](err); ok && ctx.Err() == nil {
		return &Error{Kind: ErrUnavailable, Message: e.Error()}
	}
	if e, ok := errors.AsType[*tooLarge](err); ok {
		return &Error{Kind: ErrBadResponse, Err: e}
	}
	if ctx.Err() != nil {
		return stoppedWaiting(ctx, positionOf(ctx))
	}
	if callStateOf(ctx).turnedAway {
		return busyError(err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Kind: ErrUnavailable, Message: fmt.Sprintf("no answer within %s", c.timeout)}
	}
	return &Error{Kind: ErrUnavailable, Err: httpclient.WithoutURL(err)}
}

// stoppedWaiting makes an error of a caller's context that is done: what the
// call was waiting for, when it stood in a queue.
func stoppedWaiting(ctx context.Context, p *queuePosition) *Error {
	if p.isWaitingForMemory() {
		return busyError(ctx.Err())
	}
	if turn, _ := p.current(); turn.After(time.Now()) {
		return p.throttled(ctx.Err())
	}
	return &Error{Err: ctx.Err()}
}

// badResponse makes an error of an answer that makes no sense.
func badResponse(call string, err error) *Error {
	return &Error{Kind: ErrBadResponse, Call: call, Err: err}
}

// noID is the error of an empty id, which would ask for the whole collection.
func (c *Client) noID(path string) *Error {
	return &Error{Kind: ErrNotFound, Call: c.call(path), Message: "the id is empty"}
}

// asError returns err as our own type, which it is already but for bugs.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Err: err}
}
