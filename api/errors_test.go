package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// kinds are all sentinels; an error is exactly one of them.
func kinds() []error {
	return []error{ErrNotFound, ErrPermission, ErrCredential, ErrLicence, ErrThrottled, ErrBusy, ErrUnavailable, ErrBadResponse, ErrBadRequest}
}

// wantKind checks that err is our error, of one kind only, on one line.
func wantKind(t *testing.T, err, kind error) {
	t.Helper()
	_ = errorOf(t, err, kind)
}

// errorOf is [wantKind] for those who want to see more of the error.
func errorOf(t *testing.T, err, kind error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("error %v (%T) is no *Error", err, err)
	}
	for _, k := range kinds() {
		if got, want := errors.Is(err, k), kind != nil && k.Error() == kind.Error(); got != want {
			t.Errorf("errors.Is(%q, %q) = %v, want %v", err, k, got, want)
		}
	}
	if strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("error has several lines: %q", err)
	}
	return e
}

// The wordings are those of the live service.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status        int
		code, message string
		kind          error
		roles         []string
		retryAfter    time.Duration
	}{
		"app role missing": {
			403, "Forbidden", "Missing application roles. API required roles: Software.Read.All,Software.Read, application roles: Machine.Read.All.",
			ErrPermission,
			[]string{"Software.Read.All", "Software.Read"},
			0,
		},
		"app role missing, older": {
			403, "Forbidden", "The application does not have any of the required application permissions (Software.Read.All) to access the resource.",
			ErrPermission,
			[]string{"Software.Read.All"},
			0,
		},
		"wrong audience":   {403, "Forbidden", "Access denied.", ErrPermission, nil, 0},
		"feature off":      {403, "DisabledFeature", "The feature is disabled.", ErrLicence, nil, 0},
		"no licence":       {401, "Unauthorized", "Unauthorized request - reason of failure: No Tvm license", ErrLicence, nil, 0},
		"tenant inactive":  {401, "Unauthorized", "Unauthorized request - reason of failure: Account mode is inactive", ErrLicence, nil, 0},
		"token expired":    {401, "Unauthorized", "Token is expired.", ErrCredential, nil, 0},
		"unknown machine":  {404, "ResourceNotFound", "Machine 0123 was not found", ErrNotFound, nil, 0},
		"quota":            {429, "429", "API calls quota exceeded! Maximum allowed 30 per 00:01:00 for the key Destination+TenantID+AppID. You can send requests again in 8 seconds.", ErrThrottled, nil, 8 * time.Second},
		"internal error":   {500, "InternalServerError", "Something broke.", ErrUnavailable, nil, 0},
		"bad gateway":      {502, "", "", ErrUnavailable, nil, 0},
		"request timeout":  {408, "", "", ErrUnavailable, nil, 0},
		"bad filter":       {400, "ODataError", "The query specified in the URI is not valid.", ErrBadRequest, nil, 0},
		"moved":            {302, "", "", ErrBadResponse, nil, 0},
		"no content":       {204, "", "", ErrBadResponse, nil, 0},
		"invented success": {299, "", "", ErrBadResponse, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				if tc.status != 204 {
					say(w, refusal(tc.code, tc.message))
				}
			})
			c := s.client(t, func(o *Options) { o.Retry.MaxRetries = -1 })
			_, err := c.MissingKBs(t.Context(), "a")
			got := errorOf(t, err, tc.kind)
			want := &Error{
				Kind: tc.kind, Call: "GET /api/Software/a/getmissingkbs", Status: tc.status,
				Code: tc.code, Message: tc.message, Target: "|7f3a-4c.1.", Roles: tc.roles, RetryAfter: tc.retryAfter,
			}
			if tc.status == 204 {
				want.Target = ""
			}
			if diff := cmp.Diff(*want, *got, cmpopts.EquateErrors(), cmpopts.IgnoreFields(Error{}, "RequestID")); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if got.RequestID == "" {
				t.Error("no request id")
			}
		})
	}
}

// A body that is no error of Defender's still gives an error with its status.
func TestRefusalsWithOddBodies(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":         "",
		"html":            "<html><body>Sorry</body></html>",
		"other json":      `{"error":"nope"}`,
		"numeric code":    `{"error":{"code":5,"message":"m"}}`,
		"error is a list": `{"error":[]}`,
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			say(w, body)
		})
		_, err := s.client(t).MissingKBs(t.Context(), "a")
		if e := errorOf(t, err, ErrNotFound); e.Status != 404 || strings.Contains(err.Error(), "Sorry") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  Error
		want string
	}{
		{
			Error{Kind: ErrPermission, Call: "GET /x", Status: 403, Code: "Forbidden", Message: "Missing application roles."},
			"defender: GET /x: 403 Forbidden: Forbidden: Missing application roles.",
		},
		{Error{Kind: ErrThrottled, Call: "GET /x", RetryAfter: 1100 * time.Millisecond}, "defender: GET /x: throttled (again in 2s)"},
		{Error{Kind: ErrBadResponse, Call: "GET /x", Err: errors.New("the answer is empty")}, "defender: GET /x: bad response: the answer is empty"},
		{Error{Kind: ErrUnavailable, Err: errors.New("dial:\n\tno")}, "defender: unavailable: dial: no"},
		{Error{Call: "GET /x", Err: context.DeadlineExceeded}, "defender: GET /x: context deadline exceeded"},
		{Error{}, "defender: unknown error"},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("Error() = %q, want %q", got, tc.want)
		}
	}
}

