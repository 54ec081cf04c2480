package e2e

import (
	"testing"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// A weekly report comes each time, also when nothing has changed, as a message that Slack takes, with tables and a chart; the
// same page answers a question, and says which readings it is made of.
func TestReportFromSlackToChannel(t *testing.T) {
	t.Parallel()
	m := newClockwork(t)
	m.add(t, sandbox.Patching, suite+" --at mon 09:00 --report")

	m.to(t, "2026-11-30 09:05")
	first := m.next(t, sandbox.Patching, 0)
	wantSays(t, first, "Patch report: Suite", "2 updates missing", "data_table", "Median time until 90 %", "report "+suite, "plan "+suite)

	m.records.settle(t, 1)
	m.to(t, "2026-12-07 09:05")
	second := m.next(t, sandbox.Patching, 1)
	wantSays(t, second, "Patch report: Suite", "Day 27 of the November 2026 cycle.", "7+ days")

	m.records.settle(t, 2)
	m.software(apitest.KB{ID: "5000001", Name: "First", MachineMissedOn: 15, CVEAddressed: 3})
	m.to(t, "2026-12-14 09:05")
	m.next(t, sandbox.Patching, 2)
	m.records.settle(t, 3)
	asked := m.tell(t, sandbox.Patching, "report "+suite)
	wantSays(t, asked, "Patch report: Suite", "Day 6 of the December 2026 cycle.", "14+ days", "KB5000001")
	planned := m.tell(t, sandbox.Patching, "plan "+suite)
	wantSays(t, planned, "What to install first: Suite", "data_table", "KB5000001")
}
