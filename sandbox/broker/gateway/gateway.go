// Package gateway takes clients' commands and operators' questions, and hands them to the brokers.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"

	"rehearsal/config"
	"rehearsal/engine"
	"rehearsal/faults"
	"rehearsal/members"
	"rehearsal/wire"
)

const (
	// requestTimeout is how long the real gateway waits for a broker (zeebe.gateway.cluster.requestTimeout).
	requestTimeout = 15 * time.Second
	dialTimeout    = 3 * time.Second
	stopTimeout    = 2 * time.Second
)

var (
	errNoLeader = errors.New("the partition has no leader in sight of the gateway")
	// errDead is what the first command to a broker that has restarted fails with.
	errDead = errors.New("ConnectionClosed: the connection to the broker was closed")
)

// Gateway is a running gateway.
type Gateway struct {
	pb.UnimplementedGatewayServer

	settings    config.Gateway
	faults      *faults.Switch
	cluster     *members.Cluster
	client      *http.Client
	connections *connections
	created     atomic.Uint64 // round robin over partitions

	mu    sync.Mutex
	stale map[int]members.Line // what a stale gateway goes on with
}

// Run runs a gateway until the context ends.
func Run(ctx context.Context, settings config.Gateway) error {
	g := &Gateway{
		settings: settings, faults: faults.NewSwitch(settings.Faults), client: wire.NewClient(dialTimeout),
		connections: newConnections(settings.DeadConnection, time.Now),
	}
	var err error
	line := members.Line{Broker: members.Gateway}
	if g.cluster, err = members.Join(settings.MemberID, line, settings.Members, g.faults); err != nil {
		return err
	}
	server := grpc.NewServer()
	pb.RegisterGatewayServer(server, g)
	failed := make(chan error, 3)
	for _, each := range []struct {
		port  int
		serve func(net.Listener) error
	}{
		{settings.GRPCPort, server.Serve},
		{settings.RESTPort, func(l net.Listener) error { return http.Serve(l, g.rest()) }},
		{settings.ManagementPort, func(l net.Listener) error { return http.Serve(l, g.faults.Wrap(g.management())) }},
	} {
		host := config.ListenHost(settings.Members.Host)
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(each.port)))
		if err != nil {
			return err
		}
		go func() { failed <- each.serve(listener) }()
	}
	log.Printf("gateway %s started", settings.MemberID)
	defer g.cluster.Leave()
	select {
	case <-ctx.Done():
		stop(server)
		return nil
	case err := <-failed:
		return err
	}
}

// stop lets calls end that are nearly there.
func stop(server *grpc.Server) {
	timer := time.AfterFunc(stopTimeout, server.Stop)
	defer timer.Stop()
	server.GracefulStop()
}

// brokers are those in sight.
func (g *Gateway) brokers() map[int]members.Line {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.faults.Get().StaleGateway {
		g.stale = nil
		return g.cluster.Brokers()
	}
	if g.stale == nil {
		g.stale = g.cluster.Brokers()
	}
	return g.stale
}

// sizes are what the brokers say of the cluster: a gateway has no sizes of its own.
func (g *Gateway) sizes() config.Sizes {
	for _, line := range g.brokers() {
		return line.Sizes
	}
	return config.Sizes{}
}

// leader is the broker that leads a partition, as far as the gateway sees.
func (g *Gateway) leader(partition int) (members.Line, bool) {
	brokers := g.brokers()
	id, known := leaders(brokers)[partition]
	return brokers[id], known
}

// leaders maps each partition to its leader. A lost one is listed until the membership's time-out: of several the one of
// the highest term leads.
func leaders(brokers map[int]members.Line) map[int]int {
	found := map[int]int{}
	for id, line := range brokers {
		for partition, replica := range line.Replicas {
			other, known := found[partition]
			if replica.Role == members.Leader && (!known || brokers[other].Replicas[partition].Term < replica.Term) {
				found[partition] = id
			}
		}
	}
	return found
}

// command sends a command to a partition's leader.
//
// errNoLeader and wire.ErrNotTried: nothing will come of it. Any other error: it may be carried out all the same.
func (g *Gateway) command(ctx context.Context, partition int, command engine.Command) (engine.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	leader, known := g.leader(partition)
	if !known {
		return engine.Result{}, fmt.Errorf("partition %d: %w", partition, errNoLeader)
	}
	to := connection{partition, leader.Broker}
	if wait, isDead := g.connections.use(to, leader.Born, g.faults.Has(faults.DeadConnection)); isDead {
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		// The first command whose wait has ended renews the connection.
		_, _ = g.connections.use(to, leader.Born, true)
		return engine.Result{}, fmt.Errorf("partition %d: %w", partition, errDead)
	}
	result, err := wire.Command(ctx, g.client, leader.Address(), partition, command)
	if err != nil {
		return result, fmt.Errorf("partition %d, broker %d: %w", partition, leader.Broker, err)
	}
	return result, nil
}
