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
	return []error{ErrNotFound, ErrPermission, ErrCredential, ErrLicence, ErrThrottled, ErrBusy, ErrUnavailable, ErrBadResponse, ErrNotDefender, ErrBadRequest}
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
		"no licence, 403":  {403, "Forbidden", "Tenant does not have a license for Defender Vulnerability Management.", ErrLicence, nil, 0},
		"British":          {403, "Forbidden", "The licence of this tenant has expired.", ErrLicence, nil, 0},
		"no subscription":  {403, "Forbidden", "The tenant has no active subscription.", ErrLicence, nil, 0},
		"not provisioned":  {401, "Unauthorized", "Tenant is not provisioned.", ErrLicence, nil, 0},
		"role first":       {403, "Forbidden", "Missing application roles. API required roles: Software.Read.All, application roles: License.Read.", ErrPermission, []string{"Software.Read.All"}, 0},
		"tenant inactive":  {401, "Unauthorized", "Unauthorized request - reason of failure: Account mode is inactive", ErrLicence, nil, 0},
		"token expired":    {401, "Unauthorized", "Token is expired.", ErrCredential, nil, 0},
		"unknown machine":  {404, "ResourceNotFound", "Machine 0123 was not found", ErrNotFound, nil, 0},
		"quota":            {429, "429", "API calls quota exceeded! Maximum allowed 30 per 00:01:00 for the key Destination+TenantID+AppID. You can send requests again in 8 seconds.", ErrThrottled, nil, 8 * time.Second},
		"internal error":   {500, "InternalServerError", "Something broke.", ErrUnavailable, nil, 0},
		"bad gateway":      {502, "", "", ErrUnavailable, nil, 0},
		"request timeout":  {408, "", "", ErrUnavailable, nil, 0},
		"bad filter":       {400, "ODataError", "The query specified in the URI is not valid.", ErrBadRequest, nil, 0},
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

// "Not found", "forbidden" and "unauthorized" are taken from Defender only. What else answers so is told as that, with its
// status and without a word of it.
func TestRefusalsOfOthers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		kind   error
	}{
		"404, nothing":              {404, "", ErrNotDefender},
		"404, html":                 {404, "<html><body>Sorry</body></html>", ErrNotDefender},
		"404, xml":                  {404, `<?xml version="1.0"?><Error><Code>Sorry</Code></Error>`, ErrNotDefender},
		"404, text":                 {404, "Sorry", ErrNotDefender},
		"404, API Management":       {404, `{"statusCode":404,"message":"Sorry"}`, ErrNotDefender},
		"404, ASP.NET":              {404, `{"type":"https://tools.ietf.org/html/rfc9110","title":"Sorry","status":404,"traceId":"x"}`, ErrNotDefender},
		"404, Web API":              {404, `{"Message":"No HTTP resource was found that matches the request URI"}`, ErrNotDefender},
		"404, Graph":                {404, `{"error":{"code":"itemNotFound","message":"Sorry","innerError":{}}}`, ErrNotDefender},
		"404, other JSON":           {404, `{"error":"nope"}`, ErrNotDefender},
		"404, numeric code":         {404, `{"error":{"code":404,"message":"m"}}`, ErrNotDefender},
		"404, no code":              {404, `{"error":{"message":"Sorry"}}`, ErrNotDefender},
		"404, error is a list":      {404, `{"error":[]}`, ErrNotDefender},
		"404, a list":               {404, nothing, ErrNotDefender},
		"404, Defender":             {404, `{"error":{"code":"ResourceNotFound","message":"Machine 123123123 was not found","target":"43f4cb08"}}`, ErrNotFound},
		"404, Defender, in general": {404, `{"error":{"code":"NotFound","message":""}}`, ErrNotFound},
		"403, html":                 {403, "<html><body>Blocked</body></html>", ErrNotDefender},
		"403, a firewall's JSON":    {403, `{"status":"blocked","policy":"cloud"}`, ErrNotDefender},
		"403, API Management":       {403, `{"statusCode":403,"message":"Forbidden"}`, ErrNotDefender},
		"403, Defender":             {403, `{"error":{"code":"Forbidden","message":"Access denied."}}`, ErrPermission},
		"403, nothing":              {403, " ", ErrPermission},
		"401, html":                 {401, "<html>Sign in</html>", ErrNotDefender},
		"401, API Management":       {401, `{"statusCode":401,"message":"Access denied"}`, ErrNotDefender},
		"401, nothing":              {401, "", ErrCredential},
		"405":                       {405, "", ErrNotDefender},
		"407":                       {407, "<html>Proxy</html>", ErrNotDefender},
		"410":                       {410, "<html>Gone</html>", ErrNotDefender},
		"451":                       {451, "", ErrNotDefender},
		"301":                       {301, "", ErrNotDefender},
		"302":                       {302, `{"error":{"code":"NotFound","message":"m"}}`, ErrNotDefender},
		"400, html":                 {400, "<h2>Bad Request - Invalid URL</h2>", ErrBadRequest},
		"409, Defender":             {409, `{"error":{"code":"Conflict","message":"m"}}`, ErrBadRequest},
		"429, html":                 {429, "<html></html>", ErrThrottled},
		"502, html":                 {502, "<html></html>", ErrUnavailable},
		"511":                       {511, "<html>Sign in to the network</html>", ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				say(w, tc.body)
			})
			c := s.client(t, func(o *Options) { o.Retry.MaxRetries = -1 })
			for call, ask := range map[string]func() error{
				"MissingKBs":   func() error { _, err := c.MissingKBs(t.Context(), "a"); return err },
				"SoftwareByID": func() error { _, err := c.SoftwareByID(t.Context(), "a"); return err },
				"MachineByID":  func() error { _, err := c.MachineByID(t.Context(), "a"); return err },
			} {
				err := ask()
				if e := errorOf(t, err, tc.kind); e.Status != tc.status || strings.Contains(err.Error(), "Sorry") && !strings.Contains(tc.body, `"error":{`) || strings.Contains(err.Error(), "Blocked") {
					t.Errorf("%s: %v", call, err)
				}
			}
			if _, err := c.Catalog(t.Context()); errors.Is(err, ErrNotFound) {
				t.Errorf("a software list is not found: %v", err)
			}
		})
	}
}

