package main

import (
	"fmt"
	"slices"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// checkObjects decodes the documents of a manifest: unknown kinds, misspelt fields and keys that stand twice are errors.
func checkObjects(manifest string) error {
	kinds := map[string]func() any{
		"apps/v1 Deployment":                      func() any { return new(apps.Deployment) },
		"v1 ConfigMap":                            func() any { return new(core.ConfigMap) },
		"v1 PersistentVolumeClaim":                func() any { return new(core.PersistentVolumeClaim) },
		"v1 Service":                              func() any { return new(core.Service) },
		"v1 ServiceAccount":                       func() any { return new(core.ServiceAccount) },
		"policy/v1 PodDisruptionBudget":           func() any { return new(policy.PodDisruptionBudget) },
		"networking.k8s.io/v1 NetworkPolicy":      func() any { return new(networking.NetworkPolicy) },
		"monitoring.coreos.com/v1 ServiceMonitor": func() any { return new(monitoring.ServiceMonitor) },
	}
	for doc := range strings.SplitSeq("\n"+manifest, "\n---\n") {
		if !strings.Contains(doc, "apiVersion:") {
			continue
		}
		var what struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := yaml.Unmarshal([]byte(doc), &what); err != nil {
			return err
		}
		object, ok := kinds[what.APIVersion+" "+what.Kind]
		if !ok {
			return fmt.Errorf("%s %s is not known here", what.APIVersion, what.Kind)
		}
		decoded := object()
		if err := yaml.UnmarshalStrict([]byte(doc), decoded); err != nil {
			return fmt.Errorf("%s: %w", what.Kind, err)
		}
		if d, ok := decoded.(*apps.Deployment); ok {
			if err := checkStrategy(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkStrategy holds the Deployment to docs/operations.md: two processes never share a file of SQLite, and with PostgreSQL
// a new pod is ready before an old one ends.
func checkStrategy(d *apps.Deployment) error {
	sqlite := slices.ContainsFunc(d.Spec.Template.Spec.Volumes, func(v core.Volume) bool { return v.PersistentVolumeClaim != nil })
	s := d.Spec.Strategy
	if sqlite {
		if s.Type != apps.RecreateDeploymentStrategyType || d.Spec.Replicas == nil || *d.Spec.Replicas > 1 {
			return fmt.Errorf("with SQLite the strategy is %s: the old pod has to end before the new one starts", s.Type)
		}
		return nil
	}
	if s.Type != apps.RollingUpdateDeploymentStrategyType || s.RollingUpdate == nil || s.RollingUpdate.MaxUnavailable.IntValue() != 0 || s.RollingUpdate.MaxSurge.IntValue() != 1 {
		return fmt.Errorf("with PostgreSQL the strategy is %+v: a new pod has to be ready before an old one ends", s)
	}
	return nil
}
