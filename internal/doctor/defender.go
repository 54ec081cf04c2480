package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/view"
)

// defenderChecks returns the checks that call Entra and Defender.
func (c *Checker) defenderChecks(there *Check) []*Check {
	token := &Check{Name: "entra-token", Run: c.entraToken, After: []*Check{there}, Timeout: 12 * time.Second}
	after := []*Check{token}
	return []*Check{
		{Name: "entra-certificate", Run: c.entraCertificate},
		token,
		{Name: "entra-roles", Run: c.entraRoles, After: after},
		{Name: "defender", Run: c.defenderAnswers, After: after},
		{Name: "defender-region", Run: c.defenderRegion},
	}
}

// certificateWarning is how long before its end a certificate leads to a warning.
const certificateWarning = 30 * 24 * time.Hour

// entraCertificate checks when the certificate of the app registration ends.
func (c *Checker) entraCertificate(context.Context) []Finding {
	if c.values.Credential.CertificatePath == "" {
		return pass("no certificate is used")
	}
	const cure = "make a new one, add it under Certificates & secrets of the app registration in Entra, and set AZURE_CLIENT_CERTIFICATE_PATH"
	end, err := api.CertificateExpiry(c.values.Credential.CertificatePath, c.values.Credential.CertificatePassword)
	left := end.Sub(c.now())
	switch {
	case err != nil:
		return fail("the certificate cannot be read: "+err.Error(), "AZURE_CLIENT_CERTIFICATE_PATH takes a PEM or PKCS#12 file with certificate and private key; AZURE_CLIENT_CERTIFICATE_PASSWORD is the password of a PKCS#12 file")
	case left <= 0:
		return fail("the certificate expired on "+end.UTC().Format(time.DateOnly), cure)
	case left < certificateWarning:
		return warn(fmt.Sprintf("the certificate expires on %s, in %s", end.UTC().Format(time.DateOnly), view.Age(left)), cure)
	}
	return pass("valid until " + end.UTC().Format(time.DateOnly))
}

// entraToken signs in. Checks after it use the client and what the token says.
func (c *Checker) entraToken(ctx context.Context) []Finding {
	if c.hasError("AZURE_", "DEFENDER_CLOUD", "DEFENDER_API_URL") {
		return skip("AZURE_… or DEFENDER_… is wrong")
	}
	if c.entraHost.Load() == nil && !c.values.Credential.Managed {
		return skip("Entra was not reached")
	}
	cred, kind, err := api.NewCredential(c.values.Credential)
	if err != nil {
		return fail("the credential cannot be used: "+err.Error(), "check the AZURE_… settings")
	}
	client, err := api.NewClient(cred, &c.values.Defender)
	if err != nil {
		return fail("DEFENDER_API_URL, DEFENDER_SCOPE: "+err.Error(), "remove them, unless you use a Defender that is not Microsoft's")
	}
	c.client.Store(client)
	info, err := api.InspectToken(ctx, cred, c.values.Defender.Cloud.Scope)
	if err != nil {
		return c.tryOtherScopes(ctx, cred, err, refusedCredential(err))
	}
	c.token.Store(&info)
	return c.tokenFits(info, kind)
}

// tokenFits compares the claims of the token with the settings.
func (c *Checker) tokenFits(info api.TokenInfo, kind string) []Finding {
	text := fmt.Sprintf("signed in by %s as the app %s of the tenant %s; the token is valid for %s, for %s",
		kind, info.App, info.Tenant, info.Audience, view.Age(info.Expires.Sub(c.now())))
	var all []Finding
	if !api.FitsDefender(info.Audience) {
		all = append(all, warn("Defender is not known to accept tokens for "+info.Audience, "leave DEFENDER_SCOPE empty, or set it to "+api.PublicCloud().Scope+" in the public cloud")...)
	}
	if config.IsGUID(c.values.Credential.TenantID) && !strings.EqualFold(info.Tenant, c.values.Credential.TenantID) {
		all = append(all, warn("the token belongs to the tenant "+info.Tenant+", not of AZURE_TENANT_ID", "check AZURE_TENANT_ID")...)
	}
	if !c.values.Credential.Managed && c.values.Credential.ClientID != "" && !strings.EqualFold(info.App, c.values.Credential.ClientID) {
		all = append(all, warn("the token belongs to the app "+info.App+", not of AZURE_CLIENT_ID", "check AZURE_CLIENT_ID")...)
	}
	if !info.Expires.After(c.now()) {
		all = append(all, fail("the token has already expired, by this machine's clock", "see clock")...)
	}
	return append(all, Finding{Status: OK, Found: text})
}

