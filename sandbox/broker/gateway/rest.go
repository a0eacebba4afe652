package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"

	"rehearsal/engine"
	"rehearsal/faults"
	"rehearsal/members"
	"rehearsal/partition"
	"rehearsal/wire"
)

// Topology is the answer to GET /v1/topology.
type Topology struct {
	Brokers           []BrokerInfo `json:"brokers"`
	ClusterSize       int          `json:"clusterSize"`
	PartitionsCount   int          `json:"partitionsCount"`
	ReplicationFactor int          `json:"replicationFactor"`
	GatewayVersion    string       `json:"gatewayVersion"`
}

// BrokerInfo is one broker of a Topology.
type BrokerInfo struct {
	NodeID     int       `json:"nodeId"`
	Host       string    `json:"host"`
	Port       int       `json:"port"`
	Partitions []Replica `json:"partitions"`
	Version    string    `json:"version"`
}

// Replica is one partition of a broker.
type Replica struct {
	PartitionID int    `json:"partitionId"`
	Role        string `json:"role"`
	Health      string `json:"health"`
}

// problem is an answer of application/problem+json.
type problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
}

// webApps are the profiles by which a broker serves an application for people, under its name.
var webApps = []string{"operate", "tasklist"}

// placeholder is in the place of such an application.
func placeholder(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "A placeholder: this application is not part of the rehearsal.\n")
}

func (g *Gateway) rest() http.Handler {
	handler := http.NewServeMux()
	apis := []string{"/v1"}
	if g.settings.Camunda.HasClusterAPI() {
		apis = append(apis, "/v2")
	}
	for _, api := range apis {
		handler.HandleFunc("GET "+api+"/topology", func(w http.ResponseWriter, _ *http.Request) {
			wire.Reply(w, http.StatusOK, g.topology())
		})
		handler.HandleFunc("POST "+api+"/user-tasks/{key}/completion", g.completeUserTask)
	}
	for _, app := range webApps {
		if slices.Contains(g.settings.Profiles, app) {
			handler.HandleFunc("GET /"+app, placeholder)
			handler.HandleFunc("GET /"+app+"/", placeholder)
		}
	}
	if g.settings.Camunda.PausesByConfiguration() {
		handler.HandleFunc("GET /v2/exporting", g.exportingStatus)
		handler.HandleFunc("POST /v2/exporting/{order}", g.changeExporting)
	}
	return handler
}

// completeUserTask is what operators ask to see that a partition works: the partition in the key's upper bits writes the
// command, replicates it, and rejects it, as there are no user tasks.
func (g *Gateway) completeUserTask(w http.ResponseWriter, r *http.Request) {
	key, err := strconv.ParseInt(r.PathValue("key"), 10, 64)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, "INVALID_ARGUMENT", "the key of a user task is a number")
		return
	}
	_, err = g.command(r.Context(), int(key>>engine.KeyBits), engine.Command{Kind: engine.CompleteUserTask})
	switch {
	case err == nil:
		refuse(w, r, http.StatusNotFound, string(engine.NotFound), fmt.Sprintf("Command 'COMPLETE' rejected with code "+
			"'NOT_FOUND': Expected to complete user task with key '%d', but no such user task was found", key))
	case errors.Is(err, errDead):
		refuse(w, r, http.StatusInternalServerError, "ConnectionClosed", err.Error())
	case errors.Is(err, wire.ErrExhausted):
		refuse(w, r, g.settings.Camunda.ExhaustedStatus(), "RESOURCE_EXHAUSTED", err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		refuse(w, r, http.StatusGatewayTimeout, "TIMEOUT", err.Error())
	default:
		refuse(w, r, http.StatusServiceUnavailable, "UNAVAILABLE", err.Error())
	}
}

func refuse(w http.ResponseWriter, r *http.Request, status int, title, detail string) {
	wire.Reply(w, status, problem{"about:blank", title, status, detail, r.URL.Path})
}

