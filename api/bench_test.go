package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// manyKBs is the body of an answer with n rows, as loose as the real ones.
func manyKBs(n int) []byte {
	type row struct {
		ID              string   `json:"id"`
		Name            string   `json:"name"`
		OSBuild         any      `json:"osBuild"`
		ProductsNames   []string `json:"productsNames"`
		URL             string   `json:"url"`
		MachineMissedOn any      `json:"machineMissedOn"`
		CVEAddressed    any      `json:"cveAddressed"`
	}
	builds := []any{17763, "22631.4037", nil, 19045}
	rows := make([]row, n)
	for i := range rows {
		id := strconv.Itoa(5000000 + i)
		rows[i] = row{
			ID: id, Name: "November 2026 Security Updates", OSBuild: builds[i%len(builds)],
			ProductsNames:   []string{"windows_10", "windows_server_2019"}[:1+i%2],
			URL:             "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB" + id,
			MachineMissedOn: 1 + i%400, CVEAddressed: float64(i % 90),
		}
	}
	body, err := json.Marshal(map[string]any{
		"@odata.context": "https://api.security.microsoft.com/api/$metadata#Collection(Analytics.Contracts.PublicAPI.PublicProductFixDto)",
		"value":          rows,
	})
	if err != nil {
		panic(err)
	}
	return body
}

func BenchmarkDecodeMissingKBs(b *testing.B) {
	for _, n := range []int{10, 1_000, 10_000, 125_000} {
		body := manyKBs(n)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				page, err := decodeKBPage(body)
				if kbs := mergeKBs(page.rows); err != nil || len(kbs) != n {
					b.Fatal(len(kbs), err)
				}
			}
		})
	}
}

// What a question costs us when the answer is in memory.
func BenchmarkCachedMissingKBs(b *testing.B) {
	for _, n := range []int{10, 100, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { benchmarkMissingKBs(b, n) })
	}
}

// What a question costs us, without the network, when it has to be asked.
func BenchmarkUncachedMissingKBs(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { benchmarkMissingKBs(b, n, MaxAge(0)) })
	}
}

func benchmarkMissingKBs(b *testing.B, n int, opts ...CallOption) {
	b.Helper()
	body := string(manyKBs(n))
	c := newTestClient(b, func(o *Options) {
		o.Transport = inMemory(func(r *http.Request) (*http.Response, error) { return reply(r, 200, body), nil })
	})
	if _, err := c.MissingKBs(b.Context(), "microsoft-_-edge"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		got, err := c.MissingKBs(b.Context(), "microsoft-_-edge", opts...)
		if err != nil || len(got.Value) != n {
			b.Fatal(len(got.Value), err)
		}
	}
}

// How much memory the devices of one software take while their answer is kept: 200,000 rows, on pages as Defender sends them.
func BenchmarkDeviceRows(b *testing.B) {
	const devices, page = 200_000, 10_000
	transport := inMemory(func(r *http.Request) (*http.Response, error) {
		from, _ := strconv.Atoi(r.URL.Query().Get("$skip")) // none on the first page
		var body strings.Builder
		body.WriteString(`{"value":[`)
		for i := from; i < from+page; i++ {
			fmt.Fprintf(&body, `{"id":"%040x","computerDnsName":"desk-%06d.corp.contoso.example","osPlatform":"Windows11","rbacGroupName":"Office %d"},`, uint64(i)*0x9E3779B97F4A7C15, i, i%20) //nolint:gosec // a number
		}
		text := strings.TrimSuffix(body.String(), ",") + "]"
		if next := from + page; next < devices {
			text += fmt.Sprintf(`,"@odata.nextLink":"https://%s%s?$skip=%d"`, r.URL.Host, r.URL.EscapedPath(), next)
		}
		return reply(r, 200, text+"}"), nil
	})
	var before, after runtime.MemStats
	for b.Loop() {
		c := newTestClient(b, func(o *Options) { o.Transport = transport })
		runtime.GC()
		runtime.ReadMemStats(&before)
		if n, err := countDevices(b, c); err != nil || n != devices {
			b.Fatal(n, err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(c)
	}
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/devices, "B/device")
}

// countDevices asks for the devices of a software, and keeps none of the answer.
func countDevices(b *testing.B, c *Client) (int, error) {
	b.Helper()
	got, err := c.SoftwareMachines(b.Context(), "microsoft-_-windows_11")
	return len(got.Value), err
}
