// Command kube reads Kubernetes manifests as strictly as an API server would: unknown kinds and misspelt fields are
// errors. It is a module of its own, so that the program does not depend on Kubernetes.
package main

import (
	"fmt"
	"os"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	failed := false
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	kinds := map[string]func() any{
		"apps/v1 Deployment":            func() any { return new(apps.Deployment) },
		"v1 ConfigMap":                  func() any { return new(core.ConfigMap) },
		"v1 ServiceAccount":             func() any { return new(core.ServiceAccount) },
		"policy/v1 PodDisruptionBudget": func() any { return new(policy.PodDisruptionBudget) },
	}
	for n, doc := range strings.Split(string(raw), "\n---\n") {
		var what struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := yaml.Unmarshal([]byte(doc), &what); err != nil {
			return fmt.Errorf("document %d: %w", n+1, err)
		}
		make, ok := kinds[what.APIVersion+" "+what.Kind]
		if !ok {
			return fmt.Errorf("document %d: %s %s is not known here", n+1, what.APIVersion, what.Kind)
		}
		if err := yaml.UnmarshalStrict([]byte(doc), make()); err != nil {
			return fmt.Errorf("document %d, %s: %w", n+1, what.Kind, err)
		}
	}
	return nil
}
