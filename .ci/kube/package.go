package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/chart/v2/util"
)

// packageChart writes the chart as a release has it, NAME-VERSION.tgz, and sees that it deploys the image of that version.
func packageChart(chart, version, folder string) error {
	c, err := loader.Load(chart)
	if err != nil {
		return err
	}
	c.Metadata.Version, c.Metadata.AppVersion = version, version
	file, err := util.Save(c, folder)
	if err != nil {
		return err
	}
	documents, err := render(file, filepath.Join(chart, "ci", "certificate.yaml"), "Helm")
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if image := "missingkbs:" + version + "\n"; !strings.Contains(documents, image) {
		return fmt.Errorf("%s does not deploy %s", file, image)
	}
	return checkObjects(documents)
}
