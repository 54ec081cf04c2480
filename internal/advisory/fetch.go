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

// Where the feeds are. CISA refuses many addresses of clouds, so its own copy on GitHub is asked second.
const (
	DefaultMSRC = "https://api.msrc.microsoft.com/cvrf/v3.0"
	cisaList    = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
	cisaMirror  = "https://raw.githubusercontent.com/cisagov/kev-data/develop/known_exploited_vulnerabilities.json"
)

// DefaultKEV are the addresses of CISA's list, in the order in which they are asked.
func DefaultKEV() []string { return []string{cisaList, cisaMirror} }

// The most bytes that are read. The largest document yet has 20 MB, the list 2 MB.
const (
	maxIndex    = 16 << 20
	maxDocument = 64 << 20
	maxList     = 16 << 20
)

// recentMonths are asked for by address even where the index lacks them: months were seen to leave it for hours.
const recentMonths = 3

// ErrNotThere is the error of a document that MSRC does not have.
var ErrNotThere = errors.New("there is no such document")

// FetchOptions are the settings of a [Fetcher]. The zero value of each is the default.
type FetchOptions struct {
	MSRC      string   // base address of MSRC's API
	KEV       []string // addresses of CISA's list, asked in order
	Version   string   // of the program, for the User-Agent
	Transport *http.Client
	Retry     policy.RetryOptions
}

// Fetcher reads the feeds over HTTPS. It carries no credential. It is safe for concurrent use.
type Fetcher struct {
	msrc     string
	kev      []string
	pipeline runtime.Pipeline
}

// NewFetcher returns a fetcher. An address that is not https is an error.
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

// CheckAddress returns an error unless feeds may be fetched from an address: over https, without a user.
func CheckAddress(address string) error {
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("%q is not an https address", address)
	}
	return nil
}

// maxRedirects is how often one host may send a request on.
const maxRedirects = 3

// sameHost follows redirects of the same host alone, and never to http.
func sameHost(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != "https" || req.URL.Host != via[0].URL.Host || len(via) > maxRedirects {
		return fmt.Errorf("redirected to %s://%s", req.URL.Scheme, req.URL.Host)
	}
	return nil
}

// Month is one entry of MSRC's index.
type Month struct {
	ID      string
	Revised time.Time // zero where the index lacks the month
}

type wireIndex struct {
	Value []struct {
		ID                 string `json:"ID"`
		CurrentReleaseDate string `json:"CurrentReleaseDate"`
	} `json:"value"`
}

// Months lists the documents of the last n months, the newest first. The newest three are listed though the index may
// lack them.
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

// RecentMonths are the newest months, whose documents are asked for even where the index lacks them.
func RecentMonths(now time.Time) []Month {
	months := make([]Month, recentMonths)
	for back := range months {
		months[back].ID = monthID(now, back)
	}
	return months
}

// IsMonth reports whether a document may have an ID.
func IsMonth(id string) bool { return documentID.MatchString(id) }

func has(months []Month, id string) bool {
	return slices.ContainsFunc(months, func(m Month) bool { return m.ID == id })
}

// monthID is MSRC's name of a month, counted back from the one of now.
func monthID(now time.Time, back int) string {
	first := time.Date(now.UTC().Year(), now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, -back, 0).Format("2006-Jan")
}

// Document fetches the document of a month. Where MSRC has none the error is [ErrNotThere].
func (f *Fetcher) Document(ctx context.Context, month string) (Document, error) {
	body, err := f.OpenDocument(ctx, month)
	if err != nil {
		return Document{}, err
	}
	defer body.Close()
	return ReadDocument(body)
}

// OpenIndex opens MSRC's index as it comes. The caller closes it.
func (f *Fetcher) OpenIndex(ctx context.Context) (io.ReadCloser, error) {
	return f.Open(ctx, f.msrc+"/updates", maxIndex)
}

// OpenDocument opens the document of a month as it comes. The caller closes it.
func (f *Fetcher) OpenDocument(ctx context.Context, month string) (io.ReadCloser, error) {
	body, err := f.Open(ctx, f.msrc+"/cvrf/"+url.PathEscape(month), maxDocument)
	if err != nil {
		return nil, fmt.Errorf("fetch the document of %s: %w", month, err)
	}
	return body, nil
}

// Catalog fetches CISA's list from the first address that has one. from is that address.
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

// OpenCatalog opens CISA's list at one address as it comes. The caller closes it.
func (f *Fetcher) OpenCatalog(ctx context.Context, address string) (io.ReadCloser, error) {
	return f.Open(ctx, address, maxList)
}

// MSRC returns the base address of MSRC's API.
func (f *Fetcher) MSRC() string { return f.msrc }

// KEV returns the addresses of CISA's list, in the order in which they are asked.
func (f *Fetcher) KEV() []string { return slices.Clone(f.kev) }

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "unknown host"
	}
	return u.Host
}
