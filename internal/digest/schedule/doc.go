// Package schedule knows when digests are due: [Parse] reads the words that a person wrote, such as "mon 09:00" or a
// cron expression, [Next] finds the next run in a time zone, and [Describe] puts it in a sentence. Its functions are
// pure. It knows neither digests nor the queue that runs them.
package schedule
