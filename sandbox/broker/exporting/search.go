package exporting

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"rehearsal/config"
	"rehearsal/engine"
)

const requestTimeout = 15 * time.Second

// ErrRefused is the error of a search engine's answer that is no success.
var ErrRefused = errors.New("the search engine refuses")

// SearchEngine is the sink that speaks to Elasticsearch and OpenSearch. It is made once for each exporter, so that
// templates are put once.
type SearchEngine struct {
	exporter config.Exporter
	client   *http.Client
	// preparing is taken by whoever puts the templates; isMade is guarded by it.
	preparing chan struct{}
	isMade    bool
}

// NewSearchEngine returns the sink of an exporter.
func NewSearchEngine(exporter config.Exporter) *SearchEngine {
	return &SearchEngine{exporter: exporter, preparing: make(chan struct{}, 1), client: &http.Client{
		Timeout: requestTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second},
	}}
}

// Write puts the templates before the first records, once as the real exporter does, and writes records under ids that
// are always the same.
func (s *SearchEngine) Write(ctx context.Context, records []engine.Record) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	for _, record := range records {
		partition := strconv.FormatInt(record.Partition, 10)
		action := map[string]string{
			"_index":  s.index(record),
			"_id":     partition + "-" + strconv.FormatInt(record.Position, 10),
			"routing": partition,
		}
		if err := lines.Encode(map[string]any{"index": action}); err != nil {
			return err
		}
		body.Write(record.Document)
		body.WriteByte('\n')
	}
	answer, err := s.send(ctx, http.MethodPost, "/_bulk", "application/x-ndjson", body.Bytes())
	if err != nil {
		return err
	}
	return bulkError(answer)
}

// bulkError finds the items that a bulk request failed for behind its status 200.
func bulkError(answer []byte) error {
	var response struct {
		Errors *bool `json:"errors"`
		Items  []map[string]struct {
			ID    string          `json:"_id"`
			Error json.RawMessage `json:"error"`
		} `json:"items"`
	}
	if err := json.Unmarshal(answer, &response); err != nil {
		return fmt.Errorf("%w: its answer to a bulk request cannot be read: %w", ErrRefused, err)
	}
	if response.Errors == nil {
		return fmt.Errorf("%w: its answer to a bulk request has no field errors", ErrRefused)
	}
	if !*response.Errors {
		return nil
	}
	for _, item := range response.Items {
		for _, outcome := range item {
			if outcome.Error != nil {
				return fmt.Errorf("%w document %s: %s", ErrRefused, outcome.ID, truncated(outcome.Error))
			}
		}
	}
	return fmt.Errorf("%w some documents", ErrRefused)
}

func (s *SearchEngine) index(record engine.Record) string {
	day := time.UnixMilli(record.Time).UTC().Format(time.DateOnly)
	return s.exporter.Prefix + "_" + record.Type + "_" + engine.BrokerVersion + "_" + day
}

func (s *SearchEngine) prepare(ctx context.Context) error {
	select {
	case s.preparing <- struct{}{}:
		defer func() { <-s.preparing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.isMade {
		return nil
	}
	if err := s.put(ctx, "/_component_template/"+s.exporter.Prefix, componentTemplate()); err != nil {
		return err
	}
	for _, kind := range engine.IndexTypes() {
		name := s.exporter.Prefix + "_" + kind + "_" + engine.BrokerVersion
		template := map[string]any{
			"index_patterns": []string{name + "_*"}, "composed_of": []string{s.exporter.Prefix}, "priority": 20,
			"template": map[string]any{"aliases": map[string]any{s.exporter.Prefix + "-" + kind: map[string]any{}}},
		}
		if err := s.put(ctx, "/_index_template/"+name, template); err != nil {
			return err
		}
	}
	s.isMade = true
	return nil
}

func componentTemplate() map[string]any {
	number, word := map[string]any{"type": "long"}, map[string]any{"type": "keyword"}
	return map[string]any{"template": map[string]any{
		"settings": map[string]any{"number_of_shards": 1, "number_of_replicas": 0},
		"mappings": map[string]any{
			// As in the real one's templates no text is analysed, which would cost the engine most of its time.
			"dynamic_templates": []any{map[string]any{"texts": map[string]any{
				"match_mapping_type": "string", "mapping": word,
			}}},
			"properties": map[string]any{
				"partitionId": map[string]any{"type": "integer"}, "timestamp": map[string]any{"type": "date"},
				"position": number, "sourceRecordPosition": number, "key": number, "sequence": number,
				"intent": word, "recordType": word, "valueType": word, "rejectionType": word, "brokerVersion": word,
			},
		},
	}}
}

func (s *SearchEngine) put(ctx context.Context, path string, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	_, err = s.send(ctx, http.MethodPut, path, "application/json", body)
	return err
}

func (s *SearchEngine) send(ctx context.Context, method, path, contentType string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.exporter.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", contentType)
	if s.exporter.User != "" {
		request.SetBasicAuth(s.exporter.User, s.exporter.Password)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%w %s %s: %d %s", ErrRefused, method, path, response.StatusCode, truncated(answer))
	}
	return answer, nil
}

func truncated(text []byte) []byte { return text[:min(len(text), 300)] }
