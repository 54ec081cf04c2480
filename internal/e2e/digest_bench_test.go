package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/post"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/digest"
	gapsource "github.com/missingkbs/missingkbs/internal/digest/source"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store"
)

// BenchmarkDigests measures a thousand digests about fifty software ids that are due at the same minute, made by a
// process of its own: how many calls of Defender they take, how long it is from the sign-in to Slack until the last is
// handed to Slack, whose limits are off, and how much memory the process takes at most. With Defender's limit of fifty
// calls a minute it is that limit which takes the time.
func BenchmarkDigests(b *testing.B) {
	for name, c := range map[string]struct {
		database string
		settings map[string]string
	}{
		"SQLite":                {"SQLite", map[string]string{"MISSINGKBS_DEFENDER_PER_MINUTE": "0", "MISSINGKBS_DEFENDER_PER_HOUR": "0"}},
		"PostgreSQL":            {"PostgreSQL", map[string]string{"MISSINGKBS_DEFENDER_PER_MINUTE": "0", "MISSINGKBS_DEFENDER_PER_HOUR": "0"}},
		"SQLite/limited-client": {"SQLite", map[string]string{"MISSINGKBS_DEFENDER_PER_MINUTE": "50", "MISSINGKBS_DEFENDER_PER_HOUR": "1500"}},
	} {
		b.Run(name, func(b *testing.B) {
			var calls, megabytes int
			var took time.Duration
			for b.Loop() {
				w := digestStage(b, sandbox.Options{})
				r := databases()[c.database](b)
				due := fiftySoftware(b, w.defender)
				for i := range 1000 {
					r.subscribe(b, due(i, i))
				}
				slack := newCountingSlack(b)
				w.program = testBinary(b)
				c.settings[unlimitedProcess], c.settings["LOG_LEVEL"] = "1", "info"
				c.settings["DATABASE_URL"], c.settings["SLACK_API_URL"] = r.url, slack.URL+"/api/"
				w.start(b, c.settings)
				took += slack.wait(b, 1000)
				megabytes += peakMemory(b, w.process.Process.Pid)
				r.settle(b, 1000)
				calls += w.defender.Count("/api/")
				w.kill(b)
			}
			b.ReportMetric(float64(calls)/float64(b.N), "defender-calls")
			b.ReportMetric(took.Seconds()/float64(b.N), "s-to-last-post")
			b.ReportMetric(float64(megabytes)/float64(b.N), "MB-peak")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkRush measures how many messages a second digests bring when two thousand of them are due in the same minute,
// under Slack's limits as the program keeps them by itself: a message a second in a channel, and four a second of each
// process. It looks at twenty seconds of it, after the first messages, which come faster.
func BenchmarkRush(b *testing.B) {
	const digests, burst, window = 2000, 120, 20 * time.Second
	for name, c := range map[string]struct {
		database            string
		channels, processes int
	}{
		"SQLite/50x40":                 {"SQLite", 50, 1},
		"SQLite/2000x1":                {"SQLite", digests, 1},
		"PostgreSQL/50x40":             {"PostgreSQL", 50, 1},
		"PostgreSQL/2000x1":            {"PostgreSQL", digests, 1},
		"PostgreSQL/50x40/2-processes": {"PostgreSQL", 50, 2},
	} {
		b.Run(name, func(b *testing.B) {
			var perSecond float64
			for b.Loop() {
				w := digestStage(b, sandbox.Options{})
				r := databases()[c.database](b)
				due := fiftySoftware(b, w.defender)
				for i := range digests {
					r.subscribe(b, due(i, i/(digests/c.channels))) // in the order of the channels, which is the worst
				}
				slack := newCountingSlack(b)
				settings := map[string]string{
					unlimitedProcess: "limited", "LOG_LEVEL": "info", "DATABASE_URL": r.url, "SLACK_API_URL": slack.URL + "/api/",
					"MISSINGKBS_DEFENDER_PER_MINUTE": "0", "MISSINGKBS_DEFENDER_PER_HOUR": "0",
				}
				w.program = testBinary(b)
				var processes []*world
				for range c.processes {
					processes = append(processes, w.replica(b, settings))
				}
				slack.waitPosts(b, burst)
				began := slack.count()
				time.Sleep(window)
				perSecond += float64(slack.count()-began) / window.Seconds()
				for _, p := range processes {
					p.kill(b)
				}
				if slack.crowded() {
					b.Error("a channel got two messages within a second")
				}
			}
			b.ReportMetric(perSecond/float64(b.N), "posts/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// fiftySoftware makes fifty software ids, each with twenty missing updates, and returns a function that makes a digest
// about one of them for a channel.
func fiftySoftware(b *testing.B, defender *apitest.Server) func(i, channel int) digest.Subscription {
	b.Helper()
	for i := range 50 {
		var kbs []apitest.KB
		for k := range 20 {
			kbs = append(kbs, apitest.KB{ID: strconv.Itoa(5000000 + 100*i + k), Name: "2026-11 Cumulative Update", OSBuild: 22631, MachineMissedOn: 10 * (k + 1), CVEAddressed: k})
		}
		defender.PutSoftware(apitest.Software{ID: fmt.Sprintf("microsoft-_-bench_%d", i), Name: "bench", Vendor: "microsoft", Weaknesses: 1}, kbs...)
	}
	return func(i, channel int) digest.Subscription {
		return due(fmt.Sprintf("b%04d", i), fmt.Sprintf("C%09d", channel), fmt.Sprintf("microsoft-_-bench_%d", i%50))
	}
}

// countingSlack takes every post and counts the digests. It is the least Slack that can be posted to, so that what is
// measured is ours.
type countingSlack struct {
	*httptest.Server
	mu          sync.Mutex
	began, last time.Time
	seen        map[string]bool // keys of digests
	posts       int
	latest      map[string]time.Time // post, by channel
	tooClose    bool                 // two came within a second into one channel
}

func newCountingSlack(b *testing.B) *countingSlack {
	b.Helper()
	s := &countingSlack{seen: map[string]bool{}, latest: map[string]time.Time{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.serve(rw, strings.TrimPrefix(r.URL.Path, "/api/"), body)
	}))
	b.Cleanup(s.Close)
	return s
}

func (s *countingSlack) serve(w io.Writer, method string, body []byte) {
	switch method {
	case "auth.test":
		s.mu.Lock()
		s.began = time.Now()
		s.mu.Unlock()
		fmt.Fprint(w, `{"ok":true,"team_id":"T1","user_id":"U0"}`)
	case "conversations.info":
		fmt.Fprint(w, `{"ok":true,"channel":{"id":"C1","is_channel":true,"is_member":true}}`)
	case "chat.postMessage":
		p, now := readPost(body), time.Now()
		s.mu.Lock()
		s.posts++
		s.tooClose = s.tooClose || now.Sub(s.latest[p.channel]) < time.Second
		s.latest[p.channel] = now
		if p.subscription != "" {
			s.seen[p.subscription], s.last = true, now
		}
		s.mu.Unlock()
		fmt.Fprint(w, `{"ok":true,"channel":"C1","ts":"1800000000.000001"}`)
	default:
		fmt.Fprint(w, `{"ok":false,"error":"unknown_method"}`)
	}
}

func (s *countingSlack) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.posts
}

func (s *countingSlack) crowded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tooClose
}

// waitPosts waits for so many messages.
func (s *countingSlack) waitPosts(b *testing.B, posts int) {
	b.Helper()
	eventually(b, func() (string, bool) { n := s.count(); return fmt.Sprintf("%d posts", n), n >= posts })
}

// wait waits for so many different digests and returns how long they took.
func (s *countingSlack) wait(b *testing.B, digests int) time.Duration {
	b.Helper()
	var took time.Duration
	eventually(b, func() (string, bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		took = s.last.Sub(s.began)
		return fmt.Sprintf("%d digests, want %d", len(s.seen), digests), len(s.seen) == digests
	})
	return took
}

// peakMemory is the most that a process held in memory, in megabytes.
func peakMemory(b *testing.B, pid int) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip("memory is read from /proc")
	}
	lines := strings.Split(string(status), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "VmHWM:") })
	if i < 0 {
		b.Skip("this system does not tell the most that a process held")
	}
	kilobytes, err := strconv.Atoi(strings.Fields(lines[i])[1])
	if err != nil {
		b.Fatal(err)
	}
	return kilobytes / 1024
}

// unlimitedProcess makes the test binary make digests like the program, but without a bot and, unless it says limited,
// without Slack's limits.
const unlimitedProcess = "MISSINGKBS_TEST_UNLIMITED"

// runUnlimited is that process.
func runUnlimited() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var m config.Errors
	log := config.Log{Level: os.Getenv("LOG_LEVEL")}.Logger(&m, os.Stderr)
	slack, _ := config.Slack{
		AppToken: config.NewSecret(os.Getenv("SLACK_APP_TOKEN")), BotToken: config.NewSecret(os.Getenv("SLACK_BOT_TOKEN")), APIURL: os.Getenv("SLACK_API_URL"), Tables: "auto", Timeout: "30s",
	}.Read(&m)
	settings := config.Defender{
		TenantID: os.Getenv("AZURE_TENANT_ID"), ClientID: os.Getenv("AZURE_CLIENT_ID"), ClientSecret: config.NewSecret(os.Getenv("AZURE_CLIENT_SECRET")),
		AuthorityHost: os.Getenv("AZURE_AUTHORITY_HOST"), Cloud: "public", APIURL: os.Getenv("DEFENDER_API_URL"), Scope: os.Getenv("DEFENDER_SCOPE"),
		PerMinute: os.Getenv("MISSINGKBS_DEFENDER_PER_MINUTE"), PerHour: os.Getenv("MISSINGKBS_DEFENDER_PER_HOUR"), CacheTTL: "5m",
	}
	options := settings.ReadClient(&m)
	cred, err := app.NewCredential(settings.ReadCredential(&m, options.Cloud.Authority))
	if err != nil {
		return err
	}
	defender, err := app.NewClient(cred, options, log)
	if err != nil {
		return err
	}
	defer defender.Close()
	database, err := store.Open(ctx, os.Getenv("DATABASE_URL"), store.Options{Log: log})
	if err != nil {
		return err
	}
	defer database.Close()
	workspace, err := slackapi.SignIn(ctx, slack)
	if err != nil {
		return err
	}
	limits := post.Options{Lanes: database, Log: log}
	if os.Getenv(unlimitedProcess) != "limited" {
		limits.PerChannel, limits.PerMinute = -1, -1
	}
	worker := &digest.Worker{
		Store: database, Source: gapsource.New(defender, time.Now), Log: log,
		Poster: post.New(slack, workspace, access.NewGate(access.NewDirectory(slack.ClientWithoutRetry()), workspace, access.Options{Log: log}), limits),
	}
	queue, err := database.Queue(worker.Work, store.QueueOptions{})
	if err != nil {
		return err
	}
	if err := queue.Start(ctx); err != nil {
		return err
	}
	return (&digest.Scheduler{Store: database, Queue: queue, Log: log}).Run(ctx)
}

// BenchmarkTakeOver measures how long a digest is away that a process was making when it was killed, with the pauses
// that the program has: until another process has posted it.
func BenchmarkTakeOver(b *testing.B) {
	for name, open := range databases() {
		b.Run(name, func(b *testing.B) {
			var away time.Duration
			for b.Loop() {
				w := digestStage(b, sandbox.Options{})
				r := open(b)
				g := newGate(b, w, func(postCall) stop { return beforePost })
				r.subscribe(b, due("a1", sandbox.General, edge))
				w.start(b, map[string]string{"DATABASE_URL": r.url, "SLACK_API_URL": g.apiURL()})
				g.wait(b, map[stop]int{beforePost: 1})
				killed := time.Now()
				w.kill(b)
				other := w.replica(b, map[string]string{"DATABASE_URL": r.url})
				eventually(b, func() (string, bool) { return "no digest", w.posted()["a1"] == 1 })
				away += time.Since(killed)
				other.kill(b)
			}
			b.ReportMetric(away.Seconds()/float64(b.N), "s-to-digest")
			b.ReportMetric(0, "ns/op")
		})
	}
}
