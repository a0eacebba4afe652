package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"rehearsal/cluster"
	"rehearsal/engine"
	"rehearsal/members"
	"rehearsal/partition"
	"rehearsal/wire"
)

const (
	// orderTimeout is how long another broker may take for an order; a change by force stops and starts raft.
	orderTimeout = 20 * time.Second
	// leaderPatience is how long an operation waits for a partition's leader, before it counts as failed.
	leaderPatience  = 10 * time.Second
	catchUpPatience = time.Minute
	operationPoll   = 50 * time.Millisecond
)

var (
	errOvertaken = errors.New("the change has gone on without it")
	errNoLeader  = errors.New("the partition has no leader in sight")
	errBehind    = errors.New("the new replica has not caught up")
	errNoReplica = errors.New("no such partition here")
	errStuck     = errors.New("stuck on purpose")
)

// advance carries out the next operation of a change, if it is this broker's. It returns whether the broker is a member
// then: one that leaves by itself is not removed by others.
func (b *Broker) advance(ctx context.Context, isMember bool) (bool, error) {
	document := b.keeper.Get()
	operation, change, isPending := document.Next()
	if !isPending || operation.Broker != b.settings.ID {
		return isMember, nil
	}
	if b.faults.Get().StuckChange {
		return isMember, errStuck
	}
	mine := func(document cluster.Document) error {
		if next, id, isPending := document.Next(); !isPending || id != change || !next.Same(operation) {
			return errOvertaken
		}
		return nil
	}
	err := b.update(func(document cluster.Document) (cluster.Document, error) {
		if err := mine(document); err != nil {
			return document, err
		}
		return document.BeginNext(now())
	})
	if err == nil {
		err = b.adopt(b.keeper.Get())
	}
	if err == nil {
		err = b.carryOut(ctx, operation)
	}
	if err == nil {
		err = b.update(func(document cluster.Document) (cluster.Document, error) {
			if err := mine(document); err != nil {
				return document, err
			}
			return document.Advance(now()), nil
		})
	}
	if errors.Is(err, errOvertaken) {
		return isMember, nil
	}
	if err != nil {
		return isMember, fmt.Errorf("%s: %w", operation, err)
	}
	log.Printf("change %d: %s is done", change, operation)
	hasLeft := operation.Kind == cluster.BrokerRemove && len(operation.Brokers) == 0
	return b.keeper.Get().IsMember(b.settings.ID) || (isMember && !hasLeft), nil
}

func (b *Broker) carryOut(ctx context.Context, operation cluster.Operation) error {
	switch operation.Kind {
	case cluster.BrokerAdd:
		// What an earlier life has left is none of this cluster's.
		return os.RemoveAll(partition.Folders(b.settings.DataFolder))
	case cluster.PartitionJoin:
		return b.joinPartition(ctx, operation.Partition)
	case cluster.PartitionLeave:
		return b.orderLeader(ctx, operation.Partition, wire.Order{What: wire.Dismiss, Broker: b.settings.ID}, nil)
	case cluster.PartitionForce:
		return b.force(ctx, operation)
	case cluster.EnableExporter, cluster.DisableExporter:
		what := wire.EnableExporter
		if operation.Kind == cluster.DisableExporter {
			what = wire.DisableExporter
		}
		order := wire.Order{What: what, Exporter: operation.Exporter, From: operation.InitializeFrom}
		return b.orderLeader(ctx, operation.Partition, order, nil)
	case cluster.ExportingStateChange:
		return b.setPhase(partition.Phase(operation.Exporting))
	default: // nothing but the document changes
		return nil
	}
}

// joinPartition lets this broker's new replica read along until it has what the others have, and then vote.
func (b *Broker) joinPartition(ctx context.Context, id int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(b.settings.Join):
	}
	var admitted wire.Ordered
	order := wire.Order{What: wire.Admit, Broker: b.settings.ID}
	if err := b.orderLeader(ctx, id, order, &admitted); err != nil {
		return err
	}
	for deadline := time.Now().Add(catchUpPatience); b.replica(id).Applied() < admitted.Index; {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return errBehind
		}
		time.Sleep(operationPoll)
	}
	order.What = wire.Promote
	return b.orderLeader(ctx, id, order, nil)
}

// force makes the brokers of an operation the whole group of its partition, on each of them.
func (b *Broker) force(ctx context.Context, operation cluster.Operation) error {
	var works []func() error
	for _, broker := range operation.Brokers {
		works = append(works, func() error {
			line, inSight := b.cluster.Brokers()[broker]
			if !inSight {
				return fmt.Errorf("broker %d is not in sight", broker)
			}
			order := wire.Order{What: wire.Force, Brokers: operation.Brokers}
			return b.orderAt(ctx, line, operation.Partition, order, nil)
		})
	}
	return wire.Together(works)
}

// orderLeader gives an order to the broker that leads a partition, as soon as one does.
func (b *Broker) orderLeader(ctx context.Context, id int, order wire.Order, into *wire.Ordered) error {
	last := errNoLeader
	for deadline := time.Now().Add(leaderPatience); time.Now().Before(deadline) && ctx.Err() == nil; {
		for _, line := range b.cluster.Brokers() {
			if line.Replicas[id].Serves {
				if last = b.orderAt(ctx, line, id, order, into); last == nil {
					return nil
				}
			}
		}
		time.Sleep(operationPoll)
	}
	return last
}

func (b *Broker) orderAt(ctx context.Context, line members.Line, id int, order wire.Order, into *wire.Ordered) error {
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	if into == nil {
		into = &wire.Ordered{}
	}
	err := wire.Post(ctx, b.client, line.Address(), wire.ReplicaPath+strconv.Itoa(id), order, into)
	if err != nil {
		return fmt.Errorf("broker %d: %w", line.Broker, err)
	}
	return nil
}

// order does what another broker asks of a replica of this one.
func (b *Broker) order(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("partition"))
	var order wire.Order
	if err == nil {
		err = json.NewDecoder(r.Body).Decode(&order)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	done, err := b.obey(id, order)
	switch {
	case errors.Is(err, partition.ErrNotServing), errors.Is(err, errNoReplica):
		http.Error(w, err.Error(), wire.StatusNotTried)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		wire.Reply(w, http.StatusOK, done)
	}
}

func (b *Broker) obey(id int, order wire.Order) (done wire.Ordered, err error) {
	p := b.replica(id)
	if p == nil {
		return done, errNoReplica
	}
	switch order.What {
	case wire.Admit:
		done.Index, err = p.Admit(order.Broker)
	case wire.Promote:
		err = p.Promote(order.Broker)
	case wire.Dismiss:
		err = p.Dismiss(order.Broker)
	case wire.Force:
		err = p.Force(order.Brokers)
	case wire.EnableExporter:
		err = p.SwitchExporter(engine.EnableExporter, order.Exporter, order.From)
	case wire.DisableExporter:
		err = p.SwitchExporter(engine.DisableExporter, order.Exporter, "")
	default:
		err = fmt.Errorf("unknown order %q", order.What)
	}
	return done, err
}
