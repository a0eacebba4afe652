// Package broker puts a broker together: its partitions, their exporters, and the ports it is reached at.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"rehearsal/cluster"
	"rehearsal/config"
	"rehearsal/exporting"
	"rehearsal/faults"
	"rehearsal/members"
	"rehearsal/partition"
	"rehearsal/wire"
)

const readinessPoll = 100 * time.Millisecond

// Broker is a running broker.
type Broker struct {
	settings config.Broker
	faults   *faults.Switch
	cluster  *members.Cluster
	keeper   *cluster.Keeper // nil where the cluster's configuration is static
	mux      *wire.Mux
	client   *http.Client
	sinks    map[string]*exporting.SearchEngine

	mu         sync.Mutex
	partitions map[int]*partition.Partition
	exporters  map[int]*exporting.Group
	isOpen     bool // all partitions: before, there is nothing to publish
	isReady    bool
}

// Process is what a broker shares with a gateway in the same process.
type Process struct {
	Cluster    *members.Cluster
	Keeper     *cluster.Keeper
	Faults     *faults.Switch
	Management *http.ServeMux
}

// Run runs a broker until the context ends, then gives its leaderships away. beside runs with it, and may be nil.
func Run(ctx context.Context, settings config.Broker, beside func(context.Context, Process) error) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(settings.StartDelay):
	}
	b, err := newBroker(settings)
	if err != nil {
		return err
	}
	wasMember := b.keeper != nil && b.keeper.Get().IsMember(settings.ID) // before others are heard
	if err := b.join(); err != nil {
		return err
	}
	management, err := net.Listen("tcp", b.listenAt(settings.ManagementPort))
	if err != nil {
		return fmt.Errorf("the management port: %w", err)
	}
	handler := b.management()
	failed := make(chan error, 4)
	go func() { failed <- wire.NewServer(b.commands()).Serve(b.mux.HTTP()) }()
	go func() { failed <- http.Serve(management, b.faults.Wrap(handler)) }() //nolint:gosec // as long as it takes
	if beside != nil {
		process := Process{b.cluster, b.keeper, b.faults, handler}
		go func() { failed <- beside(ctx, process) }()
	}
	if b.keeper != nil {
		go func() { failed <- b.follow(ctx, wasMember) }()
	} else if err := b.openAll(); err != nil {
		return errors.Join(err, b.close())
	}
	go b.becomeReady(ctx)
	go b.publishFaults(ctx)
	log.Printf("broker %d of %d started, advertised as %s", settings.ID, settings.Sizes.Brokers, settings.AdvertisedHost)
	select {
	case <-ctx.Done():
		return b.close()
	case err := <-failed:
		return errors.Join(err, b.close())
	}
}

func newBroker(settings config.Broker) (*Broker, error) {
	b := &Broker{
		settings: settings, faults: faults.NewSwitch(settings.Faults), client: wire.NewClient(dialTimeout),
		sinks: map[string]*exporting.SearchEngine{}, partitions: map[int]*partition.Partition{},
		exporters: map[int]*exporting.Group{},
	}
	for _, exporter := range settings.Exporters {
		b.sinks[exporter.ID] = exporting.NewSearchEngine(exporter)
	}
	if !settings.Camunda.HasClusterAPI() {
		return b, nil
	}
	err := os.MkdirAll(settings.DataFolder, 0o755)
	if err == nil {
		b.keeper, err = cluster.Open(filepath.Join(settings.DataFolder, configurationFile))
	}
	return b, err
}

func (b *Broker) listenAt(port int) string {
	return net.JoinHostPort(config.ListenHost(b.settings.Members.Host), strconv.Itoa(port))
}

// join opens the port of commands and raft, and joins the members.
func (b *Broker) join() error {
	listener, err := wire.Listen(b.listenAt(b.settings.CommandPort))
	if err != nil {
		return fmt.Errorf("the command port: %w", err)
	}
	b.mux = wire.NewMux(listener)
	line := members.Line{
		Broker: b.settings.ID, Host: b.settings.AdvertisedHost, Port: b.settings.CommandPort, Sizes: b.settings.Sizes,
	}
	var gossip members.Gossip
	if b.keeper != nil {
		gossip = b.keeper
	}
	b.cluster, err = members.Join("broker-"+strconv.Itoa(b.settings.ID), line, b.settings.Members, b.faults, gossip)
	return err
}

