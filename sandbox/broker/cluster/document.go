// Package cluster is the dynamic configuration of Camunda 8.6 and later: one document that says which brokers are members,
// which partitions and exporters each has, and which change is under way. Every broker and gateway keeps a copy, and
// gossips it to the others; a change is carried out operation by operation, each by the broker that it names.
package cluster

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Document is the configuration of a cluster. It is never changed in place, but replaced.
//
// Only the coordinator begins a change, and only the broker whose operation is next goes on with it: so of two documents
// the one of the higher version is the newer one, and within a version each member's and the change's own version say
// which is newer.
type Document struct {
	// Version grows when a change begins and when it ends; 0 is no document.
	Version int64          `json:"version"`
	Members map[int]Member `json:"members"`
	Pending *Change        `json:"pending,omitempty"`
	Last    *Completed     `json:"last,omitempty"`
}

// State of a member or of a replica.
type State string

// The states, as the management API spells them.
const (
	Active  State = "ACTIVE"
	Joining State = "JOINING"
	Leaving State = "LEAVING"
	Left    State = "LEFT"
)

// Member is a broker of the cluster.
type Member struct {
	State    State           `json:"state"`
	Version  int64           `json:"version"`
	Updated  time.Time       `json:"updated"`
	Replicas map[int]Replica `json:"replicas,omitempty"`
}

// Replica is a partition of a member.
type Replica struct {
	State    State `json:"state"`
	Priority int   `json:"priority"`
	// Exporters are the states of its exporters.
	Exporters map[string]ExporterState `json:"exporters,omitempty"`
	// Exporting is the phase that a change of 8.10 has set.
	Exporting string `json:"exporting,omitempty"`
}

// ExporterState says whether an exporter is at work.
type ExporterState string

// The states of an exporter.
const (
	Enabled  ExporterState = "ENABLED"
	Disabled ExporterState = "DISABLED"
	// NotFound is an exporter that is not configured any more (8.8 and later).
	NotFound ExporterState = "CONFIG_NOT_FOUND"
)

// Change is one that is under way.
type Change struct {
	ID        int64                `json:"id"`
	Version   int64                `json:"version"` // grows with each operation
	Started   time.Time            `json:"started"`
	Pending   []Operation          `json:"pending"`
	Completed []CompletedOperation `json:"completed"`
}

// Status of a change.
type Status string

// The statuses of a change.
const (
	InProgress Status = "IN_PROGRESS"
	Succeeded  Status = "COMPLETED"
	Cancelled  Status = "CANCELLED"
)

// Completed is the last change that is over.
type Completed struct {
	ID        int64     `json:"id"`
	Status    Status    `json:"status"`
	Started   time.Time `json:"startedAt"`
	Completed time.Time `json:"completedAt"`
}

// Static is the document that a cluster begins with: partitions lie on consecutive brokers, the first of which should
// lead.
func Static(brokers, partitions, replicationFactor int, exporters []string) Document {
	document := Document{Version: 1, Members: map[int]Member{}}
	for broker := range brokers {
		document.Members[broker] = Member{State: Active, Replicas: map[int]Replica{}}
	}
	ids := slices.Sorted(maps.Keys(document.Members))
	for partition := 1; partition <= partitions; partition++ {
		for broker, priority := range distribute(partition, ids, replicationFactor) {
			document.Members[broker].Replicas[partition] = Replica{
				State: Active, Priority: priority, Exporters: enabled(exporters),
			}
		}
	}
	return document
}

func enabled(exporters []string) map[string]ExporterState {
	states := map[string]ExporterState{}
	for _, exporter := range exporters {
		states[exporter] = Enabled
	}
	return states
}

// distribute places a partition: the priority of each of its replicas, by broker.
func distribute(partition int, brokers []int, replicationFactor int) map[int]int {
	priorities := map[int]int{}
	for rank := range replicationFactor {
		priorities[brokers[(partition-1+rank)%len(brokers)]] = replicationFactor - rank
	}
	return priorities
}

