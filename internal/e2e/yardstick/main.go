// Command yardstick is the plain bot that missingkbs is measured against: slack-go, net/http and a hundred lines. It reads
// the same environment, acknowledges a question at once, asks Defender each time, and answers by response_url. It has no
// cache, limit, retry, access rule or database. Do not run it for users.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

func main() {
	err := run(context.Background()) // it ends with an error only
	slog.Error("ended", "error", err)
	os.Exit(1)
}

func run(ctx context.Context) error {
	env := os.Getenv //nolint:forbidigo // a separate program
	options := []slack.Option{slack.OptionAppLevelToken(env("SLACK_APP_TOKEN"))}
	if base := env("SLACK_API_URL"); base != "" {
		options = append(options, slack.OptionAPIURL(base))
	}
	d := &defender{
		login: env("AZURE_AUTHORITY_HOST") + "/" + env("AZURE_TENANT_ID") + "/oauth2/v2.0/token", base: env("DEFENDER_API_URL"),
		form: url.Values{
			"grant_type": {"client_credentials"}, "client_id": {env("AZURE_CLIENT_ID")},
			"client_secret": {env("AZURE_CLIENT_SECRET")}, "scope": {env("DEFENDER_SCOPE")},
		},
	}
	client := socketmode.New(slack.New(env("SLACK_BOT_TOKEN"), options...))
	go func() {
		for event := range client.Events {
			if command, ok := event.Data.(slack.SlashCommand); ok && event.Type == socketmode.EventTypeSlashCommand {
				_ = client.Ack(*event.Request)
				go d.answer(ctx, command)
			}
		}
	}()
	return client.RunContext(ctx)
}

// defender asks Defender, with a token that it keeps until shortly before its end.
type defender struct {
	login, base string
	form        url.Values

	mu    sync.Mutex
	token string
	until time.Time
}

func (d *defender) answer(ctx context.Context, command slack.SlashCommand) {
	text, err := d.missing(ctx, strings.TrimSpace(command.Text))
	if err != nil {
		text = "That did not work."
		slog.ErrorContext(ctx, "could not answer", "error", err)
	}
	if err := slack.PostWebhookContext(ctx, command.ResponseURL, &slack.WebhookMessage{Text: text}); err != nil {
		slog.ErrorContext(ctx, "could not reply", "error", err)
	}
}

func (d *defender) missing(ctx context.Context, id string) (string, error) {
	token, err := d.signIn(ctx)
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+"/api/Software/"+url.PathEscape(id)+"/getmissingkbs", http.NoBody)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	var list struct {
		Value []struct {
			ID              string
			Name            string
			MachineMissedOn int
		}
	}
	if err := fetch(r, &list); err != nil {
		return "", err
	}
	var text strings.Builder
	for _, kb := range list.Value {
		fmt.Fprintf(&text, "KB%s %s: %d devices\n", kb.ID, kb.Name, kb.MachineMissedOn)
	}
	return text.String(), nil
}

func (d *defender) signIn(ctx context.Context) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Now().Before(d.until) {
		return d.token, nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.login, strings.NewReader(d.form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var got struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if err := fetch(r, &got); err != nil {
		return "", err
	}
	d.token, d.until = got.Token, time.Now().Add(time.Duration(got.Seconds)*time.Second-time.Minute)
	return d.token, nil
}

func fetch(r *http.Request, into any) error {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
