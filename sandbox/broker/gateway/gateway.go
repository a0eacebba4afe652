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

	"rehearsal/cluster"
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
	errNoPartitions = errors.New("the gateway knows of no partition")
	errNoLeader     = errors.New("the partition has no leader in sight of the gateway")
	// errDead is what the first command to a broker that has restarted fails with.
	errDead = errors.New("ConnectionClosed: the connection to the broker was closed")
)

// Gateway is a running gateway.
type Gateway struct {
	pb.UnimplementedGatewayServer

	settings    config.Gateway
	faults      *faults.Switch
	cluster     *members.Cluster
	keeper      *cluster.Keeper // nil where the cluster's configuration is static
	client      *http.Client
	connections *connections
	created     atomic.Uint64 // round robin over partitions

	mu    sync.Mutex
	stale map[int]members.Line // what a stale gateway goes on with
}

// New is a gateway among members that it has joined; keeper may be nil.
func New(settings config.Gateway, joined *members.Cluster, keeper *cluster.Keeper, switches *faults.Switch) *Gateway {
	return &Gateway{
		settings: settings, faults: switches, cluster: joined, keeper: keeper, client: wire.NewClient(dialTimeout),
		connections: newConnections(settings.DeadConnection, time.Now),
	}
}

// Run runs a gateway by itself until the context ends.
func Run(ctx context.Context, settings config.Gateway) error {
	switches := faults.NewSwitch(settings.Faults)
	var keeper *cluster.Keeper
	var gossip members.Gossip
	if settings.Camunda.HasClusterAPI() {
		var err error
		if keeper, err = cluster.Open(""); err != nil {
			return err
		}
		gossip = keeper
	}
	line := members.Line{Broker: members.Gateway}
	joined, err := members.Join(settings.MemberID, line, settings.Members, switches, gossip)
	if err != nil {
		return err
	}
	defer joined.Leave()
	g := New(settings, joined, keeper, switches)
	management := http.NewServeMux()
	management.HandleFunc("GET /actuator/health/", g.health)
	g.Manage(management)
	listener, err := g.listen(settings.ManagementPort)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- http.Serve(listener, switches.Wrap(management)) }() //nolint:gosec // as long as it takes
	go func() { failed <- g.Serve(ctx) }()
	log.Printf("gateway %s started", settings.MemberID)
	return <-failed
}

// Serve takes clients' commands until the context ends.
func (g *Gateway) Serve(ctx context.Context) error {
	server := grpc.NewServer()
	pb.RegisterGatewayServer(server, g)
	calls, err := g.listen(g.settings.GRPCPort)
	if err != nil {
		return err
	}
	requests, err := g.listen(g.settings.RESTPort)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(calls) }()
	go func() { failed <- http.Serve(requests, g.rest()) }() //nolint:gosec // as long as it takes
	select {
	case <-ctx.Done():
		stop(server)
		return nil
	case err := <-failed:
		return err
	}
}

func (g *Gateway) listen(port int) (net.Listener, error) {
	host := config.ListenHost(g.settings.Members.Host)
	return net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
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

// sizes are what the brokers say of the cluster, or its configuration: a gateway has no sizes of its own.
func (g *Gateway) sizes() config.Sizes {
	if g.keeper != nil {
		document := g.keeper.Get()
		return config.Sizes{
			Brokers: len(document.MemberIDs()), Partitions: len(document.Partitions()),
			ReplicationFactor: document.ReplicationFactor(),
		}
	}
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
// errNoLeader, wire.ErrNotTried and wire.ErrExhausted: nothing will come of it. Any other error: it may be carried out all the same.
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
