// Command compose checks the compose file and all that it names, as far as that goes without a container engine.
//
// Compose's own loader reads the file, with its schema and its checks of consistency; what this command says beyond
// that is what can't be seen by starting it once: that another day's start gets the same images, that whoever is waited
// for can be waited for, and that nothing is open to other machines.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("root", "../..", "the repository's folder")
	flag.Parse()
	project, err := load(context.Background(), filepath.Join(*root, "docker-compose.yml"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		os.Exit(1)
	}
	faults := check(project)
	dashboards := filepath.Join(*root, "deploy", "grafana", "dashboards")
	asked, metricFaults := checkMetrics(*root, dashboards)
	faults = append(faults, metricFaults...)
	for _, fault := range faults {
		fmt.Fprintln(os.Stderr, "compose:", fault)
	}
	if len(faults) > 0 {
		os.Exit(1)
	}
	fmt.Printf("%d services, and %d metrics on dashboards\n", len(project.Services), asked)
}
