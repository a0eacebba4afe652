package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"rehearsal/faults"
)

const (
	brokers    = 4
	partitions = 4
	processID  = "trial"
	resource   = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><process id="trial"><startEvent id="started"/>
 <sequenceFlow id="flow" sourceRef="started" targetRef="wait"/><serviceTask id="wait"><extensionElements>
 <zeebe:taskDefinition type="nobody"/></extensionElements></serviceTask></process></definitions>`
)

// clusters counts those that were made.
var clusters atomic.Int32

// process is one broker or gateway.
type process struct {
	address string
	role    string
	env     []string
	data    string
	log     *os.File
	command *exec.Cmd
}

// cluster is four brokers and a gateway as processes on loopback addresses of their own, exporting to two engines. From
// 8.8 on the gateway is one of the brokers.
type cluster struct {
	t       *testing.T
	binary  string
	brokers []*process
	gateway *process
	engines [2]*engineDouble
	client  pb.GatewayClient
}

func newCluster(t *testing.T, version string) *cluster {
	t.Helper()
	folder := t.TempDir()
	c := &cluster{t: t, binary: filepath.Join(folder, "rehearsal-broker")}
	build := exec.Command("go", "build", "-o", c.binary, "rehearsal")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	// A /24 of the loopback range for each cluster, that depends on the process: several trials run side by side.
	place := os.Getpid() + int(clusters.Add(1))*997
	network := fmt.Sprintf("127.%d.%d", 64+place%64, place/64%250)
	contacts := make([]string, brokers)
	for id := range contacts {
		contacts[id] = fmt.Sprintf("%s.%d:26502", network, 10+id)
	}
	for i := range c.engines {
		c.engines[i] = newEngineDouble(t)
	}
	common := []string{
		"PATH=" + os.Getenv("PATH"), "REHEARSAL_DEAD_CONNECTION=0", "REHEARSAL_CAMUNDA_VERSION=" + version,
		"REHEARSAL_MEMBER_TIMEOUT=4s", "REHEARSAL_OPERATION_RETRY=1s",
	}
	for id := range brokers {
		address := fmt.Sprintf("%s.%d", network, 10+id)
		data := filepath.Join(folder, fmt.Sprintf("broker-%d", id))
		env := append([]string{
			fmt.Sprintf("ZEEBE_BROKER_CLUSTER_NODEID=%d", id),
			fmt.Sprintf("ZEEBE_BROKER_CLUSTER_CLUSTERSIZE=%d", brokers),
			fmt.Sprintf("ZEEBE_BROKER_CLUSTER_PARTITIONSCOUNT=%d", partitions),
			fmt.Sprintf("ZEEBE_BROKER_CLUSTER_REPLICATIONFACTOR=%d", brokers),
			"ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS=" + strings.Join(contacts, ", "),
			"ZEEBE_BROKER_NETWORK_HOST=" + address,
			"ZEEBE_BROKER_DATA_DIRECTORY=" + data,
			// Often, so that an empty or a late replica gets a snapshot.
			"REHEARSAL_SNAPSHOT_ENTRIES=100",
		}, common...)
		for i, engine := range c.engines {
			env = append(env,
				fmt.Sprintf("ZEEBE_BROKER_EXPORTERS_REGION%d_ARGS_URL=%s", i, engine.url()),
				fmt.Sprintf("ZEEBE_BROKER_EXPORTERS_REGION%d_ARGS_BULK_DELAY=1", i))
		}
		c.brokers = append(c.brokers, c.newProcess("broker", address, env, folder))
		c.brokers[id].data = data
	}
	for _, p := range c.brokers {
		c.start(p)
	}
	if slices.Contains([]string{"8.8", "8.9", "8.10"}, version) {
		c.use(c.brokers[0])
		return c
	}
	address := network + ".9"
	gateway := c.newProcess("gateway", address, append([]string{
		"ZEEBE_GATEWAY_CLUSTER_INITIALCONTACTPOINTS=" + strings.Join(contacts, ","),
		"ZEEBE_GATEWAY_CLUSTER_HOST=" + address,
	}, common...), folder)
	c.start(gateway)
	c.use(gateway)
	return c
}

// use sends what follows to a gateway.
func (c *cluster) use(gateway *process) {
	c.gateway = gateway
	credentials := grpc.WithTransportCredentials(insecure.NewCredentials())
	connection, err := grpc.NewClient(gateway.address+":26500", credentials)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = connection.Close() })
	c.client = pb.NewGatewayClient(connection)
}

func (c *cluster) newProcess(role, address string, env []string, folder string) *process {
	log, err := os.Create(filepath.Join(folder, role+"-"+address+".log"))
	if err != nil {
		c.t.Fatal(err)
	}
	p := &process{address: address, role: role, env: env, log: log}
	c.t.Cleanup(func() {
		p.end(syscall.SIGKILL)
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && c.t.Failed() {
			c.t.Logf("%s:\n%s", log.Name(), text[max(0, len(text)-2000):])
		}
	})
	return p
}

func (c *cluster) start(p *process) {
	p.command = exec.Command(c.binary, p.role)
	p.command.Env, p.command.Stdout, p.command.Stderr = p.env, p.log, p.log
	// The trial may be killed: nothing of it stays.
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		c.t.Fatal(err)
	}
}

// signal sends a signal to a running process.
func (p *process) signal(number syscall.Signal) { _ = p.command.Process.Signal(number) }

// end sends a signal and waits for the end.
func (p *process) end(number syscall.Signal) {
	if p.command == nil || p.command.Process == nil {
		return
	}
	p.signal(syscall.SIGCONT)
	p.signal(number)
	_ = p.command.Wait()
}

// put changes the faults of a process.
func (c *cluster) put(p *process, set faults.Set) {
	body, err := json.Marshal(set)
	if err != nil {
		c.t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPut, "http://"+p.address+":9600/rehearsal/faults", bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := (&http.Client{Timeout: 5 * time.Second}).Do(request)
	if err != nil {
		c.t.Fatalf("%s takes no faults: %v", p.address, err)
	}
	_ = response.Body.Close()
}

// get reads a JSON answer of a process's management port.
func (p *process) get(path string, into any) error {
	response, err := (&http.Client{Timeout: 5 * time.Second}).Get("http://" + p.address + ":9600" + path)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	return json.NewDecoder(response.Body).Decode(into)
}

// probe returns why some partition takes no command, or nil.
func (c *cluster) probe() error {
	for id := 1; id <= partitions; id++ {
		url := fmt.Sprintf("http://%s:8080/v1/user-tasks/%d/completion", c.gateway.address, int64(id)<<51)
		response, err := (&http.Client{Timeout: 20 * time.Second}).Post(url, "application/json", strings.NewReader("{}"))
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusNotFound {
			return fmt.Errorf("partition %d answered %s", id, response.Status)
		}
	}
	return nil
}

// eventually waits until a question has no objection left.
func (c *cluster) eventually(what string, question func() error) {
	c.t.Helper()
	var last error
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if last = question(); last == nil {
			return
		}
	}
	c.t.Fatalf("waited for %s, saw last: %v", what, last)
}

func (c *cluster) deploy() {
	c.eventually("the deployment", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_, err := c.client.DeployResource(ctx, &pb.DeployResourceRequest{
			Resources: []*pb.Resource{{Name: "trial.bpmn", Content: []byte(resource)}},
		})
		return err
	})
}
