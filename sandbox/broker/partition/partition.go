// Package partition is one replica of one partition: raft, its log on the disk, and the engine's state on top.
package partition

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"rehearsal/config"
	"rehearsal/engine"
	"rehearsal/faults"
	"rehearsal/members"
	"rehearsal/wire"
)

const (
	snapshotsKept    = 2
	snapshotInterval = 20 * time.Second
	commitTimeout    = time.Second
	transportTimeout = 2 * time.Second
	transportPool    = 2
	applyTimeout     = 10 * time.Second
	exporterTimeout  = 2 * time.Second
	installRetry     = 100 * time.Millisecond
)

// ErrNotServing is the answer to a command where the partition is not led, or not installed yet.
var ErrNotServing = errors.New("this broker does not lead the partition, or has not installed it yet")

// Replicas returns the brokers that hold a partition; its first is the one that should lead.
func Replicas(partition int, sizes config.Sizes) []int {
	brokers := make([]int, sizes.ReplicationFactor)
	for rank := range brokers {
		brokers[rank] = (partition - 1 + rank) % sizes.Brokers
	}
	return brokers
}

// Partition is one replica.
type Partition struct {
	ID       int
	machine  *machine
	store    *store
	phase    *phaseFile
	raft     *raft.Raft
	port     *wire.Port
	faults   *faults.Switch
	settings config.Broker

	heard    atomic.Bool
	mu       sync.Mutex
	serves   bool
	told     int64 // what a follower knows of the exported position
	toldAt   time.Time
	pausedAt time.Time
}

// Open starts a replica on the broker's disk: an empty one begins with the configuration that all replicas begin with.
//
// changed is called whenever this replica's role changes, or it begins to serve; never twice at the same time.
func Open(id int, settings config.Broker, table *members.Table, mux *wire.Mux, switches *faults.Switch,
	changed func(*Partition),
) (*Partition, error) {
	folder := filepath.Join(settings.DataFolder, "raft-partition", "partitions", strconv.Itoa(id))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	phase, err := openPhase(folder)
	if err != nil {
		return nil, err
	}
	stored, err := openStore(filepath.Join(folder, "raft.db"))
	if err != nil {
		return nil, err
	}
	logger := newLogger(id)
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(folder, snapshotsKept, logger)
	if err != nil {
		return nil, err
	}
	port := mux.Partition(byte(id))
	transport := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: &layer{
			Port: port, own: address(settings.ID), partition: byte(id), table: table, faults: switches,
		},
		Logger:  logger,
		MaxPool: transportPool,
		Timeout: transportTimeout,
	})
	p := &Partition{
		ID: id, port: port, machine: newMachine(id), store: stored, phase: phase, faults: switches, settings: settings, told: -1,
	}
	if phase.get() != Exporting {
		p.pausedAt = time.Now()
	}
	configuration := raftConfig(id, settings, logger)
	if err := bootstrap(configuration, id, settings.Sizes, stored, snapshots, transport); err != nil {
		return nil, err
	}
	p.raft, err = raft.NewRaft(configuration, p.machine, stored, stored, snapshots, transport)
	if err != nil {
		return nil, err
	}
	go p.follow(changed)
	return p, nil
}

// newLogger logs raft's errors, but for those that it repeats as long as a broker is away.
func newLogger(id int) hclog.Logger {
	repeated := []string{
		"failed to heartbeat to", "failed to appendEntries to", "failed to make requestVote RPC",
		"failed to pipeline appendEntries", "failed to start pipeline replication to", "failed to send snapshot to",
		"failed to flush response", "failed to decode incoming command",
	}
	return hclog.New(&hclog.LoggerOptions{
		Name: "partition-" + strconv.Itoa(id), Level: hclog.Error, Output: os.Stderr,
		Exclude: func(_ hclog.Level, message string, _ ...any) bool { return slices.Contains(repeated, message) },
	})
}

