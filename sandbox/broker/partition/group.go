package partition

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/raft"
)

// Changes of a partition's group of replicas, which the cluster's configuration asks for.

const groupTimeout = 5 * time.Second

// Force makes these replicas the whole group, whatever the others say; it must be done on each of them. A quorum is then
// counted among them alone.
//
// What each has in its log counts as committed, and the one that has most leads: of every command that a quorum of the
// old group has acknowledged, half of that group has at least one copy.
func (p *Partition) Force(replicas []int) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	ended := p.end()
	opened := p.newRun()
	// On a state of its own: the log is applied from its beginning, or from the last snapshot.
	recovered := raft.RecoverCluster(p.raftConfig(), newMachine(p.ID), p.store, p.store, p.snapshots, opened.transport,
		group(replicas))
	return errors.Join(ended, recovered, p.begin(opened))
}

// Group are the replicas that count for a quorum, as this one knows.
func (p *Partition) Group() ([]int, error) {
	known := p.raft().GetConfiguration()
	if err := known.Error(); err != nil {
		return nil, err
	}
	var brokers []int
	for _, server := range known.Configuration().Servers {
		if server.Suffrage == raft.Voter {
			broker, _ := strconv.Atoi(string(server.ID))
			brokers = append(brokers, broker)
		}
	}
	slices.Sort(brokers)
	return brokers, nil
}

// Admit lets a replica read along, without a vote, and returns the end of the log that it needs for one.
func (p *Partition) Admit(broker int) (uint64, error) {
	if !p.Serves() {
		return 0, ErrNotServing
	}
	if group, err := p.Group(); err != nil || slices.Contains(group, broker) {
		return p.raft().LastIndex(), err
	}
	id := raft.ServerID(strconv.Itoa(broker))
	err := p.raft().AddNonvoter(id, address(broker), 0, groupTimeout).Error()
	return p.raft().LastIndex(), err
}

// Promote gives a replica a vote.
func (p *Partition) Promote(broker int) error {
	if !p.Serves() {
		return ErrNotServing
	}
	id := raft.ServerID(strconv.Itoa(broker))
	return p.raft().AddVoter(id, address(broker), 0, groupTimeout).Error()
}

// Dismiss takes a replica out of the group; the leader hands over first, if it is that one.
func (p *Partition) Dismiss(broker int) error {
	if !p.Serves() {
		return ErrNotServing
	}
	if broker == p.settings.ID {
		return errors.Join(p.raft().LeadershipTransfer().Error(), ErrNotServing)
	}
	return p.raft().RemoveServer(raft.ServerID(strconv.Itoa(broker)), 0, groupTimeout).Error()
}

// Applied is how far this replica has applied the log.
func (p *Partition) Applied() uint64 { return p.raft().AppliedIndex() }

// SetRank changes how soon this replica stands for election: 0 is the first one.
func (p *Partition) SetRank(rank int) error {
	p.mu.Lock()
	isChanged := p.rank != rank
	p.rank = rank
	p.mu.Unlock()
	if !isChanged {
		return nil
	}
	reloaded := p.raft().ReloadableConfig()
	reloaded.HeartbeatTimeout = p.electionTimeout()
	reloaded.ElectionTimeout = reloaded.HeartbeatTimeout
	return p.raft().ReloadConfig(reloaded)
}
