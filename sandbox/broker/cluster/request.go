package cluster

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// Refusal is why a request is not accepted.
type Refusal struct {
	Status  int
	Message string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

func invalid(format string, args ...any) error {
	return &Refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// StatusOf is the HTTP status of a request's error.
func StatusOf(err error) int {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal.Status
	}
	return http.StatusInternalServerError
}

// Ask is what a request asks for.
type Ask string

// What can be asked for.
const (
	AskDocument  Ask = "document"
	AskScale     Ask = "scale"
	AskPatch     Ask = "patch"
	AskForce     Ask = "force"
	AskEnable    Ask = "enable"
	AskDisable   Ask = "disable"
	AskExporting Ask = "exporting"
	AskCancel    Ask = "cancel"
)

// Request is what a gateway asks the coordinator.
type Request struct {
	Ask    Ask  `json:"ask"`
	DryRun bool `json:"dryRun,omitempty"`
	// Members are those that a scaled cluster is to have, and those that a forced one is to keep.
	Members           []int  `json:"members,omitempty"`
	Add               []int  `json:"add,omitempty"`
	Remove            []int  `json:"remove,omitempty"`
	ReplicationFactor int    `json:"replicationFactor,omitempty"`
	Exporter          string `json:"exporter,omitempty"`
	InitializeFrom    string `json:"initializeFrom,omitempty"`
	Exporting         string `json:"exporting,omitempty"`
	Change            int64  `json:"change,omitempty"`
}

// Coordinator is the broker to which a request is sent, as far as a document shows: for a removal by force the lowest
// that is to remain; false if none is known.
func (r Request) Coordinator(d Document) (int, bool) {
	if r.Ask != AskForce {
		return d.Coordinator()
	}
	kept := r.kept(d)
	if len(kept) == 0 {
		return d.Coordinator()
	}
	return kept[0], true
}

// kept are the brokers that remain after a removal by force.
func (r Request) kept(d Document) []int {
	kept := slices.Clone(r.Members)
	if len(r.Remove) > 0 {
		kept = slices.Sorted(maps.Keys(d.Members))
		kept = slices.DeleteFunc(kept, func(id int) bool { return slices.Contains(r.Remove, id) })
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

// Outcome is an accepted change, or what it would be.
type Outcome struct {
	ID       int64
	Planned  []Operation
	Current  Document
	Expected Document
	// Begun is the document in which it is under way; the current one if there is nothing to do, or in a dry run.
	Begun Document
}

// Plan returns what a broker answers to a request for a change, given its document.
func Plan(d Document, own int, request Request, now time.Time) (Outcome, error) {
	if coordinator, known := d.Coordinator(); request.Ask != AskForce && (!known || coordinator != own) {
		return Outcome{}, &Refusal{http.StatusInternalServerError, fmt.Sprintf(
			"Cannot process request to change the configuration. The broker '%d' is not the coordinator.", own)}
	}
	operations, err := request.operations(d, own)
	if err != nil {
		return Outcome{}, err
	}
	outcome := Outcome{Planned: operations, Current: d, Expected: d, Begun: d}
	if len(operations) == 0 {
		if d.Last != nil {
			outcome.ID = d.Last.ID
		}
		return outcome, nil
	}
	if d.Pending != nil {
		return Outcome{}, &Refusal{http.StatusConflict, fmt.Sprintf(
			"Cannot apply configuration change. Another configuration change [%d] is in progress.", d.Pending.ID)}
	}
	if outcome.Expected, err = d.Simulate(operations, now); err != nil {
		return Outcome{}, err
	}
	begun := d.Begin(operations, now)
	outcome.ID = begun.Pending.ID
	if !request.DryRun {
		outcome.Begun = begun
	}
	return outcome, nil
}

func (r Request) operations(d Document, own int) ([]Operation, error) {
	switch r.Ask {
	case AskScale:
		return scale(d, r.Members, r.ReplicationFactor)
	case AskPatch:
		return r.patch(d)
	case AskForce:
		return force(d, own, r.kept(d))
	case AskEnable, AskDisable:
		return r.switchExporter(d)
	case AskExporting:
		return r.setExporting(d), nil
	default:
		return nil, invalid("Unknown request: %s", r.Ask)
	}
}

func (r Request) patch(d Document) ([]Operation, error) {
	for _, id := range r.Add {
		if slices.Contains(r.Remove, id) {
			return nil, invalid("Cannot add and remove broker '%d' at the same time", id)
		}
	}
	members := append(d.MemberIDs(), r.Add...)
	members = slices.DeleteFunc(members, func(id int) bool { return slices.Contains(r.Remove, id) })
	return scale(d, members, r.ReplicationFactor)
}

// scale adds new members, spreads all partitions over all members as a new cluster would, and removes the others.
func scale(d Document, wanted []int, replicationFactor int) ([]Operation, error) {
	members := slices.Clone(wanted)
	slices.Sort(members)
	members = slices.Compact(members)
	if replicationFactor == 0 {
		replicationFactor = d.ReplicationFactor()
	}
	if len(members) == 0 {
		return nil, invalid("Cannot reassign partitions if no brokers are provided")
	}
	if replicationFactor < 0 {
		return nil, invalid("Replication factor [%d] must be greater than 0", replicationFactor)
	}
	if len(members) < replicationFactor {
		return nil, invalid("Number of brokers [%d] is less than the replication factor [%d]", len(members), replicationFactor)
	}
	var operations []Operation
	for _, id := range members {
		if !d.IsMember(id) {
			operations = append(operations, Operation{Kind: BrokerAdd, Broker: id})
		}
	}
	for _, partition := range d.Partitions() {
		operations = append(operations, move(d, partition, distribute(partition, members, replicationFactor))...)
	}
	for _, id := range d.MemberIDs() {
		if !slices.Contains(members, id) {
			operations = append(operations, Operation{Kind: BrokerRemove, Broker: id})
		}
	}
	return operations, nil
}

// move lets the replicas of a partition join, leave, and change their priority, in this order.
func move(d Document, partition int, wanted map[int]int) []Operation {
	var joins, leaves, priorities []Operation
	for _, broker := range slices.Sorted(maps.Keys(wanted)) {
		replica, holds := d.Members[broker].Replicas[partition]
		operation := Operation{Broker: broker, Partition: partition, Priority: wanted[broker]}
		if !holds {
			operation.Kind = PartitionJoin
			joins = append(joins, operation)
		} else if replica.Priority != wanted[broker] {
			operation.Kind = PartitionPriority
			priorities = append(priorities, operation)
		}
	}
	for _, broker := range d.Replicas(partition) {
		if _, stays := wanted[broker]; !stays {
			leaves = append(leaves, Operation{Kind: PartitionLeave, Broker: broker, Partition: partition})
		}
	}
	return slices.Concat(joins, leaves, priorities)
}

// force shrinks every partition onto the brokers that are kept, and removes the others. It is done even if there is
// nothing to remove.
func force(d Document, own int, kept []int) ([]Operation, error) {
	for _, id := range kept {
		if !d.IsMember(id) {
			return nil, invalid("Expected to force configure while retaining broker '%d', but broker '%d' is not in the "+
				"current cluster. Current members are '%v'", id, id, d.MemberIDs())
		}
	}
	var operations []Operation
	var orphaned []int
	for _, partition := range d.Partitions() {
		holders := d.Replicas(partition)
		slices.Sort(holders)
		holders = slices.DeleteFunc(holders, func(id int) bool { return !slices.Contains(kept, id) })
		if len(holders) == 0 {
			orphaned = append(orphaned, partition)
			continue
		}
		operations = append(operations, Operation{
			Kind: PartitionForce, Broker: holders[0], Partition: partition, Brokers: holders,
		})
	}
	if len(orphaned) > 0 {
		return nil, invalid("Expected to force configure and retain members '%v', but this will result in partitions '%v' "+
			"having no replicas", kept, orphaned)
	}
	for _, id := range slices.Sorted(maps.Keys(d.Members)) {
		if !slices.Contains(kept, id) {
			operations = append(operations, Operation{Kind: BrokerRemove, Broker: own, Brokers: []int{id}})
		}
	}
	return operations, nil
}

// switchExporter enables or disables an exporter on every replica.
func (r Request) switchExporter(d Document) ([]Operation, error) {
	kind := DisableExporter
	if r.Ask == AskEnable {
		kind = EnableExporter
	}
	var operations []Operation
	for _, broker := range d.MemberIDs() {
		for _, partition := range slices.Sorted(maps.Keys(d.Members[broker].Replicas)) {
			operations = append(operations, Operation{
				Kind: kind, Broker: broker, Partition: partition, Exporter: r.Exporter, InitializeFrom: r.InitializeFrom,
			})
		}
	}
	return operations, nil
}

// setExporting pauses or resumes exporting on the brokers of which some replica is not in that phase.
func (r Request) setExporting(d Document) []Operation {
	var operations []Operation
	for _, broker := range d.MemberIDs() {
		for _, replica := range d.Members[broker].Replicas {
			if replica.exporting() != r.Exporting {
				operations = append(operations, Operation{Kind: ExportingStateChange, Broker: broker, Exporting: r.Exporting})
				break
			}
		}
	}
	return operations
}

func (r Replica) exporting() string {
	if r.Exporting == "" {
		return "EXPORTING"
	}
	return r.Exporting
}
