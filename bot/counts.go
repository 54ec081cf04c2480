package bot

import "sync/atomic"

// Load is what a bot has to do at a moment.
type Load struct {
	Running, Slow, Waiting int // questions worked on, those of them that wait for something, and those that wait for a turn
	Workers, Queue         int // the bounds
	Errands                int // acknowledgements and refusals that wait to be sent
}

// Counts counts what happens to envelopes and questions. The zero value is ready; give it to [Options] to read it.
type Counts struct {
	answered, failed, busy, duplicates, undecodable, dropped, unacknowledged, untaken atomic.Int64

	load atomic.Pointer[func() Load]
}

// Load tells what there is to do now; nothing before there is a bot.
func (c *Counts) Load() Load {
	if load := c.load.Load(); load != nil {
		return (*load)()
	}
	return Load{}
}

// Stats are the counts of a bot since it was made.
type Stats struct {
	Answered    int64 // questions answered, failures with a page included
	Failed      int64 // questions whose answer was a failure
	Busy        int64 // questions refused because too many ran
	Duplicates  int64 // envelopes that came again and were not answered again
	Undecodable int64 // envelopes that could not be read
	Dropped     int64 // envelopes that could not even be refused

	Unacknowledged int64 // acknowledgements that no connection took
	Untaken        int64 // commands that came too late to be taken by a bot that stops; whoever typed them was told
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
