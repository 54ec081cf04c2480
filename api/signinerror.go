package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// entraCode is how Entra numbers its errors.
//
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var entraCode = regexp.MustCompile(`AADSTS\d+`)

// credentialError is the failure of a credential of some kind.
type credentialError struct {
	kind string // as [NewCredential] names it
	file string // of the federated token, for a workload identity
	err  error
}

func (e *credentialError) Error() string { return e.err.Error() }
func (e *credentialError) Unwrap() error { return e.err }

// signInFailed turns an error of a credential into an [Error]. azidentity's own text is a page with the whole answer of
// Entra, so only its essence is kept.
func signInFailed(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		own := *e
		return &own
	}
	e := &Error{Kind: ErrCredential}
	answered := false
	if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok && failed.RawResponse != nil {
		e, answered = entraSaid(failed.RawResponse), true
	} else {
		e.Message = essence(err)
		e.Code = entraCode.FindString(e.Message)
	}
	c, _ := errors.AsType[*credentialError](err)
	known, ok := faultOf(e.Code)
	switch {
	case ok:
		e.Kind, e.Fault = known.kind, known.fault
	case c != nil && c.kind == kindManaged:
		e.managed(answered)
	case e.Fault != "":
	case c != nil && c.kind == kindWorkload && !answered && !readable(c.file):
		e.Fault = TokenFileAbsent
	case strings.HasPrefix(e.Code, "AADSTS") && e.Kind == ErrCredential: //nolint:errorlint // a sentinel of our own
		e.Fault = LoginDeclined
	case !answered && bodyOfAnother(err):
		e.Kind, e.Fault = ErrUnavailable, LoginForeign
	}
	return e
}

// managed finds out why a managed identity gets no token. The host of identities has no codes.
func (e *Error) managed(answered bool) {
	e.Fault, e.Err = "", nil
	switch {
	case e.Status == http.StatusBadRequest, !answered && strings.Contains(e.Message, "system assigned identity"):
		e.Fault = IdentityUnassigned
		e.Kind = ErrCredential
	case e.Status >= http.StatusInternalServerError, e.Status == http.StatusTooManyRequests: // it is there, and busy
	default:
		e.Kind, e.Fault = ErrUnavailable, IdentityAway
	}
}

func readable(file string) bool {
	f, err := os.Open(file)
	if err == nil {
		_ = f.Close()
	}
	return err == nil
}

// bodyMarks stand before a body that MSAL could not read, which it repeats whole: that of a token among them.
func bodyMarks() []string {
	return []string{"json message bytes were:", "raw message was:", "reply status code was"}
}

// bodyOfAnother reports whether a sign-in failed because what answered spoke no JSON.
func bodyOfAnother(err error) bool {
	text := err.Error()
	return slices.ContainsFunc(bodyMarks(), func(mark string) bool { return strings.Contains(text, mark) })
}

// essence returns the text of a failure without the parts that it repeats of an answer.
func essence(err error) string {
	text := err.Error()
	for _, mark := range bodyMarks() {
		text, _, _ = strings.Cut(text, mark)
	}
	return oneLine(text)
}

// entraSaid reads Entra's answer to a token request.
func entraSaid(resp *http.Response) *Error {
	e := &Error{Kind: ErrCredential, Status: resp.StatusCode}
	if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
		e.Kind, e.RetryAfter = ErrUnavailable, retryAfter(resp)
	}
	body, _ := runtime.Payload(resp)
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &said) != nil || said.Error == "" {
		if e.Is(ErrCredential) {
			e.Kind, e.Fault, e.Err = ErrUnavailable, LoginForeign, whatElse(body)
		}
		return e
	}
	e.Code = entraCode.FindString(said.Description)
	// After the sentence Entra repeats ids and the time for its support.
	text, _, _ := strings.Cut(strings.TrimPrefix(said.Description, e.Code+": "), "Trace ID:")
	e.Message = withoutEchoes(resp)(text) // it may repeat an assertion
	if e.Code == "" {
		e.Code = oneLine(said.Error)
	}
	return e
}
