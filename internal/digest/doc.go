// Package digest tells channels what is missing and what changed: what a [Subscription] is, when its digests are due
// ([Parse], [Next]), how two patch gaps differ ([Diff]), what a digest says ([Report]), and the [Worker] and [Scheduler]
// that make it happen.
//
// A digest is delivered at least once, and once in practice. A due time becomes a job before the next one is worked
// out, so a crash between the two repeats a job that the queue drops. What was posted is recorded after the post, so a
// crash between these two leaves a message without a record: the next attempt looks for the message by its key before
// it posts, and only where the channel's messages may not be read can a digest come twice.
//
// A digest never takes silence for good news. Software that could not be read is named and compared with nothing, an
// update counts as closed when two readings agree that it is gone and no newer one took its place, and where nothing
// could be read the digest is a message that says so, and is tried again.
//
// Everything is counted in updates: an [Update] is one KB and the devices that lack it, summed over the OS builds of one
// software and never over several software ids that share the KB, of which the one with most devices counts. Leads,
// changes, totals, filters, tables and charts all count that, so the updates told before, without what closed or is no
// longer listed, with what is new, make those told now. Snapshots keep Defender's rows.
//
// Tables list the updates to install: one that another contains wholly is folded into it ([Folding]). It is counted all the
// same, and stands in files, in the lists of what changed and among the rows as Defender gave them.
//
// Open installs are the sum of the devices over all updates: one for each device and update that it lacks. The verdict
// of a digest follows them, not the number of updates.
//
// The package knows neither Defender nor Slack nor SQL: [Source], [Poster], [Queue] and the interfaces of the store are
// the interfaces to them.
package digest
