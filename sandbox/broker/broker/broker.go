// Package broker puts a broker together: its partitions, their exporters, and the ports it is reached at.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

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
	settings   config.Broker
	faults     *faults.Switch
	cluster    *members.Cluster
	partitions map[int]*partition.Partition
	sinks      map[string]*exporting.SearchEngine

	mu        sync.Mutex
	exporters map[int]*exporting.Group
	isOpen    bool // all partitions: before, there is nothing to publish
	isReady   bool
}

// Run runs a broker until the context ends, then gives its leaderships away.
func Run(ctx context.Context, settings config.Broker) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(settings.StartDelay):
	}
	b := &Broker{
		settings: settings, faults: faults.NewSwitch(settings.Faults), partitions: map[int]*partition.Partition{},
		sinks: map[string]*exporting.SearchEngine{}, exporters: map[int]*exporting.Group{},
	}
	for _, exporter := range settings.Exporters {
		b.sinks[exporter.ID] = exporting.NewSearchEngine(exporter)
	}
	mux, err := b.open()
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- wire.NewServer(b.commands()).Serve(mux.HTTP()) }()
	management, err := net.Listen("tcp", b.listenAt(settings.ManagementPort))
	if err != nil {
		return fmt.Errorf("the management port: %w", err)
	}
	go func() { failed <- http.Serve(management, b.faults.Wrap(b.management())) }() //nolint:gosec // as long as it takes
	go b.becomeReady(ctx)
	log.Printf("broker %d of %d started, advertised as %s", settings.ID, settings.Sizes.Brokers, settings.AdvertisedHost)
	select {
	case <-ctx.Done():
		return b.close()
	case err := <-failed:
		return errors.Join(err, b.close())
	}
}

func (b *Broker) listenAt(port int) string {
	return net.JoinHostPort(config.ListenHost(b.settings.Members.Host), strconv.Itoa(port))
}

// open joins the members and opens every partition of which this broker is a replica.
func (b *Broker) open() (*wire.Mux, error) {
	listener, err := wire.Listen(b.listenAt(b.settings.CommandPort))
	if err != nil {
		return nil, fmt.Errorf("the command port: %w", err)
	}
	mux := wire.NewMux(listener)
	line := members.Line{
		Broker: b.settings.ID, Host: b.settings.AdvertisedHost, Port: b.settings.CommandPort, Sizes: b.settings.Sizes,
	}
	b.cluster, err = members.Join("broker-"+strconv.Itoa(b.settings.ID), line, b.settings.Members, b.faults)
	if err != nil {
		return nil, err
	}
	for id := 1; id <= b.settings.Sizes.Partitions; id++ {
		if !slices.Contains(partition.Replicas(id, b.settings.Sizes), b.settings.ID) {
			continue
		}
		opened, err := partition.Open(id, b.settings, b.cluster.Table, mux, b.faults, b.changed)
		if err != nil {
			return nil, fmt.Errorf("partition %d: %w", id, err)
		}
		b.mu.Lock()
		b.partitions[id] = opened
		b.mu.Unlock()
	}
	b.mu.Lock()
	b.isOpen = true
	b.mu.Unlock()
	b.publish()
	return mux, nil
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
	replicas := map[int]members.Replica{}
	for id, p := range b.partitions {
		term := p.Term() // first: a role of a later term must not bear an earlier one's
		replicas[id] = members.Replica{Role: p.Role(), Term: term, Serves: p.Serves()}
	}
	b.cluster.Update(func(line *members.Line) { line.Replicas = replicas })
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
	for id, p := range b.partitions {
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
	for _, p := range b.partitions {
		ending = append(ending, p.Close)
	}
	failed := wire.Together(ending)
	b.cluster.Leave()
	return failed
}
