package doctor

import (
	"net/url"
	"slices"
	"strings"
	"sync"
)

// learned collects names that services told the checks, which run at the same time.
type learned struct {
	mu    sync.Mutex
	names []string
}

func (l *learned) add(names ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names = append(l.names, names...)
}

func (l *learned) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.names)
}

// Private returns the values that a report for strangers must not have: secrets, what the settings say of the tenant, and the
// names that the checks have learned. Call it after the checks.
func (c *Checker) Private() []string {
	appToken, botToken := c.values.Slack.Tokens.Current()
	private := append(c.learned.all(), appToken, botToken, c.values.Credential.TenantID, c.values.Credential.ClientID,
		c.values.Credential.ClientSecret, c.values.Credential.CertificatePassword, c.values.Credential.CertificatePath, c.values.Credential.FederatedTokenFile, c.values.AlertChannel)
	for _, address := range []string{c.values.DatabaseURL, c.values.Slack.APIURL, c.values.Defender.Cloud.Authority, c.values.Defender.Cloud.Endpoint} {
		private = append(private, partsOf(address)...)
	}
	if w := c.values.Webhook; w != nil {
		private = append(private, partsOf(w.URL)...)
	}
	if d := c.values.Digests; d != nil {
		private = append(private, d.Path)
		for _, s := range d.Subscriptions {
			private = append(private, s.ID, s.Channel)
		}
	}
	if me := c.installed.Load(); me != nil {
		private = append(private, me.Team, me.TeamID, me.User, me.UserID, me.BotID, me.URL, me.Enterprise)
	}
	if t := c.token.Load(); t != nil {
		private = append(private, t.App, t.Tenant)
	}
	return private
}

// partsOf returns an address and what in it names something. A public host stays out of it, because every tenant has it.
func partsOf(address string) []string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		return []string{address}
	}
	var parts []string
	if u.User != nil {
		password, _ := u.User.Password()
		parts = append(parts, u.User.Username(), password)
	}
	if host := u.Hostname(); !strings.HasSuffix(host, ".microsoft.com") && !strings.HasSuffix(host, ".microsoft.us") && !strings.HasSuffix(host, ".microsoftonline.com") &&
		!strings.HasSuffix(host, ".microsoftonline.us") && host != "slack.com" && host != "slack-gov.com" {
		parts = append(parts, address, host)
	}
	return append(parts, strings.Split(u.Path, "/")...)
}