// refusedCredential reports why Entra gave no token.
func refusedCredential(err error) []Finding {
	e, ok := errors.AsType[*api.Error](err)
	switch {
	case !ok:
		return fail("no token: "+err.Error(), "try again in a minute")
	case e.Fault != "":
		advice := e.Fault.Advice()
		if e.Fault == api.LoginDeclined {
			advice.Cure += " See https://learn.microsoft.com/entra/identity-platform/reference-error-codes."
		}
		if strings.HasPrefix(e.Code, "AADSTS") {
			return fail("Entra refuses the app: "+e.Code+": "+e.Message, advice.What+" "+advice.Cure)
		}
		return fail(strings.TrimSpace(advice.What+" "+e.Message), advice.Cure)
	case errors.Is(err, api.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return fail("Entra does not answer: "+err.Error(), cmp.Or(networkCure(err), "try again in a minute"))
	}
	return fail("Entra gives no token: "+err.Error(), "see https://learn.microsoft.com/entra/identity-platform/reference-error-codes for the code")
}

// Role is an application permission of Defender that the program can use.
type Role struct {
	Name, Use string
	Required  bool
}

// Roles returns all roles that the program can use.
func Roles() []Role {
	return []Role{
		{"Software.Read.All", "which software lacks which updates", true},
		{"Vulnerability.Read.All", "the CVEs that an update fixes, and the devices that have them", false},
		{"Machine.Read.All", "facts about devices, and which of them are silent", false},
		{"SecurityRecommendation.Read.All", "what Defender recommends", false},
		{"Score.Read.All", "the exposure score", false},
	}
}

// entraRoles compares the roles of the app with those that the program uses.
func (c *Checker) entraRoles(context.Context) []Finding {
	info := c.token.Load()
	if info == nil {
		return skip("there is no token")
	}
	const where = "in Entra: API permissions of the app registration > APIs my organization uses > WindowsDefenderATP > Application permissions"
	var all []Finding
	var has, spare []string
	more := slices.Clone(info.Roles)
	for _, r := range Roles() {
		more = slices.DeleteFunc(more, func(name string) bool { return name == r.Name })
		switch {
		case slices.Contains(info.Roles, r.Name):
			has = append(has, r.Name)
		case r.Required:
			all = append(all, fail(fmt.Sprintf("the role %s is missing: without it no question can be answered (%s)", r.Name, r.Use),
				"add it "+where+", and grant admin consent; a managed identity gets it by script, and within a day")...)
		default:
			spare = append(spare, fmt.Sprintf("%s (%s)", r.Name, r.Use))
		}
	}
	if len(more) > 0 {
		all = append(all, warn("roles that are not used: "+describe(more), "remove it "+where+", so that a stolen secret can do less")...)
	}
	text := "has " + cmp.Or(strings.Join(has, ", "), "no role that is used")
	if len(spare) > 0 {
		text += "; not granted, and not needed: " + strings.Join(spare, ", ")
	}
	return append(all, Finding{Status: OK, Found: text})
}

// describe lists roles and marks those that can change something.
func describe(names []string) string {
	var out []string
	for _, name := range names {
		if !strings.HasSuffix(name, ".Read.All") && !strings.HasSuffix(name, ".Read") {
			name += " (which can change things)"
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

// defenderAnswers makes one call that costs little: it asks for a single row.
func (c *Checker) defenderAnswers(ctx context.Context) []Finding {
	client := c.client.Load()
	if client == nil || c.token.Load() == nil {
		return skip("there is no token")
	}
	began := time.Now()
	var err error
	for _, failure := range client.AllSoftware(ctx, api.SoftwareQuery{Top: 1}) {
		err = failure
		break
	}
	if err == nil {
		return pass(fmt.Sprintf("%s answered a question in %s", client.Host(), millis(time.Since(began))))
	}
	page := commands.Explain(err)
	cure := page.Lead
	if errors.Is(err, api.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		cure = networkCure(err)
	}
	return fail(fmt.Sprintf("%s: %s (%v)", client.Host(), page.Title, err), cure)
}

// tryOtherScopes tries other spellings of the scope if Entra does not know the one in use, and adds the result to the cure.
func (c *Checker) tryOtherScopes(ctx context.Context, cred azcore.TokenCredential, refusal error, found []Finding) []Finding {
	failed, ok := errors.AsType[*api.Error](refusal)
	if !ok || failed.Code != "AADSTS500011" || len(found) == 0 {
		return found
	}
	others := c.values.Defender.Cloud.OtherScopes()
	for _, scope := range others {
		if _, err := api.InspectToken(ctx, cred, scope); err == nil {
			found[0].Cure = "set DEFENDER_SCOPE=" + scope + ": by that spelling a token comes"
			return found
		}
	}
	found[0].Cure += "; other spellings were tried, too: " + strings.Join(others, ", ")
	return found
}
