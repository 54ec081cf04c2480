package advisory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Where the feeds are. CISA rejects many cloud addresses, so its own copy on GitHub is tried second.
const (
	DefaultMSRC = "https://api.msrc.microsoft.com/cvrf/v3.0"
	cisaList    = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
	cisaMirror  = "https://raw.githubusercontent.com/cisagov/kev-data/develop/known_exploited_vulnerabilities.json"
)

// DefaultKEV returns the addresses of CISA's list, in the order they are tried.
func DefaultKEV() []string { return []string{cisaList, cisaMirror} }

// The most bytes read. The largest document so far has 20 MB, the list 2 MB.
const (
	maxIndex    = 16 << 20
	maxDocument = 64 << 20
	maxList     = 16 << 20
)

// recentMonths is how many months are fetched by address even if the index does not list them: months were seen missing
// for hours.
const recentMonths = 3

// ErrNotThere reports that MSRC does not have a document.
var ErrNotThere = errors.New("there is no such document")

// FetchOptions configure a [Fetcher]. The zero value of each field stands for its default.
type FetchOptions struct {
	MSRC      string   // base address of MSRC's API
	KEV       []string // addresses of CISA's list, tried in order
	Version   string   // of the program, for the User-Agent
	Transport *http.Client
	Retry     policy.RetryOptions
}

// Fetcher reads the feeds over HTTPS. It sends no credential. It is safe for concurrent use.
type Fetcher struct {
	msrc     string
	kev      []string
	pipeline runtime.Pipeline
}

// NewFetcher returns a fetcher, or an error for an address that is not https.
func NewFetcher(o FetchOptions) (*Fetcher, error) {
	f := &Fetcher{msrc: strings.TrimSuffix(o.MSRC, "/"), kev: o.KEV}
	if f.msrc == "" {
		f.msrc = DefaultMSRC
	}
	if len(f.kev) == 0 {
		f.kev = DefaultKEV()
	}
	for _, address := range append([]string{f.msrc}, f.kev...) {
		if err := CheckAddress(address); err != nil {
			return nil, err
		}
	}
	client := http.Client{}
	if o.Transport != nil {
		client = *o.Transport
	}
	client.CheckRedirect = sameHost
	f.pipeline = runtime.NewPipeline("missingkbs", o.Version, runtime.PipelineOptions{}, &policy.ClientOptions{
		Retry: o.Retry, Transport: &client, Telemetry: policy.TelemetryOptions{ApplicationID: "missingkbs"},
	})
	return f, nil
}

// CheckAddress returns an error unless an address is suitable for feeds: https, without a user.
func CheckAddress(address string) error {
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("%q is not an https address", address)
	}
	return nil
}

// maxRedirects is how many redirects are followed.
const maxRedirects = 3

// sameHost only follows redirects to the same host, and never to http.
func sameHost(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != "https" || req.URL.Host != via[0].URL.Host || len(via) > maxRedirects {
		return fmt.Errorf("redirected to %s://%s", req.URL.Scheme, req.URL.Host)
	}
	return nil
}

// Month is one entry of MSRC's index.
type Month struct {
	ID      string
	Revised time.Time // zero if the index does not list the month
}

type wireIndex struct {
	Value []struct {
		ID                 string `json:"ID"`
		CurrentReleaseDate string `json:"CurrentReleaseDate"`
	} `json:"value"`
}