func raftConfig(id int, settings config.Broker, logger hclog.Logger) *raft.Config {
	made := raft.DefaultConfig()
	made.LocalID = raft.ServerID(strconv.Itoa(settings.ID))
	made.Logger = logger
	made.HeartbeatTimeout = settings.Election
	// Zeebe spreads leaders by priority; here each later replica waits longer, so the first one stands first.
	for rank, broker := range Replicas(id, settings.Sizes) {
		if broker == settings.ID {
			made.HeartbeatTimeout += time.Duration(rank) * settings.Election * 2 / 3
		}
	}
	made.ElectionTimeout = made.HeartbeatTimeout
	made.LeaderLeaseTimeout = settings.Election
	made.CommitTimeout = commitTimeout
	made.SnapshotThreshold = uint64(settings.SnapshotEntries)
	made.SnapshotInterval = min(snapshotInterval, time.Duration(settings.SnapshotEntries)*10*time.Millisecond)
	made.TrailingLogs = uint64(settings.SnapshotEntries / 4)
	made.NoLegacyTelemetry = true
	return made
}

func bootstrap(configuration *raft.Config, id int, sizes config.Sizes, stored *store, snapshots raft.SnapshotStore,
	transport raft.Transport,
) error {
	exists, err := raft.HasExistingState(stored, stored, snapshots)
	if err != nil || exists {
		return err
	}
	var servers raft.Configuration
	for _, broker := range Replicas(id, sizes) {
		servers.Servers = append(servers.Servers, raft.Server{
			ID: raft.ServerID(strconv.Itoa(broker)), Address: address(broker),
		})
	}
	return raft.BootstrapCluster(configuration, stored, stored, snapshots, transport, servers)
}

// follow installs the partition whenever this replica is elected: until then it refuses commands, as a real one does.
func (p *Partition) follow(changed func(*Partition)) {
	for leads := range p.raft.LeaderCh() {
		p.setServes(false)
		changed(p)
		if leads && p.install() {
			p.setServes(true)
			changed(p)
		}
	}
}

// install reports whether the partition is installed; if not, the replica was deposed, and the new leader installs it.
func (p *Partition) install() bool {
	time.Sleep(p.settings.Installation)
	for p.raft.State() == raft.Leader {
		err := p.tryInstall()
		if err == nil {
			return true
		}
		log.Printf("partition %d is not installed: %v", p.ID, err)
		time.Sleep(installRetry)
	}
	return false
}

// tryInstall makes sure that all earlier commands are applied, and that records are kept for this broker's exporters.
func (p *Partition) tryInstall() error {
	if err := p.raft.Barrier(applyTimeout).Error(); err != nil {
		return err
	}
	exporters := make([]string, 0, len(p.settings.Exporters))
	for _, exporter := range p.settings.Exporters {
		exporters = append(exporters, exporter.ID)
	}
	_, err := p.apply(engine.Command{Kind: engine.RegisterExporters, Exporters: exporters}, applyTimeout)
	return err
}

func (p *Partition) setServes(serves bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serves = serves
}

// Term is the election that this replica knows of.
func (p *Partition) Term() uint64 { return p.raft.CurrentTerm() }

// Serves reports whether this replica leads and takes commands.
func (p *Partition) Serves() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.serves && p.raft.State() == raft.Leader
}

// Role is this replica's role.
func (p *Partition) Role() members.Role {
	switch p.raft.State() {
	case raft.Leader:
		return members.Leader
	case raft.Shutdown:
		return members.Inactive
	default:
		return members.Follower
	}
}

// HasHeardOfLeader reports whether this replica has ever known a leader of its partition.
func (p *Partition) HasHeardOfLeader() bool {
	if _, leader := p.raft.LeaderWithID(); leader != "" {
		p.heard.Store(true)
	}
	return p.heard.Load()
}

// Apply replicates a command and carries it out.
//
// ErrNotServing: it was not tried. Any other error: it may or may not be carried out, now or later.
func (p *Partition) Apply(command engine.Command) (engine.Result, error) {
	if !p.Serves() {
		return engine.Result{}, ErrNotServing
	}
	if !p.faults.Has(faults.UnansweredStillCarried) {
		// Without the quirk nothing is written that cannot be carried out now.
		if err := p.raft.VerifyLeader().Error(); err != nil {
			return engine.Result{}, errors.Join(ErrNotServing, err)
		}
	}
	return p.apply(command, applyTimeout)
}

