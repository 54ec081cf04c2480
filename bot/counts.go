package bot

import "sync/atomic"

// Load is how busy a bot is.
type Load struct {
	Running int // questions being answered
	Slow    int // of those, questions that wait for Defender or Slack
	Waiting int // questions that wait for a worker
	Workers int // the limit of Running
	Queue   int // the limit of Waiting
	Unsent  int // acknowledgements and refusals that wait to be sent
}

// Counts counts envelopes and questions by what happened to them. The zero value is ready to use. Callers pass it to
// [Options] and may read it at any time.
type Counts struct {
	answered, failed, busy, duplicates, undecodable, dropped, unacknowledged, untaken atomic.Int64

	load atomic.Pointer[func() Load]
}

// Load returns the current load; it is zero until there is a bot.
func (c *Counts) Load() Load {
	if load := c.load.Load(); load != nil {
		return (*load)()
	}
	return Load{}
}

// Stats are the counts of a bot since it was created.
type Stats struct {
	Answered    int64 // questions answered; a page about a failure is an answer
	Failed      int64 // of those, questions whose answer was a failure
	Busy        int64 // questions refused because too many waited or were slow
	Duplicates  int64 // envelopes that Slack sent again; they are not answered again
	Undecodable int64 // envelopes that could not be read
	Dropped     int64 // envelopes that could not even be refused

	Unacknowledged int64 // acknowledgements that no connection took
	Untaken        int64 // commands that arrived during shutdown; their users were told
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