// openAll opens every partition of which this broker is a replica, where that does not change.
func (b *Broker) openAll() error {
	for id := 1; id <= b.settings.Sizes.Partitions; id++ {
		replicas := partition.Replicas(id, b.settings.Sizes)
		if !slices.Contains(replicas, b.settings.ID) {
			continue
		}
		if err := b.openPartition(id, partition.Start{Replicas: replicas}); err != nil {
			return err
		}
	}
	b.publishFromNowOn()
	return nil
}

func (b *Broker) openPartition(id int, start partition.Start) error {
	opened, err := partition.Open(id, start, b.settings, b.cluster.Table, b.mux, b.faults, b.changed)
	if err != nil {
		return fmt.Errorf("partition %d: %w", id, err)
	}
	b.mu.Lock()
	b.partitions[id] = opened
	b.mu.Unlock()
	return nil
}

// replica is a partition of this broker, nil if it has none of that id.
func (b *Broker) replica(id int) *partition.Partition {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.partitions[id]
}

// replicas are the partitions of this broker at the moment.
func (b *Broker) replicas() map[int]*partition.Partition {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.partitions)
}

func (b *Broker) publishFromNowOn() {
	b.mu.Lock()
	b.isOpen = true
	b.mu.Unlock()
	b.publish()
}

// changed starts or stops the exporters of a partition, and tells the members.
func (b *Broker) changed(p *partition.Partition) {
	b.mu.Lock()
	running := b.exporters[p.ID]
	delete(b.exporters, p.ID)
	b.mu.Unlock()
	if running != nil {
		running.Stop()
		log.Printf("partition %d: not led from here any more", p.ID)
	}
	if p.Serves() {
		log.Printf("partition %d: led from here, in term %d", p.ID, p.Term())
		sink := func(exporter config.Exporter) exporting.Sink { return b.sinks[exporter.ID] }
		started := exporting.Start(p, b.settings.Exporters, sink, b.faults)
		b.mu.Lock()
		b.exporters[p.ID] = started
		b.mu.Unlock()
	}
	b.publish()
}

func (b *Broker) publish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.isOpen {
		return
	}
	isFull := b.faults.Get().DiskFull
	replicas := map[int]members.Replica{}
	for id, p := range b.partitions {
		term := p.Term() // first: a role of a later term must not bear an earlier one's
		replicas[id] = members.Replica{Role: p.Role(), Term: term, Serves: p.Serves(), Unhealthy: isFull}
	}
	b.cluster.Update(func(line *members.Line) { line.Replicas = replicas })
}

// publishFaults tells the members of what goes wrong on purpose, and of its end.
func (b *Broker) publishFaults(ctx context.Context) {
	for {
		changed := b.faults.Changed()
		b.publish()
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// becomeReady waits until each partition of this broker has heard of a leader once: then the broker stays ready for good,
// else all would leave their service at each election.
func (b *Broker) becomeReady(ctx context.Context) {
	ticker := time.NewTicker(readinessPoll)
	defer ticker.Stop()
	for !b.mayBeReady() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.isReady = true
}

func (b *Broker) mayBeReady() bool {
	if !b.faults.Has(faults.QuorumReadiness) {
		return true
	}
	replicas := b.replicas()
	if b.keeper != nil && !b.hasPartitions() {
		return b.settings.Camunda.IsReadyWithoutPartitions() && b.isOutside()
	}
	for id, p := range replicas {
		if !p.HasHeardOfLeader() {
			return false
		}
		if !b.faults.Has(faults.ReadyBeforeCommands) && !b.isServed(id) {
			return false
		}
	}
	return true
}

func (b *Broker) isServed(id int) bool {
	for _, line := range b.cluster.Brokers() {
		if line.Replicas[id].Serves {
			return true
		}
	}
	return false
}

func (b *Broker) close() error {
	var ending []func() error
	for _, p := range b.replicas() {
		ending = append(ending, p.Close)
	}
	failed := wire.Together(ending)
	b.cluster.Leave()
	return failed
}
