package doctor

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/view"
)

// feedCure is the cure for feeds that cannot be fetched. Without them the bot works, and says less.
const feedCure = "answers go on with what is stored; without internet set MISSINGKBS_FEEDS=off, and use missingkbs data fetch on another machine and missingkbs data import here"

// fetcher returns what fetches the feeds, or says why there is none.
func (c *Checker) fetcher() (*advisory.Fetcher, []Finding) {
	switch {
	case c.hasError("MISSINGKBS_FEEDS", "MISSINGKBS_MSRC_URL", "MISSINGKBS_KEV_URL"):
		return nil, skip("a setting of the feeds is wrong")
	case c.values.Feeds == nil:
		return nil, pass("MISSINGKBS_FEEDS is off: nothing is fetched")
	}
	o := c.values.Feeds.FetchOptions
	o.Version, o.Retry = c.Version, policy.RetryOptions{MaxRetries: -1}
	f, err := advisory.NewFetcher(o)
	if err != nil {
		return nil, fail(err.Error(), "correct MISSINGKBS_MSRC_URL and MISSINGKBS_KEV_URL")
	}
	return f, nil
}

// feedsReached asks each address of the feeds for the beginning of what it serves.
func (c *Checker) feedsReached(ctx context.Context) []Finding {
	f, finding := c.fetcher()
	if f == nil {
		return finding
	}
	index := func(ctx context.Context) (io.ReadCloser, error) { return f.OpenIndex(ctx) }
	opens, hosts := []func(context.Context) (io.ReadCloser, error){index}, []string{feedHost(f.MSRC())}
	for _, address := range f.KEV() {
		opens = append(opens, func(ctx context.Context) (io.ReadCloser, error) { return f.OpenCatalog(ctx, address) })
		hosts = append(hosts, feedHost(address))
	}
	said, failures := make([]string, len(opens)), make([]error, len(opens))
	var all sync.WaitGroup
	for i, open := range opens {
		all.Go(func() {
			began := time.Now()
			body, err := open(ctx)
			if failures[i] = err; err != nil {
				said[i] = hosts[i] + ": " + err.Error()
				return
			}
			said[i] = hosts[i] + " answers in " + millis(time.Since(began))
			_ = body.Close() // only its beginning matters
		})
	}
	all.Wait()
	findings := reached("MSRC's documents", said[:1], failures[:1])
	return append(findings, reached("CISA's KEV list", said[1:], failures[1:])...)
}

// reached is a finding about the addresses of one feed, of which one has to answer.
func reached(title string, said []string, failures []error) []Finding {
	text := title + ": " + strings.Join(said, "; ")
	for _, err := range failures {
		if err == nil {
			return pass(text)
		}
	}
	return warn(text, "let this machine reach one of them on port 443, through HTTPS_PROXY or a copy that MISSINGKBS_MSRC_URL or MISSINGKBS_KEV_URL names; "+feedCure)
}

func feedHost(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "unknown host"
	}
	return u.Host
}

// uncheckedAfter is how old the last good fetch may be: of three tries, six hours apart, one has to succeed.
const uncheckedAfter = 20 * time.Hour

// feedsStored reports what is stored of the feeds, how old that is, and what failed last.
func (c *Checker) feedsStored(ctx context.Context) []Finding {
	s := c.store.Load()
	if s == nil || !c.ready.Load() {
		return skip("the database is not ready")
	}
	states, err := feeds.States(ctx, s)
	if err != nil {
		return fail(err.Error(), databaseLogCure)
	}
	var all []Finding
	for _, f := range states {
		all = append(all, c.feedState(f)...)
	}
	return all
}

func (c *Checker) feedState(f feeds.State) []Finding {
	now, off := c.now(), c.values.Feeds == nil
	if f.Data.IsZero() && f.Failure == "" {
		if off {
			return pass(feeds.Title(f.Name) + ": nothing is stored, and MISSINGKBS_FEEDS is off: pages do not say what is exploited")
		}
		return pass(feeds.Title(f.Name) + ": nothing is stored; serve fetches it after its start")
	}
	text := fmt.Sprintf("%s: data of %s (%s old), %s, last up to date %s", feeds.Title(f.Name), f.Data.UTC().Format(time.DateOnly), view.Age(max(0, now.Sub(f.Data))),
		entriesText(f), c.ago(f.Fresh))
	switch {
	case f.Failure != "":
		if f.Data.IsZero() {
			text = feeds.Title(f.Name) + ": nothing is stored"
		}
		return warn(fmt.Sprintf("%s; failing since %s: %s", text, f.Failing.UTC().Format("2 Jan 15:04 UTC"), f.Failure), "see feeds-reached and missingkbs data status; "+feedCure)
	case f.Stale(now) && off:
		return warn(text+": it is old", "import newer files: missingkbs data fetch on a machine with internet, missingkbs data import here")
	case f.Stale(now):
		return warn(text+": it is old", "look at why nothing newer was fetched: see feeds-reached and the log of serve; "+feedCure)
	case !off && now.Sub(f.Fresh) > uncheckedAfter:
		return warn(text+": it was not checked for long", "start missingkbs serve, which fetches every six hours; if it runs, see its log")
	}
	return pass(text)
}

// entriesText counts what is stored of a feed.
func entriesText(f feeds.State) string {
	if f.Name == feeds.KEV {
		return view.Count(f.Entries, "CVE")
	}
	return fmt.Sprintf("%s to %s, %s", view.Count(f.Documents, "document"), f.Newest, view.Count(f.Entries, "update"))
}
