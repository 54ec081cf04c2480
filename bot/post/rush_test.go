package post

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// rush is many digests that are due at once: a Slack that takes every message after a tenth of a second and notes when, and
// a queue that hands jobs out as River does.
type rush struct {
	digest.Records

	mu    sync.Mutex
	subs  map[string]digest.Subscription
	jobs  []rushJob // that wait
	busy  int       // jobs at work
	posts []rushPost
	snap  patchgap.Snapshot
}

type rushJob struct {
	digest.Job
	at      time.Time
	attempt int
}

type rushPost struct {
	channel, thread string
	at              time.Time
}

func (r *rush) Delivery(context.Context, string) (digest.Delivery, bool, error) {
	return digest.Delivery{}, false, nil
}

func (r *rush) Subscription(_ context.Context, id string) (digest.Subscription, error) {
	return r.subs[id], nil
}

func (r *rush) Deliveries(context.Context, string, int) ([]digest.Delivery, error) { return nil, nil }

func (r *rush) Baseline(context.Context, string) (patchgap.Snapshot, bool, error) {
	return patchgap.Snapshot{}, false, nil
}

func (r *rush) Record(context.Context, digest.Delivery, patchgap.Snapshot, digest.Subscription, view.Page) error {
	return nil
}

func (r *rush) EndThread(context.Context, string, digest.Thread) error { return nil }

func (r *rush) BeginRun(_ context.Context, a digest.Attempt) (digest.Run, bool, error) {
	return digest.Run{Job: a.Job}, true, nil
}

func (r *rush) SetPosting(context.Context, digest.Attempt, string) (bool, error) { return true, nil }

func (r *rush) RestRun(context.Context, digest.Attempt) error { return nil }

func (r *rush) EndRun(context.Context, digest.Job) error { return nil }

func (r *rush) Snapshot(context.Context, digest.Subscription, time.Time) (patchgap.Snapshot, error) {
	return r.snap, nil
}

func (r *rush) Confirm(context.Context, []string) (patchgap.Snapshot, error) {
	return patchgap.Snapshot{}, nil
}

// RoundTrip is Slack.
func (r *rush) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	answer := `{"ok":true,"channel":{"id":"` + form.Get("channel") + `","is_channel":true,"is_member":true}}`
	if strings.HasSuffix(req.URL.Path, "chat.postMessage") {
		r.mu.Lock()
		r.posts = append(r.posts, rushPost{form.Get("channel"), form.Get("thread_ts"), time.Now()})
		answer = fmt.Sprintf(`{"ok":true,"channel":%q,"ts":"1800000000.%06d"}`, form.Get("channel"), len(r.posts))
		r.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: req}, nil
}

// process works on the jobs as one process does, until none is left: ten at a time, looked for once a second, and after a
// tenth of one where there were as many as it could take.
func (r *rush) process(ctx context.Context, w *digest.Worker) {
	const workers = 10
	var wg sync.WaitGroup
	free := workers
	for {
		r.mu.Lock()
		now := time.Now()
		slices.SortFunc(r.jobs, func(a, b rushJob) int { return a.at.Compare(b.at) })
		n := 0
		for n < min(free, len(r.jobs)) && !r.jobs[n].at.After(now) {
			n++
		}
		taken := slices.Clone(r.jobs[:n])
		r.jobs = slices.Delete(r.jobs, 0, n)
		pause := time.Second
		if n == free {
			pause = 100 * time.Millisecond
		}
		free, r.busy = free-n, r.busy+n
		over := len(r.jobs) == 0 && r.busy == 0
		r.mu.Unlock()
		if over {
			break
		}
		for _, job := range taken {
			wg.Go(func() {
				again := r.work(ctx, w, job)
				r.mu.Lock()
				defer r.mu.Unlock()
				free, r.busy = free+1, r.busy-1
				r.jobs = append(r.jobs, again...)
			})
		}
		time.Sleep(pause)
	}
	wg.Wait()
}

// work does a job, and returns it where it is to be tried again.
func (r *rush) work(ctx context.Context, w *digest.Worker, job rushJob) []rushJob {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	time.Sleep(5 * time.Millisecond) // for the database
	err := w.Work(ctx, job.Job, job.attempt)
	if err == nil {
		return nil
	}
	job.attempt++
	job.at = time.Now().Add(time.Minute)
	if later, ok := errors.AsType[digest.RetryLater](err); ok {
		job.PutOff++
		job.at = time.Now().Add(later.After)
	}
	return []rushJob{job}
}

