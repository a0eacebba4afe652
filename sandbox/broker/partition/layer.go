package partition

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/raft"

	"rehearsal/faults"
	"rehearsal/members"
	"rehearsal/wire"
)

const (
	// sight is how long a dial waits for a broker to appear in the members' table.
	sight = 10 * time.Second
	poll  = 50 * time.Millisecond
	// unknownPeer is the other end of an accepted connection: raft does not introduce it.
	unknownPeer = -1
)

var (
	errNotInSight = errors.New("the broker is not in sight")
	errFault      = errors.New("cut off on purpose")
)

// layer is one partition's raft traffic over the brokers' common port. Raft knows brokers by id; where they are, the
// members' table says at each dial, as a broker that comes back has another address.
type layer struct {
	*wire.Port
	own       raft.ServerAddress
	partition byte
	table     *members.Table
	faults    *faults.Switch
}

// address is what raft knows a broker by.
func address(broker int) raft.ServerAddress { return raft.ServerAddress(strconv.Itoa(broker)) }

// raftAddress is a ServerAddress as a net.Addr.
type raftAddress raft.ServerAddress

// Network implements net.Addr.
func (raftAddress) Network() string { return "broker" }

// String implements net.Addr.
func (a raftAddress) String() string { return string(a) }

// Addr implements net.Listener. It becomes raft's local address and must be unique for each broker: raft remembers whom
// it voted for by address, not by id, and all brokers in pods listen on the same wildcard address.
func (l *layer) Addr() net.Addr { return raftAddress(l.own) }

// Dial implements raft.StreamLayer.
//
// It waits for a broker that is not in sight instead of failing: raft's own pause after failures grows to ten seconds.
func (l *layer) Dial(target raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	broker, err := strconv.Atoi(string(target))
	if err != nil {
		return nil, err
	}
	place, err := l.find(broker)
	if err != nil {
		return nil, err
	}
	connection, err := wire.Dial(context.Background(), place, timeout)
	if err != nil {
		return nil, err
	}
	if _, err := connection.Write([]byte{l.partition}); err != nil {
		_ = connection.Close()
		return nil, err
	}
	return &gated{connection, l, broker}, nil
}

// Accept implements net.Listener.
func (l *layer) Accept() (net.Conn, error) {
	connection, err := l.Port.Accept()
	if err != nil {
		return nil, err
	}
	return &gated{connection, l, unknownPeer}, nil
}

func (l *layer) find(broker int) (string, error) {
	deadline := time.After(sight)
	for {
		if line, ok := l.table.Brokers()[broker]; ok && l.fault(broker) == nil {
			return line.Address(), nil
		}
		select {
		case <-time.After(poll):
		case <-deadline:
			return "", fmt.Errorf("broker %d: %w", broker, errNotInSight)
		case <-l.Closed():
			return "", net.ErrClosed
		}
	}
}

func (l *layer) fault(broker int) error {
	if l.faults.IsLeaderless(int(l.partition)) || l.faults.IsCut(broker) {
		return errFault
	}
	return nil
}

// gated is a connection that a fault closes.
type gated struct {
	net.Conn
	layer  *layer
	broker int
}

func (g *gated) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if fault := g.layer.fault(g.broker); fault != nil {
		_ = g.Close()
		return 0, fault
	}
	return n, err
}

func (g *gated) Write(p []byte) (int, error) {
	if err := g.layer.fault(g.broker); err != nil {
		_ = g.Close()
		return 0, err
	}
	return g.Conn.Write(p)
}
