package sandbox

import (
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// newFaults makes the workspace's set of faults, in which nothing is wrong yet.
func newFaults(w *Workspace) *faults.Set {
	return faults.New(faults.Options{
		Defender: w.opts.Defender,
		More:     w.opts.Faults,
		Changed:  func(values map[string]any) { w.feed.Send("faults", object{"faults": values}) },
		Record: func(name string, value any) {
			w.trace.Add(trace.UI, "fault "+name, 0, object{"value": value})
		},
		Disconnect: w.Disconnect,
		Drop:       w.Drop,
	})
}

// Faults returns the switches of Slack as they are set.
func (w *Workspace) Faults() faults.Switches { return w.faults.Switches() }

// SetFaults replaces all switches of Slack.
func (w *Workspace) SetFaults(to faults.Switches) { w.faults.Switch(to) }

// SetFault sets one switch of Slack or Defender by the name that the page uses, such as
// "defender_failing". The value is a bool, a string or a number.
func (w *Workspace) SetFault(name string, value any) error { return w.faults.SetNamed(name, value) }

// SetJudge sets a function that checks all blocks after the rules of Block Kit; nil
// removes it.
func (w *Workspace) SetJudge(j faults.Judge) { w.faults.SetJudge(j) }

// Inject makes single calls fail, after the faults that were injected before. The
// returned function removes the fault, and may be called more than once.
func (w *Workspace) Inject(f faults.Fault) (remove func()) { return w.faults.Inject(f) }

// Heal removes all faults of calls, switches all faults of Slack off, and closes the
// sockets that were stalled.
func (w *Workspace) Heal() {
	w.faults.Heal()
	w.sockets.DropStalled()
}
