// Package api is a client of the Microsoft Defender Vulnerability Management
// REST API: which security updates (KBs) are missing, on how many devices, for
// which software.
//
// It knows how to sign in to Microsoft Entra, how to ask Defender politely and
// how to read what comes back, loose as it sometimes is. It knows nothing of
// Slack, of commands, of pages or of any other package of this module, and can
// be imported on its own.
//
//	cred, _, err := api.NewCredential(api.CredentialOptions{TenantID: …, ClientID: …, ClientSecret: …})
//	client, err := api.NewClient(cred, nil)
//	answer, err := client.MissingKBs(ctx, "microsoft-_-edge")
//	for _, kb := range answer.Value { … }
//
// # A question
//
// Every question that returns an [Answer] goes the same way. An answer still in
// memory is handed out with the time it was fetched ([MaxAge] asks for a younger
// one). Otherwise the caller joins the call that is already under way for the
// same question, or starts it; the call belongs to no single caller, so a
// caller who leaves does not end it for the others. On its way to Defender it
// passes azcore's pipeline: retries that honour Retry-After, the bearer token,
// then our own rate limit, which therefore counts every retry. A caller that cannot
// wait as long as the rate limit asks is told so at once, by an error that is
// [ErrThrottled] and says when to come back; the call keeps its turn in the
// queue meanwhile, so the answer is often there by then.
//
// A try on which Defender is silent for [Options.TryTimeout] is given up and made
// once more on a fresh connection; an answer that keeps coming is read to its end.
// A question that comes while a call has been silent for so long does not join it.
//
// # The quota
//
// Defender counts calls per app and tenant, in any minute and any hour, and so do
// we: [Options.PerMinute] and [Options.PerHour] hold for any minute and any hour,
// not for those of the clock. Several processes that share an app keep to them
// together through a [Budget]. Questions go before digests: a call marked
// [Background] leaves a part of the budget alone, waits behind all questions, and
// is taken over by a question that wants the same. When Defender itself asks for a
// pause, everybody who shares the budget pauses, instead of each finding out.
//
// With [Options.StaleFor], a question that cannot be asked now, or not soon, is
// answered with what was last known, at once and with [Answer.Stale] saying why.
// [Client.Quota] tells what is left, [Client.Stats] and [Options.Observe] what was
// done.
//
// # Memory
//
// Answers of more than 256 KiB are read and decoded a few at a time, as many as two
// of [Options.MaxBody] have room for; the others wait half read, which is not counted
// as Defender's time, and are [ErrBusy] when no memory is free for them in time. What
// is remembered is bounded by bytes, too.
//
// # Errors
//
// What goes wrong is an [*Error], which names the call and is one of the
// sentinels ([ErrNotFound], [ErrPermission], …). No error text holds a token, a
// secret or the body of an answer. "Not found" and "forbidden" are Defender's own
// words only; what a gateway or a firewall says is [ErrNotDefender]. A sign-in that
// fails has a [Fault] where its cause is known, with the words for people.
//
// A row that cannot be read costs that row: [Answer.Skipped] counts them, and
// claims that something is not there have to look at it.
//
// # Trust
//
// The token goes to the configured host over TLS and nowhere else: redirects
// are not followed, and a nextLink to another host is an error. Names, links and
// messages in an answer are foreign text; this package makes no promise about
// what is in them.
//
// The endpoints are described on https://learn.microsoft.com/defender-endpoint/api/exposed-apis-list.
package api
