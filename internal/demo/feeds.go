package demo

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/advisory/advisorytest"
	"github.com/missingkbs/missingkbs/internal/feeds"
)

// startPublisher starts a server of invented feeds about the tenant's updates, by the tenant's clock. The caller closes
// it.
func startPublisher(tenant *apitest.Tenant) *advisorytest.Server {
	return advisorytest.Start(advisorytest.Options{
		Now:     tenant.Now,
		Updates: func() []advisorytest.Update { updates, _ := published(tenant); return updates },
		Listed:  func() []advisorytest.Exploited { return listed(tenant) },
	})
}

// published returns the tenant's updates in the publisher's form, and which of them are out of band. For Windows Server
// these are hotpatches, which have the build of the cumulative update next to them and a chain of their own.
func published(tenant *apitest.Tenant) (all, outOfBand []advisorytest.Update) {
	cumulative := map[string]advisorytest.Update{} // newest of each product
	for _, p := range tenant.Published() {
		u := advisorytest.Update{KB: p.KB, Supersedes: p.Supersedes, Product: productID(p.Product, p.Line), Released: p.Released, CVEs: p.CVEs}
		if p.Line > 0 {
			u.Build = fmt.Sprintf("10.0.%d.%d", p.Line, p.Revision)
		}
		last := cumulative[u.Product]
		switch hotpatch := p.OutOfBand && p.Product == "windows_server_2022"; {
		case hotpatch:
			u.SubType, u.Supersedes, u.Build = "SecurityHotpatchUpdate", "", last.Build
		default:
			if last.KB != "" {
				u.Supersedes = last.KB
			}
			cumulative[u.Product] = u
		}
		if p.OutOfBand {
			outOfBand = append(outOfBand, u)
		}
		all = append(all, u)
	}
	return all, outOfBand
}

// listedAfter is how many days after an out-of-band update CISA lists a vulnerability that it fixes. A weekly digest
// has shown the update by then, and the new exploit is news between two digests.
const listedAfter = 14

// listed returns the current entries of CISA's list.
func listed(tenant *apitest.Tenant) []advisorytest.Exploited {
	now := tenant.Now()
	updates, outOfBand := published(tenant)
	all := advisorytest.Attacked(updates, now)
	for _, u := range outOfBand {
		added := u.Released.AddDate(0, 0, listedAfter)
		if len(u.CVEs) > 0 && !added.After(now) && !slices.ContainsFunc(all, func(e advisorytest.Exploited) bool { return e.CVE == u.CVEs[0] }) {
			all = append(all, advisorytest.Exploited{CVE: u.CVEs[0], Added: added})
		}
	}
	return all
}

// nextPublication returns when the publishers publish next: at 18:00 UTC, as on Patch Tuesdays.
func nextPublication(after time.Time) time.Time {
	after = after.UTC()
	at := time.Date(after.Year(), after.Month(), after.Day(), 18, 0, 0, 0, time.UTC)
	if !at.After(after) {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// productID invents the number of a product.
func productID(product string, line int) string {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s %d", product, line) // it never fails
	return strconv.FormatUint(uint64(10_000+h.Sum32()%80_000), 10)
}

func publisherOptions(s *advisorytest.Server) feeds.Options {
	return feeds.Options{Pause: -1, FetchOptions: advisory.FetchOptions{
		MSRC: s.MSRC(), KEV: s.KEV(), Transport: s.Client(),
		Retry: policy.RetryOptions{MaxRetries: -1}, // the server is local, and an answer waits for it
	}}
}

// Advisories starts an invented publisher for a tenant. snapshot fetches what it publishes, once, on the first call.
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

// travellingFeeds updates the stored feeds when the tenant's clock has moved. The job of serve follows the real clock,
// while weeks pass in seconds here.
type travellingFeeds struct {
	refresher *feeds.Refresher
	cache     *feeds.Cache
	now       func() time.Time

	mu   sync.Mutex
	last time.Time // last refresh, on the tenant's clock
}

func newTravellingFeeds(database feeds.Store, publisher *advisorytest.Server, now func() time.Time, log *slog.Logger) (*travellingFeeds, error) {
	refresher, err := feeds.NewRefresher(database, publisherOptions(publisher), now, log)
	if err != nil {
		return nil, err
	}
	return &travellingFeeds{refresher: refresher, cache: feeds.NewCache(database, log), now: now}, nil
}

// travelTimeout bounds how long an answer waits for the invented publisher. It is local, but a busy machine takes its
// time, and an answer without feeds would surprise more than a late one.
const travelTimeout = time.Minute

// snapshot returns what is published now.
func (f *travellingFeeds) snapshot() *advisory.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); f.last.IsZero() || now.Sub(f.last) >= time.Hour || !nextPublication(f.last).After(now) {
		f.last = now
		ctx, cancel := context.WithTimeout(context.Background(), travelTimeout)
		defer cancel()
		f.refresher.Refresh(ctx)
		_ = f.cache.Load(ctx) // without it the answer is as with feeds off
	}
	return f.cache.Snapshot()
}
