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

// ErrDiskFull is the answer to every command while the broker's disk is full: it is not carried out.
var ErrDiskFull = errors.New("Broker is out of disk space") //nolint:staticcheck // the real one's text

// Replicas returns the brokers that hold a partition; its first is the one that should lead.
func Replicas(partition int, sizes config.Sizes) []int {
	brokers := make([]int, sizes.ReplicationFactor)
	for rank := range brokers {
		brokers[rank] = (partition - 1 + rank) % sizes.Brokers
	}
	return brokers
}

// Start says how a replica begins.
type Start struct {
	// Replicas are the brokers that hold the partition, the one that should lead first.
	Replicas []int
	// Joins: it is no replica yet, and waits until the leader takes it in.
	Joins bool
}

// Partition is one replica.
type Partition struct {
	ID        int
	machine   *machine
	store     *store
	snapshots raft.SnapshotStore
	phase     *phaseFile
	mux       *wire.Mux
	table     *members.Table
	faults    *faults.Switch
	settings  config.Broker
	logger    hclog.Logger
	changed   func(*Partition)

	// running is replaced when the partition's group is changed by force.
	running  atomic.Pointer[run]
	changing sync.Mutex
	heard    atomic.Bool
	mu       sync.Mutex
	rank     int
	serves   bool
	told     int64 // what a follower knows of the exported position
	toldAt   time.Time
	pausedAt time.Time
}

// run is raft at work, between two changes of the group by force.
type run struct {
	raft      *raft.Raft
	port      *wire.Port
	transport raft.Transport
	stop      chan struct{}
	stopped   chan struct{}
}

func (p *Partition) raft() *raft.Raft { return p.running.Load().raft }

// Open starts a replica on the broker's disk: an empty one begins with the configuration that all replicas begin with.
//
// changed is called whenever this replica's role changes, or it begins to serve; never twice at the same time.
func Open(id int, start Start, settings config.Broker, table *members.Table, mux *wire.Mux, switches *faults.Switch,
	changed func(*Partition),
) (*Partition, error) {
	folder := Folder(settings.DataFolder, id)
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
	p := &Partition{
		ID: id, machine: newMachine(id), store: stored, snapshots: snapshots, phase: phase, mux: mux, table: table,
		faults: switches, settings: settings, logger: logger, changed: changed, told: -1,
		rank: slices.Index(start.Replicas, settings.ID),
	}
	if phase.get() != Exporting {
		p.pausedAt = time.Now()
	}
	opened := p.newRun()
	if !start.Joins {
		if err := p.bootstrap(start.Replicas, opened.transport); err != nil {
			return nil, err
		}
	}
	return p, p.begin(opened)
}

// Folder is where a partition lies on a broker's disk.
func Folder(data string, id int) string { return filepath.Join(Folders(data), strconv.Itoa(id)) }

// Folders is where all partitions lie on a broker's disk.
func Folders(data string) string { return filepath.Join(data, "raft-partition", "partitions") }

// newRun opens the port for the partition's traffic.
func (p *Partition) newRun() *run {
	port := p.mux.Partition(byte(p.ID))
	transport := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: &layer{
			Port: port, own: address(p.settings.ID), partition: byte(p.ID), table: p.table, faults: p.faults,
		},
		Logger:  p.logger,
		MaxPool: transportPool,
		Timeout: transportTimeout,
	})
	return &run{port: port, transport: transport, stop: make(chan struct{}), stopped: make(chan struct{})}
}

// begin lets raft work.
func (p *Partition) begin(opened *run) (err error) {
	opened.raft, err = raft.NewRaft(p.raftConfig(), p.machine, p.store, p.store, p.snapshots, opened.transport)
	if err != nil {
		return err
	}
	p.running.Store(opened)
	go p.follow(opened)
	return nil
}

// newLogger logs raft's errors, but for those that it repeats as long as a broker is away, or after a change by force.
func newLogger(id int) hclog.Logger {
	repeated := []string{
		"failed to heartbeat to", "failed to appendEntries to", "failed to make requestVote RPC",
		"failed to pipeline appendEntries", "failed to start pipeline replication to", "failed to send snapshot to",
		"failed to flush response", "failed to decode incoming command", "failed to accept connection", "failed to get log",
	}
	return hclog.New(&hclog.LoggerOptions{
		Name: "partition-" + strconv.Itoa(id), Level: hclog.Error, Output: os.Stderr,
		Exclude: func(_ hclog.Level, message string, _ ...any) bool { return slices.Contains(repeated, message) },
	})
}

func (p *Partition) raftConfig() *raft.Config {
	made := raft.DefaultConfig()
	made.LocalID = raft.ServerID(strconv.Itoa(p.settings.ID))
	made.Logger = p.logger
	made.HeartbeatTimeout = p.electionTimeout()
	made.ElectionTimeout = made.HeartbeatTimeout
	made.LeaderLeaseTimeout = p.settings.Election
	made.CommitTimeout = commitTimeout
	made.SnapshotThreshold = uint64(p.settings.SnapshotEntries)
	made.SnapshotInterval = min(snapshotInterval, time.Duration(p.settings.SnapshotEntries)*10*time.Millisecond)
	made.TrailingLogs = uint64(p.settings.SnapshotEntries / 4)
	made.NoLegacyTelemetry = true
	return made
}