func (p *Partition) apply(command engine.Command, timeout time.Duration) (engine.Result, error) {
	command.Now = time.Now().UnixMilli()
	entry, err := json.Marshal(command)
	if err != nil {
		return engine.Result{}, err
	}
	applied := p.raft.Apply(entry, timeout)
	if err := applied.Error(); err != nil {
		return engine.Result{}, fmt.Errorf("partition %d: %w", p.ID, err)
	}
	result, ok := applied.Response().(engine.Result)
	if !ok {
		return engine.Result{}, fmt.Errorf("partition %d: an answer of type %T", p.ID, applied.Response())
	}
	return result, nil
}

// SetPhase pauses or resumes exporting on this replica.
func (p *Partition) SetPhase(phase Phase) error {
	err := p.phase.set(phase, p.faults.Has(faults.PausePersists), !p.faults.Has(faults.NoMixedPause))
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.pausedAt = time.Now()
	p.mu.Unlock()
	p.machine.wake()
	return nil
}

// Status is what the management API says of a replica.
type Status struct {
	Role                        members.Role `json:"role"`
	ProcessedPosition           int64        `json:"processedPosition"`
	SnapshotID                  *string      `json:"snapshotId"`
	ProcessedPositionInSnapshot *int64       `json:"processedPositionInSnapshot"`
	StreamProcessorPhase        string       `json:"streamProcessorPhase"`
	// ExporterPhase is absent while a leader installs the partition.
	ExporterPhase    Phase  `json:"exporterPhase,omitempty"`
	ExportedPosition int64  `json:"exportedPosition"`
	Health           Health `json:"health"`
}

// Health of a replica, as the management API has it.
type Health struct {
	ID       string   `json:"id"`
	Status   string   `json:"status"`
	Children []Health `json:"children"`
}

// Status says how this replica stands.
func (p *Partition) Status() Status {
	status := Status{
		Role: p.Role(), StreamProcessorPhase: "REPLAY", ExporterPhase: p.phase.get(),
		Health: Health{ID: "Partition-" + strconv.Itoa(p.ID), Status: "HEALTHY", Children: []Health{}},
	}
	var exported int64
	p.machine.look(func(state *engine.State) {
		status.ProcessedPosition, exported = state.Processed, state.ExportedPosition()
	})
	if status.Role == members.Leader {
		status.StreamProcessorPhase = "PROCESSING"
		if !p.Serves() {
			status.ExporterPhase = ""
			status.Health.Status = "UNHEALTHY"
		}
	}
	status.ExportedPosition = p.tell(exported, status.Role == members.Leader)
	return status
}

// tell returns what this replica knows of the exported position: a follower hears of it from time to time.
func (p *Partition) tell(exported int64, leads bool) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if leads || !p.faults.Has(faults.FollowersLag) || time.Since(p.toldAt) >= p.settings.Distribution {
		p.told, p.toldAt = exported, time.Now()
	}
	return p.told
}

// Instances are the keys of all instances that this replica knows.
func (p *Partition) Instances() []int64 {
	var instances []int64
	p.machine.look(func(state *engine.State) { instances = append(instances, state.Instances...) })
	return instances
}

// GiveLeadershipTo lets another replica lead, once it has everything; it fails where this one does not lead.
func (p *Partition) GiveLeadershipTo(broker int) error {
	return p.raft.LeadershipTransferToServer(raft.ServerID(strconv.Itoa(broker)), address(broker)).Error()
}

// Close gives leadership away and ends the replica.
func (p *Partition) Close() error {
	if p.raft.State() == raft.Leader {
		_ = p.raft.LeadershipTransfer().Error() // without one who can take it, the others elect one
	}
	// First the port: raft waits until its dials end, and those wait for lost brokers to come into sight.
	return errors.Join(p.port.Close(), p.raft.Shutdown().Error(), p.store.close())
}
