package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// entraCode is how Entra numbers its errors.
//
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var entraCode = regexp.MustCompile(`AADSTS\d+`)

// signInFailed makes an error of what a credential says. azidentity's own text
// is a page with the whole answer of Entra, so only its essence is kept.
func signInFailed(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		own := *e
		return &own
	}
	e := &Error{Kind: ErrCredential, Message: oneLine(err.Error())}
	if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok && failed.RawResponse != nil {
		e = entraSaid(failed.RawResponse)
	}
	if e.Code == "" {
		e.Code = entraCode.FindString(e.Message)
	}
	switch e.Code {
	case "AADSTS500011", "AADSTS650052": // the tenant does not know Defender's API
		e.Kind = ErrLicence
	case "AADSTS65001": // nobody has consented
		e.Kind = ErrPermission
	}
	return e
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
	if json.Unmarshal(body, &said) != nil {
		return e
	}
	e.Code = entraCode.FindString(said.Description)
	// Behind the sentence Entra repeats ids and the time for its support.
	text, _, _ := strings.Cut(strings.TrimPrefix(said.Description, e.Code+": "), "Trace ID:")
	e.Message = oneLine(anyToken.ReplaceAllString(text, "REDACTED")) // it may repeat an assertion
	if e.Code == "" {
		e.Code = oneLine(said.Error)
	}
	return e
}
