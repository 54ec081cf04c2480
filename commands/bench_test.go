package commands_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
)

// BenchmarkAnswer makes the page of a software whose answer is in memory, with no data of feeds: of a dozen updates, as
// most answers have, and of ten thousand. Each update is of another OS build, so that nothing folds.
func BenchmarkAnswer(b *testing.B) {
	for _, n := range []int{12, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			server, err := apitest.Start(apitest.Options{Empty: true})
			if err != nil {
				b.Fatal(err)
			}
			defer server.Close()
			var kbs []apitest.KB
			for i := range n {
				kbs = append(kbs, apitest.KB{
					ID: strconv.Itoa(6_000_000 + i), Name: fmt.Sprintf("May %d Security Updates", 2000+i%100), OSBuild: 10000 + i,
					MachineMissedOn: 1 + i%500, CVEAddressed: i % 90, ProductsNames: []string{"windows_11"},
				})
			}
			server.PutSoftware(apitest.Software{ID: "microsoft-_-windows_11", Name: "windows_11", Vendor: "microsoft", ExposedMachines: 500}, kbs...)
			client, err := api.NewClient(credential{server}, &api.Options{
				Cloud: api.Cloud{Name: "test", Endpoint: server.URL, Scope: server.Scope()}, Transport: server.Client(), PerMinute: -1, PerHour: -1,
			})
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			router, err := commands.NewRouter(commands.Software(client, &search.Index{}))
			if err != nil {
				b.Fatal(err)
			}
			req, err := commands.Parse("microsoft-_-windows_11")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := router.Run(b.Context(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
