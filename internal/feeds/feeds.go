// Package feeds keeps what MSRC and CISA publish. It fetches or imports their documents, checks each one before it
// replaces the stored version, and serves answers from a snapshot in memory. A document that fails a check leaves the
// old data in place. The package knows when a document is due to be fetched and when data are stale; package advisory
// knows the documents' formats, package store how they are stored. It knows nothing of Slack or Defender, and no answer
// waits for it.
package feeds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/store"
)

// The feeds by their names in the database, in metrics and in alerts.
const (
	MSRC = "msrc"
	KEV  = "kev"
)

// Names returns the names of all feeds.
func Names() []string { return []string{KEV, MSRC} }

// Title is the name of a feed as people know it.
func Title(name string) string {
	return map[string]string{KEV: "CISA's KEV list", MSRC: "MSRC's documents"}[name]
}

// listID is the ID of the only document of [KEV].
const listID = "list"

// Store keeps the documents. [store.Store] implements it.
type Store interface {
	Feeds(ctx context.Context) ([]store.Feed, error)
	FeedVersion(ctx context.Context) (int64, error)
	FeedDocuments(ctx context.Context) ([]store.FeedDocument, error)
	EachFeedBody(ctx context.Context, f func(feed, id string, body []byte) error) error
	ReplaceFeedDocument(ctx context.Context, d store.FeedDocument, check func(held store.FeedDocument) error) (changed bool, err error)
	SetFeedFresh(ctx context.Context, feed, origin string, at time.Time) error
	SetFeedFailed(ctx context.Context, feed, failure string, at time.Time) error
}

// errFuture rejects documents that are dated after now. Accepting one would make everything published until then look
// older.
var errFuture = errors.New("it is dated in the future")

// maxAhead is how far a publisher's clock may be ahead of ours.
const maxAhead = 48 * time.Hour

// storeDocument replaces the stored MSRC document of a month, if the checks allow it.
func storeDocument(ctx context.Context, s Store, month string, d advisory.Document, now time.Time) (changed bool, err error) {
	if d.Revised.After(now.Add(maxAhead)) {
		return false, errFuture
	}
	row := store.FeedDocument{Feed: MSRC, ID: month, Released: d.Released, Revised: d.Revised, Entries: len(d.Updates)}
	for _, u := range d.Updates {
		row.Chained = row.Chained || len(u.Supersedes) > 0
	}
	if row.Body, err = json.Marshal(d); err != nil {
		return false, fmt.Errorf("store the document: %w", err)
	}
	return s.ReplaceFeedDocument(ctx, row, func(held store.FeedDocument) error { return d.Check(month, heldOf(held)) })
}

// storeCatalog replaces the stored CISA list, if the checks allow it.
func storeCatalog(ctx context.Context, s Store, c advisory.Catalog, now time.Time) (changed bool, err error) {
	if c.Released.After(now.Add(maxAhead)) {
		return false, errFuture
	}
	row := store.FeedDocument{Feed: KEV, ID: listID, Released: c.Released, Revised: c.Released, Entries: len(c.Entries)}
	if row.Body, err = json.Marshal(c); err != nil {
		return false, fmt.Errorf("store the list: %w", err)
	}
	return s.ReplaceFeedDocument(ctx, row, func(held store.FeedDocument) error { return c.Check(heldOf(held)) })
}

func heldOf(d store.FeedDocument) advisory.Held {
	return advisory.Held{Revised: d.Revised, Count: d.Entries, Chained: d.Chained}
}

// maxFailure bounds the text of one failure, in characters. It may repeat what a server sent.
const maxFailure = 400

// words joins failures into one text that fits a table and a terminal.
func words(failures []error) string {
	texts := make([]string, 0, len(failures))
	for i, err := range failures {
		const most = 3
		if i == most {
			texts = append(texts, fmt.Sprintf("and %d more", len(failures)-most))
			break
		}
		text := strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return ' '
		}, strings.ToValidUTF8(err.Error(), "?"))
		if runes := []rune(text); len(runes) > maxFailure {
			text = string(runes[:maxFailure]) + "…"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}