// electionTimeout spreads leaders, which Zeebe does by priority: each later replica waits longer, so that the first one
// stands first.
func (p *Partition) electionTimeout() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.settings.Election + time.Duration(max(p.rank, 0))*p.settings.Election*2/3
}

func (p *Partition) bootstrap(replicas []int, transport raft.Transport) error {
	exists, err := raft.HasExistingState(p.store, p.store, p.snapshots)
	if err != nil || exists {
		return err
	}
	return raft.BootstrapCluster(p.raftConfig(), p.store, p.store, p.snapshots, transport, group(replicas))
}

// group is a partition's group as raft has it.
func group(replicas []int) raft.Configuration {
	var servers raft.Configuration
	for _, broker := range replicas {
		servers.Servers = append(servers.Servers, raft.Server{
			ID: raft.ServerID(strconv.Itoa(broker)), Address: address(broker),
		})
	}
	return servers
}

// follow installs the partition whenever this replica is elected: until then it refuses commands, as a real one does.
func (p *Partition) follow(running *run) {
	defer close(running.stopped)
	for {
		select {
		case <-running.stop:
			p.setServes(false)
			p.changed(p)
			return
		case leads := <-running.raft.LeaderCh():
			p.setServes(false)
			p.changed(p)
			if leads && p.install() {
				p.setServes(true)
				p.changed(p)
			}
		}
	}
}

// install reports whether the partition is installed; if not, the replica was deposed, and the new leader installs it.
func (p *Partition) install() bool {
	time.Sleep(p.settings.Installation)
	for p.raft().State() == raft.Leader {
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
	if err := p.raft().Barrier(applyTimeout).Error(); err != nil {
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
func (p *Partition) Term() uint64 { return p.raft().CurrentTerm() }

// Serves reports whether this replica leads and takes commands.
func (p *Partition) Serves() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.serves && p.raft().State() == raft.Leader
}

func (p *Partition) isDiskFull() bool { return p.faults.Get().DiskFull }

// Role is this replica's role.
func (p *Partition) Role() members.Role {
	switch p.raft().State() {
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
	if _, leader := p.raft().LeaderWithID(); leader != "" {
		p.heard.Store(true)
	}
	return p.heard.Load()
}

// Apply replicates a command and carries it out.
//
// ErrNotServing, ErrDiskFull: it was not tried. Any other error: it may or may not be carried out, now or later.
func (p *Partition) Apply(command engine.Command) (engine.Result, error) {
	if p.isDiskFull() {
		return engine.Result{}, fmt.Errorf("Cannot accept requests for partition %d. %w", p.ID, ErrDiskFull)
	}
	if !p.Serves() {
		return engine.Result{}, ErrNotServing
	}
	if !p.faults.Has(faults.UnansweredStillCarried) {
		// Without the quirk nothing is written that cannot be carried out now.
		if err := p.raft().VerifyLeader().Error(); err != nil {
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
	applied := p.raft().Apply(entry, timeout)
	if err := applied.Error(); err != nil {
		return engine.Result{}, fmt.Errorf("partition %d: %w", p.ID, err)
	}
	result, ok := applied.Response().(engine.Result)
	if !ok {
		return engine.Result{}, fmt.Errorf("partition %d: an answer of type %T", p.ID, applied.Response())
	}
	return result, nil
}

// SwitchExporter enables or disables an exporter of this partition, which must be led from here.
func (p *Partition) SwitchExporter(kind engine.Kind, exporter, from string) error {
	if !p.Serves() {
		return ErrNotServing
	}
	_, err := p.apply(engine.Command{Kind: kind, Exporter: exporter, From: from}, exporterTimeout)
	return err
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
	if p.isDiskFull() {
		status.StreamProcessorPhase = "PAUSED"
		status.Health.Status = "UNHEALTHY"
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
	return p.raft().LeadershipTransferToServer(raft.ServerID(strconv.Itoa(broker)), address(broker)).Error()
}

// Close gives leadership away and ends the replica.
func (p *Partition) Close() error {
	p.changing.Lock()
	defer p.changing.Unlock()
	if p.raft().State() == raft.Leader {
		_ = p.raft().LeadershipTransfer().Error() // without one who can take it, the others elect one
	}
	return errors.Join(p.end(), p.store.close())
}

// end ends raft. First the port: raft waits until its dials end, and those wait for lost brokers to come into sight.
func (p *Partition) end() error {
	running := p.running.Load()
	err := errors.Join(running.port.Close(), running.raft.Shutdown().Error())
	close(running.stop)
	<-running.stopped
	return err
}
