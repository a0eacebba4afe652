package trial

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// engineDouble takes documents as a search engine does, and keeps the instances among them.
type engineDouble struct {
	server *httptest.Server
	mu     sync.Mutex
	// keys of instances by document id: a document that is written again changes nothing.
	instances map[string]int64
}

func newEngineDouble(t *testing.T) *engineDouble {
	e := &engineDouble{instances: map[string]int64{}}
	e.server = httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(e.server.Close)
	return e
}

func (e *engineDouble) url() string { return e.server.URL }

func (e *engineDouble) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/_bulk" {
		_, _ = io.WriteString(w, `{"acknowledged":true}`)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var action struct {
			Index struct {
				ID string `json:"_id"`
			} `json:"index"`
		}
		var document struct {
			Key    int64  `json:"key"`
			Intent string `json:"intent"`
			Value  struct {
				Type string `json:"bpmnElementType"`
			} `json:"value"`
		}
		if json.Unmarshal(lines.Bytes(), &action) != nil || !lines.Scan() || json.Unmarshal(lines.Bytes(), &document) != nil {
			http.Error(w, "malformed", http.StatusBadRequest)
			return
		}
		if document.Intent == "ELEMENT_ACTIVATED" && document.Value.Type == "PROCESS" {
			e.instances[action.Index.ID] = document.Key
		}
	}
	_, _ = io.WriteString(w, `{"errors":false,"items":[]}`)
}

// keys are the instances that it holds.
func (e *engineDouble) keys() map[int64]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	keys := map[int64]bool{}
	for _, key := range e.instances {
		keys[key] = true
	}
	return keys
}

// copyOf takes what another one holds in the place of its own, as a snapshot that is restored does.
func (e *engineDouble) copyOf(other *engineDouble) {
	other.mu.Lock()
	held := maps.Clone(other.instances)
	other.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.instances = held
}
