package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"rehearsal/engine"
)

// What gateways ask of brokers, on the brokers' command port.
const (
	CommandPath = "/command/" // + partition: an engine.Command, answered by an engine.Result
	PhasePath   = "/phase/"   // + a partition.Phase
	// ConfigurationPath takes a cluster.Request, of gateways to the coordinator.
	ConfigurationPath = "/configuration"
	// ReplicaPath + partition takes an Order, of brokers to each other.
	ReplicaPath = "/replica/"
)

// What one broker can order of another one's replica.
const (
	Admit           = "admit"   // let Broker read along; of the leader
	Promote         = "promote" // give Broker a vote; of the leader
	Dismiss         = "dismiss" // take Broker out; of the leader
	Force           = "force"   // make Brokers the whole group; of each of them
	EnableExporter  = "enable-exporter"
	DisableExporter = "disable-exporter"
)

// Order is what one broker asks of another one's replica.
type Order struct {
	What     string `json:"what"`
	Broker   int    `json:"broker"`
	Brokers  []int  `json:"brokers,omitempty"`
	Exporter string `json:"exporter,omitempty"`
	From     string `json:"from,omitempty"`
}

// Ordered is the answer to an Order.
type Ordered struct {
	Index uint64 `json:"index"` // the end of the leader's log, of Admit
}

// ErrNotAnswered is the error of a broker that does not answer, or not with a result: the command may have been
// carried out all the same.
var ErrNotAnswered = errors.New("the broker did not answer with a result")

// ErrNotTried is the error of a broker that could not try, and of which nothing will come.
var ErrNotTried = errors.New("the broker does not lead the partition")

// ErrExhausted is the error of a broker that takes no commands at all for now, and nothing will come of this one.
var ErrExhausted = errors.New("the broker takes no commands")

// How a broker says ErrNotTried and ErrExhausted.
const (
	StatusNotTried  = http.StatusConflict
	StatusExhausted = http.StatusTooManyRequests
)

// Post sends a document to a broker and decodes its answer.
func Post(ctx context.Context, client *http.Client, address, path string, document, answer any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotAnswered, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == StatusNotTried {
		return ErrNotTried
	}
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		if response.StatusCode == StatusExhausted {
			return fmt.Errorf("%w: %s", ErrExhausted, strings.TrimSpace(string(text)))
		}
		return fmt.Errorf("%w: %d %s", ErrNotAnswered, response.StatusCode, text)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("%w: %w", ErrNotAnswered, err)
	}
	return nil
}

// Command sends a command to a partition's leader.
func Command(ctx context.Context, client *http.Client, address string, partition int, command engine.Command) (
	result engine.Result, err error,
) {
	err = Post(ctx, client, address, fmt.Sprintf("%s%d", CommandPath, partition), command, &result)
	return result, err
}
