package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// What a test tells a process that it starts: the database, and whether jobs are to hang.
const (
	childURL   = "STORE_TEST_URL"
	childHangs = "STORE_TEST_HANGS"
	childBooks = "STORE_TEST_BOOKS" // it is to book turns of the shared quota, and nothing else
)

// child is the process: a replica that works until its input ends, and prints what it does.
func child() error {
	ctx := context.Background()
	s, err := store.Open(ctx, os.Getenv(childURL), store.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	if os.Getenv(childBooks) != "" {
		return errors.Join(bookTurns(ctx, s), s.Close())
	}
	work := func(_ context.Context, job digest.Job, attempt int) error {
		fmt.Printf("start %s %d\n", job.Subscription, attempt)
		if os.Getenv(childHangs) != "" {
			select {}
		}
		time.Sleep(5 * time.Millisecond) // leaves others a chance to take the same job
		fmt.Printf("done %s %d\n", job.Subscription, attempt)
		return nil
	}
	q, err := s.Queue(work, store.QueueOptions{JobTimeout: 2 * time.Second, Rescue: 3 * time.Second, Backoff: soon})
	if err != nil {
		return err
	}
	if err := errors.Join(s.Migrate(ctx), q.Start(ctx)); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, q.Stop(ctx), s.Close())
}

// replica is a process as the test sees it.
type replica struct {
	cmd   *exec.Cmd
	input io.Closer
	lines <-chan string // ends with the process
}

func startReplica(t *testing.T, url string, env ...string) replica {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0])
	cmd.Env = append(append(os.Environ(), childURL+"="+url), env...)
	cmd.Stderr = t.Output()
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(output); in.Scan(); {
			lines <- in.Text()
		}
	}()
	r := replica{cmd, input, lines}
	t.Cleanup(func() { r.kill(t) })
	return r
}

// kill ends the process as a machine that fails would.
func (r replica) kill(t *testing.T) {
	t.Helper()
	if r.cmd.ProcessState != nil {
		return
	}
	if err := r.cmd.Process.Kill(); err != nil {
		t.Errorf("kill: %v", err)
	}
	for range r.lines {
	}
	r.cmd.Wait() //nolint:errcheck // it was killed
}

// stop ends the process in good order.
func (r replica) stop(t *testing.T) {
	t.Helper()
	err := r.input.Close()
	for range r.lines {
	}
	if err := errors.Join(err, r.cmd.Wait()); err != nil {
		t.Errorf("replica: %v", err)
	}
}

// await reads lines up to the one that is wanted.
func (r replica) await(t *testing.T, want string) {
	t.Helper()
	for end := time.After(2 * time.Minute); ; {
		select {
		case got, ok := <-r.lines:
			if !ok {
				t.Fatalf("the process ended before %q", want)
			}
			if got == want {
				return
			}
		case <-end:
			t.Fatalf("no %q in two minutes", want)
		}
	}
}

func TestKilledWorkerIsRescued(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a new leader")
	}
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := open(t, url, store.Options{})
		q, err := s.Queue(calls(nil).work, store.QueueOptions{})
		if err != nil {
			t.Fatal(err)
		}
		first := startReplica(t, url, childHangs+"=1")
		first.await(t, "ready")
		enqueue(t, q, digest.Job{Subscription: "a1", Due: monday})
		first.await(t, "start a1 1")
		first.kill(t)
		killed := time.Now()

		second := startReplica(t, url)
		second.await(t, "done a1 2")
		t.Logf("rescued after %s", time.Since(killed).Round(time.Second))
		second.stop(t)
		wantKept(t, s, "completed 2")
	})
}

func TestReplicasShareJobs(t *testing.T) {
	t.Parallel()
	const replicas, jobs = 3, 150
	url := engines()["PostgreSQL"](t)
	var all []replica
	for range replicas { // of which one migrates
		all = append(all, startReplica(t, url))
	}
	for _, r := range all {
		r.await(t, "ready")
	}
	s := open(t, url, store.Options{})
	q, err := s.Queue(calls(nil).work, store.QueueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string(nil)
	for i := range jobs {
		enqueue(t, q, digest.Job{Subscription: fmt.Sprint("a", i), Due: monday})
		want = append(want, "completed 1")
	}
	wantKept(t, s, want...)
	done, workers := map[string]int{}, 0
	for _, r := range all {
		if err := r.input.Close(); err != nil {
			t.Error(err)
		}
		n := 0
		for line := range r.lines {
			if sub, ok := strings.CutPrefix(line, "done "); ok {
				done[sub]++
				n++
			}
		}
		if n > 0 {
			workers++
		}
		if err := r.cmd.Wait(); err != nil {
			t.Errorf("replica: %v", err)
		}
	}
	for sub, times := range done {
		if times != 1 {
			t.Errorf("%s was done %d times", sub, times)
		}
	}
	if len(done) != jobs || workers < 2 {
		t.Errorf("%d of %d jobs done by %d of %d replicas", len(done), jobs, workers, replicas)
	}
}
