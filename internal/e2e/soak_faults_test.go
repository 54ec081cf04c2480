//go:build unix

package e2e

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// faultStrands are what goes wrong. Slack's word that the app's Socket Mode was switched off is not among it: that ends
// the program, and has tests of its own.
//
// Connections end less often than all else: the program opens new ones at a pace that falls to one in half a minute
// where they live shortly, for Slack asks for that, and questions that meet no connection show nothing but that.
func faultStrands() []strand {
	return []strand{
		{first: 4 * time.Second, every: 75 * time.Second, make: planSocketEnd},
		{first: time.Second, every: 5 * time.Second, make: planSocketTrouble},
		{first: time.Second, every: 700 * time.Millisecond, make: planCallFault},
		{first: 2 * time.Second, every: 2 * time.Second, make: planDefenderFault},
		{first: 5 * time.Second, every: 12 * time.Second, make: planEntraFault},
		{first: 3 * time.Second, every: 15 * time.Second, make: planLock},
		{first: 6 * time.Second, every: 45 * time.Second, make: planRotation},
		{first: 2 * time.Second, every: 20 * time.Second, make: planChange},
		{every: 6 * time.Second, make: planDigest},
	}
}

// planSocketEnd ends connections, with and without a word.
func planSocketEnd(d dice) step {
	type end struct {
		how string
		do  func(*sandbox.Workspace)
	}
	e := choose(d, []option[end]{
		{4, end{"one is cut", func(w *sandbox.Workspace) { w.DropOne() }}},
		{3, end{"one is warned", func(w *sandbox.Workspace) { w.DisconnectOne("warning") }}},
		{3, end{"one is told to go", func(w *sandbox.Workspace) { w.DisconnectOne("refresh_requested") }}},
		{2, end{"one goes dead", func(w *sandbox.Workspace) { w.StallOne() }}},
		{1, end{"all are told to go", func(w *sandbox.Workspace) { w.Disconnect("refresh_requested") }}},
		{1, end{"all are cut", func(w *sandbox.Workspace) { w.Drop() }}},
	})
	return step{what: "slack: socket ends", with: e.how, do: func(s *soak) { e.do(s.w.slack) }}
}

// planSocketTrouble disturbs connections that live on.
func planSocketTrouble(d dice) step {
	type trouble struct {
		how         string
		least, most time.Duration
		set         func(f *faults.Switches, on bool)
	}
	babble := []string{"{", "[]", "no JSON at all", `{"type":"hello"}`, `{"type":"surprise","envelope_id":"soak-1"}`, `{"type":"interactive","envelope_id":"soak-2","payload":{"type":"block_actions"}}`}[d.IntN(6)]
	t := choose(d, []option[trouble]{
		{4, trouble{"envelopes come twice", 300 * time.Millisecond, 2 * time.Second, func(f *faults.Switches, on bool) { f.Redeliver = on }}},
		{2, trouble{"acknowledgements are lost", 200 * time.Millisecond, 800 * time.Millisecond, func(f *faults.Switches, on bool) { f.DropAcks = on }}},
		{1, trouble{"hello is late", 2 * time.Second, 4 * time.Second, func(f *faults.Switches, on bool) {
			f.HelloDelay = 0
			if on {
				f.HelloDelay = 1500 * time.Millisecond
			}
		}}},
		{1, trouble{"new ones are told to go", time.Second, 2 * time.Second, func(f *faults.Switches, on bool) {
			f.Dismiss = ""
			if on {
				f.Dismiss = "refresh_requested"
			}
		}}},
		{3, trouble{how: "nonsense " + babble}},
	})
	if t.set == nil {
		return step{what: "slack: socket disturbed", with: t.how, do: func(s *soak) { s.w.slack.Babble(babble) }}
	}
	long := d.between(t.least, t.most)
	return step{what: "slack: socket disturbed", with: fmt.Sprint(t.how, " for ", long), do: func(s *soak) {
		s.faults(func(f *faults.Switches) { t.set(f, true) })
		s.pause(long)
		s.faults(func(f *faults.Switches) { t.set(f, false) })
	}}
}

// planCallFault breaks calls of the Web API and of response URLs.
func planCallFault(d dice) step {
	m := faults.Fault{
		Call: choose(d, []option[string]{
			{10, sandbox.WayHook},
			{4, "chat.postMessage"},
			{2, "views.open"},
			{2, "views.publish"},
			{2, "conversations.history"},
			{1, "users.info"},
			{1, "conversations.info"},
			{1, "apps.connections.open"},
			{2, ""},
		}),
		Times: 1 + d.IntN(2),
	}
	choose(d, []option[func()]{
		{3, func() { m.Status, m.RetryAfter = 429, time.Duration(1+d.IntN(2))*time.Second }},
		{3, func() { m.Status = 500 + 3*d.IntN(2) }},
		{2, func() { m.Cut = true }},
		{3, func() { m.Cut, m.Acts = true, true }},
		{1, func() { m.Status, m.Acts = 500, true }},
		{3, func() { m.Delay = d.between(100*time.Millisecond, 2*time.Second) }},
	})()
	return step{what: "slack: call fails", with: fmt.Sprintf("%+v", m), do: func(s *soak) {
		remove := s.w.slack.Inject(m)
		s.pause(mishapLife)
		remove()
	}}
}

