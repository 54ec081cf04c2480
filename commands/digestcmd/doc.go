// Package digestcmd is the command digest: it subscribes a channel to digests, and lists, previews, runs and changes
// subscriptions. It decides who may see and change which subscription. It knows neither how a digest is made and posted
// (package internal/digest) nor where subscriptions are stored, and nothing of Slack.
package digestcmd
