package partition

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/raft"

	"rehearsal/engine"
)

// machine is the replicated state machine: it hands the committed commands to the engine.
type machine struct {
	mu      sync.Mutex
	state   *engine.State
	changed chan struct{}
}

func newMachine(partition int) *machine {
	return &machine{state: engine.NewState(partition), changed: make(chan struct{})}
}

// Apply implements raft.FSM.
func (m *machine) Apply(entry *raft.Log) any {
	var command engine.Command
	if err := json.Unmarshal(entry.Data, &command); err != nil {
		// Every replica fails alike; to skip the entry would lose an acknowledged command.
		panic(fmt.Sprintf("entry %d of the log cannot be read: %v", entry.Index, err))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	result := m.state.Apply(command)
	m.announce()
	return result
}

// announce wakes all waiters. The caller holds mu.
func (m *machine) announce() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// look reads the state, which must not be kept.
func (m *machine) look(read func(*engine.State)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	read(m.state)
}

// wake wakes all waiters after a change outside the state.
func (m *machine) wake() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.announce()
}

// next is closed at the next change.
func (m *machine) next() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

type snapshot []byte

// Snapshot implements raft.FSM.
func (m *machine) Snapshot() (raft.FSMSnapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	document, err := json.Marshal(m.state)
	return snapshot(document), err
}

// Persist implements raft.FSMSnapshot.
func (s snapshot) Persist(sink raft.SnapshotSink) error {
	if _, err := sink.Write(s); err != nil {
		_ = sink.Cancel()
		return err
	}
	return sink.Close()
}

// Release implements raft.FSMSnapshot.
func (s snapshot) Release() {}

// Restore implements raft.FSM.
func (m *machine) Restore(reader io.ReadCloser) error {
	defer func() { _ = reader.Close() }()
	var state engine.State
	if err := json.NewDecoder(reader).Decode(&state); err != nil {
		return fmt.Errorf("the snapshot cannot be read: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = &state
	m.announce()
	return nil
}
