package partition

import (
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"rehearsal/config"
	"rehearsal/engine"
	"rehearsal/faults"
	"rehearsal/members"
	"rehearsal/wire"
)

// groupOf is replicas of one partition, each on a port of its own.
type groupOf struct {
	t        *testing.T
	table    *members.Table
	muxes    map[int]*wire.Mux
	folders  map[int]string
	replicas map[int]*Partition
}

func newGroup(t *testing.T, brokers ...int) *groupOf {
	t.Helper()
	always := func() time.Duration { return time.Hour }
	g := &groupOf{
		t: t, muxes: map[int]*wire.Mux{}, folders: map[int]string{}, replicas: map[int]*Partition{},
		table: members.NewTable("test", members.Line{Broker: members.Gateway}, always, time.Now),
	}
	for _, broker := range brokers {
		g.open(broker, Start{Replicas: brokers})
	}
	return g
}

func (g *groupOf) open(broker int, start Start) {
	g.t.Helper()
	if g.muxes[broker] == nil {
		listener, err := wire.Listen("127.0.0.1:0")
		if err != nil {
			g.t.Fatal(err)
		}
		g.t.Cleanup(func() { _ = listener.Close() })
		g.muxes[broker], g.folders[broker] = wire.NewMux(listener), g.t.TempDir()
		port := listener.Addr().(*net.TCPAddr).Port
		g.table.Merge(map[string]members.Line{strconv.Itoa(broker): {Broker: broker, IP: "127.0.0.1", Port: port, Beat: 1}})
	}
	settings := config.Broker{
		ID: broker, DataFolder: g.folders[broker], Election: 300 * time.Millisecond, SnapshotEntries: 2000,
	}
	opened, err := Open(1, start, settings, g.table, g.muxes[broker], faults.NewSwitch(faults.Set{}), func(*Partition) {})
	if err != nil {
		g.t.Fatal(err)
	}
	g.replicas[broker] = opened
	g.t.Cleanup(func() { g.close(broker) })
}

func (g *groupOf) close(broker int) {
	if p := g.replicas[broker]; p != nil {
		delete(g.replicas, broker)
		_ = p.Close()
	}
}

// leader waits for the replica that serves.
func (g *groupOf) leader() *Partition {
	g.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for _, p := range g.replicas {
			if p.Serves() {
				return p
			}
		}
	}
	g.t.Fatal("no replica leads")
	return nil
}

func (g *groupOf) write() {
	g.t.Helper()
	last := error(nil)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, last = g.leader().Apply(engine.Command{Kind: engine.CompleteUserTask}); last == nil {
			return
		}
	}
	g.t.Fatal(last)
}

// force makes some replicas the whole group, on each of them.
func (g *groupOf) force(brokers ...int) {
	g.t.Helper()
	for _, broker := range brokers {
		if err := g.replicas[broker].Force(brokers); err != nil {
			g.t.Fatal(err)
		}
	}
}

func (g *groupOf) voters() []int {
	g.t.Helper()
	voters, err := g.leader().Group()
	if err != nil {
		g.t.Fatal(err)
	}
	return voters
}

func TestAGroupIsShrunkByForceAndNothingIsLost(t *testing.T) {
	g := newGroup(t, 0, 1, 2, 3)
	for range 5 {
		g.write()
	}
	written := g.leader().End()
	g.close(1)
	g.close(3)
	g.force(0, 2)
	if got := g.voters(); !slices.Equal(got, []int{0, 2}) {
		t.Errorf("the group is %v", got)
	}
	if got := g.leader().End(); got < written {
		t.Errorf("%d of %d positions are there", got, written)
	}
	g.write()
}

func TestAForcedGroupOfTwoNeedsBoth(t *testing.T) {
	g := newGroup(t, 0, 1, 2, 3)
	g.write()
	g.close(1)
	g.close(3)
	g.force(0, 2)
	g.write()
	other := slices.DeleteFunc(slices.Sorted(maps.Keys(g.replicas)), func(id int) bool { return g.replicas[id] == g.leader() })
	g.close(other[0])
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left := slices.Collect(maps.Values(g.replicas))[0]
		if _, err := left.Apply(engine.Command{Kind: engine.CompleteUserTask}); errors.Is(err, ErrNotServing) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("one of two leads")
		}
	}
}

func TestAReplicaReadsAlongBeforeItVotes(t *testing.T) {
	g := newGroup(t, 0)
	for range 5 {
		g.write()
	}
	g.open(1, Start{Replicas: []int{0, 1}, Joins: true})
	end, err := g.leader().Admit(1)
	if err != nil {
		t.Fatal(err)
	}
	if got := g.voters(); !slices.Equal(got, []int{0}) {
		t.Errorf("it votes at once: %v", got)
	}
	for deadline := time.Now().Add(20 * time.Second); g.replicas[1].Applied() < end; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it has applied %d of %d", g.replicas[1].Applied(), end)
		}
	}
	for range 2 { // again does no harm
		if err := g.leader().Promote(1); err != nil {
			t.Fatal(err)
		}
		if _, err := g.leader().Admit(1); err != nil {
			t.Fatal(err)
		}
	}
	if got := g.voters(); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("the group is %v", got)
	}
	if got, want := g.replicas[1].End(), g.replicas[0].End(); got != want {
		t.Errorf("it holds %d of %d positions", got, want)
	}
}

func TestAReplicaThatLeavesIsNotCountedAnyMore(t *testing.T) {
	g := newGroup(t, 0, 1)
	g.write()
	for {
		leader := g.leader()
		err := leader.Dismiss(1)
		if err == nil {
			break
		}
		if !errors.Is(err, ErrNotServing) { // the one that leaves has led, and handed over
			t.Fatal(err)
		}
	}
	g.close(1)
	g.write()
	if got := g.voters(); !slices.Equal(got, []int{0}) {
		t.Errorf("the group is %v", got)
	}
}
