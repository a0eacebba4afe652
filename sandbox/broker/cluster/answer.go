package cluster

import (
	"maps"
	"slices"
	"time"
)

// never is the time of what has not happened yet, as the management API prints it.
const never = "0000-01-01T00:00:00Z"

// Topology is the answer to GET /actuator/cluster.
type Topology struct {
	Version int64       `json:"version"`
	Brokers []Broker    `json:"brokers"`
	Last    *Completed  `json:"lastChange,omitempty"`
	Pending *OpenChange `json:"pendingChange,omitempty"`
}

// Broker is a member in answers.
type Broker struct {
	ID            int         `json:"id"`
	State         State       `json:"state"`
	Version       int64       `json:"version"`
	LastUpdatedAt string      `json:"lastUpdatedAt"`
	Partitions    []Partition `json:"partitions"`
}

// Partition is a replica in answers.
type Partition struct {
	ID       int             `json:"id"`
	State    State           `json:"state"`
	Priority int             `json:"priority"`
	Config   PartitionConfig `json:"config"`
}

// PartitionConfig holds how a replica exports.
type PartitionConfig struct {
	Exporting ExportingConfig `json:"exporting"`
}

// ExportingConfig is how a replica exports; its state is shown from 8.10 on.
type ExportingConfig struct {
	State     string           `json:"state,omitempty"`
	Exporters []ExporterConfig `json:"exporters"`
}

// ExporterConfig is the state of a replica's exporter.
type ExporterConfig struct {
	ID    string        `json:"id"`
	State ExporterState `json:"state"`
}

// OpenChange is a change under way in answers.
type OpenChange struct {
	ID        int64                `json:"id"`
	Status    Status               `json:"status"`
	Pending   []Operation          `json:"pending"`
	Completed []CompletedOperation `json:"completed"`
}

// Planned is the answer to a request for a change.
type Planned struct {
	ChangeID        int64       `json:"changeId"`
	CurrentTopology []Broker    `json:"currentTopology"`
	PlannedChanges  []Operation `json:"plannedChanges"`
	Expected        []Broker    `json:"expectedTopology"`
}

// Exporter is one of GET /actuator/exporters.
type Exporter struct {
	ID     string `json:"exporterId"`
	Status string `json:"status"`
}

// Topology is what the management API says of a document; showsExporting from 8.10 on.
func (d Document) Topology(showsExporting bool) Topology {
	topology := Topology{Version: d.Version, Brokers: d.brokers(showsExporting), Last: d.Last}
	if d.Pending != nil {
		topology.Pending = &OpenChange{d.Pending.ID, InProgress, shown(d.Pending.Pending), []CompletedOperation{}}
		for _, operation := range d.Pending.Completed {
			operation.InitializeFrom = ""
			topology.Pending.Completed = append(topology.Pending.Completed, operation)
		}
	}
	return topology
}

// Answer is what the management API says of an accepted change.
func (o Outcome) Answer(showsExporting bool) Planned {
	return Planned{o.ID, o.Current.brokers(showsExporting), shown(o.Planned), o.Expected.brokers(showsExporting)}
}

// shown are operations without what the management API does not show.
func shown(operations []Operation) []Operation {
	visible := make([]Operation, len(operations))
	for i, operation := range operations {
		operation.InitializeFrom = ""
		visible[i] = operation
	}
	return visible
}

func (d Document) brokers(showsExporting bool) []Broker {
	brokers := []Broker{}
	for _, id := range slices.Sorted(maps.Keys(d.Members)) {
		member := d.Members[id]
		updated := never
		if !member.Updated.IsZero() {
			updated = member.Updated.UTC().Format(time.RFC3339Nano)
		}
		broker := Broker{id, member.State, member.Version, updated, []Partition{}}
		for _, partition := range slices.Sorted(maps.Keys(member.Replicas)) {
			replica := member.Replicas[partition]
			config := PartitionConfig{ExportingConfig{Exporters: []ExporterConfig{}}}
			if showsExporting {
				config.Exporting.State = replica.exporting()
			}
			for _, exporter := range slices.Sorted(maps.Keys(replica.Exporters)) {
				config.Exporting.Exporters = append(config.Exporting.Exporters,
					ExporterConfig{exporter, replica.Exporters[exporter]})
			}
			broker.Partitions = append(broker.Partitions, Partition{partition, replica.State, replica.Priority, config})
		}
		brokers = append(brokers, broker)
	}
	return brokers
}

// Exporters says how each exporter stands over all replicas.
func (d Document) Exporters() []Exporter {
	states := map[string]map[ExporterState]bool{}
	for _, id := range d.MemberIDs() {
		for _, replica := range d.Members[id].Replicas {
			for exporter, state := range replica.Exporters {
				if states[exporter] == nil {
					states[exporter] = map[ExporterState]bool{}
				}
				states[exporter][state] = true
			}
		}
	}
	exporters := []Exporter{}
	for _, id := range slices.Sorted(maps.Keys(states)) {
		exporters = append(exporters, Exporter{id, d.exporterStatus(id, states[id])})
	}
	return exporters
}

func (d Document) exporterStatus(id string, states map[ExporterState]bool) string {
	if d.Pending != nil {
		for _, operation := range d.Pending.Pending {
			if operation.Exporter == id && operation.Kind == EnableExporter {
				return "ENABLING"
			}
			if operation.Exporter == id && operation.Kind == DisableExporter {
				return "DISABLING"
			}
		}
	}
	if len(states) == 1 {
		for state := range states {
			return string(state)
		}
	}
	return "UNKNOWN"
}

// ExportingStatus is the phase that all replicas are to be in, or MIXED: GET /v2/exporting.
func (d Document) ExportingStatus() string {
	status := ""
	for _, member := range d.Members {
		for _, replica := range member.Replicas {
			if phase := replica.exporting(); status == "" {
				status = phase
			} else if status != phase {
				return "MIXED"
			}
		}
	}
	return status
}

// ChangeAnswer is the answer to GET /actuator/cluster/changes/{id}.
type ChangeAnswer struct {
	ID          int64                `json:"id"`
	Status      Status               `json:"status"`
	StartedAt   time.Time            `json:"startedAt"`
	CompletedAt *time.Time           `json:"completedAt,omitempty"`
	Pending     []Operation          `json:"pending"`
	Completed   []CompletedOperation `json:"completed"`
}

// ChangeByID is what is known of a change, and whether anything is.
func (d Document) ChangeByID(id int64) (ChangeAnswer, bool) {
	if d.Pending != nil && d.Pending.ID == id {
		open := d.Topology(false).Pending
		return ChangeAnswer{id, InProgress, d.Pending.Started, nil, open.Pending, open.Completed}, true
	}
	if d.Last != nil && d.Last.ID == id {
		return ChangeAnswer{
			id, d.Last.Status, d.Last.Started, &d.Last.Completed, []Operation{}, []CompletedOperation{},
		}, true
	}
	return ChangeAnswer{}, false
}
