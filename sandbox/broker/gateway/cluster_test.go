package gateway

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"rehearsal/cluster"
)

func asked(method, url, body string) *http.Request {
	return httptest.NewRequest(method, url, strings.NewReader(body))
}

func TestEveryFormOfAChangeIsRead(t *testing.T) {
	for _, each := range []struct {
		read func(*http.Request) (cluster.Request, error)
		url  string
		body string
		want cluster.Request
	}{
		{brokersRequest, "/?force=true", `["0","2"]`, cluster.Request{Ask: cluster.AskForce, Members: []int{0, 2}}},
		{brokersRequest, "/?replicationFactor=4&dryRun=true", `[0,1]`, cluster.Request{
			Ask: cluster.AskScale, Members: []int{0, 1}, ReplicationFactor: 4, DryRun: true,
		}},
		{patchRequest, "/?force=true&dryRun=true", `{"brokers":{"remove":[1,3]}}`, cluster.Request{
			Ask: cluster.AskForce, Add: []int{}, Remove: []int{1, 3}, DryRun: true,
		}},
		{patchRequest, "/", `{"brokers":{"add":[1,3]},"partitions":{"replicationFactor":4}}`, cluster.Request{
			Ask: cluster.AskPatch, Add: []int{1, 3}, Remove: []int{}, ReplicationFactor: 4,
		}},
		{patchRequest, "/", `{"brokers":{"count":2}}`, cluster.Request{Ask: cluster.AskScale, Members: []int{0, 1}}},
	} {
		got, err := each.read(asked("POST", each.url, each.body))
		if err != nil || !reflect.DeepEqual(got, each.want) {
			t.Errorf("%s %s: %v %+v", each.url, each.body, err, got)
		}
	}
}

func TestWhatNoChangeCanBeReadFromIsRefused(t *testing.T) {
	for _, each := range []struct {
		read   func(*http.Request) (cluster.Request, error)
		url    string
		body   string
		status int
	}{
		{brokersRequest, "/", `["zone-a_0"]`, http.StatusBadRequest},
		{brokersRequest, "/", `{}`, http.StatusBadRequest},
		{brokersRequest, "/?replicationFactor=0", `[0]`, http.StatusBadRequest},
		{patchRequest, "/?force=true", `{}`, http.StatusBadRequest},
		{patchRequest, "/?force=true", `{"brokers":{"remove":[1]},"partitions":{"replicationFactor":4}}`, http.StatusBadRequest},
		{patchRequest, "/?force=true", `{"brokers":{"remove":[1],"add":[2]}}`, http.StatusBadRequest},
		{patchRequest, "/", `{"brokers":{"count":4,"add":[2]}}`, http.StatusBadRequest},
		{patchRequest, "/", `{"partitions":{"count":9}}`, http.StatusNotImplemented},
		{cancelRequest, "/?dryRun=true", ``, http.StatusNotImplemented},
		{cancelRequest, "/", ``, http.StatusBadRequest},
	} {
		if got, err := each.read(asked("POST", each.url, each.body)); err == nil || cluster.StatusOf(err) != each.status {
			t.Errorf("%s %s: %v %+v", each.url, each.body, err, got)
		}
	}
}