// A list of roles may be longer than what is kept of the message.
func TestManyRoles(t *testing.T) {
	t.Parallel()
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprintf("Role%d.Read.All", i))
	}
	s := serve(t, fail(403, "Forbidden", "Missing application roles. API required roles: "+strings.Join(want, ",")+", application roles: ."))
	_, err := s.client(t).MissingKBs(t.Context(), "a")
	if diff := cmp.Diff(want, errorOf(t, err, ErrPermission).Roles); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
}

func TestForeignTextIsTamed(t *testing.T) {
	t.Parallel()
	message := "line one\r\nline\u2028two\x1b[31m\u202e\x00" + strings.Repeat("é", 1000)
	s := serve(t, fail(404, "Resource\nNotFound", message))
	_, err := s.client(t).MissingKBs(t.Context(), "a")
	e := errorOf(t, err, ErrNotFound)
	if strings.ContainsAny(e.Message+e.Code, "\r\n\x1b\x00\u2028\u202e") {
		t.Errorf("message %q keeps control characters", e.Message)
	}
	if n := len([]rune(e.Message)); n > maxMessage+1 {
		t.Errorf("message has %d characters", n)
	}
}

func TestNetworkErrors(t *testing.T) {
	t.Parallel()
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		say(w, `{"value":[`)
		panic(http.ErrAbortHandler)
	}
	gone := serve(t, respond(edge))
	client := gone.client(t)
	gone.Close()
	for name, c := range map[string]*Client{"connection refused": client, "cut in the middle": serve(t, cut).client(t)} {
		_, err := c.MissingKBs(t.Context(), "a")
		e := errorOf(t, err, ErrUnavailable)
		if e.Status != 0 || strings.Contains(err.Error(), "https://") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Our own timeout is Defender's fault, the caller's deadline the caller's.
func TestTooSlow(t *testing.T) {
	t.Parallel()
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	t.Run("timeout", func(t *testing.T) {
		t.Parallel()
		c := serve(t, hang).client(t, func(o *Options) { o.Timeout = 20 * time.Millisecond })
		_, err := c.MissingKBs(t.Context(), "a")
		wantKind(t, err, ErrUnavailable)
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v is the caller's", err)
		}
	})
	for name, ask := range map[string]func(context.Context, *Client) error{
		"answer": func(ctx context.Context, c *Client) error { _, err := c.MissingKBs(ctx, "a"); return err },
		"stream": func(ctx context.Context, c *Client) error {
			for _, err := range c.AllSoftware(ctx, SoftwareQuery{}) {
				return err
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, hang).client(t)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			err := ask(ctx, c)
			wantKind(t, err, nil)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v is not the caller's deadline", err)
			}
			cancelled, stop := context.WithCancel(t.Context())
			stop()
			if err := ask(cancelled, c); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v is not the caller's cancellation", err)
			}
		})
	}
}

// hangingCredential asks a login host that says nothing.
type hangingCredential struct{}

func (hangingCredential) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	<-ctx.Done()
	return azcore.AccessToken{}, ctx.Err()
}

// A login host, or that of managed identities, that says nothing holds up neither a question nor the sign-in that
// nobody waits for.
func TestHangingSignInIsGivenUp(t *testing.T) {
	t.Parallel()
	silent := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(silent.Close)
	secret, _, err := NewCredential(CredentialOptions{
		TenantID: testTenant, ClientID: testClient, ClientSecret: testSecret, Authority: silent.URL, Transport: silent.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, cred := range map[string]azcore.TokenCredential{"secret": secret, "any": hangingCredential{}} {
		s := serve(t, respond(edge))
		c, err := NewClient(cred, &Options{Cloud: Cloud{Endpoint: s.URL}, Transport: s.Client(), Timeout: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		_, err = c.MissingKBs(t.Context(), "a")
		wantKind(t, err, ErrUnavailable)
		if e := errorOf(t, c.SignIn(t.Context()), ErrUnavailable); !strings.Contains(e.Message, "login host") {
			t.Errorf("%s: %v", name, e)
		}
		if n := len(s.asked()); n != 0 {
			t.Errorf("%s: Defender was asked %d times without a token", name, n)
		}
	}
}
