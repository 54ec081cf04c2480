package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/advisory"
)

// feedsBatch is how many questions of each kind are compared with each other: a batch takes a second or less, within which the
// machine's other work is the same for all.
const feedsBatch = 200

// BenchmarkQuestionWithFeeds measures a question whose answer is in memory, from the slash command leaving a socket to the
// acknowledgement that carries its answer: with feeds off, which is the same as unreachable, with those of 24 months, with old ones
// and with absurd ones. All pages show as many updates. The kinds are asked in turn, so that what else the machine does slows
// all of them alike. The report says by how much the median and the 99th percentile of a batch are above those of the same batch with
// feeds off, in the middle of all batches, and how far off that middle may be (±, at 95 percent).
func BenchmarkQuestionWithFeeds(b *testing.B) {
	kinds := []string{"off", "on", "stale", "absurd"}
	asks := make([]func() time.Duration, len(kinds))
	for i, kind := range kinds {
		asks[i] = asksWithFeeds(b, kind)
		for range 200 {
			asks[i]()
		}
	}
	took := make([][]time.Duration, len(kinds))
	for turn := 0; b.Loop(); turn++ {
		for i := range kinds { // each is the first as often as the others
			kind := (turn + i) % len(kinds)
			took[kind] = append(took[kind], asks[kind]())
		}
	}
	b.ReportMetric(0, "ns/op")
	for name, share := range map[string]float64{"p50": 0.5, "p99": 0.99} {
		off := batches(took[0], share)
		for i, kind := range kinds {
			these := batches(took[i], share)
			_, middle, _ := middleOf(these)
			b.ReportMetric(middle/1000, "µs-"+name+"-"+kind)
			if i == 0 {
				continue
			}
			for n := range these {
				these[n] = 100 * (these[n]/off[n] - 1)
			}
			least, middle, most := middleOf(these)
			b.ReportMetric(middle, "%-"+name+"-"+kind)
			b.ReportMetric(max(most-middle, middle-least), "±%-"+name+"-"+kind)
		}
	}
}

// batches returns a quantile of each batch, in nanoseconds. What is left over goes into the last batch.
func batches(took []time.Duration, q float64) (of []float64) {
	for n := max(1, len(took)/feedsBatch); n > 0; n-- {
		batch := took[:len(took)/n]
		took = took[len(batch):]
		of = append(of, float64(quantile(batch, q)))
	}
	return of
}

// middleOf returns the median of values, and between which of them the true one is in 95 of a hundred cases: by the binomial
// distribution of how many are below it. Few values have no bounds but themselves.
func middleOf(values []float64) (least, middle, most float64) {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	out := max(0, int((float64(n)-1.96*math.Sqrt(float64(n)))/2))
	return sorted[out], sorted[n/2], sorted[n-1-out]
}

// asksWithFeeds starts a bot that knows feeds, and returns a function that asks it about a software that lacks a dozen updates.
func asksWithFeeds(b *testing.B, kind string) func() time.Duration {
	b.Helper()
	s := newBareSlack(b)
	feeds := feedsOf(kind)
	defender := benchBot(b, s, time.Hour, commands.WithAdvisories(func() *advisory.Snapshot { return feeds }))
	const software, updates = "microsoft-_-product_0", 12
	var kbs []apitest.KB
	for i := range updates {
		kbs = append(kbs, apitest.KB{
			ID: strconv.Itoa(6_000_000 + 200*i), Name: fmt.Sprintf("%s 2026 Security Updates", time.Month(1+i)), OSBuild: 19000 + i,
			ProductsNames: []string{"product_0"}, MachineMissedOn: 100 - i, CVEAddressed: 100,
		})
	}
	defender.PutSoftware(apitest.Software{ID: software, Name: "product_0", Vendor: "microsoft", ExposedMachines: 100}, kbs...)
	a := &socketAsker{conn: <-s.conns, line: software, answer: make([]byte, 0, 64<<10)}
	return func() time.Duration {
		took := a.ask(b)
		if shown := bytes.Count(a.answer, []byte(`"value":"kb 6`)); shown != updates {
			b.Fatalf("with feeds %s the answer shows %d updates, want %d: %s", kind, shown, updates, a.answer)
		}
		return took
	}
}

// socketAsker asks the same question on a socket, over and over, and does as little as it can itself.
type socketAsker struct {
	conn   *websocket.Conn
	line   string
	n      int
	answer []byte // the last one
}

// ask asks and waits for the acknowledgement with the answer.
func (a *socketAsker) ask(b *testing.B) time.Duration {
	b.Helper()
	a.n++
	question := fmt.Appendf(nil, `{"type":"slash_commands","envelope_id":"e%d","accepts_response_payload":true,`+
		`"payload":{"team_id":"T1","user_id":"U1","channel_id":"C1","command":"/missingkbs","text":"%s","trigger_id":"t%d"}}`, a.n, a.line, a.n)
	began := time.Now()
	if err := a.conn.WriteMessage(websocket.TextMessage, question); err != nil {
		b.Fatal(err)
	}
	_, r, err := a.conn.NextReader()
	for a.answer = a.answer[:0]; err == nil; {
		var n int
		n, err = r.Read(a.answer[len(a.answer):cap(a.answer)])
		a.answer = a.answer[:len(a.answer)+n]
	}
	took := time.Since(began)
	if !errors.Is(err, io.EOF) {
		b.Fatalf("got %s, %v", a.answer, err)
	}
	return took
}

// feedsOf are the feeds of 24 months with 200 updates each, of which each fixes a hundred CVEs; nil for none. Old ones are three
// years old. In absurd ones each update supersedes the next in a circle, and brings all products to the same build.
func feedsOf(kind string) *advisory.Snapshot {
	if kind == "off" {
		return nil
	}
	at := time.Now()
	if kind == "stale" {
		at = at.AddDate(-3, 0, 0)
	}
	kev := advisory.Catalog{Released: at}
	var docs []advisory.Document
	for month := range 24 {
		released := at.AddDate(0, -month, 0)
		doc := advisory.Document{ID: released.Format("2006-Jan"), Released: released, Revised: released}
		for i := range 200 {
			n := 200*month + i
			u := advisory.Update{KB: strconv.Itoa(6_000_000 + n), Kind: advisory.Cumulative, Builds: []advisory.Build{{Product: strconv.Itoa(i % 40), Line: 19000 + i%12, Revision: 9000 - n}}}
			if kind == "absurd" {
				u.Builds[0].Revision, u.Supersedes = 1, []string{strconv.Itoa(6_000_000 + (n+1)%4800)}
			}
			for c := range 100 {
				u.CVEs = append(u.CVEs, fmt.Sprintf("CVE-2026-%d", 1000+(n/4*20+c)%20_000))
			}
			doc.Updates = append(doc.Updates, u)
		}
		docs = append(docs, doc)
	}
	for i := range 1700 {
		kev.Entries = append(kev.Entries, advisory.Exploited{CVE: fmt.Sprintf("CVE-2026-%d", 1000+i*13%20_000), Added: at, Due: at.AddDate(0, 0, 21)})
	}
	return advisory.NewSnapshot(docs, kev)
}
