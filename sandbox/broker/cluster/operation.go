package cluster

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Kind of an operation, as the management API spells it.
type Kind string

// The operations that there are.
const (
	BrokerAdd            Kind = "BROKER_ADD"
	BrokerRemove         Kind = "BROKER_REMOVE"
	PartitionJoin        Kind = "PARTITION_JOIN"
	PartitionLeave       Kind = "PARTITION_LEAVE"
	PartitionPriority    Kind = "PARTITION_RECONFIGURE_PRIORITY"
	PartitionForce       Kind = "PARTITION_FORCE_RECONFIGURE"
	EnableExporter       Kind = "PARTITION_ENABLE_EXPORTER"
	DisableExporter      Kind = "PARTITION_DISABLE_EXPORTER"
	ExportingStateChange Kind = "EXPORTING_STATE_CHANGE"
)

// Operation is one step of a change, carried out by the broker that it names.
type Operation struct {
	Kind      Kind `json:"operation"`
	Broker    int  `json:"brokerId"`
	Partition int  `json:"partitionId,omitempty"`
	Priority  int  `json:"priority,omitempty"`
	// Brokers are those that stay, or the one that is removed by another one.
	Brokers  []int  `json:"brokers,omitempty"`
	Exporter string `json:"exporterId,omitempty"`
	// InitializeFrom is not shown by the management API.
	InitializeFrom string `json:"initializeFrom,omitempty"`
	Exporting      string `json:"exportingState,omitempty"`
}

// CompletedOperation is one that was carried out.
type CompletedOperation struct {
	Operation
	CompletedAt time.Time `json:"completedAt"`
}

// String names an operation for logs.
func (o Operation) String() string {
	if o.Partition == 0 {
		return string(o.Kind)
	}
	return fmt.Sprintf("%s of partition %d", o.Kind, o.Partition)
}

// Same reports whether two operations are the same one.
func (o Operation) Same(other Operation) bool {
	return o.Kind == other.Kind && o.Broker == other.Broker && o.Partition == other.Partition &&
		o.Exporter == other.Exporter && slices.Equal(o.Brokers, other.Brokers)
}

// begin is the document in which an operation is under way; an error says why it is not allowed.
func (o Operation) begin(d Document, now time.Time) (Document, error) {
	begun := d.clone()
	member, isMember := begun.Members[o.Broker]
	if o.Kind == BrokerAdd {
		if isMember && member.State != Joining {
			return d, invalid("Expected to add broker '%d', but it is a member already", o.Broker)
		}
		if !isMember {
			begun.Members[o.Broker] = Member{State: Joining}
			begun.touch(o.Broker, now)
		}
		return begun, nil
	}
	if !isMember {
		return d, invalid("Expected to apply %s, but broker '%d' is not a member of the cluster", o.Kind, o.Broker)
	}
	replica, holds := member.Replicas[o.Partition]
	if o.needsReplica() && !holds {
		return d, invalid("Expected to apply %s, but broker '%d' does not have partition '%d'", o.Kind, o.Broker, o.Partition)
	}
	switch o.Kind {
	case PartitionJoin:
		return o.beginJoin(begun, now)
	case PartitionLeave:
		if len(d.Replicas(o.Partition)) == 1 {
			return d, invalid("Expected to leave partition '%d', but broker '%d' has its only replica", o.Partition, o.Broker)
		}
		begun.setState(o.Broker, o.Partition, Leaving, now)
	case PartitionForce:
		for _, broker := range o.Brokers {
			if _, has := d.Members[broker].Replicas[o.Partition]; !has {
				return d, invalid("Expected to force partition '%d' onto broker '%d', which does not have it", o.Partition, broker)
			}
		}
	case DisableExporter:
		if _, known := replica.Exporters[o.Exporter]; !known {
			return d, invalid("Expected to disable exporter '%s', but partition '%d' does not have it", o.Exporter, o.Partition)
		}
	case EnableExporter:
		return begun, o.checkEnable(replica)
	case BrokerRemove:
		return o.beginRemove(begun, now)
	}
	return begun, nil
}

func (o Operation) needsReplica() bool {
	return o.Partition != 0 && o.Kind != PartitionJoin
}

func (o Operation) beginJoin(begun Document, now time.Time) (Document, error) {
	active := begun.Replicas(o.Partition)
	if len(active) == 0 {
		return begun, invalid("Expected to join partition '%d', which does not exist", o.Partition)
	}
	member := begun.Members[o.Broker]
	if replica, holds := member.Replicas[o.Partition]; holds {
		if replica.State == Joining {
			return begun, nil
		}
		return begun, invalid("Expected to join partition '%d', but broker '%d' has it already", o.Partition, o.Broker)
	}
	// A new replica takes over how the others export.
	replica := begun.Members[active[0]].Replicas[o.Partition]
	replica.State, replica.Priority = Joining, o.Priority
	replica.Exporters = maps.Clone(replica.Exporters)
	if member.Replicas == nil {
		member.Replicas = map[int]Replica{}
	}
	member.Replicas[o.Partition] = replica
	begun.Members[o.Broker] = member
	begun.touch(o.Broker, now)
	return begun, nil
}

