//go:build unix

package e2e

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// How long, and by which chance. They are flags of the test binary: go test ./cmd/missingkbs -run TestSoak -soak 10m -seed 7.
var (
	soakLength   = flag.Duration("soak", 0, "how long TestSoak plays; 0 plays it for some seconds, always the same")
	soakSeed     = flag.Uint64("seed", 0, "the seed of TestSoak's plan; 0 takes any")
	soakDatabase = flag.String("soak-database", "SQLite", "the database that TestSoak uses: SQLite or PostgreSQL")
)

// shortSoak and shortSeed are the soak that every run of the tests plays.
const (
	shortSoak = 15 * time.Second
	shortSeed = 18 // its plan holds something of everything
)

// soak is the program between people who ask and services that fail, for a while.
type soak struct {
	t       *testing.T
	ctx     context.Context
	w       *world
	records *records
	ledger  *ledger
	address string // of the program's probes and metrics
	began   time.Time

	going                        sync.WaitGroup
	rotating                     sync.Mutex
	botToken, appToken           string
	botFile, appFile, secretFile string
	faulting                     sync.Mutex // of Slack's switches

	mu    sync.Mutex
	notes map[string]int
	due   map[string]string // key by subscription
}

// The program is asked by several people at once while all that it depends on fails at random: no question is lost in
// silence, no answer comes twice, no digest is left out or posted twice, and goroutines, connections and memory are in
// the end what they were in the beginning.
//
// The plan comes from the seed; so the same seed does the same to the program, though not at the same instruction.
func TestSoak(t *testing.T) {
	t.Parallel()
	length, seed := *soakLength, *soakSeed
	switch {
	case length == 0:
		length, seed = shortSoak, shortSeed
	case seed == 0:
		seed = rand.Uint64N(1_000_000) + 1
	}
	t.Logf("to play this again: make soak SOAK=%v SEED=%d", length, seed)
	s := newSoak(t)
	steps := soakPlan(seed, length)
	atRest := s.atRest()
	heap := s.heapWhile(func() { s.play(steps, length) })
	s.heal()
	s.settle()
	after := s.calm(atRest)
	s.stop()

	log := s.confessed()
	c := s.ledger.verdict(log)
	for _, p := range c.problems {
		t.Error(p)
	}
	if length >= time.Minute && c.undelivered > c.questions/5 {
		t.Errorf("%d of %d questions found no connection", c.undelivered, c.questions)
	}
	s.judgeDigests()
	s.judgeHeap(heap)
	s.tell(seed, steps, c, atRest, after, heap)
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{t: t, began: time.Now(), ledger: newLedger(), notes: map[string]int{}, due: map[string]string{}}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); s.going.Wait() })
	s.ctx = ctx
	open, ok := databases()[*soakDatabase]
	if !ok {
		t.Fatalf("there is no database %q", *soakDatabase)
	}
	s.records = open(t)
	s.w = digestStage(t, sandbox.Options{Shortcuts: demo.Shortcuts(), Watch: s.ledger.watch})
	for _, who := range soakPeople() {
		s.w.slack.Admit(who, sandbox.Member)
		for _, channel := range []string{sandbox.General, sandbox.Patching} {
			s.w.slack.Kick(channel, who)
			s.w.slack.Invite(channel, who)
		}
	}
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		replace(t, path, content)
		return path
	}
	s.botToken, s.appToken = s.w.slack.BotToken(), s.w.slack.AppToken()
	s.botFile, s.appFile, s.secretFile = file("bot", s.botToken), file("app", s.appToken), file("secret", apitest.ClientSecret)
	s.w.program = leakCheckedProgram(t)
	s.w.start(t, map[string]string{
		leakCheck:         "1",
		"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": "", "AZURE_CLIENT_SECRET": "",
		"SLACK_BOT_TOKEN_FILE": s.botFile, "SLACK_APP_TOKEN_FILE": s.appFile, "AZURE_CLIENT_SECRET_FILE": s.secretFile,
		"DATABASE_URL": s.records.url, "LOG_LEVEL": "info", "MISSINGKBS_PPROF": "true",
		"MISSINGKBS_SOCKETS":             "3",
		"MISSINGKBS_CACHE_TTL":           "3s", // so that Defender is asked, and fails
		"MISSINGKBS_ANSWER_TIMEOUT":      "8s",
		"MISSINGKBS_DEFENDER_PER_MINUTE": "240", "MISSINGKBS_DEFENDER_PER_HOUR": "0",
		"MISSINGKBS_WORKERS": "8", "MISSINGKBS_QUEUE": "20", // so that there are moments of too much
		"MISSINGKBS_OPS_CHANNEL": sandbox.PrivateChannel,
	})
	t.Cleanup(s.shorten)
	s.address = s.w.page(t)
	if err := s.w.slack.WaitConnected(soon(t), 3); err != nil {
		t.Fatalf("no connection: %v", err)
	}
	return s
}

