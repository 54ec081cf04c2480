package config

import (
	"time"

	"github.com/missingkbs/missingkbs/api"
)

// Defender are the settings about how the client reaches Defender and signs in. The AZURE_ names are azidentity's.
type Defender struct {
	TenantID            string `name:"azure-tenant-id" env:"AZURE_TENANT_ID" unset:"required, except for a managed identity" placeholder:"GUID" help:"Tenant (directory) id in Entra."`
	ClientID            string `name:"azure-client-id" env:"AZURE_CLIENT_ID" unset:"required" placeholder:"GUID" help:"Application (client) id of the app registration or of a managed identity; system for the system-assigned identity of the machine."`
	ClientSecret        Secret `name:"azure-client-secret" env:"AZURE_CLIENT_SECRET" placeholder:"SECRET" help:"Client secret, or @ and the path of a file that holds it."`
	CertificatePath     string `name:"azure-client-certificate-path" env:"AZURE_CLIENT_CERTIFICATE_PATH" placeholder:"FILE" help:"File with a certificate and its private key (PEM or PKCS#12), instead of a secret."`
	CertificatePassword Secret `name:"azure-client-certificate-password" env:"AZURE_CLIENT_CERTIFICATE_PASSWORD" placeholder:"SECRET" help:"Password of the certificate file, or @ and the path of a file that holds it."`
	FederatedTokenFile  string `name:"azure-federated-token-file" env:"AZURE_FEDERATED_TOKEN_FILE" placeholder:"FILE" help:"Token file of a workload identity."`
	AuthorityHost       string `name:"azure-authority-host" env:"AZURE_AUTHORITY_HOST" unset:"the cloud's" placeholder:"URL" help:"Login host; by default that of the cloud."`
	Cloud               string `name:"defender-cloud" env:"DEFENDER_CLOUD" default:"public" help:"Cloud of the tenant: public, gcc, gcc-high or dod (${default})."`
	Region              string `name:"defender-region" env:"DEFENDER_REGION" unset:"the global host" placeholder:"REGION" help:"Regional API host of the public cloud: us, eu, uk, au, swa, ina or aea; by default the global host."`
	APIURL              string `name:"defender-api-url" env:"DEFENDER_API_URL" unset:"the cloud's" placeholder:"URL" help:"Base URL of Defender's API; by default that of the cloud."`
	Scope               string `name:"defender-scope" env:"DEFENDER_SCOPE" unset:"the cloud's" placeholder:"SCOPE" help:"Scope of the access token; by default that of the cloud."`
	PerMinute           string `name:"defender-per-minute" env:"MISSINGKBS_DEFENDER_PER_MINUTE" default:"50" help:"Maximum calls to Defender per minute, including retries, for all replicas that share a PostgreSQL; 0 for no limit (${default})."`
	PerHour             string `name:"defender-per-hour" env:"MISSINGKBS_DEFENDER_PER_HOUR" default:"1500" help:"The same per hour (${default})."`
	CacheTTL            string `name:"cache-ttl" env:"MISSINGKBS_CACHE_TTL" default:"5m" help:"How long answers from Defender are cached; 0 disables the cache (${default})."`
}

// ReadClient reads the options of the API client.
func (s Defender) ReadClient(e *Errors) api.Options {
	cloud, err := api.LookupCloud(s.Cloud, s.Region)
	if err != nil {
		e.Add("DEFENDER_CLOUD, DEFENDER_REGION:", "%v", err)
	}
	if s.APIURL != "" {
		cloud.Endpoint = e.address("DEFENDER_API_URL", s.APIURL, false)
	}
	if s.Scope != "" {
		cloud.Scope = s.Scope
	}
	if s.AuthorityHost != "" {
		cloud.Authority = e.address("AZURE_AUTHORITY_HOST", s.AuthorityHost, false)
	}
	return api.Options{
		Cloud:         cloud,
		PerMinute:     noLimit(e.number("MISSINGKBS_DEFENDER_PER_MINUTE", s.PerMinute)),
		PerHour:       noLimit(e.number("MISSINGKBS_DEFENDER_PER_HOUR", s.PerHour)),
		CacheTTL:      noCache(e.Duration("MISSINGKBS_CACHE_TTL", s.CacheTTL, 0)),
		ApplicationID: "missingkbs",
	}
}

// noLimit and noCache translate 0, which switches a setting off, into the client's negative value. To the client 0
// means its default.
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

// ReadCredential reads how to sign in to Entra. Without a secret, a certificate or a token file it is the machine's managed
// identity, which needs no ID.
func (s Defender) ReadCredential(e *Errors, authority string) api.CredentialOptions {
	o := api.CredentialOptions{
		TenantID:            s.TenantID,
		ClientID:            s.ClientID,
		ClientSecret:        e.Secret("AZURE_CLIENT_SECRET", s.ClientSecret),
		CertificatePath:     s.CertificatePath,
		CertificatePassword: e.Secret("AZURE_CLIENT_CERTIFICATE_PASSWORD", s.CertificatePassword),
		FederatedTokenFile:  s.FederatedTokenFile,
		Authority:           authority,
	}
	e.warnOpenFile("AZURE_CLIENT_CERTIFICATE_PATH", o.CertificatePath)
	e.readable("AZURE_CLIENT_CERTIFICATE_PATH", o.CertificatePath)
	e.readable("AZURE_FEDERATED_TOKEN_FILE", o.FederatedTokenFile)
	if wrong := SecretForm(o.ClientSecret); wrong != "" {
		e.warn("AZURE_CLIENT_SECRET", "looks like the Secret ID: if signing in fails, copy the Value beside it, or make a new secret if that is hidden by now")
	}
	o.Managed = !s.ClientSecret.IsSet() && o.CertificatePath == "" && o.FederatedTokenFile == ""
	s.checkForms(e, o.Managed && s.TenantID == "")
	if !o.Managed {
		s.RequireIDs(e)
		return o
	}
	if o.ClientID == systemIdentity {
		o.ClientID = ""
	}
	if s.TenantID != "" || s.ClientID == "" {
		e.Add("AZURE_CLIENT_SECRET", "is missing: set it, or AZURE_CLIENT_CERTIFICATE_PATH, or AZURE_FEDERATED_TOKEN_FILE, together with AZURE_TENANT_ID and "+
			"AZURE_CLIENT_ID; for the managed identity of this machine set AZURE_CLIENT_ID alone (its client id, or \"system\")")
	}
	return o
}

// systemIdentity is set as the client ID for the machine's own managed identity, which needs none.
const systemIdentity = "system"

// RequireIDs checks that the two IDs of an app registration are set.
func (s Defender) RequireIDs(e *Errors) {
	const where = "find it on the overview page of the app registration in Entra; it looks like " + exampleID
	if s.TenantID == "" {
		e.Add("AZURE_TENANT_ID", "is missing: "+where)
	}
	if s.ClientID == "" {
		e.Add("AZURE_CLIENT_ID", "is missing: "+where)
	}
}

// Quota is the setting about answers while Defender's quota is used up.
type Quota struct {
	StaleFor string `name:"stale-for" env:"MISSINGKBS_STALE_FOR" default:"168h" help:"Maximum age of a stored answer that is shown, with its age, while Defender is unavailable; 0 shows none (${default})."`
}

// Read sets the options of the client.
func (s Quota) Read(e *Errors, o *api.Options) {
	o.StaleFor = e.Duration("MISSINGKBS_STALE_FOR", s.StaleFor, 0)
}
