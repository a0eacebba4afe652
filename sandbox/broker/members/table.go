// Package members is the table of all brokers and gateways, which everybody keeps and exchanges with the others.
package members

import (
	"maps"
	"net"
	"strconv"
	"sync"
	"time"

	"rehearsal/config"
)

// Gateway is the broker id of those that are none.
const Gateway = -1

// Role of a broker in a partition.
type Role string

// The roles, as the management API spells them; the topology has them in lower case.
const (
	Leader   Role = "LEADER"
	Follower Role = "FOLLOWER"
	Inactive Role = "INACTIVE"
)

// Replica is what a broker says of one partition.
type Replica struct {
	Role Role `json:"role"`
	// Term is the election in which it got the role.
	Term uint64 `json:"term,omitempty"`
	// Serves reports whether a leader takes commands already.
	Serves bool `json:"serves,omitempty"`
	// Unhealthy reports whether it processes nothing, though it may lead.
	Unhealthy bool `json:"unhealthy,omitempty"`
}

// Line is what is known of one incarnation of a broker or gateway: a restarted one is another.
type Line struct {
	Broker  int          `json:"broker"`
	Host    string       `json:"host"` // advertised
	IP      string       `json:"ip"`
	Port    int          `json:"port"`    // of commands and raft
	Members int          `json:"members"` // of this table's exchange
	Born    int64        `json:"born"`    // milliseconds since the epoch
	Beat    int64        `json:"beat"`    // grows as long as it lives
	Left    bool         `json:"left,omitempty"`
	Sizes   config.Sizes `json:"sizes"`
	// Configured reports whether a broker has a configuration of the cluster (8.6 and later).
	Configured bool            `json:"configured,omitempty"`
	Replicas   map[int]Replica `json:"replicas,omitempty"`
}

// Address is where a broker takes commands.
func (l Line) Address() string { return net.JoinHostPort(l.IP, strconv.Itoa(l.Port)) }

// exchange is where it takes tables.
func (l Line) exchange() string { return net.JoinHostPort(l.IP, strconv.Itoa(l.Members)) }

// forgotten is how many time-outs a silent line is kept for: an older incarnation must not come to life behind it.
const forgotten = 10

// Table is one process's knowledge of all.
type Table struct {
	mu      sync.Mutex
	self    string
	lines   map[string]Line
	heard   map[string]time.Time
	timeout func() time.Duration
	now     func() time.Time
}

// NewTable begins with the own line.
//
// A line is alive as long as its beat has grown within the time-out by the clock now.
func NewTable(self string, line Line, timeout func() time.Duration, now func() time.Time) *Table {
	t := &Table{self: self, lines: map[string]Line{}, heard: map[string]time.Time{}, timeout: timeout, now: now}
	t.lines[self], t.heard[self] = line, now()
	return t
}

// Merge takes in what another one knows.
func (t *Table) Merge(lines map[string]Line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, line := range lines {
		if known, ok := t.lines[name]; name != t.self && (!ok || line.Beat > known.Beat) {
			t.lines[name], t.heard[name] = line, t.now()
		}
	}
}

// Update changes the own line and tells by its beat that it is alive.
func (t *Table) Update(change func(*Line)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.lines[t.self]
	change(&line)
	line.Beat++
	t.lines[t.self], t.heard[t.self] = line, t.now()
}

// Alive returns the lines that are alive, and forgets those that have long been silent.
func (t *Table) Alive() map[string]Line {
	t.mu.Lock()
	defer t.mu.Unlock()
	timeout, now := t.timeout(), t.now()
	for name, heard := range t.heard {
		if now.Sub(heard) > forgotten*timeout {
			delete(t.heard, name)
			delete(t.lines, name)
		}
	}
	alive := maps.Clone(t.lines)
	maps.DeleteFunc(alive, func(name string, _ Line) bool { return now.Sub(t.heard[name]) > timeout })
	return alive
}

// Others returns the lines that are alive and not the own one.
func (t *Table) Others() map[string]Line {
	others := t.Alive()
	delete(others, t.self)
	return others
}

// Brokers returns the living broker of each id. Of several incarnations the youngest counts, even if it is silent: an
// older one is not the broker any more.
func (t *Table) Brokers() map[int]Line {
	alive := t.Alive()
	t.mu.Lock()
	defer t.mu.Unlock()
	youngest := map[int]string{}
	for name, line := range t.lines {
		if other, ok := youngest[line.Broker]; line.Broker != Gateway && (!ok || t.lines[other].Born < line.Born) {
			youngest[line.Broker] = name
		}
	}
	brokers := map[int]Line{}
	for broker, name := range youngest {
		if line, ok := alive[name]; ok && !line.Left {
			brokers[broker] = line
		}
	}
	return brokers
}
