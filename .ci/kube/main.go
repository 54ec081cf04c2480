// Command kube checks what is deployed: it lints and renders the Helm chart with each file of values, decodes what comes
// out as strictly as an API server would, holds the plain manifest to the chart, and loads the Compose file. It is a
// module of its own, so that the program does not depend on Kubernetes.
//
//	go run . [-write] ../../deploy
//	go run . -package 1.2.3 -to FOLDER ../../deploy
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	write := flag.Bool("write", false, "write the plain manifest anew")
	release := flag.String("package", "", "write the chart of this version, for the program of the same, and check nothing")
	to := flag.String("to", ".", "the folder for it")
	flag.Parse()
	deploy := flag.Arg(0)
	if *release != "" {
		if err := packageChart(filepath.Join(deploy, "helm"), *release, *to); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	err := errors.Join(
		checkChart(filepath.Join(deploy, "helm")),
		checkManifest(filepath.Join(deploy, "helm"), filepath.Join(deploy, "kubernetes", "missingkbs.yaml"), *write),
		checkCompose(context.Background(), filepath.Join(deploy, "compose.yaml")),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
