package config

import (
	"maps"
	"reflect"
	"slices"

	"github.com/alecthomas/kong"
)

// Reloadable returns the settings that can change without a restart. Of DATABASE_URL only user and password can.
func Reloadable() []string {
	return []string{
		"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN",
		"AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_FEDERATED_TOKEN_FILE",
		"DATABASE_URL", "LOG_LEVEL", "MISSINGKBS_SLA",
	}
}

// Snapshot holds the settings of the selected command as they were read, by the names of their environment variables.
type Snapshot map[string]any

// TakeSnapshot returns the settings of the selected command.
func TakeSnapshot(parsed *kong.Context) Snapshot {
	s := Snapshot{}
	for _, flag := range parsed.Selected().Flags {
		for _, name := range flag.Envs {
			s[name] = flag.Target.Interface()
		}
	}
	return s
}

// NeedRestart returns the sorted names of settings that differ in now and take effect only after a restart.
func (s Snapshot) NeedRestart(now Snapshot) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if !reflect.DeepEqual(now[name], s[name]) && !slices.Contains(Reloadable(), name) {
			names = append(names, name)
		}
	}
	return names
}

// MovesCredential returns true if one of the settings says where a credential is valid: its tenant, login host or API host. A
// new credential must wait for the restart then.
func MovesCredential(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(credentialPlace(), name) })
}

func credentialPlace() []string {
	return []string{"AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST", "DEFENDER_CLOUD", "DEFENDER_REGION", "DEFENDER_API_URL", "DEFENDER_SCOPE"}
}
