package app

import (
	"time"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/plancmd"
	"github.com/missingkbs/missingkbs/commands/reading"
	"github.com/missingkbs/missingkbs/commands/reportcmd"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/store"
)

// Patching is what the commands know that say how patching goes. All but Defender and Index may be nil.
type Patching struct {
	Defender   commands.Defender
	Index      *search.Index
	Store      *store.Store // what digests have read
	Advisories func() *advisory.Snapshot
	Deadlines  *deadline.Setting
	Now        func() time.Time
}

// Commands returns the commands plan and report.
func (p Patching) Commands() []commands.Command {
	return []commands.Command{
		plancmd.New(plancmd.Options{Reader: p.reader(), Advisories: p.Advisories}),
		reportcmd.New(p.report()),
	}
}

func (p Patching) reader() *reading.Reader {
	r := &reading.Reader{Defender: p.Defender, Index: p.Index, Now: p.Now}
	if p.Store != nil { // a nil store would be an interface that is not nil
		r.Stored = p.Store
	}
	return r
}

func (p Patching) report() reportcmd.Options {
	o := reportcmd.Options{Reader: p.reader(), Advisories: p.Advisories, Policy: p.Deadlines.Policy, Now: p.Now}
	if p.Store != nil {
		o.History = p.Store
	}
	return o
}
