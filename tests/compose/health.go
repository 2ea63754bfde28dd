// Who is well, and who waits for whom.

package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

// hasHealthCheck tells whether something says when a service is well.
func hasHealthCheck(service types.ServiceConfig) bool {
	check := service.HealthCheck
	return check != nil && !check.Disable && len(check.Test) > 0 && check.Test[0] != "NONE"
}

// isAwaited tells whether another service begins once this one has ended well.
func isAwaited(project *types.Project, name string) bool {
	for _, other := range project.Services {
		if other.DependsOn[name].Condition == types.ServiceConditionCompletedSuccessfully {
			return true
		}
	}
	return false
}

// ends tells whether a service is left alone once it has ended.
func ends(service types.ServiceConfig) bool {
	return service.Restart == "" || service.Restart == types.RestartPolicyNo
}

func checkHealth(project *types.Project, service types.ServiceConfig) []string {
	if hasHealthCheck(service) || isAwaited(project, service.Name) {
		return nil
	}
	return []string{"it has no health check, and nobody waits for its end"}
}

func checkDependencies(project *types.Project, service types.ServiceConfig) []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(service.DependsOn)) {
		target := project.Services[name]
		switch condition := service.DependsOn[name].Condition; condition {
		case types.ServiceConditionHealthy:
			if !hasHealthCheck(target) {
				faults = append(faults, fmt.Sprintf("it waits until %s is healthy, which has no health check", name))
			}
		case types.ServiceConditionCompletedSuccessfully:
			if !ends(target) {
				faults = append(faults, fmt.Sprintf("it waits for the end of %s, which is restarted", name))
			}
		default:
			faults = append(faults, fmt.Sprintf("it waits for %s by %s, which is not to be ready", name, condition))
		}
	}
	return faults
}
