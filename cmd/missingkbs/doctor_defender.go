package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/view"
)

// defenderChecks are those that ask Entra and Defender.
func (e *exam) defenderChecks(there *doctor.Check) []*doctor.Check {
	token := &doctor.Check{Name: "entra-token", Run: e.entraToken, After: []*doctor.Check{there}, Timeout: 12 * time.Second}
	after := []*doctor.Check{token}
	return []*doctor.Check{
		{Name: "entra-certificate", Run: e.entraCertificate},
		token,
		{Name: "entra-roles", Run: e.entraRoles, After: after},
		{Name: "defender", Run: e.defenderAnswers, After: after},
		{Name: "defender-region", Run: e.defenderRegion},
	}
}

// certificateTold is how long before its end a certificate is told.
const certificateTold = 30 * 24 * time.Hour

func (e *exam) entraCertificate(context.Context) []doctor.Finding {
	if e.credential.CertificatePath == "" {
		return well("none is used")
	}
	const cure = "make a new one, add it under Certificates & secrets of the app registration in Entra, and set AZURE_CLIENT_CERTIFICATE_PATH"
	end, err := api.CertificateExpiry(e.credential.CertificatePath, e.credential.CertificatePassword)
	left := end.Sub(e.now())
	switch {
	case err != nil:
		return unwell("the certificate cannot be read: "+err.Error(), "AZURE_CLIENT_CERTIFICATE_PATH takes a PEM or PKCS#12 file with certificate and private key; AZURE_CLIENT_CERTIFICATE_PASSWORD opens the latter")
	case left <= 0:
		return unwell("the certificate ended on "+end.UTC().Format(time.DateOnly), cure)
	case left < certificateTold:
		return doubtful(fmt.Sprintf("the certificate ends on %s, in %s", end.UTC().Format(time.DateOnly), view.Age(left)), cure)
	}
	return well("good until " + end.UTC().Format(time.DateOnly))
}

func (e *exam) entraToken(ctx context.Context) []doctor.Finding {
	if e.wrong("AZURE_", "DEFENDER_CLOUD", "DEFENDER_API_URL") {
		return unchecked("AZURE_… or DEFENDER_… needs mending")
	}
	if e.entraVisit.Load() == nil && !e.credential.Managed {
		return unchecked("Entra was not reached")
	}
	cred, kind, err := api.NewCredential(e.credential)
	if err != nil {
		return unwell("the credential cannot be used: "+err.Error(), "check the AZURE_… settings")
	}
	client, err := api.NewClient(cred, &e.defender)
	if err != nil {
		return unwell("DEFENDER_API_URL, DEFENDER_SCOPE: "+err.Error(), "take them away, but where Defender is not Microsoft's own")
	}
	e.client.Store(client)
	info, err := api.InspectToken(ctx, cred, e.defender.Cloud.Scope)
	if err != nil {
		return e.tryOtherScopes(ctx, cred, err, refusedCredential(err))
	}
	e.signedIn.Store(&info)
	return e.tokenFits(info, kind)
}

func (e *exam) tokenFits(info api.TokenInfo, kind string) []doctor.Finding {
	text := fmt.Sprintf("signed in by %s as the app %s of the tenant %s; the token is for %s and good for %s",
		kind, info.App, info.Tenant, info.Audience, view.Age(info.Expires.Sub(e.now())))
	var all []doctor.Finding
	if !api.FitsDefender(info.Audience) {
		all = append(all, doubtful("Defender is not known to take tokens for "+info.Audience, "leave DEFENDER_SCOPE empty, or set it to "+api.PublicCloud().Scope+" in the public cloud")...)
	}
	if isGUID(e.credential.TenantID) && !strings.EqualFold(info.Tenant, e.credential.TenantID) {
		all = append(all, doubtful("the token is of the tenant "+info.Tenant+", not of AZURE_TENANT_ID", "check AZURE_TENANT_ID")...)
	}
	if !e.credential.Managed && e.credential.ClientID != "" && !strings.EqualFold(info.App, e.credential.ClientID) {
		all = append(all, doubtful("the token is of the app "+info.App+", not of AZURE_CLIENT_ID", "check AZURE_CLIENT_ID")...)
	}
	if !info.Expires.After(e.now()) {
		all = append(all, unwell("the token has ended already, by this machine's clock", "see clock")...)
	}
	return append(all, doctor.Finding{Status: doctor.OK, Found: text})
}

func isGUID(s string) bool { return len(s) == 36 && strings.Count(s, "-") == 4 }

