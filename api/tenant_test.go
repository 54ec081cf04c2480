package api_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
)

// Every call of the client against the whole tenant in memory.
func TestAgainstTenant(t *testing.T) {
	t.Parallel()
	_, c := tenantClient(t)
	ctx := t.Context()

	catalog, err := c.Catalog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(catalog.Value) < 60 {
		t.Errorf("%d software in the catalog", len(catalog.Value))
	}
	for i, s := range catalog.Value {
		if i > 0 && catalog.Value[i-1].ID >= s.ID {
			t.Errorf("%q comes after %q", s.ID, catalog.Value[i-1].ID)
		}
		if !strings.HasPrefix(s.ID, "microsoft-_-") {
			continue
		}
		one, err := c.SoftwareByID(ctx, s.ID)
		if err != nil || one.Value.Name != s.Name {
			t.Errorf("SoftwareByID(%q) = %+v, %v", s.ID, one.Value, err)
		}
		if _, err := c.MissingKBs(ctx, s.ID); err != nil {
			t.Errorf("MissingKBs(%q): %v", s.ID, err)
		}
	}
	n := 0
	for s, err := range c.AllSoftware(ctx, api.SoftwareQuery{Filter: "vendor eq " + api.Quote("microsoft"), Top: 10}) {
		if n++; err != nil || s.Vendor != "microsoft" {
			t.Errorf("AllSoftware: %+v, %v", s, err)
		}
	}
	if n != 10 {
		t.Errorf("%d software with Top 10", n)
	}
	machines, err := c.MachinesByName(ctx, "")
	if err != nil || len(machines.Value) < 200 {
		t.Fatalf("%d machines, %v", len(machines.Value), err)
	}
	withKBs := slices.ContainsFunc(machines.Value, func(m api.Machine) bool {
		kbs, err := c.MachineMissingKBs(ctx, m.ID)
		if err != nil {
			t.Errorf("MachineMissingKBs(%s): %v", m.ID, err)
		}
		byName, err := c.MachineByID(ctx, m.ComputerDNSName)
		if err != nil || byName.Value.ComputerDNSName != m.ComputerDNSName {
			t.Errorf("MachineByID(%s) = %+v, %v", m.ComputerDNSName, byName.Value, err)
		}
		return len(kbs.Value) > 0
	})
	if !withKBs {
		t.Error("no machine lacks a KB")
	}
}

// One fault of the tenant for each kind of failure.
func TestFaultsOfTenant(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault apitest.Fault
		kind  error
	}{
		"throttled":   {apitest.Fault{Status: http.StatusTooManyRequests, Code: "429", Message: "quota", RetryAfter: 15 * time.Minute}, api.ErrThrottled},
		"down":        {apitest.Fault{Status: http.StatusInternalServerError, Code: "InternalServerError"}, api.ErrUnavailable},
		"cut":         {apitest.Fault{Cut: 20}, api.ErrUnavailable},
		"html":        {apitest.Fault{Body: "<html></html>", ContentType: "text/html"}, api.ErrBadResponse},
		"truncated":   {apitest.Fault{Body: `{"value":[`, ContentType: "application/json"}, api.ErrBadResponse},
		"circular":    {apitest.Fault{NextLink: "self"}, api.ErrBadResponse},
		"foreign":     {apitest.Fault{NextLink: "https://evil.example/api"}, api.ErrBadResponse},
		"no such id":  {apitest.Fault{Status: http.StatusNotFound, Code: "ResourceNotFound"}, api.ErrNotFound},
		"slow answer": {apitest.Fault{Delay: time.Minute}, api.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant, c := tenantClient(t, func(o *api.Options) {
				if tc.fault.Delay > 0 {
					o.Timeout = time.Second
				}
				o.Retry.RetryDelay = time.Millisecond
			})
			tenant.Inject(tc.fault)
			if _, err := c.MissingKBs(t.Context(), "microsoft-_-edge"); !errors.Is(err, tc.kind) {
				t.Errorf("error = %v, want %v", err, tc.kind)
			}
		})
	}
}

