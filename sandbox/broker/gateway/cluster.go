package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"rehearsal/cluster"
	"rehearsal/partition"
	"rehearsal/wire"
)

const (
	// coordinatorTimeout is how long the coordinator may take to answer.
	coordinatorTimeout = 10 * time.Second
	// phaseTimeout is how long a pause or resume waits for its change to be over (8.10).
	phaseTimeout = time.Minute
	phasePoll    = 200 * time.Millisecond
)

// manageCluster adds the endpoints of the cluster's configuration: most of them ask the coordinator.
func (g *Gateway) manageCluster(handler *http.ServeMux) {
	handler.HandleFunc("GET /actuator/cluster", g.show(func(d cluster.Document) any {
		return d.Topology(g.settings.Camunda.PausesByConfiguration())
	}))
	handler.HandleFunc("GET /actuator/exporters", g.show(func(d cluster.Document) any { return d.Exporters() }))
	if g.settings.Camunda.PausesByConfiguration() {
		handler.HandleFunc("GET /actuator/cluster/changes/{id}", g.showChange)
	}
	handler.HandleFunc("PATCH /actuator/cluster", g.change(patchRequest))
	handler.HandleFunc("POST /actuator/cluster/brokers", g.change(brokersRequest))
	handler.HandleFunc("DELETE /actuator/cluster/changes/{id}", g.change(cancelRequest))
	handler.HandleFunc("POST /actuator/exporters/{id}/{operation}", g.change(exporterRequest))
	for _, other := range []string{"POST /actuator/cluster/partitions", "POST /actuator/cluster/changes"} {
		handler.HandleFunc(other, func(w http.ResponseWriter, _ *http.Request) {
			message(w, http.StatusNotImplemented, "this is not supported")
		})
	}
}

func message(w http.ResponseWriter, status int, text string) {
	wire.Reply(w, status, map[string]string{"message": text})
}

// refusal is an answer that the gateway gives by itself.
func refusal(status int, format string, args ...any) error {
	return &cluster.Refusal{Status: status, Message: fmt.Sprintf(format, args...)}
}

func refuseWith(w http.ResponseWriter, err error) { message(w, cluster.StatusOf(err), err.Error()) }

// ask sends a request to the coordinator, the member of the lowest id as far as this gateway knows, and returns its
// answer. A removal by force goes to the lowest that is to remain.
func (g *Gateway) ask(ctx context.Context, request cluster.Request) (status int, body []byte, err error) {
	coordinator, known := request.Coordinator(g.keeper.Get())
	line, inSight := g.brokers()[coordinator]
	if !known || !inSight {
		return 0, nil, refusal(http.StatusBadGateway, "the coordinator, broker %d, is not known", coordinator)
	}
	ctx, cancel := context.WithTimeout(ctx, coordinatorTimeout)
	defer cancel()
	text, err := json.Marshal(request)
	if err != nil {
		return 0, nil, err
	}
	asked, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+line.Address()+wire.ConfigurationPath,
		bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	response, err := g.client.Do(asked)
	if err == nil {
		defer func() { _ = response.Body.Close() }()
		body, err = io.ReadAll(response.Body)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return 0, nil, refusal(http.StatusGatewayTimeout, "the coordinator, broker %d, does not answer", coordinator)
	}
	if err != nil {
		return 0, nil, refusal(http.StatusBadGateway, "the coordinator, broker %d: %v", coordinator, err)
	}
	return response.StatusCode, body, nil
}

// document is the coordinator's.
func (g *Gateway) document(ctx context.Context) (document cluster.Document, err error) {
	_, body, err := g.ask(ctx, cluster.Request{Ask: cluster.AskDocument})
	if err == nil {
		err = json.Unmarshal(body, &document)
	}
	return document, err
}

func (g *Gateway) show(shown func(cluster.Document) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		document, err := g.document(r.Context())
		if err != nil {
			refuseWith(w, err)
			return
		}
		wire.Reply(w, http.StatusOK, shown(document))
	}
}

