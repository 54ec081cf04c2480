package commands_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/advisory"
)

// BenchmarkAnswer makes the page of a software whose answer is in memory: of a dozen updates, as most answers have, and of ten
// thousand. Each update is of another OS build, so that nothing folds. Without feeds, with those of 24 months, and with absurd
// ones, in which each update supersedes the next in a circle.
func BenchmarkAnswer(b *testing.B) {
	for _, n := range []int{12, 10_000} {
		ask := newBenchTenant(b, n)
		for _, kind := range []string{"no feeds", "feeds", "absurd feeds"} {
			b.Run(fmt.Sprintf("%d/%s", n, kind), func(b *testing.B) {
				run := ask(b, benchFeeds(kind))
				b.ReportAllocs()
				for b.Loop() {
					run()
				}
			})
		}
	}
}

// newBenchTenant starts a tenant whose Windows lacks n updates, and returns a function that makes a router with feeds ask it.
func newBenchTenant(b *testing.B, n int) func(*testing.B, *advisory.Snapshot) (run func()) {
	b.Helper()
	server, err := apitest.Start(apitest.Options{Empty: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Close)
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
	b.Cleanup(client.Close)
	return func(b *testing.B, feeds *advisory.Snapshot) func() {
		b.Helper()
		router, err := commands.NewRouter(commands.Software(client, &search.Index{}, commands.WithAdvisories(func() *advisory.Snapshot { return feeds })))
		if err != nil {
			b.Fatal(err)
		}
		req, err := commands.Parse("microsoft-_-windows_11")
		if err != nil {
			b.Fatal(err)
		}
		return func() {
			if _, err := router.Run(b.Context(), req); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// benchFeeds are feeds of 24 months with 200 updates each, of which each fixes a hundred CVEs; nil for none.
func benchFeeds(kind string) *advisory.Snapshot {
	if kind == "no feeds" {
		return nil
	}
	at := time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC)
	kev := advisory.Catalog{Released: at}
	var docs []advisory.Document
	for month := range 24 {
		doc := advisory.Document{ID: at.AddDate(0, -month, 0).Format("2006-Jan"), Released: at.AddDate(0, -month, 0), Revised: at}
		for i := range 200 {
			n := 200*month + i
			u := advisory.Update{KB: strconv.Itoa(6_000_000 + n), Kind: advisory.Cumulative, Builds: []advisory.Build{{Product: strconv.Itoa(i), Line: 10000 + n, Revision: 9000 - n}}}
			if kind == "absurd feeds" {
				u.Builds[0].Revision, u.Supersedes = 1, []string{strconv.Itoa(6_000_000 + (n+1)%4800)}
			}
			for c := range 100 {
				u.CVEs = append(u.CVEs, fmt.Sprintf("CVE-2026-%d", 1000+(n/4*20+c)%20_000))
			}
			doc.Updates = append(doc.Updates, u)
		}
		docs = append(docs, doc)
	}
	for i := range 1700 {
		kev.Entries = append(kev.Entries, advisory.Exploited{CVE: fmt.Sprintf("CVE-2026-%d", 1000+i*13%20_000), Due: at.AddDate(0, 0, 21)})
	}
	return advisory.NewSnapshot(docs, kev)
}
