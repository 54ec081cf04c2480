package setup

import (
	"context"

	"github.com/missingkbs/missingkbs/internal/config"
)

// slack asks for both tokens, each with a check of its own.
func (w *walk) slack(ctx context.Context) error {
	w.say(`
1. Slack
At https://api.slack.com/apps choose Create New App > From a manifest, and paste what this prints:
missingkbs manifest`)
	for _, g := range []group{
		{
			questions: []question{{
				setting: "SLACK_APP_TOKEN", title: "App-level token (xapp-…)", secret: true,
				where: "Basic Information > App-Level Tokens > Generate Token and Scopes, with the scope connections:write:",
				set:   func(s *config.Settings, v string) { s.Slack.AppToken = config.NewSecret(v) },
			}},
			checks: []string{"slack-app-token"},
		},
		{
			questions: []question{{
				setting: "SLACK_BOT_TOKEN", title: "Bot token (xoxb-…)", secret: true,
				where: "Install App, then OAuth & Permissions > Bot User OAuth Token:",
				set:   func(s *config.Settings, v string) { s.Slack.BotToken = config.NewSecret(v) },
			}},
			checks: []string{"slack-bot-token", "slack-same-app", "slack-scopes"},
		},
	} {
		if err := w.ask(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// The ways to sign in to Entra.
const (
	bySecret      = "secret"
	byCertificate = "certificate"
	byWorkload    = "workload"
	byManaged     = "managed"
)

// entra asks for the cloud and for the credential.
func (w *walk) entra(ctx context.Context) error {
	w.say(`
2. Entra and Defender
At https://entra.microsoft.com (US Government: https://entra.microsoft.us) choose App registrations >
New registration. Then API permissions > Add a permission > APIs my organization uses >
WindowsDefenderATP > Application permissions > Software.Read.All, and Grant admin consent.
docs/entra.md has the same as commands.`)
	if err := w.cloud(ctx); err != nil {
		return err
	}
	way, err := w.way(ctx)
	if err != nil {
		return err
	}
	return w.ask(ctx, group{questions: credentialQuestions(way), checks: []string{"entra-certificate", "entra-token", "entra-roles", "defender"}})
}

// cloud asks for Defender's cloud, unless it is set.
func (w *walk) cloud(ctx context.Context) error {
	if w.given("DEFENDER_CLOUD") != "" || w.given("DEFENDER_API_URL") != "" {
		return nil
	}
	cloud, err := w.choose(ctx, "Cloud", "public", "public", "gcc", "gcc-high", "dod")
	if err != nil {
		return err
	}
	w.Settings.Defender.Cloud = cloud
	if cloud != "public" {
		w.values["DEFENDER_CLOUD"] = cloud
	}
	return nil
}

// way returns how the bot signs in.
func (w *walk) way(ctx context.Context) (string, error) {
	for setting, way := range map[string]string{
		"AZURE_CLIENT_SECRET": bySecret, "AZURE_CLIENT_CERTIFICATE_PATH": byCertificate, "AZURE_FEDERATED_TOKEN_FILE": byWorkload,
	} {
		if w.given(setting) != "" {
			return way, nil
		}
	}
	w.say(`The bot signs in with a client secret or, better, a certificate; on Azure best with a workload
identity or a managed identity, which have no secret.`)
	return w.choose(ctx, "Way to sign in", bySecret, bySecret, byCertificate, byWorkload, byManaged)
}

// credentialQuestions returns the questions for a way to sign in.
func credentialQuestions(way string) []question {
	tenant := question{
		setting: "AZURE_TENANT_ID", title: "Directory (tenant) ID", form: config.TenantForm,
		where: "App registrations > your app > Overview has both IDs:",
		set:   func(s *config.Settings, v string) { s.Defender.TenantID = v },
	}
	client := question{
		setting: "AZURE_CLIENT_ID", title: "Application (client) ID", form: config.ClientForm,
		where: "On the same page:",
		set:   func(s *config.Settings, v string) { s.Defender.ClientID = v },
	}
	switch way {
	case byManaged:
		client.title, client.form = `Client ID of the managed identity, or "system" for that of this machine`, config.ManagedForm
		client.where = "In the Azure portal: Managed Identities > yours > Overview. A role is granted by command, see docs/entra.md."
		return []question{client}
	case byCertificate:
		return []question{tenant, client, {
			setting: "AZURE_CLIENT_CERTIFICATE_PATH", title: "File of the certificate and its private key (PEM or PKCS#12)",
			where: "Upload the certificate without its key: Certificates & secrets > Certificates > Upload certificate.",
			set:   func(s *config.Settings, v string) { s.Defender.CertificatePath = v },
			form:  notEmpty,
		}, {
			setting: "AZURE_CLIENT_CERTIFICATE_PASSWORD", title: "Password of that file, or Enter for none", secret: true, optional: true,
			where: "A PKCS#12 file (.pfx, .p12) may have a password:",
			set:   func(s *config.Settings, v string) { s.Defender.CertificatePassword = config.NewSecret(v) },
		}}
	case byWorkload:
		return []question{tenant, client, {
			setting: "AZURE_FEDERATED_TOKEN_FILE", title: "File of the token",
			where: "In a pod with workload identity: /var/run/secrets/azure/tokens/azure-identity-token. In Entra: Certificates & secrets > Federated credentials.",
			set:   func(s *config.Settings, v string) { s.Defender.FederatedTokenFile = v },
			form:  notEmpty,
		}}
	}
	return []question{tenant, client, {
		setting: "AZURE_CLIENT_SECRET", title: "Client secret (its Value)", secret: true, form: secretForm,
		where: "Certificates & secrets > Client secrets > New client secret. Copy the Value, which is shown once.",
		set:   func(s *config.Settings, v string) { s.Defender.ClientSecret = config.NewSecret(v) },
	}}
}

// secretForm refuses what can only be the id of a secret, and an empty answer.
func secretForm(v string) string {
	if wrong := config.SecretForm(v); wrong != "" {
		return wrong
	}
	return notEmpty(v)
}

func notEmpty(v string) string {
	if v == "" {
		return "is missing"
	}
	return ""
}
