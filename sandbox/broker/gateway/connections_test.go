package gateway

import (
	"testing"
	"time"
)

func TestTheFirstCommandToARestartedBrokerWaitsOnTheDeadConnection(t *testing.T) {
	at := time.Unix(0, 0)
	c := newConnections(10*time.Second, func() time.Time { return at })
	to, other := connection{1, 0}, connection{2, 0}
	if _, isDead := c.use(to, 5, true); isDead {
		t.Error("the first connection of all is dead")
	}
	c.use(other, 5, true)
	if wait, isDead := c.use(to, 6, true); !isDead || wait != 10*time.Second {
		t.Errorf("after the restart: %v %v", wait, isDead)
	}
	at = at.Add(4 * time.Second)
	if wait, isDead := c.use(to, 6, true); !isDead || wait != 6*time.Second {
		t.Errorf("a command meanwhile: %v %v", wait, isDead)
	}
	at = at.Add(6 * time.Second)
	if _, isDead := c.use(to, 6, true); isDead {
		t.Error("it is renewed after the wait")
	}
	if wait, isDead := c.use(other, 6, true); !isDead || wait != 10*time.Second {
		t.Errorf("each partition has a connection of its own: %v %v", wait, isDead)
	}
}

func TestWithoutTheQuirkNoneWaits(t *testing.T) {
	c := newConnections(10*time.Second, time.Now)
	c.use(connection{1, 0}, 5, true)
	if _, isDead := c.use(connection{1, 0}, 6, false); isDead {
		t.Error("waits")
	}
}
