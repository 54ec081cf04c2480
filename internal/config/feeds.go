package config

import (
	"strings"
	"unicode"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/feeds"
)

// Feeds are the settings about what MSRC and CISA publish.
type Feeds struct {
	Feeds string `name:"feeds" env:"MISSINGKBS_FEEDS" default:"on" placeholder:"on|off" help:"Fetch the feeds of MSRC (updates) and CISA (exploited vulnerabilities): on or off (${default})."`
	FeedSources
}

// FeedSources are where the feeds are fetched from.
type FeedSources struct {
	MSRC string `name:"msrc-url" env:"MISSINGKBS_MSRC_URL" unset:"Microsoft's" placeholder:"URL" help:"Base URL of MSRC's API or of a mirror; by default Microsoft's."`
	KEV  string `name:"kev-url" env:"MISSINGKBS_KEV_URL" unset:"CISA's, then its copy on GitHub" placeholder:"URL" help:"URLs of CISA's KEV list, tried in order; by default CISA's own and its copy on GitHub."`
}

// read returns what is fetched, or nil if nothing is.
func (s Feeds) read(e *Errors) *feeds.Options {
	on := e.OneOf("MISSINGKBS_FEEDS", s.Feeds, "on", "off") == "on"
	o := s.Read(e)
	if !on {
		return nil
	}
	return &o
}

// Read checks the addresses.
func (s FeedSources) Read(e *Errors) feeds.Options {
	o := feeds.Options{FetchOptions: advisory.FetchOptions{MSRC: s.MSRC}}
	if s.MSRC != "" {
		e.feedAddress("MISSINGKBS_MSRC_URL", s.MSRC)
	}
	for address := range strings.FieldsFuncSeq(s.KEV, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		e.feedAddress("MISSINGKBS_KEV_URL", address)
		o.KEV = append(o.KEV, address)
	}
	return o
}

// feedAddress checks an address of a feed.
func (e *Errors) feedAddress(setting, address string) {
	if advisory.CheckAddress(address) != nil {
		e.Add(setting, "takes an https:// address without a user or password, such as https://mirror.example/feeds")
	}
}