// shorten leaves of the log what a failure is understood by.
func (s *soak) shorten() {
	var kept []string
	lines := strings.SplitAfter(s.w.log.String(), "\n")
	for i, line := range lines {
		if len(lines)-i <= 100 || strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, `"kind":"digest"`) {
			kept = append(kept, line)
		}
	}
	s.w.log.mu.Lock()
	defer s.w.log.mu.Unlock()
	s.w.log.buf.Reset()
	s.w.log.buf.WriteString(strings.Join(kept, ""))
}

func (s *soak) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[what]++
}

func (s *soak) pause(d time.Duration) { rest(s.ctx, d) }

// faults changes the switches of Slack.
func (s *soak) faults(change func(*faults.Switches)) {
	s.faulting.Lock()
	defer s.faulting.Unlock()
	f := s.w.slack.Faults()
	change(&f)
	s.w.slack.SetFaults(f)
}

// said counts the log's entries of a kind.
func (s *soak) said(message string) int {
	return strings.Count(s.w.log.String(), `"msg":"`+message+`"`)
}

// confessed reads what the program says that it could not do.
func (s *soak) confessed() confessed {
	return confessed{
		lost:   s.said("answer lost") + s.said("could not deliver the refusal to the user"),
		unsure: s.said("an acknowledgement was lost with its connection; answering by response_url"),
		blank:  s.said("could not deliver suggestions to the select"),
		blind:  s.said("posting without searching for an earlier message"),
	}
}

// until waits for something that is announced to nobody.
func (s *soak) until(patience time.Duration, look func() (state string, ok bool)) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		state, ok := look()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return
		case <-end.C:
			s.t.Errorf("after %v: %s", patience, state)
			return
		}
	}
}

// play does what the plan says when it says so, and returns when all of it is over.
func (s *soak) play(steps []step, length time.Duration) {
	began := time.Now()
	for _, one := range steps {
		rest(s.ctx, time.Until(began.Add(one.at)))
		s.going.Go(func() { one.do(s) })
	}
	rest(s.ctx, time.Until(began.Add(length)))
	s.going.Wait()
}

// heal ends all faults.
func (s *soak) heal() {
	s.w.slack.Heal()
	s.w.defender.Heal()
}

// settle waits until the program has done all that there is to do.
func (s *soak) settle() {
	const patience = 2 * time.Minute
	s.until(4*patience, func() (string, bool) { // they are opened at a pace that grows with what failed, and fail where the machine stalls
		n := s.w.slack.Connections()
		return fmt.Sprintf("%d connections", n), n == 3
	})
	s.until(patience, func() (string, bool) {
		r := s.w.unready(s.t)
		return fmt.Sprintf("not ready: %v", r), len(r) == 0
	})
	s.until(patience, func() (string, bool) {
		s.records.hurry(s.t)
		states := s.records.jobs(s.t)
		s.mu.Lock()
		due := len(s.due)
		s.mu.Unlock()
		return fmt.Sprintf("%d digests were due, and the jobs are %v", due, states), len(states) == 1 && states["completed"] >= due
	})
	s.until(patience, func() (string, bool) {
		f := s.figures()
		return fmt.Sprintf("%v questions are worked on and %v wait", f["missingkbs_questions_running"], f["missingkbs_question_queue_length"]),
			f["missingkbs_questions_running"]+f["missingkbs_question_queue_length"] == 0
	})
	for _, who := range soakPeople() { // all is well again, for everybody
		if d, err := s.w.slack.Command(s.ctx, who, sandbox.General, "/missingkbs "+edge); err != nil || d.Err != "" {
			s.t.Errorf("after all faults a question of %s: %+v, %v", who, d, err)
		} else {
			s.ledger.add(asked{what: askTyped, who: who, words: edge, at: time.Now()}, d)
		}
	}
	s.until(patience, func() (string, bool) {
		c := s.ledger.verdict(s.confessed())
		return "not all is answered", len(c.problems) == 0
	})
}

