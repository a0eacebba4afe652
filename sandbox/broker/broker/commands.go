package broker

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"rehearsal/engine"
	"rehearsal/partition"
	"rehearsal/wire"
)

// commands serves the gateways.
func (b *Broker) commands() http.Handler {
	handler := http.NewServeMux()
	handler.HandleFunc("POST "+wire.CommandPath+"{partition}", b.command)
	handler.HandleFunc("POST "+wire.PhasePath+"{phase}", func(w http.ResponseWriter, r *http.Request) {
		if err := b.setPhase(partition.Phase(r.PathValue("phase"))); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		wire.Reply(w, http.StatusOK, struct{}{})
	})
	if b.keeper != nil {
		handler.HandleFunc("POST "+wire.ConfigurationPath, b.configure)
		handler.HandleFunc("POST "+wire.ReplicaPath+"{partition}", b.order)
	}
	return handler
}

func (b *Broker) command(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("partition"))
	p := b.replica(id)
	if err != nil || p == nil {
		http.Error(w, "no such partition here", wire.StatusNotTried)
		return
	}
	var command engine.Command
	if err := json.NewDecoder(r.Body).Decode(&command); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := command.Validate(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	result, err := p.Apply(command)
	switch {
	case errors.Is(err, partition.ErrDiskFull):
		http.Error(w, err.Error(), wire.StatusExhausted)
	case errors.Is(err, partition.ErrNotServing):
		http.Error(w, err.Error(), wire.StatusNotTried)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		wire.Reply(w, http.StatusOK, result)
	}
}
