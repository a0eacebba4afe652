package gateway

import (
	"sync"
	"time"
)

// connection is what the real gateway keeps for the commands of one partition to one broker.
type connection struct{ partition, broker int }

// connections remembers which incarnation of a broker each connection leads to.
//
// The real gateway learns that a connection to a broker that has restarted is dead only when a command has waited on it
// for some ten seconds; all others of that partition wait meanwhile. Sockets here are closed properly, so it is made on
// purpose: the first command to another incarnation waits, and fails, and so do those that come meanwhile.
type connections struct {
	mu      sync.Mutex
	dead    time.Duration
	now     func() time.Time
	born    map[connection]int64
	renewed map[connection]time.Time
}

func newConnections(dead time.Duration, now func() time.Time) *connections {
	return &connections{dead: dead, now: now, born: map[connection]int64{}, renewed: map[connection]time.Time{}}
}

// use returns for how long a command waits before it fails, and false where the connection is alive.
func (c *connections) use(to connection, born int64, hasQuirk bool) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, known := c.born[to]
	if !known || before == born || c.dead == 0 || !hasQuirk {
		c.born[to] = born
		delete(c.renewed, to)
		return 0, false
	}
	end, isWaiting := c.renewed[to]
	if !isWaiting {
		end = c.now().Add(c.dead)
		c.renewed[to] = end
	}
	if wait := end.Sub(c.now()); wait > 0 {
		return wait, true
	}
	c.born[to] = born
	delete(c.renewed, to)
	return 0, false
}
