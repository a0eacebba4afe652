// Package engine is the state machine of one partition: pure, without clock, disk or network.
//
// Every replica applies the same commands in the same order and comes to the same state: whatever differs between
// replicas, the time above all, is stamped into the command by the leader before it is replicated.
package engine

import (
	"fmt"
	"slices"
)

// KeyBits is the number of bits below the partition in a key (Zeebe's Protocol.KEY_BITS).
const KeyBits = 51

// Kind says what a command asks for.
type Kind string

// The commands that a partition knows.
const (
	// Deploy makes a process known; on partitions other than the first with the key and version of the first.
	Deploy Kind = "deploy"
	// Create starts an instance of the latest version of a process.
	Create Kind = "create"
	// CompleteUserTask is always rejected, as there are no user tasks: operators ask it to see that a partition works.
	CompleteUserTask Kind = "complete-user-task"
	// RegisterExporters names the exporters that records are kept for. A new leader sends it before it exports.
	RegisterExporters Kind = "register-exporters"
	// Acknowledge says up to which position an exporter has written.
	Acknowledge Kind = "acknowledge"
	// EnableExporter begins an exporter at another one's position, or at the oldest record that is kept.
	EnableExporter Kind = "enable-exporter"
	// DisableExporter ends an exporter: no record waits for it any more.
	DisableExporter Kind = "disable-exporter"
)

// Rejection is the reason for which a command changes nothing.
type Rejection string

// NotFound is the rejection of a command whose object is not there.
const NotFound Rejection = "NOT_FOUND"

// Command is one entry of a partition's log.
type Command struct {
	Kind       Kind        `json:"kind"`
	Now        int64       `json:"now"` // milliseconds since the epoch, stamped by the leader
	Process    string      `json:"process,omitempty"`
	Definition *Definition `json:"definition,omitempty"`
	Exporters  []string    `json:"exporters,omitempty"`
	Exporter   string      `json:"exporter,omitempty"`
	From       string      `json:"from,omitempty"` // whose position an enabled exporter takes over
	Position   int64       `json:"position,omitempty"`
}

// Validate refuses what clients may not send: an entry that cannot be applied would stop every replica.
func (c Command) Validate() error {
	if c.Kind == Create || c.Kind == CompleteUserTask || (c.Kind == Deploy && c.Definition != nil) {
		return nil
	}
	return fmt.Errorf("no command of a client: %q", c.Kind)
}

// Result is the answer to a command.
type Result struct {
	Rejection  Rejection `json:"rejection,omitempty"`
	Key        int64     `json:"key,omitempty"`
	Definition int64     `json:"definition,omitempty"`
	Version    int32     `json:"version,omitempty"`
}

// State is everything that the replicas of a partition agree on.
type State struct {
	Partition int64 `json:"partition"`
	// NextKey and Position are the last ones assigned.
	NextKey  int64 `json:"nextKey"`
	Position int64 `json:"position"`
	// Processed is the position of the last command.
	Processed   int64                `json:"processed"`
	Counters    Counters             `json:"counters"`
	Definitions map[int64]Definition `json:"definitions"`
	Latest      map[string]int64     `json:"latest"`
	// Instances are the keys of all instances, which grow.
	Instances []int64 `json:"instances"`
	// Pending are the groups of records that some exporter has not written yet, oldest first.
	Pending []Group `json:"pending"`
	// Exported is the position up to which each registered exporter has written; nil before the first registration.
	Exported map[string]int64 `json:"exported"`
	// Disabled are exporters that are not registered although brokers are configured with them.
	Disabled map[string]bool `json:"disabled,omitempty"`
}

// Counters number the records of each value type.
type Counters struct {
	Process    int64 `json:"process"`
	Deployment int64 `json:"deployment"`
	Creation   int64 `json:"creation"`
	Instance   int64 `json:"instance"`
	Job        int64 `json:"job"`
}

// Group stands for all records of one command: they are written out only when they are exported, so that a long
// absence of a search engine costs a few bytes an instance and not its documents.
type Group struct {
	Kind       Kind     `json:"kind"`
	First      int64    `json:"first"` // position of the command
	Last       int64    `json:"last"`
	Now        int64    `json:"now"`
	Key        int64    `json:"key"` // the first key given away
	Definition int64    `json:"definition"`
	Counters   Counters `json:"counters"` // before the command
}

// NewState is the state of a partition that has seen no command.
func NewState(partition int) *State {
	return &State{
		Partition:   int64(partition),
		Definitions: map[int64]Definition{},
		Latest:      map[string]int64{},
	}
}