// newRush makes digests that are due at once, in a number of channels. Their jobs are in the order of the channels or not.
func newRush(channels, each int, sorted bool) *rush {
	r := &rush{subs: map[string]digest.Subscription{}, snap: patchgap.Snapshot{
		Tenant: digest.DefaultTenant, At: time.Now(), Software: []string{"x"},
		Rows: []patchgap.Row{{Key: patchgap.Key{Software: "x", KB: "5000001"}, Devices: 7, CVEs: 1}},
	}}
	for c := range channels {
		for i := range each {
			id := fmt.Sprintf("%d-%d", c, i)
			r.subs[id] = digest.Subscription{
				ID: id, Tenant: digest.DefaultTenant, Channel: fmt.Sprintf("C%04d", c), Watch: []string{"x"},
				Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "UTC"}, Quiet: digest.Always, Origin: digest.FromChat,
			}
			r.jobs = append(r.jobs, rushJob{Job: digest.Job{Subscription: id, Due: time.Now()}, at: time.Now(), attempt: 1})
		}
	}
	if !sorted {
		rand.Shuffle(len(r.jobs), func(i, j int) { r.jobs[i], r.jobs[j] = r.jobs[j], r.jobs[i] })
	}
	return r
}

// run has processes work on all of it.
func (r *rush) run(t *testing.T, processes int) {
	t.Helper()
	lanes := &processLanes{} // the database, where there are several
	var wg sync.WaitGroup
	for range processes {
		config := slackapi.Config{Tokens: slackapi.NewTokens("", "xoxb-1"), APIURL: "http://slack.test/api/", HTTP: &http.Client{Transport: r}}
		self := slackapi.Workspace{TeamID: "T1", UserID: "U0"}
		poster := New(config, self, access.NewGate(access.NewDirectory(config.ClientWithoutRetry()), self, access.Options{}), Options{Lanes: lanes})
		wg.Go(func() { r.process(t.Context(), &digest.Worker{Store: r, Source: r, Poster: poster}) })
	}
	wg.Wait()
}

// check checks what Slack saw: each digest with its thread right behind it, and never more than a message a second in a
// channel. It returns how many posts a second there were from the end of the burst at the start until a number of posts
// before the last.
func (r *rush) check(t *testing.T, rest int) (perSecond float64) {
	t.Helper()
	if want := 2 * len(r.subs); len(r.posts) != want {
		t.Fatalf("%d posts, want %d", len(r.posts), want)
	}
	slices.SortStableFunc(r.posts, func(a, b rushPost) int { return cmp.Or(strings.Compare(a.channel, b.channel), a.at.Compare(b.at)) })
	for i := 1; i < len(r.posts); i++ {
		before, p := r.posts[i-1], r.posts[i]
		if p.channel != before.channel {
			continue
		}
		if gap := p.at.Sub(before.at); gap < time.Second {
			t.Errorf("%s: two messages within %v", p.channel, gap)
		}
		if (p.thread == "") == (before.thread == "") {
			t.Errorf("%s: a digest is not followed by its own thread", p.channel)
		}
	}
	slices.SortFunc(r.posts, func(a, b rushPost) int { return a.at.Compare(b.at) })
	steady := r.posts[2*postBurst : len(r.posts)-rest]
	return float64(len(steady)-1) / steady[len(steady)-1].at.Sub(steady[0].at).Seconds()
}

// However the digests that are due are spread over channels, a process posts as fast as its own limit for the workspace
// lets it, as long as enough channels have work; and never two messages within a second into one channel.
func TestDigestsAreAsFastAsTheWorkspaceLets(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		channels, each, processes int
		sorted                    bool
		rest                      int     // posts at the end, when few channels have work
		least                     float64 // posts a second
	}{
		"50 channels with 40 each":                           {50, 40, 1, false, 100, 3.9},
		"50 channels with 40 each, one after another":        {50, 40, 1, true, 400, 3.9},
		"2000 channels":                                      {2000, 1, 1, false, 20, 3.9},
		"50 channels with 40 each, two processes":            {50, 40, 2, false, 400, 7.8},
		"10 channels with 40 each":                           {10, 40, 1, false, 100, 3.8},
		"one channel":                                        {1, 40, 1, false, 2, 0.5}, // of 0.9: the queue looks once a second
		"one channel, two processes":                         {1, 40, 2, false, 2, 0.5},
		"100 channels with 20 each, three processes, sorted": {100, 20, 3, true, 800, 11.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRush(tc.channels, tc.each, tc.sorted)
				began := time.Now()
				r.run(t, tc.processes)
				got := r.check(t, tc.rest)
				t.Logf("%.2f posts a second, all in %v", got, time.Since(began).Round(time.Second))
				if got < tc.least {
					t.Errorf("%.2f posts a second, want at least %.1f", got, tc.least)
				}
			})
		})
	}
}
