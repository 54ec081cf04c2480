package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/view"
)

// source is where answers come from. The caller must call stop.
type source struct {
	defender   commands.Defender
	advisories func() *advisory.Snapshot
	now        func() time.Time
	stop       func()
}

// source returns the client that the flags ask for, and the feeds beside it.
func (c askCmd) source(ctx context.Context, errs *config.Errors, s streams) (source, error) {
	if c.Sandbox && !c.aboutBot() && !c.needsNoDefender() {
		return sandboxSource(ctx, errs)
	}
	defender, stop, err := c.defender(ctx, errs, s)
	if err != nil {
		return source{}, err
	}
	address := c.Store.ReadAddress(&config.Errors{}, s.env)
	return source{defender, app.StoredAdvisories(ctx, address, c.Log.Logger(&config.Errors{}, s.err)), time.Now, stop}, nil
}

// sandboxSource starts an invented tenant and an invented publisher beside it.
func sandboxSource(ctx context.Context, errs *config.Errors) (source, error) {
	if err := errs.Err(); err != nil {
		return source{}, err
	}
	server, client, err := demo.StartTenant()
	if err != nil {
		return source{}, err
	}
	advisories, stop := demo.Advisories(ctx, server)
	return source{client, advisories, server.Now, func() {
		stop()
		client.Close()
		server.Close()
	}}, nil
}

// defender returns the client that the flags ask for, and a function that closes it.
func (c askCmd) defender(ctx context.Context, errs *config.Errors, s streams) (commands.Defender, func(), error) {
	log := c.Log.Logger(errs, s.err)
	switch {
	case c.aboutBot(), c.needsNoDefender():
		return nil, func() {}, errs.Err()
	case c.SignIn != "":
		client, err := c.signedIn(ctx, errs, s.err, log)
		if err != nil {
			return nil, nil, err
		}
		return client, client.Close, nil
	default:
		return c.asTheApp(ctx, errs, s, log)
	}
}

// asTheApp returns Defender as serve has it.
func (c askCmd) asTheApp(ctx context.Context, errs *config.Errors, s streams, log *slog.Logger) (commands.Defender, func(), error) {
	o := app.AskOptions{Defender: c.Defender.ReadClient(errs), Log: log}
	o.Defender.Transport = c.transport
	c.keepAnswers(&o.Defender)
	c.Quota.Read(errs, &o.Defender)
	o.Credential = c.Defender.ReadCredential(errs, o.Defender.Cloud.Authority)
	o.Database = c.Store.ReadAddress(errs, s.env)
	if err := errs.Err(); err != nil {
		return nil, nil, err
	}
	errs.LogWarnings(log)
	return app.OpenDefender(ctx, o)
}

// signInTimeout is how long a device code is valid.
const signInTimeout = 15 * time.Minute

// signedIn returns a client that acts for the person at the terminal, with the delegated permission Software.Read.
func (c askCmd) signedIn(ctx context.Context, errs *config.Errors, w io.Writer, log *slog.Logger) (*api.Client, error) {
	options := c.Defender.ReadClient(errs)
	how := errs.OneOf("--sign-in", c.SignIn, "device-code", "browser", "azure-cli")
	if how != "azure-cli" {
		c.Defender.RequireIDs(errs)
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	cred, err := api.SignIn(how, api.CredentialOptions{
		TenantID:  c.Defender.TenantID,
		ClientID:  c.Defender.ClientID,
		Authority: options.Cloud.Authority,
	}, func(message string) { fmt.Fprintln(w, view.Lines(message)) })
	if err != nil {
		return nil, config.UsageError{Err: fmt.Errorf("sign in: %w", err)}
	}
	// Sign in now, outside of the timeout of the question: a second factor takes some minutes.
	signing, cancel := context.WithTimeout(ctx, signInTimeout)
	defer cancel()
	if _, err := cred.GetToken(signing, policy.TokenRequestOptions{Scopes: []string{options.Cloud.Scope}}); err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	options.Logger = log
	c.keepAnswers(&options)
	return api.NewClient(cred, &options)
}
