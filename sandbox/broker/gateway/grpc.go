package gateway

import (
	"context"
	"errors"
	"sort"
	"strings"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"rehearsal/engine"
	"rehearsal/members"
	"rehearsal/wire"
)

var grpcRoles = map[members.Role]pb.Partition_PartitionBrokerRole{
	members.Leader:   pb.Partition_LEADER,
	members.Follower: pb.Partition_FOLLOWER,
	members.Inactive: pb.Partition_INACTIVE,
}

// Topology implements the gRPC call.
func (g *Gateway) Topology(context.Context, *pb.TopologyRequest) (*pb.TopologyResponse, error) {
	seen := g.topology()
	answer := &pb.TopologyResponse{
		ClusterSize:       int32(seen.ClusterSize),
		PartitionsCount:   int32(seen.PartitionsCount),
		ReplicationFactor: int32(seen.ReplicationFactor),
		GatewayVersion:    seen.GatewayVersion,
	}
	for _, broker := range seen.Brokers {
		info := &pb.BrokerInfo{
			NodeId: int32(broker.NodeID), Host: broker.Host, Port: int32(broker.Port), Version: broker.Version,
		}
		for _, replica := range broker.Partitions {
			role := grpcRoles[members.Role(strings.ToUpper(replica.Role))]
			health := pb.Partition_HEALTHY
			if replica.Health != healthy {
				health = pb.Partition_UNHEALTHY
			}
			info.Partitions = append(info.Partitions, &pb.Partition{
				PartitionId: int32(replica.PartitionID), Role: role, Health: health,
			})
		}
		answer.Brokers = append(answer.Brokers, info)
	}
	return answer, nil
}

// DeployResource implements the gRPC call. A process is known on every partition when it is answered; the real gateway
// answers when the first knows it, and the others follow.
func (g *Gateway) DeployResource(ctx context.Context, request *pb.DeployResourceRequest) (*pb.DeployResourceResponse, error) {
	answer := &pb.DeployResourceResponse{}
	for _, resource := range request.GetResources() {
		definitions, err := engine.ParseBPMN(resource.GetContent())
		if err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "%s: %v", resource.GetName(), err)
		}
		for _, definition := range definitions {
			result, err := g.deploy(ctx, definition)
			if err != nil {
				return nil, statusOf(err)
			}
			answer.Key = result.Key
			answer.Deployments = append(answer.Deployments, &pb.Deployment{Metadata: &pb.Deployment_Process{
				Process: &pb.ProcessMetadata{
					BpmnProcessId: definition.Process, Version: result.Version,
					ProcessDefinitionKey: result.Definition, ResourceName: resource.GetName(),
				},
			}})
		}
	}
	return answer, nil
}

// deploy gives the first partition's key and version to all others. Asked again, it ends where it was interrupted.
func (g *Gateway) deploy(ctx context.Context, definition engine.Definition) (engine.Result, error) {
	const first = 1
	command := engine.Command{Kind: engine.Deploy, Definition: &definition}
	result, err := g.command(ctx, first, command)
	if err != nil {
		return result, err
	}
	definition.Key, definition.Version = result.Definition, result.Version
	var others []func() error
	for partition := first + 1; partition <= g.sizes().Partitions; partition++ {
		others = append(others, func() error {
			_, err := g.command(ctx, partition, command)
			return err
		})
	}
	return result, wire.Together(others)
}

// CreateProcessInstance implements the gRPC call: on one partition after the other, and where one could not even try,
// on the next.
func (g *Gateway) CreateProcessInstance(ctx context.Context, request *pb.CreateProcessInstanceRequest) (
	*pb.CreateProcessInstanceResponse, error,
) {
	partitions := g.sizes().Partitions
	command := engine.Command{Kind: engine.Create, Process: request.GetBpmnProcessId()}
	last := error(errNoLeader)
	for range partitions {
		partition := int(g.created.Add(1)%uint64(partitions)) + 1
		result, err := g.command(ctx, partition, command)
		if errors.Is(err, errNoLeader) || errors.Is(err, wire.ErrNotTried) || errors.Is(err, wire.ErrExhausted) {
			last = err
			continue
		}
		if err != nil {
			return nil, statusOf(err)
		}
		if result.Rejection != "" {
			return nil, status.Errorf(codes.NotFound, "Command 'CREATE' rejected with code '%s': Expected to find process "+
				"definition with process ID '%s', but none found", result.Rejection, request.GetBpmnProcessId())
		}
		return &pb.CreateProcessInstanceResponse{
			ProcessDefinitionKey: result.Definition, BpmnProcessId: request.GetBpmnProcessId(),
			Version: result.Version, ProcessInstanceKey: result.Key,
		}, nil
	}
	return nil, statusOf(last)
}

func statusOf(err error) error {
	code := codes.Unavailable
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	case errors.Is(err, wire.ErrExhausted):
		code = codes.ResourceExhausted
	}
	return status.Error(code, err.Error())
}

const healthy = "healthy"

// topology is what both protocols say of the cluster.
func (g *Gateway) topology() Topology {
	sizes := g.sizes()
	seen := Topology{
		Brokers: []BrokerInfo{}, ClusterSize: sizes.Brokers, PartitionsCount: sizes.Partitions,
		ReplicationFactor: sizes.ReplicationFactor, GatewayVersion: g.settings.Camunda.String(),
	}
	brokers := g.brokers()
	led := leaders(brokers)
	for _, line := range brokers {
		info := BrokerInfo{
			NodeID: line.Broker, Host: line.Host, Port: line.Port, Version: g.settings.Camunda.String(), Partitions: []Replica{},
		}
		for id, replica := range line.Replicas {
			if replica.Role == members.Leader && led[id] != line.Broker {
				replica.Role = members.Follower // it was, and is lost or does not know yet
			}
			health := healthy
			if replica.Unhealthy {
				health = "unhealthy"
			}
			info.Partitions = append(info.Partitions, Replica{
				PartitionID: id, Role: strings.ToLower(string(replica.Role)), Health: health,
			})
		}
		sort.Slice(info.Partitions, func(i, j int) bool {
			return info.Partitions[i].PartitionID < info.Partitions[j].PartitionID
		})
		seen.Brokers = append(seen.Brokers, info)
	}
	sort.Slice(seen.Brokers, func(i, j int) bool { return seen.Brokers[i].NodeID < seen.Brokers[j].NodeID })
	return seen
}