// Apply carries out a command and returns what its sender is told.
func (s *State) Apply(c Command) Result {
	switch c.Kind {
	case Deploy:
		return s.deploy(c)
	case Create:
		return s.create(c)
	case CompleteUserTask:
		return s.reject()
	case RegisterExporters:
		s.register(c.Exporters)
	case Acknowledge:
		s.acknowledge(c.Exporter, c.Position)
	case EnableExporter:
		s.enable(c.Exporter, c.From)
	case DisableExporter:
		s.disable(c.Exporter)
	default:
		panic("unknown command " + string(c.Kind)) // to ignore it would let replicas of different versions diverge
	}
	return Result{}
}

// reject takes the positions of a command and its rejection, neither of which is exported.
func (s *State) reject() Result {
	s.Processed = s.Position + 1
	s.Position += 2
	return Result{Rejection: NotFound}
}

func (s *State) deploy(c Command) Result {
	wanted := *c.Definition
	if latest, known := s.Definitions[s.Latest[wanted.Process]]; known && latest.Checksum == wanted.Checksum {
		return Result{Key: latest.Key, Definition: latest.Key, Version: latest.Version}
	}
	group := Group{Kind: Deploy, Now: c.Now, Key: s.NextKey + 1, Counters: s.Counters}
	if wanted.Key == 0 {
		wanted.Key = s.key(s.NextKey + 1)
		wanted.Version = s.Definitions[s.Latest[wanted.Process]].Version + 1
	}
	s.NextKey += 2
	s.Definitions[wanted.Key] = wanted
	s.Latest[wanted.Process] = wanted.Key
	group.Definition = wanted.Key
	s.Counters.Process++
	s.Counters.Deployment++
	s.append(group, deployPositions, 0)
	return Result{Key: wanted.Key, Definition: wanted.Key, Version: wanted.Version}
}

func (s *State) create(c Command) Result {
	definition, known := s.Definitions[s.Latest[c.Process]]
	if !known {
		return s.reject()
	}
	group := Group{Kind: Create, Now: c.Now, Key: s.NextKey + 1, Definition: definition.Key, Counters: s.Counters}
	s.NextKey += createKeys
	s.Counters.Creation++
	s.Counters.Instance += instanceEvents
	s.Counters.Job++
	s.append(group, createPositions, activateOffset)
	instance := s.key(group.Key)
	s.Instances = append(s.Instances, instance)
	return Result{Key: instance, Definition: definition.Key, Version: definition.Version}
}

// append adds a group of so many positions, of which the last command stands at an offset.
func (s *State) append(group Group, positions, lastCommand int64) {
	group.First, group.Last = s.Position+1, s.Position+positions
	s.Position = group.Last
	s.Processed = group.First + lastCommand
	s.Pending = append(s.Pending, group)
	s.forget()
}

func (s *State) key(counter int64) int64 { return s.Partition<<KeyBits | counter }

// register begins exporters that are new with the oldest record that is kept, and forgets those that are gone.
func (s *State) register(exporters []string) {
	registered := map[string]int64{}
	for _, exporter := range exporters {
		if !s.Disabled[exporter] {
			registered[exporter] = s.Kept(exporter)
		}
	}
	s.Exported = registered
	s.forget()
}

// enable is asked by every replica's broker: only the first counts.
func (s *State) enable(exporter, from string) {
	delete(s.Disabled, exporter)
	if _, registered := s.Exported[exporter]; !registered && s.Exported != nil {
		s.Exported[exporter] = s.Kept(from)
	}
}

func (s *State) disable(exporter string) {
	if s.Disabled == nil {
		s.Disabled = map[string]bool{}
	}
	s.Disabled[exporter] = true
	delete(s.Exported, exporter)
	s.forget()
}

func (s *State) acknowledge(exporter string, position int64) {
	if kept, registered := s.Exported[exporter]; registered && position > kept {
		s.Exported[exporter] = position
		s.forget()
	}
}

// forget drops the records that every exporter has written. Before the first registration all are kept.
func (s *State) forget() {
	if s.Exported == nil {
		return
	}
	lowest := s.Position
	for _, position := range s.Exported {
		lowest = min(lowest, position)
	}
	written := slices.IndexFunc(s.Pending, func(g Group) bool { return g.Last > lowest })
	if written < 0 {
		written = len(s.Pending)
	}
	if written > 0 {
		s.Pending = append([]Group(nil), s.Pending[written:]...)
	}
}

// Opens reports whether an exporter is registered.
func (s *State) Opens(exporter string) bool {
	_, registered := s.Exported[exporter]
	return registered
}

// Kept is the position up to which an exporter has written, -1 before its first.
func (s *State) Kept(exporter string) int64 {
	if position, registered := s.Exported[exporter]; registered {
		return position
	}
	return -1
}

// ExportedPosition is the lowest position of all exporters, -1 before the first and without any.
func (s *State) ExportedPosition() int64 {
	lowest := int64(-1)
	first := true
	for _, position := range s.Exported {
		if first || position < lowest {
			lowest, first = position, false
		}
	}
	return lowest
}
