package exporting

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"rehearsal/config"
)

func TestABulkIsWrittenOnlyIfTheEngineSaysSo(t *testing.T) {
	for answer, isWritten := range map[string]bool{
		`{"errors":false,"items":[]}`:                                            true,
		`{"errors":true,"items":[{"index":{"_id":"1-2","error":{"type":"x"}}}]}`: false,
		`{"errors":true,"items":[]}`:                                             false,
		`{}`:                                                                     false,
		`<html>`:                                                                 false,
	} {
		if err := bulkError([]byte(answer)); (err == nil) != isWritten {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

func TestAnEngineWithAPasswordIsGivenIt(t *testing.T) {
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "elastic" || password != "right" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"errors":false,"items":[]}`)
	}))
	defer engine.Close()
	for password, isTaken := range map[string]bool{"right": true, "of before": false, "": false} {
		sink := NewSearchEngine(config.Exporter{URL: engine.URL, Prefix: "p", User: "elastic", Password: password})
		if err := sink.Write(context.Background(), nil); (err == nil) != isTaken {
			t.Errorf("%q: %v", password, err)
		}
	}
}
