package audit

// The actions. Exports and docs/audit.md name them, so they must not change. A refused command may have others, which
// consist of the words typed, such as "admin.list".
const (
	ActionAsk             = "ask"
	ActionShare           = "share"
	ActionMachine         = "machine" // a device was looked up
	ActionDigestAdd       = "digest.add"
	ActionDigestChange    = "digest.change"
	ActionDigestPause     = "digest.pause"
	ActionDigestResume    = "digest.resume"
	ActionDigestRun       = "digest.run"
	ActionDigestRemove    = "digest.remove"
	ActionAccept          = "accept"         // an update was accepted as missing
	ActionAcceptRequest   = "accept.request" // the same, if a second person has to approve it
	ActionAcceptApprove   = "accept.approve"
	ActionAcceptEnd       = "accept.end"
	ActionAllowChannel    = "admin.allow-channel"
	ActionDisallowChannel = "admin.disallow-channel"
	ActionLost            = "audit.lost" // entries could not be written; Detail says how many and of which period
)

// Actions returns all actions.
func Actions() []string {
	return []string{
		ActionAsk, ActionShare, ActionMachine, ActionDigestAdd, ActionDigestChange, ActionDigestPause, ActionDigestResume, ActionDigestRun, ActionDigestRemove,
		ActionAccept, ActionAcceptRequest, ActionAcceptApprove, ActionAcceptEnd, ActionAllowChannel, ActionDisallowChannel, ActionLost,
	}
}
