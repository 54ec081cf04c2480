package advisory

import (
	"errors"
	"fmt"
	"time"
)

// The reasons why a fetched document does not replace the stored one, for [errors.Is].
var (
	ErrWrongDocument = errors.New("it is another document than was asked for")
	ErrOlder         = errors.New("it is older than what is held")
	ErrShrunk        = errors.New("it holds far less than what is held")
	ErrEmpty         = errors.New("it holds nothing")
)

// Held describes the stored data of a feed, to compare with what was fetched.
type Held struct {
	Revised time.Time // zero if nothing is stored
	Count   int       // updates of a document, entries of the list
	Chained bool      // some update of the document supersedes another
}

// The least size of new data relative to the stored data, in per cent. Entries can vanish from either, a few at a time.
const (
	leastUpdates = 70
	leastEntries = 90
)

// Check returns why a document must not replace the stored one of a month; nil if it may. MSRC has served the document
// of another month, and one with a single one of its updates.
func (d Document) Check(month string, held Held) error {
	chained := false
	for _, u := range d.Updates {
		chained = chained || len(u.Supersedes) > 0
	}
	switch {
	case d.ID != month:
		return fmt.Errorf("%w: %s, not %s", ErrWrongDocument, d.ID, month)
	case d.Revised.Before(held.Revised):
		return fmt.Errorf("%w: of %s, held is %s", ErrOlder, d.Revised.Format(time.RFC3339), held.Revised.Format(time.RFC3339))
	case len(d.Updates)*100 < held.Count*leastUpdates:
		return fmt.Errorf("%w: %d updates of %d", ErrShrunk, len(d.Updates), held.Count)
	case held.Chained && !chained:
		return fmt.Errorf("%w: no update supersedes another any more", ErrShrunk)
	}
	return nil
}

// Check returns why a list must not replace the stored one; nil if it may.
func (c Catalog) Check(held Held) error {
	switch {
	case len(c.Entries) == 0:
		return ErrEmpty
	case c.Released.Before(held.Revised):
		return fmt.Errorf("%w: of %s, held is %s", ErrOlder, c.Released.Format(time.RFC3339), held.Revised.Format(time.RFC3339))
	case len(c.Entries)*100 < held.Count*leastEntries:
		return fmt.Errorf("%w: %d entries of %d", ErrShrunk, len(c.Entries), held.Count)
	}
	return nil
}