// Manage adds what a gateway's management port has besides health.
func (g *Gateway) Manage(handler *http.ServeMux) {
	handler.HandleFunc("POST /actuator/exporting/{order}", g.orderExporting)
	if g.keeper != nil {
		g.manageCluster(handler)
	}
}

func (g *Gateway) health(w http.ResponseWriter, _ *http.Request) {
	if len(g.brokers()) == 0 {
		wire.Reply(w, http.StatusServiceUnavailable, map[string]string{"status": "DOWN"})
		return
	}
	wire.Reply(w, http.StatusOK, map[string]string{"status": "UP"})
}

// endpointAnswer is how the real gateway answers an order: the status stands in the body.
type endpointAnswer struct {
	Body        any `json:"body"`
	Status      int `json:"status"`
	ContentType any `json:"contentType"`
}

// phaseOf is what an order asks for, or nothing if there is no such order.
func phaseOf(r *http.Request) partition.Phase {
	phase := map[string]partition.Phase{"pause": partition.Paused, "resume": partition.Exporting}[r.PathValue("order")]
	if phase == partition.Paused && r.URL.Query().Get("soft") == "true" {
		return partition.SoftPaused
	}
	return phase
}

func (g *Gateway) orderExporting(w http.ResponseWriter, r *http.Request) {
	phase := phaseOf(r)
	if phase == "" {
		http.NotFound(w, r)
		return
	}
	brokers := g.brokers()
	if len(brokers) == 0 {
		refuse(w, r, http.StatusInternalServerError, "Internal Server Error", "no broker is in sight of the gateway")
		return
	}
	err := g.tryPhase(r.Context(), brokers, phase)
	if err == nil {
		wire.Reply(w, http.StatusOK, endpointAnswer{Status: http.StatusNoContent})
		return
	}
	status := http.StatusOK
	if !g.faults.Has(faults.RefusalBehind200) {
		status = http.StatusInternalServerError
	}
	// The real one sends the exception that it threw.
	thrown := map[string]any{"message": err.Error(), "stackTrace": []any{}, "cause": nil}
	wire.Reply(w, status, endpointAnswer{Body: thrown, Status: http.StatusInternalServerError})
}

func (g *Gateway) tryPhase(ctx context.Context, brokers map[int]members.Line, phase partition.Phase) error {
	if g.settings.Camunda.PausesByConfiguration() && !g.faults.Get().RefusePause {
		return g.configurePhase(ctx, phase)
	}
	if err := g.incomplete(brokers); err != nil {
		return err
	}
	return g.setPhase(ctx, brokers, phase)
}

// incomplete returns why an order is refused before it is given: some partition lacks a replica in the gateway's sight.
func (g *Gateway) incomplete(brokers map[int]members.Line) error {
	sizes := g.sizes()
	if sizes.Partitions == 0 {
		return errNoPartitions
	}
	for id := 1; id <= sizes.Partitions; id++ {
		found := 0
		for _, line := range brokers {
			if _, holds := line.Replicas[id]; holds {
				found++
			}
		}
		if g.faults.Get().RefusePause {
			found = sizes.ReplicationFactor - 1
		}
		if found != sizes.ReplicationFactor {
			return fmt.Errorf("Expected %d members of partition %d but found %d, current topology: %v", //nolint:staticcheck // the real one's text
				sizes.ReplicationFactor, id, found, g.topology())
		}
		if _, isLed := leaders(brokers)[id]; !isLed && g.keeper != nil {
			return fmt.Errorf("Leader of partition %d is not known", id) //nolint:staticcheck // the real one's text
		}
	}
	return nil
}

func (g *Gateway) setPhase(ctx context.Context, brokers map[int]members.Line, phase partition.Phase) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var asked []func() error
	for id, line := range brokers {
		asked = append(asked, func() error {
			var answer struct{}
			err := wire.Post(ctx, g.client, line.Address(), wire.PhasePath+string(phase), nil, &answer)
			if err != nil {
				return fmt.Errorf("broker %d: %w", id, err)
			}
			return nil
		})
	}
	return wire.Together(asked)
}
