package members

import (
	"maps"
	"slices"
	"testing"
	"time"
)

const timeout = 10 * time.Second

// clock is a time that stands still until it is moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func (c *clock) move(by time.Duration) { c.at = c.at.Add(by) }

func table() (*Table, *clock) {
	c := &clock{time.Unix(0, 0)}
	return NewTable("gateway", Line{Broker: Gateway}, func() time.Duration { return timeout }, c.now), c
}

func ids(t *Table) []int { return slices.Sorted(maps.Keys(t.Brokers())) }

func TestABrokerIsThereAsLongAsItsBeatGrows(t *testing.T) {
	known, clock := table()
	known.Merge(map[string]Line{"0-1": {Broker: 0, Beat: 1}, "1-1": {Broker: 1, Beat: 1}})
	clock.move(timeout - time.Second)
	known.Merge(map[string]Line{"0-1": {Broker: 0, Beat: 2}, "1-1": {Broker: 1, Beat: 1}})
	if got := ids(known); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("before the time-out: %v", got)
	}
	clock.move(2 * time.Second)
	if got := ids(known); !slices.Equal(got, []int{0}) {
		t.Errorf("after the time-out: %v", got)
	}
}

func TestOldKnowledgeOfOthersBringsNoneBack(t *testing.T) {
	known, clock := table()
	known.Merge(map[string]Line{"0-1": {Broker: 0, Beat: 7}})
	clock.move(2 * timeout)
	known.Merge(map[string]Line{"0-1": {Broker: 0, Beat: 7}})
	if got := ids(known); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestOfSeveralIncarnationsTheYoungestCountsEvenIfItIsSilent(t *testing.T) {
	known, clock := table()
	known.Merge(map[string]Line{"1-5": {Broker: 1, Born: 5, Beat: 1, IP: "zombie"}, "1-9": {Broker: 1, Born: 9, Beat: 1, IP: "failover"}})
	if got := known.Brokers()[1].IP; got != "failover" {
		t.Errorf("%s", got)
	}
	clock.move(timeout - time.Second)
	known.Merge(map[string]Line{"1-5": {Broker: 1, Born: 5, Beat: 2, IP: "zombie"}})
	clock.move(2 * time.Second)
	if got := ids(known); len(got) != 0 {
		t.Errorf("the older one came to life: %v", known.Brokers())
	}
}

func TestAMemberThatLeavesIsGoneAtOnce(t *testing.T) {
	known, _ := table()
	known.Merge(map[string]Line{"0-1": {Broker: 0, Beat: 1}})
	known.Merge(map[string]Line{"0-1": {Broker: 0, Beat: 2, Left: true}})
	if got := ids(known); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestTheOwnLineIsNotForOthersToChange(t *testing.T) {
	known, clock := table()
	known.Merge(map[string]Line{"gateway": {Broker: 3, Beat: 100}})
	clock.move(time.Second)
	known.Update(func(line *Line) { line.Host = "here" })
	if line := known.Alive()["gateway"]; line.Broker != Gateway || line.Host != "here" || line.Beat != 1 {
		t.Errorf("%+v", line)
	}
}

func TestWhoIsLongSilentIsForgotten(t *testing.T) {
	known, clock := table()
	known.Merge(map[string]Line{"0-1": {Broker: 0, Beat: 1}})
	clock.move(forgotten*timeout + time.Second)
	known.Update(func(*Line) {})
	known.Alive()
	if len(known.lines) != 1 {
		t.Errorf("%v", known.lines)
	}
}