// refusedCredential says why no token came.
func refusedCredential(err error) []doctor.Finding {
	e, ok := errors.AsType[*api.Error](err)
	switch {
	case !ok:
		return unwell("no token: "+err.Error(), "try again in a minute")
	case e.Fault != "":
		told := e.Fault.Advice()
		if e.Fault == api.LoginDeclined {
			told.Cure += " See https://learn.microsoft.com/entra/identity-platform/reference-error-codes."
		}
		if strings.HasPrefix(e.Code, "AADSTS") {
			return unwell("Entra refuses the app: "+e.Code+": "+e.Message, told.What+" "+told.Cure)
		}
		return unwell(strings.TrimSpace(told.What+" "+e.Message), told.Cure)
	case errors.Is(err, api.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return unwell("Entra does not answer: "+err.Error(), cmp.Or(networkCure(err), "try again in a minute"))
	}
	return unwell("Entra gives no token: "+err.Error(), "see https://learn.microsoft.com/entra/identity-platform/reference-error-codes for the code")
}

// role is an application permission of Defender's that the program can use.
type role struct {
	name, gives string
	required    bool
}

func roles() []role {
	return []role{
		{"Software.Read.All", "which software lacks which updates", true},
		{"Vulnerability.Read.All", "which CVEs an update fixes", false},
		{"Machine.Read.All", "which devices lack it", false},
		{"SecurityRecommendation.Read.All", "what Defender recommends", false},
		{"Score.Read.All", "the exposure score", false},
	}
}

// entraRoles compares what the app may do with what the program can use.
func (e *exam) entraRoles(context.Context) []doctor.Finding {
	info := e.signedIn.Load()
	if info == nil {
		return unchecked("there is no token")
	}
	const where = "in Entra: API permissions of the app registration > APIs my organization uses > WindowsDefenderATP > Application permissions"
	var all []doctor.Finding
	var has, spare []string
	more := slices.Clone(info.Roles)
	for _, r := range roles() {
		more = slices.DeleteFunc(more, func(name string) bool { return name == r.name })
		switch {
		case slices.Contains(info.Roles, r.name):
			has = append(has, r.name)
		case r.required:
			all = append(all, unwell(fmt.Sprintf("the role %s is missing: without it nothing can be asked (%s)", r.name, r.gives),
				"add it "+where+", and grant admin consent; a managed identity gets it by script, and within a day")...)
		default:
			spare = append(spare, fmt.Sprintf("%s (%s)", r.name, r.gives))
		}
	}
	if len(more) > 0 {
		all = append(all, doubtful("more than is used: "+describe(more), "take it away "+where+": the fewer, the less a stolen secret is worth")...)
	}
	text := "has " + cmp.Or(strings.Join(has, ", "), "no role that is used")
	if len(spare) > 0 {
		text += "; not granted, and not needed: " + strings.Join(spare, ", ")
	}
	return append(all, doctor.Finding{Status: doctor.OK, Found: text})
}

// describe names roles, and says which of them can change something.
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

// defenderAnswers makes one cheap call.
func (e *exam) defenderAnswers(ctx context.Context) []doctor.Finding {
	client := e.client.Load()
	if client == nil || e.signedIn.Load() == nil {
		return unchecked("there is no token")
	}
	began := time.Now()
	var err error
	for _, failure := range client.AllSoftware(ctx, api.SoftwareQuery{Top: 1}) {
		err = failure
		break
	}
	if err == nil {
		return well(fmt.Sprintf("%s answered a question in %s", client.Host(), millis(time.Since(began))))
	}
	page := commands.Explain(err)
	cure := page.Lead
	if errors.Is(err, api.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		cure = networkCure(err)
	}
	return unwell(fmt.Sprintf("%s: %s (%v)", client.Host(), page.Title, err), cure)
}

// regionTries is how often each host is visited: the best counts, for the first includes looking up its name.
const regionTries = 3

// A region is clearly faster when it saves so much, and so much of the time.
const (
	regionSaves = 30 * time.Millisecond
	regionShare = 0.7
)

// defenderRegion looks for a region of the public cloud that is nearer than the host that is asked. No secret leaves.
func (e *exam) defenderRegion(ctx context.Context) []doctor.Finding {
	cloud := e.defender.Cloud
	if e.wrong("DEFENDER_") || e.cmd.Serve.Defender.APIURL != "" || cloud.Name != api.PublicCloud().Name {
		return unchecked("only the public cloud has regions to choose from")
	}
	hosts := map[string]string{}
	for _, region := range api.Regions() {
		if near, err := api.LookupCloud(cloud.Name, region); err == nil {
			hosts[region] = near.Endpoint
		}
	}
	return nearest(ctx, visitor(), cloud.Endpoint, hosts)
}

// nearest compares a host with those of the regions. No token is sent to any of them.
func nearest(ctx context.Context, client *http.Client, used string, hosts map[string]string) []doctor.Finding {
	times := map[string]time.Duration{}
	var mu sync.Mutex
	var all sync.WaitGroup
	visit := func(name, address string) {
		all.Go(func() {
			best := time.Duration(0)
			for range regionTries {
				v, err := call(ctx, client, address+"/api/Software?$top=1")
				if err != nil {
					return // it is no choice
				}
				if best == 0 || v.took < best {
					best = v.took
				}
			}
			mu.Lock()
			defer mu.Unlock()
			times[name] = best
		})
	}
	visit("", used)
	for name, address := range hosts {
		if address != used {
			visit(name, address)
		}
	}
	all.Wait()
	host := hostOf(used)
	own, ok := times[""]
	if !ok {
		return unchecked(host + " did not answer")
	}
	delete(times, "")
	best := ""
	for name, took := range times {
		if best == "" || took < times[best] {
			best = name
		}
	}
	if saved := own - times[best]; best != "" && saved > regionSaves && float64(times[best]) < regionShare*float64(own) {
		return doubtful(fmt.Sprintf("%s answers in %s, the region %s in %s", host, millis(own), best, millis(times[best])), "set DEFENDER_REGION="+best)
	}
	return well(fmt.Sprintf("%s answers in %s; no region is clearly nearer", host, millis(own)))
}

func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}
