package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"rehearsal/config"
	"rehearsal/faults"
)

func TestAnApplicationIsServedWhereItsProfileRuns(t *testing.T) {
	settings := config.Gateway{Profiles: []string{"broker", "tasklist", "consolidated-auth"}}
	handler := New(settings, nil, nil, faults.NewSwitch(faults.Set{})).rest()
	for path, status := range map[string]int{
		"/operate": http.StatusNotFound, "/tasklist": http.StatusOK, "/tasklist/processes": http.StatusOK,
		"/broker": http.StatusNotFound,
	} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		if answer.Code != status {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
}
