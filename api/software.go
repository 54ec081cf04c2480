package api

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
)

// Software is a product that Defender found on devices. Fields and JSON names
// are Defender's.
//
// https://learn.microsoft.com/defender-endpoint/api/software
type Software struct {
	ID                string  `json:"id"`                // "microsoft-_-edge": opaque, hand it back as it is
	Name              string  `json:"name"`              // "edge"
	Vendor            string  `json:"vendor"`            // "microsoft"
	Weaknesses        int     `json:"weaknesses"`        // CVEs known for it
	PublicExploit     bool    `json:"publicExploit"`     // an exploit for one of them is public
	ActiveAlert       bool    `json:"activeAlert"`       // Defender has an alert about it now
	ExposedMachines   int     `json:"exposedMachines"`   // devices with a weakness in it
	InstalledMachines int     `json:"installedMachines"` // devices that have it. Not documented, 0 when not said
	ImpactScore       float64 `json:"impactScore"`       // its share in the tenant's exposure score, 0 and up
}

// SoftwareQuery narrows [Client.AllSoftware]. The zero value asks for everything.
type SoftwareQuery struct {
	Filter string // OData filter over id, name and vendor; make literals with [Quote]
	Top    int    // no more than so many; 0 or less: all
	Skip   int    // leave out so many at the beginning
}

// softwarePage is the most rows that Defender puts on a page.
const softwarePage = 10_000

// SoftwareByID returns one software. An unknown id is [ErrNotFound].
//
// The permission is Software.Read.All, or Software.Read when a person signed in.
// https://learn.microsoft.com/defender-endpoint/api/get-software-by-id
func (c *Client) SoftwareByID(ctx context.Context, id string, opts ...CallOption) (Answer[Software], error) {
	path := "/api/Software/" + segment(id)
	if id == "" {
		return Answer[Software]{}, c.noID(path)
	}
	return ask(ctx, c, question[Software]{
		path: path,
		size: func(s Software) int { return sizeOfSoftware([]Software{s}) },
		fetch: func(ctx context.Context) (Software, badRows, error) {
			s, err := one(ctx, c, "SoftwareByID", path, decodeOne[Software, wireSoftware])
			return s, badRows{}, err
		},
	}, opts)
}

// AllSoftware streams the software of the tenant page by page, as Defender sends
// it: nothing is cached, an id that Defender lists twice comes twice, and a row
// that cannot be read is left out. The first error ends the sequence. It follows Defender's nextLink and asks for the
// rest itself where Defender gives none.
//
// The permission is Software.Read.All, or Software.Read when a person signed in.
// https://learn.microsoft.com/defender-endpoint/api/get-software
func (c *Client) AllSoftware(ctx context.Context, q SoftwareQuery) iter.Seq2[Software, error] {
	return func(yield func(Software, error) bool) {
		s := softwareStream{client: c, filter: q.Filter, skip: max(q.Skip, 0), left: q.Top, yield: yield}
		if q.Top <= 0 {
			s.left = math.MaxInt
		}
		for s.next(ctx) {
		}
	}
}

// softwareStream is where one iteration of [Client.AllSoftware] stands.
type softwareStream struct {
	client *Client
	filter string
	skip   int
	left   int    // rows still wanted
	first  string // the first id of the last list
	bad    badRows
	yield  func(Software, error) bool
}

// next yields one list, of as many pages as Defender links together, and reports
// whether to ask for another.
func (s *softwareStream) next(ctx context.Context) bool {
	size, top := min(s.left, softwarePage), 0
	if s.left < math.MaxInt {
		top = size
	}
	p := pager[Software]{client: s.client, op: "AllSoftware", decode: decodePage[Software, wireSoftware]}
	rows, readable := 0, 0
	for page, err := range p.pages(ctx, "/api/Software"+query(s.filter, top, s.skip)) {
		if err == nil && rows == 0 {
			err = s.repeated(page.rows)
		}
		if err != nil {
			s.yield(Software{}, s.foreign(err))
			return false
		}
		rows += len(page.rows) + page.bad.count
		readable += len(page.rows)
		s.bad.join(page.bad)
		if !s.send(page.rows) {
			return false
		}
	}
	// Pages that were linked end where Defender says so. A single full page without
	// a link may have been cut at Defender's limit; one of which nothing can be read
	// would not tell whether it comes twice.
	if s.skip == 0 && s.filter == "" {
		if err := p.confirmEmpty(rows, softwarePath); err != nil {
			s.yield(Software{}, err)
			return false
		}
	}
	s.skip += rows
	return p.count == 1 && rows >= size && readable > 0
}

// foreign returns the error for a missing list: every tenant has one, so a server without it is not Defender's API.
func (s *softwareStream) foreign(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || !e.Is(ErrNotFound) {
		return err
	}
	own := *e
	own.Kind, own.Err = ErrNotDefender, errors.New("there is no software list")
	return &own
}

// send yields the rows of a page and reports whether more are wanted.
func (s *softwareStream) send(page []Software) bool {
	for _, sw := range page {
		s.left--
		if !s.yield(sw, nil) || s.left == 0 {
			return false
		}
	}
	return true
}

// repeated guards against a service that ignores $skip, which would go on for ever.
func (s *softwareStream) repeated(page []Software) error {
	if len(page) == 0 {
		return nil
	}
	if s.first == page[0].ID {
		return badResponse("GET /api/Software", errors.New("the same page came twice"))
	}
	s.first = page[0].ID
	return nil
}

// Catalog returns all software of the tenant, each id once, sorted by id. Where
// Defender lists an id twice, the larger count wins.
//
// A large tenant costs one call per 10,000 products; the result is cached like
// every other answer.
func (c *Client) Catalog(ctx context.Context, opts ...CallOption) (Answer[[]Software], error) {
	return ask(ctx, c, question[[]Software]{
		path:  "/api/Software",
		clone: slices.Clone[[]Software],
		size:  sizeOfSoftware,
		fetch: c.wholeCatalog,
	}, opts)
}

func (c *Client) wholeCatalog(ctx context.Context) ([]Software, badRows, error) {
	var all []Software
	var failure error
	s := softwareStream{client: c, left: math.MaxInt, yield: func(s Software, err error) bool {
		if failure = err; err == nil {
			all = append(all, s)
		}
		return err == nil
	}}
	for s.next(ctx) {
	}
	if failure != nil {
		return nil, badRows{}, failure
	}
	return mergeSoftware(all), s.bad, nil
}

// mergeSoftware sorts by id and makes one row of those with the same id.
func mergeSoftware(all []Software) []Software {
	slices.SortStableFunc(all, func(a, b Software) int { return strings.Compare(a.ID, b.ID) })
	out := all[:0]
	for _, s := range all {
		if n := len(out); n > 0 && out[n-1].ID == s.ID {
			out[n-1].merge(s)
			continue
		}
		out = append(out, s)
	}
	if out == nil {
		return []Software{}
	}
	return out
}

func (s *Software) merge(other Software) {
	s.Weaknesses = max(s.Weaknesses, other.Weaknesses)
	s.ExposedMachines = max(s.ExposedMachines, other.ExposedMachines)
	s.InstalledMachines = max(s.InstalledMachines, other.InstalledMachines)
	s.ImpactScore = max(s.ImpactScore, other.ImpactScore)
	s.PublicExploit = s.PublicExploit || other.PublicExploit
	s.ActiveAlert = s.ActiveAlert || other.ActiveAlert
}
