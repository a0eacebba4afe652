package gateway

import (
	"testing"

	"rehearsal/members"
)

func TestOfTwoLeadersTheOneOfTheHighestTermLeads(t *testing.T) {
	leads := func(term uint64) map[int]members.Replica {
		return map[int]members.Replica{1: {Role: members.Leader, Term: term}}
	}
	brokers := map[int]members.Line{
		0: {Broker: 0, Replicas: leads(3)}, // killed, and listed until the time-out
		1: {Broker: 1, Replicas: leads(4)},
		2: {Broker: 2, Replicas: map[int]members.Replica{1: {Role: members.Follower, Term: 9}}},
	}
	for range 20 { // maps have no order
		if got := leaders(brokers); len(got) != 1 || got[1] != 1 {
			t.Fatalf("%v", got)
		}
	}
}
