// Package trial tries what a rehearsal's verdict rests on: that no acknowledged instance is ever lost. Processes are
// killed, frozen, cut off and restarted at random under load; after each round everything must be there again, the same
// on every replica and in both search engines.
//
// A few rounds by default. More, or the same ones again:
//
//	TRIAL_ROUNDS=100 TRIAL_SEED=1 TRIAL_VERSION=8.7 go test -count=1 -timeout 2h -v ./trial
package trial

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"

	"rehearsal/faults"
)

const (
	defaultRounds = 3
	rate          = 50 // instances created a second
	answerTimeout = 3 * time.Second
)

func number(t *testing.T, name string, fallback int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	value, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is %q: a number is allowed", name, text)
	}
	return value
}

// load creates instances until it is stopped, and keeps the acknowledged ones.
type load struct {
	mu           sync.Mutex
	acknowledged map[int64]bool
	refused      int
	cancel       context.CancelFunc
	ended        sync.WaitGroup
}

func startLoad(client pb.GatewayClient) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{acknowledged: map[int64]bool{}, cancel: cancel}
	l.ended.Go(func() {
		ticker := time.NewTicker(time.Second / rate)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				l.ended.Go(func() { l.create(client) })
			}
		}
	})
	return l
}

func (l *load) create(client pb.GatewayClient) {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	answer, err := client.CreateProcessInstance(ctx, &pb.CreateProcessInstanceRequest{BpmnProcessId: processID, Version: -1})
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.refused++
		return
	}
	l.acknowledged[answer.GetProcessInstanceKey()] = true
}

func (l *load) stop() {
	l.cancel()
	l.ended.Wait()
}

func TestNothingAcknowledgedIsLost(t *testing.T) {
	rounds, seed := number(t, "TRIAL_ROUNDS", defaultRounds), number(t, "TRIAL_SEED", int(time.Now().UnixNano()%1e6))
	t.Logf("TRIAL_ROUNDS=%d TRIAL_SEED=%d", rounds, seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	c := newCluster(t, cmp.Or(os.Getenv("TRIAL_VERSION"), "8.5"))
	c.eventually("all partitions", c.probe)
	c.deploy()
	acknowledged := map[int64]bool{}
	refused := 0
	for round := range rounds {
		begun := time.Now()
		l := startLoad(c.client)
		time.Sleep(time.Duration(500+random.IntN(1000)) * time.Millisecond)
		what := c.harm(random)
		time.Sleep(time.Second)
		l.stop()
		c.eventually("all partitions", c.probe)
		maps.Copy(acknowledged, l.acknowledged)
		refused += l.refused
		c.eventually("everything is where it must be", func() error { return c.judge(acknowledged) })
		t.Logf("round %d: %s; %d acknowledged so far, %d refused, %.1f s", round+1, what, len(acknowledged), refused,
			time.Since(begun).Seconds())
	}
	t.Logf("%d rounds, %d acknowledged, 0 lost, replicas equal", rounds, len(acknowledged))
}

// harm does one thing of which a cluster must recover, and undoes it.
func (c *cluster) harm(random *rand.Rand) string {
	chosen := random.Perm(brokers)
	switch random.IntN(6) {
	case 0, 1:
		count := []int{1, 2, 4}[random.IntN(3)]
		c.restart(chosen[:count], syscall.SIGKILL, time.Duration(random.IntN(2000))*time.Millisecond)
		return fmt.Sprintf("kill -9 of brokers %v", chosen[:count])
	case 2:
		count := 1 + random.IntN(2)
		pause := time.Duration(500+random.IntN(3500)) * time.Millisecond
		for _, id := range chosen[:count] {
			c.brokers[id].signal(syscall.SIGSTOP)
		}
		time.Sleep(pause)
		for _, id := range chosen[:count] {
			c.brokers[id].signal(syscall.SIGCONT)
		}
		return fmt.Sprintf("brokers %v frozen for %v", chosen[:count], pause)
	case 3:
		pause := time.Duration(500+random.IntN(4500)) * time.Millisecond
		from, to := chosen[0], chosen[1:1+1+random.IntN(3)]
		c.put(c.brokers[from], faults.Set{Cut: to})
		time.Sleep(pause)
		c.put(c.brokers[from], faults.Set{})
		return fmt.Sprintf("nothing from broker %d to %v for %v", from, to, pause)
	case 4:
		// One at a time: two emptied replicas of four could elect a leader without what the others hold.
		lost := c.brokers[chosen[0]]
		lost.end(syscall.SIGKILL)
		if err := os.RemoveAll(lost.data); err != nil {
			c.t.Fatal(err)
		}
		c.start(lost)
		return fmt.Sprintf("broker %d begins with an empty disk", chosen[0])
	default:
		c.restart(chosen[:1], syscall.SIGTERM, 0)
		return fmt.Sprintf("restart of broker %d", chosen[0])
	}
}

func (c *cluster) restart(ids []int, number syscall.Signal, pause time.Duration) {
	for _, id := range ids {
		c.brokers[id].end(number)
	}
	time.Sleep(pause)
	for _, id := range ids {
		c.start(c.brokers[id])
	}
}

// judge returns what is not as it must be: every acknowledged instance on every replica and in both engines, and
// nothing in one place that is not in the others.
func (c *cluster) judge(acknowledged map[int64]bool) error {
	inBrokers := map[int64]bool{}
	var first map[string][]int64
	for id, broker := range c.brokers {
		var held map[string][]int64
		if err := broker.get("/rehearsal/instances", &held); err != nil {
			return err
		}
		if first == nil {
			first = held
		}
		for partition, keys := range held {
			if !slices.Equal(first[partition], keys) {
				return fmt.Errorf("partition %s has %d instances on broker 0 and %d on broker %d", partition,
					len(first[partition]), len(keys), id)
			}
			for _, key := range keys {
				inBrokers[key] = true
			}
		}
	}
	for key := range acknowledged {
		if !inBrokers[key] {
			return fmt.Errorf("acknowledged instance %d of partition %d is lost", key, key>>51)
		}
	}
	for i, engine := range c.engines {
		if keys := engine.keys(); !maps.Equal(keys, inBrokers) {
			return fmt.Errorf("engine %d holds %d instances, the brokers %d", i, len(keys), len(inBrokers))
		}
	}
	return nil
}
