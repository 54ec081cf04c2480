package feeds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
)

// listFile is CISA's own name of the list.
const listFile = "known_exploited_vulnerabilities.json"

// errUnknownFile is returned for a file that is neither a document nor the list.
var errUnknownFile = errors.New("it is neither a monthly document of MSRC (CVRF as JSON) nor CISA's KEV list")

// Import stores the document or list in a file, after the same checks as for fetched ones. what names the document,
// also on failure, as far as it is known.
func Import(ctx context.Context, s Store, path string, now time.Time) (what string, changed bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	feed, err := sniff(f)
	if err != nil {
		return "", false, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", false, err
	}
	what, changed, err = importFile(ctx, s, feed, f, now)
	if err != nil {
		if failed := s.SetFeedFailed(ctx, feed, words([]error{fmt.Errorf("%s: %w", filepath.Base(path), err)}), now); failed != nil {
			err = errors.Join(err, failed)
		}
		return what, false, err
	}
	return what, changed, s.SetFeedFresh(ctx, feed, filepath.Base(path), now)
}

// importFile reads a file whose feed is known. Where an MSRC document has no usable ID, the file's name gives the
// month.
func importFile(ctx context.Context, s Store, feed string, f *os.File, now time.Time) (what string, changed bool, err error) {
	if feed == KEV {
		list, err := advisory.ReadCatalog(f)
		if err != nil {
			return Title(KEV), false, err
		}
		changed, err = storeCatalog(ctx, s, list, now)
		return fmt.Sprintf("%s of %s", Title(KEV), list.Released.Format(time.DateOnly)), changed, err
	}
	d, err := advisory.ReadDocument(f)
	if err != nil {
		return Title(MSRC), false, err
	}
	month := monthOf(f.Name(), d.ID)
	if !advisory.IsMonth(month) {
		return Title(MSRC), false, fmt.Errorf("%q is no month of MSRC", month)
	}
	changed, err = storeDocument(ctx, s, month, d, now)
	return "MSRC's document " + month, changed, err
}

// monthOf returns the month that a file should hold: the one in its name, or else the document's ID.
func monthOf(path, id string) string {
	if name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)); advisory.IsMonth(name) {
		return name
	}
	return id
}

// sniff returns the feed that a file belongs to, judged by the names of its first JSON members.
func sniff(r io.Reader) (feed string, err error) {
	d := json.NewDecoder(r)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return "", errUnknownFile
	}
	for depth := 1; depth > 0; {
		t, err := d.Token()
		if err != nil {
			return "", errUnknownFile
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		case "DocumentTracking", "Vulnerability":
			if depth == 1 {
				return MSRC, nil
			}
		case "vulnerabilities", "catalogVersion":
			if depth == 1 {
				return KEV, nil
			}
		}
	}
	return "", errUnknownFile
}

// Save fetches both feeds into the files of a folder, unchanged, for a machine that cannot fetch them itself. A file is
// checked before it replaces an older one; a file that is up to date is not fetched again. Save calls told with the
// result of each document, and returns all failures joined.
func Save(ctx context.Context, folder string, o Options, now time.Time, told func(name string, saved bool, err error)) error {
	fetcher, err := advisory.NewFetcher(o.FetchOptions)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // the files are public
		return err
	}
	s := saver{fetcher, folder, now}
	failures := []error{s.list(ctx, told)}
	n := o.Months
	if n == 0 {
		n = DefaultMonths
	}
	months, err := fetcher.Months(ctx, now, n)
	if err != nil {
		failures = append(failures, err)
		told("MSRC's index", false, err)
		months = advisory.RecentMonths(now)
	}
	for _, m := range months {
		if ctx.Err() != nil {
			break
		}
		saved, err := s.month(ctx, m)
		if errors.Is(err, advisory.ErrNotThere) && m.Revised.IsZero() {
			continue // not published yet
		}
		told(m.ID, saved, err)
		failures = append(failures, err)
	}
	return errors.Join(append(failures, ctx.Err())...)
}

type saver struct {
	fetcher *advisory.Fetcher
	folder  string
	now     time.Time
}

// list saves CISA's list from the first address that serves a valid one.
func (s saver) list(ctx context.Context, told func(name string, saved bool, err error)) error {
	var failures []error
	for _, address := range s.fetcher.KEV() {
		err := s.save(listFile, func() (io.ReadCloser, error) { return s.fetcher.OpenCatalog(ctx, address) }, func(r io.Reader) error {
			list, err := advisory.ReadCatalog(r)
			if err == nil && list.Released.After(s.now.Add(maxAhead)) {
				err = errFuture
			}
			return err
		})
		if err == nil {
			told(Title(KEV), true, nil)
			return nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", hostOf(address), err))
	}
	err := errors.Join(failures...)
	told(Title(KEV), false, err)
	return err
}

// month saves the document of a month, unless the existing file is as new.
func (s saver) month(ctx context.Context, m advisory.Month) (saved bool, err error) {
	name := m.ID + ".json"
	held := s.held(name)
	if !m.Revised.IsZero() && !held.Revised.IsZero() && !m.Revised.After(held.Revised) {
		return false, nil
	}
	err = s.save(name, func() (io.ReadCloser, error) { return s.fetcher.OpenDocument(ctx, m.ID) }, func(r io.Reader) error {
		d, err := advisory.ReadDocument(r)
		switch {
		case err != nil:
			return err
		case d.Revised.After(s.now.Add(maxAhead)):
			return errFuture
		}
		return d.Check(m.ID, held)
	})
	return err == nil, err
}

// held returns the ID and date of the existing file, or the zero value if it cannot be read.
func (s saver) held(name string) (held advisory.Held) {
	f, err := os.Open(filepath.Join(s.folder, name))
	if err != nil {
		return held
	}
	defer f.Close()
	d, err := advisory.ReadDocument(f)
	if err != nil {
		return held
	}
	held = advisory.Held{Revised: d.Revised, Count: len(d.Updates)}
	for _, u := range d.Updates {
		held.Chained = held.Chained || len(u.Supersedes) > 0
	}
	return held
}

// save writes what open returns into a file. The file replaces an older one only if check accepts it.
func (s saver) save(name string, open func() (io.ReadCloser, error), check func(io.Reader) error) error {
	body, err := open()
	if err != nil {
		return err
	}
	defer body.Close()
	f, err := os.CreateTemp(s.folder, name+".part-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := io.Copy(f, body); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := check(f); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(s.folder, name))
}
