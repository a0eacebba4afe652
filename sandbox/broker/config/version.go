package config

import (
	"fmt"
	"net/http"
)

// Camunda is the minor version of Camunda 8 that is played.
type Camunda int

// The versions that there are.
const (
	oldest Camunda = 5
	newest Camunda = 10
)

// ParseCamunda reads a version such as 8.6.
func ParseCamunda(text string) (Camunda, error) {
	for version := oldest; version <= newest; version++ {
		if text == version.Minor() {
			return version, nil
		}
	}
	return 0, fmt.Errorf("%q is no version that is played: %s to %s are", text, oldest.Minor(), newest.Minor())
}

// Minor is the version as it is set.
func (c Camunda) Minor() string { return fmt.Sprintf("8.%d", int(c)) }

// String is what topologies say.
func (c Camunda) String() string {
	if c == oldest {
		return "8.5.8-rehearsal"
	}
	return fmt.Sprintf("8.%d.0-rehearsal", int(c))
}

// HasClusterAPI reports whether the cluster's configuration can be changed at run time.
func (c Camunda) HasClusterAPI() bool { return c >= 6 }

// IsOneProcess reports whether a broker is a gateway, too.
func (c Camunda) IsOneProcess() bool { return c >= 8 }

// NamesMissingExporters reports whether exporters that left a broker's configuration are shown as CONFIG_NOT_FOUND.
func (c Camunda) NamesMissingExporters() bool { return c >= 8 }

// PausesByConfiguration reports whether a pause is a change of the cluster's configuration.
func (c Camunda) PausesByConfiguration() bool { return c >= 10 }

// IsReadyWithoutPartitions reports whether a broker that is no member is ready.
func (c Camunda) IsReadyWithoutPartitions() bool { return c >= 10 }

// AsksAllBeforeBootstrap reports whether an empty broker 0 asks all others before it begins a new cluster, and not one.
func (c Camunda) AsksAllBeforeBootstrap() bool { return c >= 10 }

// RefusesUnknownParameters reports whether the management API refuses query parameters that it does not know.
func (c Camunda) RefusesUnknownParameters() bool { return c >= 10 }

// ExhaustedStatus is how the REST API refuses a command that a broker takes none of for now.
func (c Camunda) ExhaustedStatus() int {
	if c >= 8 {
		return http.StatusServiceUnavailable
	}
	return http.StatusTooManyRequests
}
