package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/view"
)

// The settings are strings here and are read by methods below, because kong stops at the first value it cannot read
// and an operator wants to hear of all mistakes at once. For secrets see [secret].

// slackSettings are how the bot reaches Slack.
type slackSettings struct {
	AppToken secret `name:"slack-app-token" env:"SLACK_APP_TOKEN" placeholder:"xapp-…" help:"App-level token with the scope connections:write."`
	BotToken secret `name:"slack-bot-token" env:"SLACK_BOT_TOKEN" placeholder:"xoxb-…" help:"Bot token of the installed app."`
	APIURL   string `name:"slack-api-url" env:"SLACK_API_URL" placeholder:"URL" help:"Base of Slack's Web API, where it is not Slack's own."`
	Tables   string `name:"tables" env:"MISSINGKBS_TABLES" default:"auto" help:"How tables are drawn: auto, data_table, table or classic (${default})."`
	Timeout  string `name:"answer-timeout" env:"MISSINGKBS_ANSWER_TIMEOUT" default:"30s" help:"How long one question may take (${default})."`
}

// defenderSettings are how the client reaches Defender and signs in there. The AZURE_ names are azidentity's.
type defenderSettings struct {
	TenantID            string `name:"azure-tenant-id" env:"AZURE_TENANT_ID" placeholder:"GUID" help:"Tenant (directory) id in Entra."`
	ClientID            string `name:"azure-client-id" env:"AZURE_CLIENT_ID" placeholder:"GUID" help:"Application (client) id of the app registration."`
	ClientSecret        secret `name:"azure-client-secret" env:"AZURE_CLIENT_SECRET" placeholder:"SECRET" help:"Client secret, or @file."`
	CertificatePath     string `name:"azure-client-certificate-path" env:"AZURE_CLIENT_CERTIFICATE_PATH" placeholder:"FILE" help:"Certificate and private key (PEM or PKCS#12) instead of a secret."`
	CertificatePassword secret `name:"azure-client-certificate-password" env:"AZURE_CLIENT_CERTIFICATE_PASSWORD" placeholder:"SECRET" help:"Password of the certificate file, or @file."`
	FederatedTokenFile  string `name:"azure-federated-token-file" env:"AZURE_FEDERATED_TOKEN_FILE" placeholder:"FILE" help:"Token file of a workload identity."`
	AuthorityHost       string `name:"azure-authority-host" env:"AZURE_AUTHORITY_HOST" placeholder:"URL" help:"Login host, where it is not the cloud's own."`
	Cloud               string `name:"defender-cloud" env:"DEFENDER_CLOUD" default:"public" help:"public, gcc, gcc-high or dod (${default})."`
	Region              string `name:"defender-region" env:"DEFENDER_REGION" placeholder:"REGION" help:"Nearest host of the public cloud: us, eu, uk, au, swa, ina or aea."`
	APIURL              string `name:"defender-api-url" env:"DEFENDER_API_URL" placeholder:"URL" help:"Defender's host, instead of the cloud's."`
	Scope               string `name:"defender-scope" env:"DEFENDER_SCOPE" placeholder:"SCOPE" help:"Scope of the token, instead of the cloud's."`
	PerMinute           string `name:"defender-per-minute" env:"MISSINGKBS_DEFENDER_PER_MINUTE" default:"50" help:"Most calls in any minute; 0 for no limit (${default})."`
	PerHour             string `name:"defender-per-hour" env:"MISSINGKBS_DEFENDER_PER_HOUR" default:"1500" help:"Most calls in any hour; 0 for no limit (${default})."`
	CacheTTL            string `name:"cache-ttl" env:"MISSINGKBS_CACHE_TTL" default:"5m" help:"How long an answer is kept; 0 keeps none (${default})."`
}

// logSettings are what is logged and how.
type logSettings struct {
	Level  string `name:"log-level" env:"LOG_LEVEL" placeholder:"LEVEL" help:"debug, info, warn or error; info for serve, warn for what answers on a terminal."`
	Format string `name:"log-format" env:"LOG_FORMAT" placeholder:"FORMAT" help:"text or json; text on a terminal, else json."`
}

// mistakes collects what is wrong with the settings, and what is not wrong but unwise. Values are not repeated: they may
// be secrets.
type mistakes struct {
	wrong  []error
	unwise []string
}

// add notes a mistake: what is wrong with a setting and what would be right.
func (m *mistakes) add(setting, format string, args ...any) {
	m.wrong = append(m.wrong, fmt.Errorf("%s %s", setting, fmt.Sprintf(format, args...)))
}

// warn notes what should be mended, though it works.
func (m *mistakes) warn(setting, text string) {
	m.unwise = append(m.unwise, setting+" "+text)
}

