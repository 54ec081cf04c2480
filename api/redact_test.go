package api

import (
	"errors"
	"testing"
)

func TestRedactedSaysNotWhatWasAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    Error
		want string
	}{
		{Error{Kind: ErrUnavailable, Call: "GET /api/Software/a%2Fb-_-c/getmissingkbs", Status: 503, Message: "no a/b-_-c today"}, "defender: GET /api/Software/{id}/getmissingkbs: 503 Service Unavailable: no {id} today"},
		{Error{Kind: ErrNotFound, Call: "GET /api/Software/x-_-y", Status: 404, Code: "ResourceNotFound", Message: "no X-_-Y"}, "defender: GET /api/Software/{id}: 404 Not Found: ResourceNotFound"},
		{Error{Kind: ErrBadRequest, Call: "GET /api/machines", Status: 400, Code: "ODataError", Message: "web-01 is odd"}, "defender: GET /api/machines: 400 Bad Request: ODataError"},
		{Error{Kind: ErrPermission, Call: "GET /base/api/machines/7/getmissingkbs", Status: 403, Message: "API required roles: Software.Read.All"}, "defender: GET /base/api/machines/{id}/getmissingkbs: 403 Forbidden: API required roles: Software.Read.All"},
		{Error{Kind: ErrCredential, Code: "AADSTS7000215", Err: errors.New("invalid client secret")}, "defender: credential refused: AADSTS7000215: invalid client secret"},
	} {
		call := c.e.Call
		if got := c.e.Redacted(); got != c.want || c.e.Call != call {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}
