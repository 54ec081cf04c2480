package demo

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/advisory/advisorytest"
	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// startPublisher starts a server of invented feeds that tell of the tenant's updates, by the tenant's clock. The caller
// closes it.
func startPublisher(tenant *apitest.Tenant) *advisorytest.Server {
	return advisorytest.Start(advisorytest.Options{Now: tenant.Now, Updates: func() []advisorytest.Update { return published(tenant) }})
}

// published are the tenant's updates as the publisher writes them. An out-of-band update of Windows Server is a hotpatch,
// which has the build of the cumulative update beside it.
func published(tenant *apitest.Tenant) []advisorytest.Update {
	var all []advisorytest.Update
	for _, p := range tenant.Published() {
		u := advisorytest.Update{KB: p.KB, Supersedes: p.Supersedes, Product: productID(p.Product, p.Line), Released: p.Released, CVEs: p.CVEs}
		if p.Line > 0 {
			u.Build = fmt.Sprintf("10.0.%d.%d", p.Line, p.Revision)
		}
		if p.OutOfBand && p.Product == "windows_server_2022" {
			u.SubType = "SecurityHotpatchUpdate"
		}
		all = append(all, u)
	}
	return all
}

// productID invents the number of a product.
func productID(product string, line int) string {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s %d", product, line) // it never fails
	return strconv.FormatUint(uint64(10_000+h.Sum32()%80_000), 10)
}

// publisherFaults are switches of the page. A fault shows when the clock has moved on, which brings the feeds up to date.
func publisherFaults(s *advisorytest.Server) []faults.Fitting {
	fitting := func(f advisorytest.Fault, label, help string) faults.Fitting {
		return faults.Fitting{Name: "feeds_" + string(f), Label: label, Group: "Feeds", Help: help, Set: func(on bool) { s.Set(f, on) }}
	}
	return []faults.Fitting{
		fitting(advisorytest.Down, "Down", "MSRC and CISA answer 503"),
		fitting(advisorytest.Forbidden, "CISA refuses", "403, as to many clouds; its copy answers"),
		fitting(advisorytest.WrongMonth, "Wrong month", "MSRC serves the document of another month"),
		fitting(advisorytest.EarlyRelease, "Early release", "a month has a single update"),
		fitting(advisorytest.ShrunkList, "Shrunk list", "half of CISA's list is gone"),
		fitting(advisorytest.WebPage, "Web page", "HTML in the place of data"),
	}
}

func publisherOptions(s *advisorytest.Server) feeds.Options {
	return feeds.Options{Pause: -1, FetchOptions: advisory.FetchOptions{
		MSRC: s.MSRC(), KEV: s.KEV(), Transport: s.Client(),
		Retry: policy.RetryOptions{MaxRetries: -1}, // it is on this machine, and an answer waits for it
	}}
}

// Advisories starts an invented publisher for a tenant and returns what it publishes, fetched once when it is asked for.
func Advisories(ctx context.Context, server *apitest.Server) (snapshot func() *advisory.Snapshot, stop func()) {
	publisher := startPublisher(server.Tenant)
	return sync.OnceValue(func() *advisory.Snapshot {
		fetcher, err := advisory.NewFetcher(publisherOptions(publisher).FetchOptions)
		if err != nil {
			return nil
		}
		list, _, err := fetcher.Catalog(ctx)
		if err != nil {
			return nil
		}
		months, err := fetcher.Months(ctx, server.Now(), feeds.DefaultMonths)
		if err != nil {
			return nil
		}
		var documents []advisory.Document
		for _, m := range months {
			if d, err := fetcher.Document(ctx, m.ID); err == nil {
				documents = append(documents, d)
			}
		}
		return advisory.NewSnapshot(documents, list)
	}), publisher.Close
}

// travellingFeeds bring the stored feeds up to date when the tenant's clock has moved. The job of serve goes by the real
// clock, and weeks pass in seconds here.
type travellingFeeds struct {
	refresher *feeds.Refresher
	library   *feeds.Library
	now       func() time.Time

	mu   sync.Mutex
	last time.Time // of the tenant's clock, when they were refreshed
}

func newTravellingFeeds(database feeds.Store, publisher *advisorytest.Server, now func() time.Time, log *slog.Logger) (*travellingFeeds, error) {
	refresher, err := feeds.NewRefresher(database, publisherOptions(publisher), now, log)
	if err != nil {
		return nil, err
	}
	return &travellingFeeds{refresher: refresher, library: feeds.NewLibrary(database, log), now: now}, nil
}

// travelTimeout bounds how long an answer waits for the invented publisher. That is on this machine, but a busy one
// takes its time, and an answer without the feeds would surprise more than a late one.
const travelTimeout = time.Minute

// snapshot returns what is published by now.
func (f *travellingFeeds) snapshot() *advisory.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); f.last.IsZero() || now.Sub(f.last) >= time.Hour {
		f.last = now
		ctx, cancel := context.WithTimeout(context.Background(), travelTimeout)
		defer cancel()
		f.refresher.Refresh(ctx)
		_ = f.library.Load(ctx) // an answer without it is as good as with feeds off
	}
	return f.library.Snapshot()
}
