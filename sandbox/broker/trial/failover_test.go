package trial

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	configuration "rehearsal/cluster"
)

// TestNothingAcknowledgedIsLostInAFailover loses every second broker under load, removes them by force, goes on without
// their engine, and takes them in again on empty disks: nothing that was acknowledged at any time is lost.
func TestNothingAcknowledgedIsLostInAFailover(t *testing.T) {
	cases := []struct {
		version string
		lost    int
	}{{"8.7", 0}, {"8.10", 1}, {"8.7", 1}, {"8.10", 0}}
	if number(t, "TRIAL_ROUNDS", defaultRounds) <= defaultRounds {
		cases = cases[:2]
	}
	for _, each := range cases {
		t.Run(fmt.Sprintf("%s without region %d", each.version, each.lost), func(t *testing.T) {
			t.Parallel()
			failover(t, each.version, each.lost)
		})
	}
}

func failover(t *testing.T, version string, lost int) {
	c := newCluster(t, version)
	c.eventually("all partitions", c.probe)
	c.deploy()
	acknowledged := map[int64]bool{}
	during := func(what string, do func()) {
		l := startLoad(c.client)
		time.Sleep(500 * time.Millisecond)
		do()
		time.Sleep(500 * time.Millisecond)
		l.stop()
		maps.Copy(acknowledged, l.acknowledged)
		t.Logf("%s: %d acknowledged, %d refused", what, len(l.acknowledged), l.refused)
	}
	var gone, kept []int
	for id := range c.brokers {
		if id%2 == lost {
			gone = append(gone, id)
		} else {
			kept = append(kept, id)
		}
	}
	during("the loss", func() {
		for _, id := range gone {
			c.brokers[id].end(syscall.SIGKILL)
		}
	})
	if version == "8.10" {
		c.use(c.brokers[kept[0]])
	}
	c.eventually("the removal", func() error { return c.accepted(c.change("POST", "brokers?force=true", kept)) })
	during("the removal", func() { c.settled() })
	c.eventually("all partitions", c.probe)
	region, other := fmt.Sprintf("region%d", lost), fmt.Sprintf("region%d", 1-lost)
	c.eventually("the disabling", func() error { return c.accepted(c.order(region, "disable", "")) })
	c.settled()
	during("the outage", func() { time.Sleep(time.Second) })
	before := c.engines[lost].keys()
	for _, id := range gone {
		if err := os.RemoveAll(c.brokers[id].data); err != nil {
			t.Fatal(err)
		}
		c.start(c.brokers[id])
	}
	during("the return", func() { time.Sleep(2 * time.Second) })
	for _, id := range gone {
		c.startWhereEnded(c.brokers[id])
	}
	c.pause("pause")
	time.Sleep(2500 * time.Millisecond) // what exporters have buffered is written
	if now := c.engines[lost].keys(); !maps.Equal(before, now) {
		t.Errorf("the lost region's engine got %d instances while its exporter was disabled", len(now)-len(before))
	}
	c.engines[lost].copyOf(c.engines[1-lost])
	c.eventually("the enabling", func() error { return c.accepted(c.order(region, "enable", other)) })
	c.settled()
	c.pause("resume")
	all := []int{0, 1, 2, 3}
	during("the return to all brokers", func() {
		c.eventually("the addition", func() error { return c.accepted(c.change("POST", "brokers?replicationFactor=4", all)) })
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
		// A broker that ends in the midst of its joins goes on with them.
		harmed := all[rand.IntN(len(all))]
		if c.brokers[harmed] != c.gateway {
			t.Logf("kill -9 of broker %d", harmed)
			c.restart([]int{harmed}, syscall.SIGKILL, 0)
		}
		c.settled()
	})
	c.eventually("all partitions", c.probe)
	c.eventually("everything is where it must be", func() error { return c.judge(acknowledged) })
	topology := c.topology()
	for _, broker := range topology.Brokers {
		if len(broker.Partitions) != partitions {
			t.Errorf("broker %d has %d partitions", broker.ID, len(broker.Partitions))
		}
	}
	t.Logf("%d acknowledged, 0 lost", len(acknowledged))
}

func (c *cluster) change(method, path string, body any) (int, string) {
	return c.call(method, "/actuator/cluster/"+path, body)
}

func (c *cluster) order(exporter, operation, from string) (int, string) {
	var body any
	if from != "" {
		body = map[string]string{"initializeFrom": from}
	}
	return c.call("POST", "/actuator/exporters/"+exporter+"/"+operation, body)
}

func (c *cluster) call(method, path string, body any) (int, string) {
	text, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	request, err := http.NewRequest(method, "http://"+c.gateway.address+":9600"+path, bytes.NewReader(text))
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := (&http.Client{Timeout: 70 * time.Second}).Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(answer)
}

func (c *cluster) accepted(status int, answer string) error {
	if status != http.StatusAccepted {
		return fmt.Errorf("%d %s", status, answer)
	}
	return nil
}

func (c *cluster) topology() (topology configuration.Topology) {
	status, answer := c.call("GET", "/actuator/cluster", nil)
	if status == http.StatusOK {
		_ = json.Unmarshal([]byte(answer), &topology)
	}
	return topology
}

// settled waits until no change is under way.
func (c *cluster) settled() {
	c.eventually("the change is over", func() error {
		topology := c.topology()
		if topology.Last == nil || topology.Pending != nil {
			return fmt.Errorf("%+v", topology)
		}
		return nil
	})
}

func (c *cluster) pause(what string) {
	c.eventually(what, func() error {
		status, answer := c.call("POST", "/actuator/exporting/"+what, nil)
		if status != http.StatusOK || !strings.Contains(answer, `"status":204`) {
			return fmt.Errorf("%d %s", status, answer)
		}
		return nil
	})
}

// startWhereEnded does what a kubelet does: a broker that has ended as no member is started again.
func (c *cluster) startWhereEnded(p *process) {
	var status syscall.WaitStatus
	if ended, _ := syscall.Wait4(p.command.Process.Pid, &status, syscall.WNOHANG, nil); ended == 0 {
		return
	}
	if status.ExitStatus() != 3 {
		c.t.Errorf("broker %s ended with status %d", p.address, status.ExitStatus())
	}
	c.start(p)
}