// Merge returns what is newer of two documents.
func Merge(ours, theirs Document) Document {
	if ours.Version != theirs.Version {
		if theirs.Version > ours.Version {
			return theirs
		}
		return ours
	}
	merged := ours.clone()
	for id, member := range theirs.Members {
		if known, ok := merged.Members[id]; !ok || member.Version > known.Version {
			merged.Members[id] = member
		}
	}
	if theirs.Pending != nil && (ours.Pending == nil || theirs.Pending.Version > ours.Pending.Version) {
		merged.Pending = theirs.Pending
	}
	return merged
}

// clone is a copy that shares nothing.
func (d Document) clone() Document {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // nothing in it can fail: numbers, texts, times and maps of them
	}
	var copied Document
	if err := json.Unmarshal(text, &copied); err != nil {
		panic(err)
	}
	if copied.Members == nil {
		copied.Members = map[int]Member{}
	}
	return copied
}

// IsMember reports whether a broker belongs to the cluster.
func (d Document) IsMember(broker int) bool {
	member, known := d.Members[broker]
	return known && member.State != Left
}

// MemberIDs are the brokers that belong to the cluster, the lowest first.
func (d Document) MemberIDs() []int {
	var ids []int
	for _, id := range slices.Sorted(maps.Keys(d.Members)) {
		if d.IsMember(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Coordinator is the broker to which changes are sent, the member of the lowest id; false if there is none.
func (d Document) Coordinator() (int, bool) {
	ids := slices.Sorted(maps.Keys(d.Members))
	if len(ids) == 0 {
		return 0, false
	}
	return ids[0], true
}

// Partitions are the ids of all partitions.
func (d Document) Partitions() []int {
	found := map[int]bool{}
	for _, member := range d.Members {
		for id := range member.Replicas {
			found[id] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Replicas are the brokers that hold a partition, that of the highest priority first.
func (d Document) Replicas(partition int) []int {
	var brokers []int
	for _, id := range slices.Sorted(maps.Keys(d.Members)) {
		if _, holds := d.Members[id].Replicas[partition]; holds {
			brokers = append(brokers, id)
		}
	}
	slices.SortStableFunc(brokers, func(a, b int) int {
		return d.Members[b].Replicas[partition].Priority - d.Members[a].Replicas[partition].Priority
	})
	return brokers
}

// ReplicationFactor is the lowest number of replicas that a partition has.
func (d Document) ReplicationFactor() int {
	lowest := 0
	for _, partition := range d.Partitions() {
		if count := len(d.Replicas(partition)); lowest == 0 || count < lowest {
			lowest = count
		}
	}
	return lowest
}

// Next is the operation that is to be carried out, and the change that it belongs to.
func (d Document) Next() (Operation, int64, bool) {
	if d.Pending == nil || len(d.Pending.Pending) == 0 {
		return Operation{}, 0, false
	}
	return d.Pending.Pending[0], d.Pending.ID, true
}

// WithExporters is the document in which a member's replicas have the exporters that its broker is configured with: new
// ones begin enabled; those that are gone are named so where the version does that, and forgotten elsewhere. It reports
// whether that changes anything.
func (d Document) WithExporters(broker int, configured []string, namesMissing bool, now time.Time) (Document, bool) {
	isChanged := false
	changed := d.clone()
	for partition, replica := range changed.Members[broker].Replicas {
		states := map[string]ExporterState{}
		for _, exporter := range configured {
			states[exporter] = Enabled
			if replica.Exporters[exporter] == Disabled {
				states[exporter] = Disabled
			}
		}
		for exporter := range replica.Exporters {
			if _, known := states[exporter]; !known && namesMissing {
				states[exporter] = NotFound
			}
		}
		if !maps.Equal(states, replica.Exporters) {
			isChanged = true
			replica.Exporters = states
			changed.Members[broker].Replicas[partition] = replica
		}
	}
	if isChanged {
		changed.touch(broker, now)
	}
	return changed, isChanged
}

// touch makes a member's entry the newest one. The document must be a clone.
func (d Document) touch(broker int, now time.Time) {
	member := d.Members[broker]
	member.Version++
	member.Updated = now
	d.Members[broker] = member
}
