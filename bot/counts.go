package bot

import "sync/atomic"

// Load is how much a bot has to do.
type Load struct {
	Running int // questions being answered
	Slow    int // of those, questions that wait for Defender or Slack
	Waiting int // questions that wait for a worker
	Workers int // the limit of Running
	Queue   int // the limit of Waiting
	Unsent  int // acknowledgements and refusals that wait to be sent
}

// Counts counts what happens to envelopes and questions. The zero value is ready. Callers give it to [Options] and read it
// at any time.
type Counts struct {
	answered, failed, busy, duplicates, undecodable, dropped, unacknowledged, untaken atomic.Int64

	load atomic.Pointer[func() Load]
}

// Load returns how much there is to do now. It is zero before there is a bot.
func (c *Counts) Load() Load {
	if load := c.load.Load(); load != nil {
		return (*load)()
	}
	return Load{}
}

// Stats are the counts of a bot since it was made.
type Stats struct {
	Answered    int64 // questions answered; a page about a failure is an answer
	Failed      int64 // of those, questions whose answer was a failure
	Busy        int64 // questions refused because too many waited or were slow
	Duplicates  int64 // envelopes that Slack sent again; they are not answered again
	Undecodable int64 // envelopes that could not be read
	Dropped     int64 // envelopes that could not even be refused

	Unacknowledged int64 // acknowledgements that no connection took
	Untaken        int64 // commands that came too late for a bot that stops; the users were told
}

// Stats returns the counts so far.
func (c *Counts) Stats() Stats {
	return Stats{
		Answered:    c.answered.Load(),
		Failed:      c.failed.Load(),
		Busy:        c.busy.Load(),
		Duplicates:  c.duplicates.Load(),
		Undecodable: c.undecodable.Load(),
		Dropped:     c.dropped.Load(),

		Unacknowledged: c.unacknowledged.Load(),
		Untaken:        c.untaken.Load(),
	}
}
