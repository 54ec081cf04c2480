package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/advisory"
)

// BenchmarkQuestionWithFeeds measures a question whose answer is in memory, from the slash command leaving a socket to the
// acknowledgement that carries its answer: without feeds, with those of 24 months, with old ones and with absurd ones. The
// four are asked in turn, so that what else the machine does slows all of them alike. Of each it reports the median and the
// 99th percentile, and by how much that is more than without feeds.
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
	for i, kind := range kinds {
		slices.Sort(took[i])
		for name, share := range map[string]float64{"p50": 0.5, "p99": 0.99} {
			at := int(share * float64(len(took[i])-1))
			b.ReportMetric(float64(took[i][at].Nanoseconds())/1000, "µs-"+name+"-"+kind)
			b.ReportMetric(100*(float64(took[i][at])/float64(took[0][at])-1), "%-"+name+"-"+kind)
		}
	}
}

// asksWithFeeds starts a bot that knows feeds, and returns a function that asks it about Windows 11, which lacks a dozen updates.
func asksWithFeeds(b *testing.B, kind string) func() time.Duration {
	b.Helper()
	s := newBareSlack(b)
	feeds := feedsOf(kind)
	defender := benchBot(b, s, time.Hour, commands.WithAdvisories(func() *advisory.Snapshot { return feeds }))
	const software = "microsoft-_-product_0"
	var kbs []apitest.KB
	for i := range 12 {
		kbs = append(kbs, apitest.KB{
			ID: strconv.Itoa(6_000_000 + 200*i), Name: fmt.Sprintf("%s 2026 Security Updates", time.Month(1+i)), OSBuild: 19000 + i/2,
			ProductsNames: []string{"product_0"}, MachineMissedOn: 100 - i, CVEAddressed: 100,
		})
	}
	defender.PutSoftware(apitest.Software{ID: software, Name: "product_0", Vendor: "microsoft", ExposedMachines: 100}, kbs...)
	conn := <-s.conns
	n := 0
	return func() time.Duration { return askOnSocket(b, conn, &n, software, "KB6000000") }
}

// askOnSocket asks a question and waits for the acknowledgement with its answer.
func askOnSocket(b *testing.B, conn *websocket.Conn, n *int, line, want string) time.Duration {
	b.Helper()
	*n++
	began := time.Now()
	if err := conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"slash_commands","envelope_id":"e%d","accepts_response_payload":true,`+
		`"payload":{"team_id":"T1","user_id":"U1","channel_id":"C1","command":"/missingkbs","text":"%s","trigger_id":"t%d"}}`, *n, line, *n)); err != nil {
		b.Fatal(err)
	}
	_, raw, err := conn.ReadMessage()
	took := time.Since(began)
	if err != nil || !strings.Contains(string(raw), want) {
		b.Fatalf("got %s, %v", raw, err)
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