// A token that Defender refuses is not used again, however long it would have lived.
func TestRefusedTokenIsDropped(t *testing.T) {
	t.Parallel()
	tenant, c := tenantClient(t, func(o *api.Options) { o.CacheTTL = -1 })
	ask := func() error {
		_, err := c.MissingKBs(t.Context(), "microsoft-_-edge")
		return err
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	tenant.RevokeTokens()
	if err := ask(); !errors.Is(err, api.ErrCredential) {
		t.Errorf("with a revoked token: %v, want ErrCredential", err)
	}
	if err := ask(); err != nil {
		t.Errorf("after a refusal: %v, want an answer with a new token", err)
	}
	if n := tenant.TokenCalls(); n != 2 {
		t.Errorf("%d token requests, want 2", n)
	}
}

// tenantClient starts a tenant in memory and a client that is signed in there. Its options may be changed.
func tenantClient(t *testing.T, change ...func(*api.Options)) (*apitest.Server, *api.Client) {
	t.Helper()
	tenant, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenant.Close)
	o := &api.Options{Cloud: api.Cloud{Endpoint: tenant.URL, Scope: tenant.Scope()}, Transport: tenant.Client(), PerMinute: -1, PerHour: -1}
	for _, f := range change {
		f(o)
	}
	c, err := api.NewClient(entraCredential(t, tenant, apitest.ClientSecret), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return tenant, c
}

// From an update to its devices and CVEs and back, each call with its role and without.
func TestDrillDownOfTenant(t *testing.T) {
	t.Parallel()
	tenant, c := tenantClient(t)
	ctx := t.Context()
	kbs, err := c.MissingKBs(ctx, "microsoft-_-windows_11")
	if err != nil || len(kbs.Value) == 0 {
		t.Fatalf("%d updates, %v", len(kbs.Value), err)
	}
	kb := kbs.Value[0]
	found, err := c.KBFindings(ctx, kb.ID)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(found.Value.Devices); n < kb.MachineMissedOn || len(found.Value.CVEs) == 0 || found.Value.Partial {
		t.Fatalf("%d devices with findings, %d lack KB%s; %d CVEs", n, kb.MachineMissedOn, kb.ID, len(found.Value.CVEs))
	}
	worst := found.Value.CVEs[0]
	fixes, err := c.CVEFindings(ctx, worst.ID)
	if err != nil || !slices.ContainsFunc(fixes.Value.KBs, func(k api.KBFindings) bool { return k.ID == kb.ID }) {
		t.Errorf("fixes of %s: %+v, %v", worst.ID, fixes.Value.KBs, err)
	}
	cve, err := c.VulnerabilityByID(ctx, worst.ID)
	if err != nil || cve.Value.Severity != worst.Severity || cve.Value.CVSSV3 == 0 || cve.Value.PublishedOn.IsZero() {
		t.Errorf("%+v, %v", cve.Value, err)
	}
	exposed, err := c.VulnerabilityMachines(ctx, worst.ID)
	if err != nil || len(exposed.Value) != cve.Value.ExposedMachines || len(exposed.Value) != len(fixes.Value.Devices) {
		t.Errorf("%d devices exposed, %d said, %d found, %v", len(exposed.Value), cve.Value.ExposedMachines, len(fixes.Value.Devices), err)
	}
	have, err := c.SoftwareMachines(ctx, "microsoft-_-windows_11")
	if err != nil || len(have.Value) < kb.MachineMissedOn {
		t.Errorf("%d devices have it, %d lack an update: %v", len(have.Value), kb.MachineMissedOn, err)
	}
	last, err := c.LastSeen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range have.Value {
		if _, ok := last.Value.Of(m.ID); !ok || m.ComputerDNSName == "" {
			t.Errorf("device %+v: seen %v", m, ok)
		}
	}

	tenant.SetRoles("Score.Read.All")
	for name, ask := range map[string]func() error{
		"KBFindings":            func() error { _, err := c.KBFindings(ctx, kb.ID, api.MaxAge(0), api.Fresh()); return err },
		"CVEFindings":           func() error { _, err := c.CVEFindings(ctx, worst.ID, api.MaxAge(0), api.Fresh()); return err },
		"VulnerabilityByID":     func() error { _, err := c.VulnerabilityByID(ctx, worst.ID, api.MaxAge(0), api.Fresh()); return err },
		"VulnerabilityMachines": func() error { _, err := c.VulnerabilityMachines(ctx, worst.ID, api.MaxAge(0), api.Fresh()); return err },
		"SoftwareMachines": func() error {
			_, err := c.SoftwareMachines(ctx, "microsoft-_-windows_11", api.MaxAge(0), api.Fresh())
			return err
		},
		"LastSeen": func() error { _, err := c.LastSeen(ctx, api.MaxAge(0), api.Fresh()); return err },
	} {
		if err := ask(); !errors.Is(err, api.ErrPermission) {
			t.Errorf("%s without its role: %v", name, err)
		}
	}
}
