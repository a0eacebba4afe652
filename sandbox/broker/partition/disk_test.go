package partition

import (
	"errors"
	"testing"

	"rehearsal/engine"
	"rehearsal/faults"
)

func TestAFullDiskRefusesCommandsAndGoesOnToLeadAndExport(t *testing.T) {
	g := newGroup(t, 0, 1, 2)
	g.write()
	leader := g.leader()
	for _, replica := range g.replicas {
		replica.faults.Put(faults.Set{DiskFull: true})
	}
	end := leader.End()
	for _, replica := range g.replicas {
		if _, err := replica.Apply(engine.Command{Kind: engine.CompleteUserTask}); !errors.Is(err, ErrDiskFull) {
			t.Errorf("broker %d: %v", replica.settings.ID, err)
		}
		if got := replica.Status(); got.StreamProcessorPhase != "PAUSED" || got.Health.Status != "UNHEALTHY" {
			t.Errorf("broker %d: %+v", replica.settings.ID, got)
		}
	}
	if !leader.Serves() || leader.End() != end {
		t.Errorf("it leads no more, or has written: %d after %d", leader.End(), end)
	}
	if err := leader.Acknowledge("exporter", end); err != nil {
		t.Errorf("it does not export: %v", err)
	}
	for _, replica := range g.replicas {
		replica.faults.Put(faults.Set{})
	}
	g.write()
	if got := g.leader().Status(); got.StreamProcessorPhase != "PROCESSING" || got.Health.Status != "HEALTHY" {
		t.Errorf("afterwards: %+v", got)
	}
}