func (o Operation) checkEnable(replica Replica) error {
	if replica.Exporters[o.Exporter] == Enabled {
		return invalid("Expected to enable exporter '%s', but it is enabled on partition '%d'", o.Exporter, o.Partition)
	}
	if _, known := replica.Exporters[o.Exporter]; !known {
		return invalid("Expected to enable exporter '%s', but partition '%d' does not have it", o.Exporter, o.Partition)
	}
	if o.InitializeFrom != "" && replica.Exporters[o.InitializeFrom] != Enabled {
		return invalid("Expected to initialize exporter '%s' from '%s', which is not enabled on partition '%d'", o.Exporter,
			o.InitializeFrom, o.Partition)
	}
	return nil
}

func (o Operation) beginRemove(begun Document, now time.Time) (Document, error) {
	if len(o.Brokers) > 0 {
		if _, known := begun.Members[o.Brokers[0]]; !known {
			return begun, invalid("Expected to remove broker '%d', which is not a member", o.Brokers[0])
		}
		return begun, nil
	}
	member := begun.Members[o.Broker]
	if len(member.Replicas) > 0 {
		return begun, invalid("Expected to remove broker '%d', but it has partitions", o.Broker)
	}
	member.State = Leaving
	begun.Members[o.Broker] = member
	begun.touch(o.Broker, now)
	return begun, nil
}

// finish is the document in which an operation was carried out. The document must be a clone.
func (o Operation) finish(done Document, now time.Time) {
	switch o.Kind {
	case BrokerAdd:
		member := done.Members[o.Broker]
		member.State = Active
		done.Members[o.Broker] = member
		done.touch(o.Broker, now)
	case PartitionJoin:
		done.setState(o.Broker, o.Partition, Active, now)
	case PartitionLeave:
		delete(done.Members[o.Broker].Replicas, o.Partition)
		done.touch(o.Broker, now)
	case PartitionPriority:
		done.setReplica(o.Broker, o.Partition, now, func(replica *Replica) { replica.Priority = o.Priority })
	case PartitionForce:
		for _, broker := range done.Replicas(o.Partition) {
			if !slices.Contains(o.Brokers, broker) {
				delete(done.Members[broker].Replicas, o.Partition)
				done.touch(broker, now)
			}
		}
	case BrokerRemove:
		removed := o.Broker
		if len(o.Brokers) > 0 {
			removed = o.Brokers[0]
		}
		member := done.Members[removed]
		member.State = Left
		done.Members[removed] = member
		done.touch(removed, now)
	case EnableExporter:
		done.setReplica(o.Broker, o.Partition, now, func(replica *Replica) { replica.Exporters[o.Exporter] = Enabled })
	case DisableExporter:
		done.setReplica(o.Broker, o.Partition, now, func(replica *Replica) { replica.Exporters[o.Exporter] = Disabled })
	case ExportingStateChange:
		for partition := range done.Members[o.Broker].Replicas {
			done.setReplica(o.Broker, partition, now, func(replica *Replica) { replica.Exporting = o.Exporting })
		}
	}
}

func (d Document) setState(broker, partition int, state State, now time.Time) {
	d.setReplica(broker, partition, now, func(replica *Replica) { replica.State = state })
}

func (d Document) setReplica(broker, partition int, now time.Time, change func(*Replica)) {
	replica := d.Members[broker].Replicas[partition]
	if replica.Exporters == nil {
		replica.Exporters = map[string]ExporterState{}
	}
	change(&replica)
	d.Members[broker].Replicas[partition] = replica
	d.touch(broker, now)
}

// Begin is the document in which a change of these operations is under way.
func (d Document) Begin(operations []Operation, now time.Time) Document {
	begun := d.clone()
	begun.Version++
	begun.Pending = &Change{ID: begun.Version, Version: 1, Started: now, Pending: operations}
	return begun
}

// BeginNext is the document in which the next operation is under way.
func (d Document) BeginNext(now time.Time) (Document, error) {
	next, _, isPending := d.Next()
	if !isPending {
		return d, fmt.Errorf("no operation is pending")
	}
	return next.begin(d, now)
}

// Advance is the document in which the next operation was carried out; with the last one the change is over.
func (d Document) Advance(now time.Time) Document {
	advanced := d.clone()
	change := advanced.Pending
	done := change.Pending[0]
	done.finish(advanced, now)
	change.Version++
	change.Pending = change.Pending[1:]
	change.Completed = append(change.Completed, CompletedOperation{done, now})
	if len(change.Pending) == 0 {
		advanced.end(Succeeded, now)
	}
	return advanced
}

// Cancel is the document in which a change is over as it stands: what was applied stays applied.
func (d Document) Cancel(id int64, now time.Time) (Document, error) {
	if d.Pending == nil {
		return d, invalid("Cannot cancel change %d because no change is in progress", id)
	}
	if d.Pending.ID != id {
		return d, invalid("Cannot cancel change %d because it is not the current change", id)
	}
	cancelled := d.clone()
	cancelled.end(Cancelled, now)
	return cancelled, nil
}

// end ends the change. The document must be a clone.
func (d *Document) end(status Status, now time.Time) {
	d.Version++
	d.Last = &Completed{ID: d.Pending.ID, Status: status, Started: d.Pending.Started, Completed: now}
	d.Pending = nil
	maps.DeleteFunc(d.Members, func(_ int, member Member) bool { return member.State == Left })
}

// Simulate is the document after a change of these operations; an error says which of them is not allowed.
func (d Document) Simulate(operations []Operation, now time.Time) (Document, error) {
	simulated := d.Begin(operations, now)
	for simulated.Pending != nil {
		begun, err := simulated.BeginNext(now)
		if err != nil {
			return d, err
		}
		simulated = begun.Advance(now)
	}
	return simulated, nil
}