// An empty list is believed where Defender says that it is one of its own. Otherwise only what knows the software can say
// that it lacks nothing.
func TestEmptyLists(t *testing.T) {
	t.Parallel()
	const bare = `{"value":[]}`
	for name, tc := range map[string]struct {
		list, software string
		kind           error
		calls          int
	}{
		"Defender":                  {nothing, "", nil, 1},
		"bare, known":               {bare, `{"id":"a","name":"a","vendor":"v"}`, nil, 2},
		"bare, everywhere":          {bare, bare, ErrBadResponse, 2},
		"bare, unknown":             {bare, "404", ErrNotFound, 2},
		"bare, not there":           {bare, "<html>", ErrBadResponse, 2},
		"bare, and a row to read":   {`{"value":[{"id":"1","machineMissedOn":1}]}`, "", nil, 1},
		"bare, and a row that is 0": {`{"value":[{"id":"1","machineMissedOn":0}]}`, "", nil, 1},
		"null":                      {`{"@odata.context":"c","value":null}`, "", ErrBadResponse, 1},
		"no value":                  {`{"@odata.context":"c"}`, "", ErrBadResponse, 1},
		"an empty object":           {`{}`, "", ErrBadResponse, 1},
		"html":                      {`<html></html>`, "", ErrBadResponse, 1},
		"nothing":                   {``, "", ErrBadResponse, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/getmissingkbs"), r.URL.Path == "/api/Software":
					say(w, tc.list)
				case tc.software == "404":
					fail(404, "ResourceNotFound", "Software a was not found")(w, r)
				default:
					say(w, tc.software)
				}
			})
			c := s.client(t)
			for range 2 {
				got, err := c.MissingKBs(t.Context(), "a", Background())
				if tc.kind != nil {
					wantKind(t, err, tc.kind)
				} else if err != nil || got.Value == nil {
					t.Fatal(got.Value, err)
				}
				if n := len(s.asked()); (tc.kind == nil || errors.Is(tc.kind, ErrNotFound)) && n != tc.calls {
					t.Errorf("%d calls, want %d", n, tc.calls)
				}
			}
			all, err := c.Catalog(t.Context())
			if (err == nil) != (name == "Defender" || strings.Contains(name, "a row")) {
				t.Errorf("the software list: %v, %v", all.Value, err)
			}
		})
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
	s := serve(t, fail(403, "For\nbidden", message))
	_, err := s.client(t).MissingKBs(t.Context(), "a")
	e := errorOf(t, err, ErrPermission)
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
