package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

// checkChart lints and renders the chart with each file of ci/, and finds what its lines "# renders:" say. It sees each file of
// ci/wrong/ refused with the words that its first line has behind "# wrong:".
func checkChart(chart string) error {
	right, err := filepath.Glob(filepath.Join(chart, "ci", "*.yaml"))
	if err != nil || len(right) == 0 {
		return fmt.Errorf("%s has no values to check: %w", chart, err)
	}
	wrong, err := filepath.Glob(filepath.Join(chart, "ci", "wrong", "*.yaml"))
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range right {
		if err := checkValues(chart, file); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
		}
	}
	for _, file := range wrong {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(string(raw), "\n")
		want := strings.TrimPrefix(first, "# wrong: ")
		if _, err := render(chart, file, "Helm"); err == nil || !strings.Contains(err.Error(), want) {
			errs = append(errs, fmt.Errorf("%s: it should be refused with %q: %w", file, want, err))
		}
	}
	return errors.Join(errs...)
}

func checkValues(chart, file string) error {
	values, err := read(file)
	if err != nil {
		return err
	}
	for _, m := range lint.RunAll(chart, values, "default").Messages {
		// Charts need no icon.
		if m.Severity > support.InfoSev {
			return m
		}
	}
	documents, err := render(chart, file, "Helm")
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(raw)) {
		if want, ok := strings.CutPrefix(strings.TrimSpace(line), "# renders: "); ok && !strings.Contains(documents, want) {
			return fmt.Errorf("%q is not rendered", want)
		}
	}
	return checkObjects(documents)
}

func read(file string) (map[string]any, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	return values, yaml.UnmarshalStrict(raw, &values)
}

// render returns the documents that the chart makes of a file of values. service is what installs them.
func render(chart, file, service string) (string, error) {
	values, err := read(file)
	if err != nil {
		return "", err
	}
	loaded, err := loader.Load(chart)
	if err != nil {
		return "", err
	}
	all, err := util.ToRenderValues(loaded, values, common.ReleaseOptions{Name: "missingkbs", Namespace: "default", Revision: 1, IsInstall: true}, nil)
	if err != nil {
		return "", err
	}
	all["Release"].(map[string]any)["Service"] = service
	files, err := engine.Render(loaded, all)
	if err != nil {
		return "", err
	}
	var documents []string
	for _, name := range []string{"serviceaccount", "configmap", "persistentvolumeclaim", "deployment", "poddisruptionbudget", "networkpolicy", "servicemonitor"} {
		path := loaded.(interface{ Name() string }).Name() + "/templates/" + name + ".yaml"
		if text := strings.TrimSpace(files[path]); text != "" {
			documents = append(documents, text)
		}
		delete(files, path)
	}
	for path, text := range files {
		if strings.HasSuffix(path, ".yaml") && strings.TrimSpace(text) != "" {
			return "", fmt.Errorf("%s is not rendered here", path)
		}
	}
	return strings.Join(slices.Clip(documents), "\n---\n") + "\n", nil
}

// manifestHead says what to do before the plain manifest is applied.
const manifestHead = `# Made from deploy/helm by ` + "`make manifest`" + `: two replicas that share a PostgreSQL. Before you apply it, run
#
#   kubectl create secret generic missingkbs --from-file=slack-app-token --from-file=slack-bot-token --from-file=database-url
#
# and set in the ConfigMap how the bot signs in to Entra (one method only):
#
#   certificate                  as below; add --from-file=azure-certificate.pem to the Secret
#   client secret                AZURE_CLIENT_SECRET_FILE: /run/secrets/missingkbs/azure-client-secret in place of
#                                AZURE_CLIENT_CERTIFICATE_PATH; add --from-file=azure-client-secret
#   workload identity            none of the AZURE_ lines; annotate the ServiceAccount with azure.workload.identity/client-id and
#                                label the pod azure.workload.identity/use: "true"; the cluster then sets everything else
#   managed identity of a node   only AZURE_CLIENT_ID: its client id, or "system"
#
# The pods need no incoming connections except for probes and Prometheus (HTTP_ADDR). They must be able to reach Slack, the
# login host, Defender and the database.
`

// checkManifest holds the plain manifest to what the chart makes.
func checkManifest(chart, path string, write bool) error {
	documents, err := render(chart, filepath.Join(chart, "ci", "certificate.yaml"), "kubectl")
	if err != nil {
		return err
	}
	if write {
		return os.WriteFile(path, []byte(manifestHead+documents), 0o644)
	}
	held, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if string(held) != manifestHead+documents {
		return fmt.Errorf("%s is not what the chart makes: run `make manifest`", path)
	}
	return checkObjects(documents)
}
