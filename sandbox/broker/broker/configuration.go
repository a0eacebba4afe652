package broker

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"slices"
	"time"

	"rehearsal/cluster"
	"rehearsal/members"
	"rehearsal/partition"
	"rehearsal/wire"
)

const (
	configurationFile = ".topology.meta"
	dialTimeout       = 3 * time.Second
	// bootstrapPoll is how often a broker without a configuration looks for one.
	bootstrapPoll = 100 * time.Millisecond
	// bootstrapPatience is how long an empty broker 0 asks all others before it begins a new cluster without them.
	bootstrapPatience = 30 * time.Second
	// mostRetries is how many times longer than the first one the last pause between two attempts is.
	mostRetries = 6
)

// ErrRemoved ends a broker that others have removed: started again, it is an empty one that belongs to no cluster.
var ErrRemoved = errors.New("others have removed this broker from the cluster")

// now is the time as documents have it.
func now() time.Time { return time.Now().UTC().Round(0) }

// follow does what the cluster's configuration asks of this broker, until the context ends, or it is removed.
func (b *Broker) follow(ctx context.Context, isMember bool) error {
	b.publishFromNowOn()
	begun, failures := time.Now(), 0
	for {
		changed := b.keeper.Changed()
		document := b.keeper.Get()
		wait := time.Hour
		if document.Version == 0 {
			b.bootstrap(begun)
			wait = bootstrapPoll
		}
		if isMember && !document.IsMember(b.settings.ID) {
			return ErrRemoved
		}
		isMember = document.IsMember(b.settings.ID)
		err := b.adopt(document)
		if err == nil {
			isMember, err = b.advance(ctx, isMember)
		}
		failures++
		if err == nil {
			failures = 0
		} else if ctx.Err() == nil {
			wait = time.Duration(min(failures, mostRetries)) * b.settings.OperationRetry
			log.Printf("the cluster's configuration is not carried out: %v; trying again in %s", err, wait)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-b.faults.Changed():
		case <-time.After(wait):
		}
	}
}

// bootstrap lets broker 0 begin a new cluster, unless another broker knows one. Up to 8.9 the first that answers is
// enough: where that is another empty broker of a region that was recreated, broker 0 begins a second cluster, and ends
// as soon as it hears of the first.
func (b *Broker) bootstrap(since time.Time) {
	if b.settings.ID != 0 {
		return
	}
	others := b.cluster.Brokers()
	delete(others, b.settings.ID)
	for _, line := range others {
		if line.Configured {
			return // it tells
		}
	}
	missing := b.settings.Sizes.Brokers - 1 - len(others)
	isEnough := missing <= 0 || len(others) > 0
	if b.settings.Camunda.AsksAllBeforeBootstrap() {
		isEnough = missing <= 0 || time.Since(since) > bootstrapPatience
	}
	if !isEnough {
		return
	}
	sizes := b.settings.Sizes
	log.Printf("a new cluster of %d brokers begins", sizes.Brokers)
	_ = b.update(func(document cluster.Document) (cluster.Document, error) {
		if document.Version > 0 {
			return document, nil
		}
		return cluster.Static(sizes.Brokers, sizes.Partitions, sizes.ReplicationFactor, b.exporterIDs()), nil
	})
}

func (b *Broker) exporterIDs() []string {
	var ids []string
	for _, exporter := range b.settings.Exporters {
		ids = append(ids, exporter.ID)
	}
	return ids
}

// update changes the document and tells the others.
func (b *Broker) update(change func(cluster.Document) (cluster.Document, error)) error {
	err := b.keeper.Update(change)
	b.cluster.Push()
	return err
}

// adopt opens and closes partitions and names exporters as the document has it.
func (b *Broker) adopt(document cluster.Document) error {
	if document.Version == 0 {
		return nil
	}
	b.cluster.Update(func(line *members.Line) { line.Configured = true })
	own := document.Members[b.settings.ID].Replicas
	for id, p := range b.replicas() {
		if _, stays := own[id]; !stays {
			if err := b.leave(id, p); err != nil {
				return err
			}
		}
	}
	for id, replica := range own {
		replicas := document.Replicas(id)
		if opened := b.replica(id); opened != nil {
			if err := opened.SetRank(slices.Index(replicas, b.settings.ID)); err != nil {
				return err
			}
			continue
		}
		joins := replica.State == cluster.Joining
		if err := b.openPartition(id, partition.Start{Replicas: replicas, Joins: joins}); err != nil {
			return err
		}
		if joins && replica.Exporting != "" {
			if err := b.replica(id).SetPhase(partition.Phase(replica.Exporting)); err != nil {
				return err
			}
		}
		b.publish()
	}
	return b.nameExporters()
}

func (b *Broker) nameExporters() error {
	namesMissing := b.settings.Camunda.NamesMissingExporters()
	return b.keeper.Update(func(document cluster.Document) (cluster.Document, error) {
		named, _ := document.WithExporters(b.settings.ID, b.exporterIDs(), namesMissing, now())
		return named, nil
	})
}

func (b *Broker) leave(id int, p *partition.Partition) error {
	err := p.Close()
	b.mu.Lock()
	delete(b.partitions, id)
	b.mu.Unlock()
	b.publish()
	return errors.Join(err, os.RemoveAll(partition.Folder(b.settings.DataFolder, id)))
}

// hasPartitions reports whether this broker has any, and all that it should have.
func (b *Broker) hasPartitions() bool {
	own, replicas := b.keeper.Get().Members[b.settings.ID].Replicas, b.replicas()
	for id := range own {
		if replicas[id] == nil {
			return false
		}
	}
	return len(own) > 0
}

// isOutside reports whether this broker knows a cluster that it does not belong to.
func (b *Broker) isOutside() bool {
	document := b.keeper.Get()
	return document.Version > 0 && !document.IsMember(b.settings.ID)
}

// configure answers what gateways ask the coordinator.
func (b *Broker) configure(w http.ResponseWriter, r *http.Request) {
	var request cluster.Request
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	showsExporting := b.settings.Camunda.PausesByConfiguration()
	switch request.Ask {
	case cluster.AskDocument:
		wire.Reply(w, http.StatusOK, b.keeper.Get())
	case cluster.AskCancel:
		err := b.update(func(document cluster.Document) (cluster.Document, error) {
			return document.Cancel(request.Change, now())
		})
		answer(w, http.StatusOK, b.keeper.Get().Topology(showsExporting), err)
	default:
		var outcome cluster.Outcome
		err := b.update(func(document cluster.Document) (_ cluster.Document, err error) {
			outcome, err = cluster.Plan(document, b.settings.ID, request, now())
			return outcome.Begun, err
		})
		answer(w, http.StatusAccepted, outcome.Answer(showsExporting), err)
	}
}

func answer(w http.ResponseWriter, status int, document any, err error) {
	if err != nil {
		wire.Reply(w, cluster.StatusOf(err), map[string]string{"message": err.Error()})
		return
	}
	wire.Reply(w, status, document)
}
