package apitest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s, err := Start(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// ask asks a tenant without a network in between, with a good token.
func ask(tb testing.TB, ten *Tenant, path string) *httptest.ResponseRecorder {
	tb.Helper()
	return askAs(tb, ten, path, "Bearer "+ten.Token())
}

func askAs(tb testing.TB, ten *Tenant, path, authorization string) *httptest.ResponseRecorder {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "https://defender.test"+path, nil)
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	ten.ServeHTTP(w, r)
	return w
}

// rows is the list at the path.
func rows[T any](tb testing.TB, ten *Tenant, path string) []T {
	tb.Helper()
	w := ask(tb, ten, path)
	if w.Code != http.StatusOK {
		tb.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	var p struct{ Value []T }
	decode(tb, w.Body, &p)
	return p.Value
}

func decode(tb testing.TB, r io.Reader, into any) {
	tb.Helper()
	if err := json.NewDecoder(r).Decode(into); err != nil {
		tb.Fatal(err)
	}
}

// kbRead is a KB row as a client reads it.
type kbRead struct {
	ID              string
	Name            string
	OSBuild         json.RawMessage
	ProductsNames   []string
	URL             *string
	MachineMissedOn int
	CVEAddressed    int
}

type assetRead struct {
	ID, CVEID, MachineID, ProductName, ProductVendor, ProductVersion, Severity string

	FixingKBID *string
}

type machineRead struct {
	ID, ComputerDNSName, OSPlatform, HealthStatus, RBACGroupName string
}

// get asks a server over the network.
func get(tb testing.TB, s *Server, path string) (*http.Response, []byte, error) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, s.URL+path, nil)
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.Token())
	resp, err := s.Client().Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

// failed takes the error of an answer apart.
func failed(tb testing.TB, w *httptest.ResponseRecorder) (code, message, target string) {
	tb.Helper()
	var b errorBody
	decode(tb, w.Body, &b)
	return b.Error.Code, b.Error.Message, b.Error.Target
}
