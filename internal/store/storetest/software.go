package storetest

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// A list is kept whole, separately for each tenant, and never replaced by an older one.
func softwareList(in test) {
	t, s := in.T, in.store
	want := func(tenant string, list store.SoftwareList, found bool) {
		t.Helper()
		got, ok, err := s.SoftwareList(t.Context(), tenant)
		must(t, err)
		diff(t, "found", found, ok)
		if !bytes.Equal(list.Software, got.Software) { // go-cmp looks at each byte, which takes half a minute
			t.Errorf("the list has %d bytes and not the %d that were saved", len(got.Software), len(list.Software))
		}
		list.Software, got.Software = nil, nil
		diff(t, "list", list, got)
	}
	want(digest.DefaultTenant, store.SoftwareList{}, false)
	long := store.SoftwareList{Software: []byte(strings.Repeat("ä", 1<<20)), Fetched: day(2), Skipped: 3}
	for _, list := range []store.SoftwareList{long, {Software: []byte("older"), Fetched: day(1)}} {
		must(t, s.SaveSoftwareList(t.Context(), digest.DefaultTenant, list))
		want(digest.DefaultTenant, long, true)
	}
	want("another", store.SoftwareList{}, false)
	newer := store.SoftwareList{Software: []byte("newer"), Fetched: day(3)}
	must(t, s.SaveSoftwareList(t.Context(), digest.DefaultTenant, newer))
	want(digest.DefaultTenant, newer, true)
}

// The last software ids of each person are kept, newest first, without repeats; old ones are forgotten.
func askedBefore(in test) {
	t, s := in.T, in.store
	want := func(person string, software ...string) {
		t.Helper()
		got, err := s.Asked(t.Context(), digest.DefaultTenant, person)
		must(t, err)
		diff(t, "asked by "+person, software, append([]string(nil), got...))
	}
	want("U1")
	ask := func(person, software string, at int) {
		t.Helper()
		must(t, s.NoteAsked(t.Context(), digest.DefaultTenant, map[string]map[string]time.Time{person: {software: day(at)}}))
	}
	ask("U1", "a-_-b", 1)
	ask("U1", "c-_-d", 2)
	ask("U2", "e-_-f", 1)
	want("U1", "c-_-d", "a-_-b")
	ask("U1", "a-_-b", 3)
	ask("U1", "c-_-d", 1) // a late one changes nothing
	want("U1", "a-_-b", "c-_-d")
	want("U2", "e-_-f")
	must(t, s.NoteAsked(t.Context(), "another", map[string]map[string]time.Time{"U1": {"g-_-h": day(1)}}))
	var last []string
	for i := range 25 {
		ask("U3", fmt.Sprintf("x-_-%02d", i), 10+i)
		last = append([]string{fmt.Sprintf("x-_-%02d", i)}, last...)
	}
	want("U3", last[:20]...)
	must(t, s.NoteAsked(t.Context(), digest.DefaultTenant, map[string]map[string]time.Time{"U4": {"k-_-l": day(5), "i-_-j": day(6)}, "U5": {"k-_-l": day(5)}}))
	want("U4", "i-_-j", "k-_-l")
	want("U5", "k-_-l")
	n, err := s.ForgetAsked(t.Context(), day(3))
	must(t, err)
	diff(t, "forgotten", int64(3), n)
	want("U1", "a-_-b")
	want("U2")
	want("U3", last[:20]...)
}
