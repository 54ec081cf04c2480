package apitest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
)

// A test that makes its requests by hand.
func Example() {
	s, err := apitest.Start(apitest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	s.Inject(apitest.Fault{Path: "/api/Software", Times: 1, Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"})
	for range 2 {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.URL+"/api/Software/microsoft-_-edge/getmissingkbs", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		r.Header.Set("Authorization", "Bearer "+s.Token())
		resp, err := s.Client().Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, len(body) > 0, err)
	}
	fmt.Println(s.Count("/api/Software"), "calls")
	// Output:
	// 503 true <nil>
	// 200 true <nil>
	// 2 calls
}

// Weeks pass at once, and the data with them.
func ExampleTenant_Advance() {
	t := apitest.NewTenant(apitest.Options{})
	fmt.Println(t.Now().Format(time.DateOnly))
	t.Advance(4 * 7 * 24 * time.Hour)
	fmt.Println(t.Now().Format(time.DateOnly))
	// Output:
	// 2026-11-23
	// 2026-12-21
}