// err is all mistakes as one error that tells them line by line.
func (m *mistakes) err() error {
	if len(m.wrong) == 0 {
		return nil
	}
	lines := make([]string, len(m.wrong))
	for i, e := range m.wrong {
		lines[i] = "  - " + e.Error()
	}
	return usageError{fmt.Errorf("the settings need mending (flags, environment or the file of --config):\n%s", strings.Join(lines, "\n"))}
}

// tell logs what is unwise, once each: several parts may have read the same setting.
func (m *mistakes) tell(log *slog.Logger) {
	slices.Sort(m.unwise)
	for _, text := range slices.Compact(m.unwise) {
		log.Warn("a setting should be mended", "setting", text)
	}
	m.unwise = nil
}

// number reads a whole number from 0 on.
func (m *mistakes) number(setting, value string) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		m.add(setting, "must be a whole number, 0 or more, such as 50")
	}
	return n
}

// duration reads a time from least on.
func (m *mistakes) duration(setting, value string, least time.Duration) time.Duration {
	if value == "0" {
		value = "0s"
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < least {
		m.add(setting, "takes a time from %v on, such as 30s or 5m", least)
	}
	return d
}

// address reads a base address. Plain http is for this machine only.
func (m *mistakes) address(setting, value string, httpOnLoopback bool) string {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		m.add(setting, "takes an address such as https://host.example/")
	case u.Scheme == "https":
	case u.Scheme == "http" && httpOnLoopback && loopback(u.Hostname()):
	case httpOnLoopback:
		m.add(setting, "takes an https:// address; http:// is for this machine only, such as http://127.0.0.1:7070/api/")
	default:
		m.add(setting, "takes an https:// address: tokens travel there")
	}
	return value
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// oneOf checks a word against those allowed.
func (m *mistakes) oneOf(setting, value string, allowed ...string) string {
	for _, a := range allowed {
		if strings.EqualFold(value, a) {
			return a
		}
	}
	m.add(setting, "takes one of %s", strings.Join(allowed, ", "))
	return value
}

func (s slackSettings) read(m *mistakes) (bot.Config, bot.Options) {
	c := bot.Config{Tokens: bot.NewTokens(
		m.token("SLACK_APP_TOKEN", s.AppToken, "xapp-", "Basic Information > App-Level Tokens"),
		m.token("SLACK_BOT_TOKEN", s.BotToken, "xoxb-", "OAuth & Permissions"),
	)}
	if s.APIURL != "" {
		c.APIURL = strings.TrimSuffix(m.address("SLACK_API_URL", s.APIURL, true), "/") + "/"
	}
	return c, bot.Options{
		Tables: bot.Tables(m.oneOf("MISSINGKBS_TABLES", s.Tables,
			string(bot.TablesAuto), string(bot.TablesData), string(bot.TablesPlain), string(bot.TablesClassic))),
		Timeout: m.duration("MISSINGKBS_ANSWER_TIMEOUT", s.Timeout, time.Second),
	}
}

// token checks that a token of Slack is there and of the right kind.
func (m *mistakes) token(setting string, given secret, prefix, page string) string {
	value := m.secret(setting, given)
	switch {
	case value == "" && given.set(): // the mistake is noted
	case value == "":
		m.add(setting, "is missing: it stands under %s in the app's settings at https://api.slack.com/apps and looks like %s…", page, prefix)
	case !strings.HasPrefix(value, prefix):
		m.add(setting, "is another kind of token: it looks like %s… and stands under %s in the app's settings", prefix, page)
	}
	return value
}

// client reads the settings of the API client.
func (s defenderSettings) client(m *mistakes) api.Options {
	cloud, err := api.LookupCloud(s.Cloud, s.Region)
	if err != nil {
		m.add("DEFENDER_CLOUD, DEFENDER_REGION:", "%v", err)
	}
	if s.APIURL != "" {
		cloud.Endpoint = m.address("DEFENDER_API_URL", s.APIURL, false)
	}
	if s.Scope != "" {
		cloud.Scope = s.Scope
	}
	if s.AuthorityHost != "" {
		cloud.Authority = m.address("AZURE_AUTHORITY_HOST", s.AuthorityHost, false)
	}
	return api.Options{
		Cloud:         cloud,
		PerMinute:     noLimit(m.number("MISSINGKBS_DEFENDER_PER_MINUTE", s.PerMinute)),
		PerHour:       noLimit(m.number("MISSINGKBS_DEFENDER_PER_HOUR", s.PerHour)),
		CacheTTL:      noCache(m.duration("MISSINGKBS_CACHE_TTL", s.CacheTTL, 0)),
		ApplicationID: "missingkbs",
	}
}

// noLimit and noCache turn "0 switches it off" of the settings into the negative value of the client, whose zero is
// its default.
func noLimit(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

func noCache(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

// credential reads how to sign in to Entra. Without a secret, a certificate or a token file it is the managed identity
// of the machine, which needs no id of its own.
func (s defenderSettings) credential(m *mistakes, authority string) api.CredentialOptions {
	o := api.CredentialOptions{
		TenantID:            s.TenantID,
		ClientID:            s.ClientID,
		ClientSecret:        m.secret("AZURE_CLIENT_SECRET", s.ClientSecret),
		CertificatePath:     s.CertificatePath,
		CertificatePassword: m.secret("AZURE_CLIENT_CERTIFICATE_PASSWORD", s.CertificatePassword),
		FederatedTokenFile:  s.FederatedTokenFile,
		Authority:           authority,
	}
	m.guardFile("AZURE_CLIENT_CERTIFICATE_PATH", o.CertificatePath)
	for setting, path := range map[string]string{
		"AZURE_CLIENT_CERTIFICATE_PATH": o.CertificatePath,
		"AZURE_FEDERATED_TOKEN_FILE":    o.FederatedTokenFile,
	} {
		if _, err := os.Stat(path); path != "" && err != nil {
			m.add(setting, "names a file that cannot be read: %v", err)
		}
	}
	if s.ClientSecret.set() || o.CertificatePath != "" || o.FederatedTokenFile != "" {
		s.needIDs(m)
		return o
	}
	o.Managed = true
	if o.ClientID == systemIdentity {
		o.ClientID = ""
	}
	if s.TenantID != "" || s.ClientID == "" {
		m.add("AZURE_CLIENT_SECRET", "is missing: set it, or AZURE_CLIENT_CERTIFICATE_PATH, or AZURE_FEDERATED_TOKEN_FILE, together with AZURE_TENANT_ID and "+
			"AZURE_CLIENT_ID; for the managed identity of this machine set AZURE_CLIENT_ID alone (its client id, or \"system\")")
	}
	return o
}

// systemIdentity stands for the client id of the machine's own managed identity, which needs none.
const systemIdentity = "system"

// needIDs checks the two ids that name an app registration.
func (s defenderSettings) needIDs(m *mistakes) {
	const where = "it stands on the overview page of the app registration in Entra and looks like 8b1f2e9c-3d4a-4f6b-9c2d-1e0f5a7b8c9d"
	if s.TenantID == "" {
		m.add("AZURE_TENANT_ID", "is missing: "+where)
	}
	if s.ClientID == "" {
		m.add("AZURE_CLIENT_ID", "is missing: "+where)
	}
}

// level reads from which level on is logged.
func (s logSettings) level(m *mistakes) slog.Level {
	var level slog.Level
	// The zero value is info, which is what a mistake is told at.
	_ = level.UnmarshalText([]byte(m.oneOf("LOG_LEVEL", cmp.Or(s.Level, "info"), "debug", "info", "warn", "error")))
	return level
}

// logger makes the log. It is text for a person at a terminal, JSON for everything that collects logs.
func (s logSettings) logger(m *mistakes, w io.Writer) *slog.Logger {
	return s.loggerAt(m, w, s.level(m))
}

// loggerAt makes a log of which something else decides the level.
func (s logSettings) loggerAt(m *mistakes, w io.Writer, level slog.Leveler) *slog.Logger {
	format := s.Format
	if format == "" {
		format = "json"
		if isTerminal(w) {
			format = "text"
		}
	}
	w = redact.Writer{Writer: w} // should anybody log a secret after all
	o := &slog.HandlerOptions{Level: level}
	if m.oneOf("LOG_FORMAT", format, "text", "json") == "text" {
		return slog.New(withRequest{slog.NewTextHandler(w, o)})
	}
	return slog.New(withRequest{slog.NewJSONHandler(view.EscapeJSON(w), o)})
}

// isTerminal reports whether a person reads what is written there.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull) // is a device, too
	return err != nil || !os.SameFile(info, null)
}

// newClient makes the client of Defender.
func newClient(cred azcore.TokenCredential, kind string, options api.Options, log *slog.Logger) (*api.Client, error) {
	options.Logger = log
	client, err := api.NewClient(cred, &options)
	if err != nil {
		return nil, usageError{fmt.Errorf("DEFENDER_API_URL, DEFENDER_SCOPE: %w", err)}
	}
	log.Debug("using Defender", "host", client.Host(), "credential", kind)
	return client, nil
}

var errNoWords = errors.New("what do you want to ask? For example: missingkbs ask windows 11")
