package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// checkCompose loads the Compose file with each profile, and sees that one bot runs with each: two that share a Slack app
// but no database would share its questions and double its digests.
func checkCompose(ctx context.Context, path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	details := types.ConfigDetails{WorkingDir: filepath.Dir(path), ConfigFiles: []types.ConfigFile{{Filename: path, Content: raw}}, Environment: types.Mapping{}}
	for profile, want := range map[string]int{"sqlite": 1, "postgres": 2} {
		project, err := loader.LoadWithContext(ctx, details, loader.WithProfiles([]string{profile}))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		bots := 0
		for _, s := range project.Services {
			if _, isBot := s.Environment["SLACK_APP_TOKEN_FILE"]; isBot {
				bots += s.GetScale()
			}
		}
		if bots != want {
			return fmt.Errorf("%s: with the profile %s there are %d bots, want %d", path, profile, bots, want)
		}
	}
	return nil
}
