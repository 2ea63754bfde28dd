// The compose file as Compose reads it, and every fault that is found in it.

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// load reads a compose file with all its profiles, and with no variables: so that what it says is what whoever starts
// it for the first time gets. An error is Compose's own: of the schema, or of what services say of each other.
func load(ctx context.Context, file string) (*types.Project, error) {
	options, err := cli.NewProjectOptions(
		[]string{file},
		cli.WithWorkingDirectory(filepath.Dir(file)),
		cli.WithProfiles([]string{"*"}),
		cli.WithConsistency(true),
	)
	if err != nil {
		return nil, err
	}
	return options.LoadProject(ctx)
}

// check tells every fault, each with the service that has it, in the order of their names.
func check(project *types.Project) []string {
	var faults []string
	for _, name := range project.ServiceNames() {
		service := project.Services[name]
		found := slices.Concat(
			checkImage(service),
			checkHealth(project, service),
			checkDependencies(project, service),
			checkPorts(service),
			checkRights(service),
			checkMounts(service),
		)
		for _, fault := range found {
			faults = append(faults, fmt.Sprintf("%s: %s", name, fault))
		}
	}
	return faults
}
