// What a service reaches, and who reaches it.

package main

import (
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/types"
)

func checkPorts(service types.ServiceConfig) []string {
	var faults []string
	for _, port := range service.Ports {
		if port.HostIP != "127.0.0.1" {
			faults = append(faults, fmt.Sprintf("port %d is published on %q, not on 127.0.0.1", port.Target, port.HostIP))
		}
	}
	return faults
}

func checkRights(service types.ServiceConfig) []string {
	var faults []string
	if service.Privileged {
		faults = append(faults, "it is privileged")
	}
	if service.NetworkMode == "host" {
		faults = append(faults, "it shares the machine's network")
	}
	return faults
}

// checkMounts finds what is to come from the machine and is not there. An engine makes a folder of it instead, and what
// was to read a file then says something else altogether.
func checkMounts(service types.ServiceConfig) []string {
	var faults []string
	for _, volume := range service.Volumes {
		if volume.Type != types.VolumeTypeBind {
			continue
		}
		if _, err := os.Stat(volume.Source); err != nil {
			faults = append(faults, fmt.Sprintf("what is mounted at %s is not there: %v", volume.Target, err))
		}
		if !volume.ReadOnly {
			faults = append(faults, fmt.Sprintf("what is mounted at %s could be written to", volume.Target))
		}
	}
	return faults
}