// stop ends the program, which is to end well and leave no connection.
func (s *soak) stop() {
	s.w.sendTerm(s.t)
	s.until(10*time.Second, func() (string, bool) {
		sockets, slack, defender := s.w.slack.Connections(), s.w.slack.Conns(), s.w.defender.Visitors()
		return fmt.Sprintf("after the end there are %d sockets, %d connections to Slack and %d to Defender", sockets, slack, defender), sockets+slack+defender == 0
	})
}

// subscribe makes a digest due.
func (s *soak) subscribe(channel string, watch ...string) {
	s.mu.Lock()
	id := fmt.Sprintf("s%d", len(s.due))
	one := due(id, channel, watch...)
	one.Quiet = digest.Always // also right after somebody has clicked on Run
	s.due[id] = digest.DeliveryKey(id, one.NextRun)
	s.mu.Unlock()
	s.records.subscribe(s.t, one)
}

// judgeDigests fails for each digest that did not come. Those that came twice are told by the ledger.
func (s *soak) judgeDigests() {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	for id, key := range s.due {
		if len(s.ledger.digests[key]) == 0 {
			s.t.Errorf("digest %s was not posted", id)
		}
	}
}

// tell writes the figures down.
func (s *soak) tell(seed uint64, steps []step, c count, before, after snapshot, heap []float64) {
	planned := map[string]int{}
	for _, one := range steps {
		planned[one.what]++
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "\n  "+format, args...) }
	line("seed %d, %v in all", seed, time.Since(s.began).Round(time.Second))
	line("questions: %d asked, %d not delivered, %d not acknowledged, %d acknowledged", c.questions, c.undelivered, c.unacked, c.acked)
	line("answers: %d, of which %d said busy; %d to questions that Slack had called failed; %d may be missing, as people are told; %d lost, as the log says; %d selects without options", c.answered, c.busy, c.late, c.warned, c.lost, c.blank)
	line("answers that came twice: %d because Slack said 5xx though it had taken them, %d because the network broke before Slack's word", c.repeated, c.unsure)
	line("digests: %d due, %d keys posted, %d twice", len(s.due), len(s.ledger.digests), c.again)
	for _, kind := range slices.Sorted(maps.Keys(planned)) {
		line("planned: %4d %s", planned[kind], kind)
	}
	for _, kind := range slices.Sorted(maps.Keys(c.kinds)) {
		line("asked: %6d %s", c.kinds[kind], kind)
	}
	for _, note := range slices.Sorted(maps.Keys(s.notes)) {
		line("noted: %6d %s", s.notes[note], note)
	}
	for _, name := range []string{"missingkbs_slack_envelopes_duplicate_total", "missingkbs_slack_envelopes_undecodable_total", "missingkbs_slack_connections_opened_total", "missingkbs_slack_ack_failures_total", "missingkbs_defender_throttled_total"} {
		line("counted: %v %s", after.figures[name], strings.TrimPrefix(name, "missingkbs_"))
	}
	line("goroutines: %d before, %d after; files and connections: %v before, %v after", before.sum(), after.sum(), before.figures["process_open_fds"], after.figures["process_open_fds"])
	line("calls of Slack that failed: %d", s.ledger.faults)
	first, last := thirds(heap)
	line("heap: %.1f MB in the first third, %.1f MB in the last (%d samples)", first/1e6, last/1e6, len(heap))
	s.t.Log(b.String())
}