func (g *Gateway) showChange(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		message(w, http.StatusBadRequest, "Change id must be a number")
		return
	}
	document, err := g.document(r.Context())
	if err != nil {
		refuseWith(w, err)
		return
	}
	change, known := document.ChangeByID(id)
	if !known {
		message(w, http.StatusNotFound, fmt.Sprintf("change %d is not known", id))
		return
	}
	wire.Reply(w, http.StatusOK, change)
}

// change sends what a call asks for to the coordinator, and hands its answer on.
func (g *Gateway) change(read func(*http.Request) (cluster.Request, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		request, err := read(r)
		if g.settings.Camunda.RefusesUnknownParameters() && err == nil {
			err = unknownParameters(r.URL.Query())
		}
		if err != nil {
			refuseWith(w, err)
			return
		}
		status, body, err := g.ask(r.Context(), request)
		if err != nil {
			refuseWith(w, err)
			return
		}
		wire.Reply(w, status, json.RawMessage(body))
	}
}

func unknownParameters(query url.Values) error {
	var unknown []string
	for name := range query {
		if !slices.Contains([]string{"dryRun", "force", "replicationFactor", "physicalTenant"}, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return refusal(http.StatusBadRequest, "Unsupported query parameter(s): %s", strings.Join(unknown, ", "))
}

// ids are broker ids: numbers, or texts of numbers.
type ids []json.Number

// UnmarshalJSON implements json.Unmarshaler.
func (i *ids) UnmarshalJSON(text []byte) error {
	var numbers []json.Number // takes texts of numbers, too
	err := json.Unmarshal(text, &numbers)
	*i = numbers
	return err
}

func (i ids) numbers() ([]int, error) {
	numbers := []int{}
	for _, id := range i {
		number, err := strconv.Atoi(id.String())
		if err != nil || number < 0 {
			return nil, refusal(http.StatusBadRequest, "%q is no id of a broker", id)
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

func decode(r *http.Request, into any) error {
	err := json.NewDecoder(r.Body).Decode(into)
	if err != nil && !errors.Is(err, io.EOF) {
		return refusal(http.StatusBadRequest, "the request's body cannot be read: %v", err)
	}
	return nil
}

func isSet(r *http.Request, name string) bool { return r.URL.Query().Get(name) == "true" }

func brokersRequest(r *http.Request) (cluster.Request, error) {
	var named ids
	request := cluster.Request{Ask: cluster.AskScale, DryRun: isSet(r, "dryRun")}
	err := decode(r, &named)
	if err == nil {
		request.Members, err = named.numbers()
	}
	if text := r.URL.Query().Get("replicationFactor"); text != "" && err == nil {
		if request.ReplicationFactor, err = strconv.Atoi(text); err != nil || request.ReplicationFactor < 1 {
			err = refusal(http.StatusBadRequest, "Replication factor [%s] must be greater than 0", text)
		}
	}
	if isSet(r, "force") {
		request.Ask = cluster.AskForce
	}
	return request, err
}

// patch is the body of PATCH /actuator/cluster.
type patch struct {
	Brokers struct {
		Add    ids  `json:"add"`
		Remove ids  `json:"remove"`
		Count  *int `json:"count"`
	} `json:"brokers"`
	Partitions struct {
		Count             *int `json:"count"`
		ReplicationFactor *int `json:"replicationFactor"`
	} `json:"partitions"`
}

func patchRequest(r *http.Request) (cluster.Request, error) {
	var body patch
	if err := decode(r, &body); err != nil {
		return cluster.Request{}, err
	}
	request, err := body.request()
	if isSet(r, "force") {
		request.Ask = cluster.AskForce
		if refused := body.checkForced(); refused != nil {
			err = refused
		}
	}
	request.DryRun = isSet(r, "dryRun")
	return request, err
}

// checkForced returns why a patch is not possible by force: nothing but a removal is.
func (p patch) checkForced() error {
	reason := ""
	switch {
	case p.Brokers.Count != nil:
		reason = "Cannot force change the broker count."
	case len(p.Brokers.Add) > 0:
		reason = "Cannot force add brokers"
	case p.Partitions.Count != nil:
		reason = "Cannot force change the partition count."
	case p.Partitions.ReplicationFactor != nil:
		reason = "Cannot force change the replication factor."
	case len(p.Brokers.Remove) == 0:
		reason = "Must provide a set of brokers to force remove."
	default:
		return nil
	}
	return refusal(http.StatusBadRequest, "%s", reason)
}

func (p patch) request() (request cluster.Request, err error) {
	request.Ask = cluster.AskPatch
	if factor := p.Partitions.ReplicationFactor; factor != nil {
		if request.ReplicationFactor = *factor; *factor < 1 {
			return request, refusal(http.StatusBadRequest, "Replication factor [%d] must be greater than 0", *factor)
		}
	}
	if p.Partitions.Count != nil {
		return request, refusal(http.StatusNotImplemented, "a change of the partition count is not played")
	}
	if count := p.Brokers.Count; count != nil {
		if len(p.Brokers.Add)+len(p.Brokers.Remove) > 0 {
			return request, refusal(http.StatusBadRequest, "Cannot change brokers count and add/remove brokers at the same "+
				"time. Specify either the new brokers count or brokers to add and remove.")
		}
		request.Ask = cluster.AskScale
		for id := range *count {
			request.Members = append(request.Members, id)
		}
		return request, nil
	}
	if request.Add, err = p.Brokers.Add.numbers(); err != nil {
		return request, err
	}
	request.Remove, err = p.Brokers.Remove.numbers()
	return request, err
}

func cancelRequest(r *http.Request) (cluster.Request, error) {
	if isSet(r, "dryRun") {
		return cluster.Request{}, refusal(http.StatusNotImplemented, "Dry run is not supported for cancelling changes")
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return cluster.Request{}, refusal(http.StatusBadRequest, "Change id must be a number")
	}
	return cluster.Request{Ask: cluster.AskCancel, Change: id}, nil
}

func exporterRequest(r *http.Request) (cluster.Request, error) {
	asks := map[string]cluster.Ask{"enable": cluster.AskEnable, "disable": cluster.AskDisable}
	request := cluster.Request{
		Ask: asks[r.PathValue("operation")], Exporter: r.PathValue("id"), DryRun: isSet(r, "dryRun"),
	}
	if request.Ask == "" {
		return request, refusal(http.StatusBadRequest, "Unknown exporter operation: %s", r.PathValue("operation"))
	}
	if request.Ask == cluster.AskDisable {
		return request, nil
	}
	var body struct {
		InitializeFrom string `json:"initializeFrom"`
	}
	err := decode(r, &body)
	request.InitializeFrom = body.InitializeFrom
	return request, err
}

// configurePhase pauses or resumes exporting by a change of the configuration, and waits until that is over (8.10).
func (g *Gateway) configurePhase(ctx context.Context, phase partition.Phase) error {
	ctx, cancel := context.WithTimeout(ctx, phaseTimeout)
	defer cancel()
	status, body, err := g.ask(ctx, cluster.Request{Ask: cluster.AskExporting, Exporting: string(phase)})
	if err != nil {
		return err
	}
	var answer struct {
		cluster.Planned
		Message string `json:"message"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if status != http.StatusAccepted {
		return refusal(status, "%s", answer.Message)
	}
	if len(answer.PlannedChanges) == 0 {
		return nil
	}
	for ctx.Err() == nil {
		document, err := g.document(ctx)
		if err == nil && (document.Pending == nil || document.Pending.ID != answer.ChangeID) {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(phasePoll):
		}
	}
	return refusal(http.StatusGatewayTimeout, "change %d is not over after %s", answer.ChangeID, phaseTimeout)
}

func (g *Gateway) exportingStatus(w http.ResponseWriter, r *http.Request) {
	document, err := g.document(r.Context())
	if err != nil {
		refuse(w, r, cluster.StatusOf(err), http.StatusText(cluster.StatusOf(err)), err.Error())
		return
	}
	wire.Reply(w, http.StatusOK, map[string]string{"status": document.ExportingStatus()})
}

func (g *Gateway) changeExporting(w http.ResponseWriter, r *http.Request) {
	phase := phaseOf(r)
	if phase == "" {
		http.NotFound(w, r)
		return
	}
	if err := g.configurePhase(r.Context(), phase); err != nil {
		refuse(w, r, cluster.StatusOf(err), http.StatusText(cluster.StatusOf(err)), err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
