package broker

import (
	"net/http"
	"strconv"

	"rehearsal/partition"
	"rehearsal/wire"
)

// orders are the operations of /actuator/partitions that this broker has.
var orders = map[string]partition.Phase{
	"pauseExporting":     partition.Paused,
	"softPauseExporting": partition.SoftPaused,
	"resumeExporting":    partition.Exporting,
}

func (b *Broker) management() *http.ServeMux {
	handler := http.NewServeMux()
	handler.HandleFunc("GET /actuator/health/", b.health)
	handler.HandleFunc("GET /actuator/partitions", b.status)
	handler.HandleFunc("POST /actuator/partitions/{order}", func(w http.ResponseWriter, r *http.Request) {
		phase, known := orders[r.PathValue("order")]
		if !known {
			http.NotFound(w, r)
			return
		}
		if err := b.setPhase(phase); err != nil {
			wire.Reply(w, http.StatusOK, map[string]any{"status": http.StatusInternalServerError, "message": err.Error()})
			return
		}
		b.status(w, r)
	})
	// Not of the contract: which instances a replica knows, for the broker's own trial.
	handler.HandleFunc("GET /rehearsal/instances", func(w http.ResponseWriter, _ *http.Request) {
		instances := map[string][]int64{}
		for id, p := range b.replicas() {
			instances[strconv.Itoa(id)] = p.Instances()
		}
		wire.Reply(w, http.StatusOK, instances)
	})
	// Not of the contract either: for drills in which a certain broker has to lead.
	handler.HandleFunc("POST /rehearsal/partitions/{partition}/leader/{broker}", b.giveLeadership)
	return handler
}

func (b *Broker) giveLeadership(w http.ResponseWriter, r *http.Request) {
	id, wrongPartition := strconv.Atoi(r.PathValue("partition"))
	to, wrongBroker := strconv.Atoi(r.PathValue("broker"))
	given := b.replica(id)
	if wrongPartition != nil || wrongBroker != nil || given == nil {
		http.NotFound(w, r)
		return
	}
	if err := given.GiveLeadershipTo(to); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	wire.Reply(w, http.StatusOK, map[string]int{"partition": id, "leader": to})
}

func (b *Broker) health(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	isReady := b.isReady
	b.mu.Unlock()
	if r.URL.Path == "/actuator/health/status" {
		isReady = isReady && !b.faults.Get().DiskFull && (b.keeper == nil || !b.isOutside())
	}
	if isReady {
		wire.Reply(w, http.StatusOK, map[string]string{"status": "UP"})
		return
	}
	wire.Reply(w, http.StatusServiceUnavailable, map[string]string{"status": "DOWN"})
}

func (b *Broker) status(w http.ResponseWriter, _ *http.Request) {
	statuses := map[string]partition.Status{}
	for id, p := range b.replicas() {
		statuses[strconv.Itoa(id)] = p.Status()
	}
	wire.Reply(w, http.StatusOK, statuses)
}

// setPhase changes the phase of every partition; a refusal leaves the others as they are.
func (b *Broker) setPhase(phase partition.Phase) error {
	for _, p := range b.replicas() {
		if err := p.SetPhase(phase); err != nil {
			return err
		}
	}
	return nil
}