// mishapLife is how long a mishap waits for its call. Calls that are seldom made, such as the one that opens a
// connection, would otherwise fail for minutes once they are.
const mishapLife = 5 * time.Second

// planDefenderFault breaks Defender's answers.
func planDefenderFault(d dice) step {
	f := choose(d, []option[apitest.Fault]{
		{3, apitest.Throttled(time.Duration(1+d.IntN(3)) * time.Second)},
		{3, apitest.Failing()},
		{2, apitest.Fault{Name: "broken", Status: 500, Code: "InternalServerError", Message: "Raw words."}},
		{4, apitest.Slow(d.between(200*time.Millisecond, 3*time.Second))},
		{2, apitest.CutShort()},
		{2, apitest.Fault{Name: "cut later", Cut: 1 + d.IntN(3000)}},
		{1, apitest.Lying()},
		{1, apitest.Fault{Name: "garbage", Body: `{"value":[{"id":7},`}},
		{1, apitest.Fault{Name: "circle", NextLink: apitest.Self}},
	})
	f.Times = 1 + d.IntN(6)
	return step{what: "defender fails", with: fmt.Sprintf("%+v", f), do: func(s *soak) { s.w.defender.Inject(f) }}
}

// planEntraFault has tokens end, and no new ones given out for a while.
func planEntraFault(d dice) step {
	f := choose(d, []option[apitest.Fault]{
		{2, apitest.Fault{Name: "busy", Status: 429, RetryAfter: time.Second, Code: "temporarily_unavailable", Message: "AADSTS90055: too many"}},
		{2, apitest.Fault{Name: "broken", Status: 500, Code: "server_error", Message: "AADSTS90000: broken"}},
		{2, apitest.Slow(d.between(200*time.Millisecond, 2*time.Second))},
		{2, apitest.Fault{Name: "well", Delay: time.Millisecond}},
	})
	f.Path, f.Times = apitest.EntraPath, 1+d.IntN(3)
	return step{what: "entra fails", with: fmt.Sprintf("%+v", f), do: func(s *soak) {
		s.w.defender.Inject(f)
		s.w.defender.RevokeTokens()
	}}
}

// planLock keeps the database from being written to.
func planLock(d dice) step {
	long := d.between(200*time.Millisecond, 2*time.Second)
	return step{what: "database locked", with: long.String(), do: func(s *soak) {
		if err := s.records.lock(s.ctx, long); err != nil {
			s.t.Errorf("lock the database: %v", err)
		}
	}}
}

// lock takes the place of whoever writes, for a while.
func (r *records) lock(ctx context.Context, long time.Duration) error {
	conn, err := r.sql.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	begin := []string{"BEGIN IMMEDIATE"}
	if strings.HasPrefix(r.url, "postgres") {
		begin = []string{"BEGIN", "LOCK TABLE river_job, subscriptions, deliveries IN EXCLUSIVE MODE"}
	}
	for _, statement := range begin {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	rest(ctx, long)
	_, err = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return err
}

// rest is a pause of the plan's. A soak is about real time: what a timer ends here is a fault, and nothing waits in the
// hope that something has happened by then.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// planRotation puts a new secret into its file, has the settings read again, and takes the old one back.
func planRotation(d dice) step {
	which := d.IntN(3)
	return step{what: "secrets rotated", with: []string{"bot token", "app token", "Entra"}[which], do: func(s *soak) {
		s.rotating.Lock()
		defer s.rotating.Unlock()
		var revoke func()
		switch which {
		case 0:
			old := s.botToken
			s.botToken = s.w.slack.NewBotToken()
			replace(s.t, s.botFile, s.botToken)
			revoke = func() { s.w.slack.RefuseToken(old, "token_revoked") }
		case 1:
			old := s.appToken
			s.appToken = s.w.slack.NewAppToken()
			replace(s.t, s.appFile, s.appToken)
			revoke = func() { s.w.slack.RefuseToken(old, "invalid_auth") }
		default:
			next := fmt.Sprintf("apitest~soak-secret-%d", time.Now().UnixNano())
			s.w.defender.SetSecret(next) // Entra knows one at a time
			replace(s.t, s.secretFile, next)
			revoke = s.w.defender.RevokeTokens
		}
		before := s.said("read the settings again")
		if err := s.w.process.Process.Signal(syscall.SIGHUP); err != nil {
			s.t.Errorf("SIGHUP: %v", err)
		}
		s.until(10*time.Second, func() (string, bool) {
			return "the settings were not read again", s.said("read the settings again") > before
		})
		revoke()
	}}
}

// planChange lets time pass in the tenant, where devices take updates and new ones come out.
func planChange(d dice) step {
	by := d.between(time.Hour, 48*time.Hour).Round(time.Hour)
	return step{what: "defender's data change", with: by.String(), do: func(s *soak) { s.w.defender.Advance(by) }}
}

// planDigest makes one more digest due.
func planDigest(d dice) step {
	channel := []string{sandbox.General, sandbox.Patching, sandbox.PrivateChannel}[d.IntN(3)]
	watch := [][]string{{edge}, {"microsoft-_-windows_11"}, {"microsoft-_-windows*"}, {edge, "microsoft-_-office"}}[d.IntN(4)]
	return step{what: "digest due", with: fmt.Sprint(channel, watch), do: func(s *soak) { s.subscribe(channel, watch...) }}
}