// Months lists the documents of the last n months, newest first. It lists the newest three even if the index does not.
func (f *Fetcher) Months(ctx context.Context, now time.Time, n int) ([]Month, error) {
	body, err := f.OpenIndex(ctx)
	if err != nil {
		return nil, fmt.Errorf("read MSRC's index: %w", err)
	}
	defer body.Close()
	var w wireIndex
	if err := json.NewDecoder(body).Decode(&w); err != nil {
		return nil, fmt.Errorf("read MSRC's index: %w", err)
	}
	if len(w.Value) == 0 {
		return nil, fmt.Errorf("read MSRC's index: %w", ErrEmpty)
	}
	wanted := map[string]int{}
	for back := range n {
		wanted[monthID(now, back)] = back
	}
	var months []Month
	for _, e := range w.Value {
		_, want := wanted[e.ID[:min(len(e.ID), len("2006-Jan"))]]
		revised, err := documentTime(e.CurrentReleaseDate)
		if want && documentID.MatchString(e.ID) && err == nil && !has(months, e.ID) {
			months = append(months, Month{e.ID, revised})
		}
	}
	for _, m := range RecentMonths(now)[:min(n, recentMonths)] {
		if !has(months, m.ID) {
			months = append(months, m)
		}
	}
	slices.SortStableFunc(months, func(a, b Month) int { return wanted[a.ID[:8]] - wanted[b.ID[:8]] })
	return months, nil
}

// RecentMonths returns the newest months, whose documents are fetched even if the index does not list them.
func RecentMonths(now time.Time) []Month {
	months := make([]Month, recentMonths)
	for back := range months {
		months[back].ID = monthID(now, back)
	}
	return months
}

// IsMonth reports whether an ID has the format of a document's.
func IsMonth(id string) bool { return documentID.MatchString(id) }

func has(months []Month, id string) bool {
	return slices.ContainsFunc(months, func(m Month) bool { return m.ID == id })
}

// monthID returns MSRC's name of the month that is back months before now.
func monthID(now time.Time, back int) string {
	first := time.Date(now.UTC().Year(), now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, -back, 0).Format("2006-Jan")
}

// Document fetches the document of a month. It returns [ErrNotThere] if MSRC does not have it.
func (f *Fetcher) Document(ctx context.Context, month string) (Document, error) {
	body, err := f.OpenDocument(ctx, month)
	if err != nil {
		return Document{}, err
	}
	defer body.Close()
	return ReadDocument(body)
}

// OpenIndex opens MSRC's index unchanged. The caller closes it.
func (f *Fetcher) OpenIndex(ctx context.Context) (io.ReadCloser, error) {
	return f.Open(ctx, f.msrc+"/updates", maxIndex)
}

// OpenDocument opens the document of a month unchanged. The caller closes it.
func (f *Fetcher) OpenDocument(ctx context.Context, month string) (io.ReadCloser, error) {
	body, err := f.Open(ctx, f.msrc+"/cvrf/"+url.PathEscape(month), maxDocument)
	if err != nil {
		return nil, fmt.Errorf("fetch the document of %s: %w", month, err)
	}
	return body, nil
}

// Catalog fetches CISA's list from the first address that serves one. from is that address.
func (f *Fetcher) Catalog(ctx context.Context) (list Catalog, from string, err error) {
	var failures []error
	for _, address := range f.kev {
		list, err := f.CatalogAt(ctx, address)
		if err == nil {
			return list, address, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", hostOf(address), err))
		if ctx.Err() != nil {
			break
		}
	}
	return Catalog{}, "", fmt.Errorf("fetch the KEV list: %w", errors.Join(failures...))
}

// CatalogAt fetches CISA's list from one address.
func (f *Fetcher) CatalogAt(ctx context.Context, address string) (Catalog, error) {
	body, err := f.OpenCatalog(ctx, address)
	if err != nil {
		return Catalog{}, err
	}
	defer body.Close()
	return ReadCatalog(body)
}

// OpenCatalog opens CISA's list at one address unchanged. The caller closes it.
func (f *Fetcher) OpenCatalog(ctx context.Context, address string) (io.ReadCloser, error) {
	return f.Open(ctx, address, maxList)
}

// MSRC returns the base address of MSRC's API.
func (f *Fetcher) MSRC() string { return f.msrc }

// KEV returns the addresses of CISA's list, in the order they are tried.
func (f *Fetcher) KEV() []string { return slices.Clone(f.kev) }

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "unknown host"
	}
	return u.Host
}
