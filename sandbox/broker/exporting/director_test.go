package exporting

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"rehearsal/config"
	"rehearsal/engine"
	"rehearsal/faults"
	"rehearsal/partition"
)

// led is a partition that is led and has no replicas.
type led struct {
	mu      sync.Mutex
	records []engine.Record
	end     int64
	kept    map[string]int64
	closed  map[string]bool
	phase   partition.Phase
	since   time.Time
	changed chan struct{}
}

func newLed() *led {
	return &led{kept: map[string]int64{}, closed: map[string]bool{}, phase: partition.Exporting, changed: make(chan struct{})}
}

func (l *led) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *led) add(positions ...int64) {
	l.change(func() {
		for _, position := range positions {
			l.records = append(l.records, engine.Record{Position: position})
			l.end = position
		}
	})
}

func (l *led) set(phase partition.Phase) { l.change(func() { l.phase, l.since = phase, time.Now() }) }

func (l *led) After(position int64, most int) (found []engine.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, record := range l.records {
		if record.Position > position && len(found) < most {
			found = append(found, record)
		}
	}
	return found
}

func (l *led) Opens(exporter string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.closed[exporter]
}

func (l *led) Kept(exporter string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if kept, ok := l.kept[exporter]; ok {
		return kept
	}
	return -1
}

func (l *led) End() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end
}

func (l *led) Acknowledge(exporter string, position int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept[exporter] = position
	return nil
}

func (l *led) Phase() (partition.Phase, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.phase, l.since
}

func (l *led) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// sink keeps what it is given, unless it is broken.
type sink struct {
	mu       sync.Mutex
	written  []int64
	isBroken bool
	blocked  chan struct{}
}

var errBroken = errors.New("broken")

func (s *sink) Write(_ context.Context, records []engine.Record) error {
	s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isBroken {
		return errBroken
	}
	for _, record := range records {
		s.written = append(s.written, record.Position)
	}
	return nil
}

// block lets each write wait until the channel is closed.
func (s *sink) block(until chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocked = until
}

func (s *sink) wait() {
	s.mu.Lock()
	blocked := s.blocked
	s.mu.Unlock()
	if blocked != nil {
		<-blocked
	}
}

func (s *sink) set(isBroken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isBroken = isBroken
}

func (s *sink) positions() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.written)
}

type rig struct {
	source *led
	sinks  map[string]*sink
	faults *faults.Switch
}

func start(t *testing.T, delay time.Duration) *rig {
	t.Helper()
	r := &rig{newLed(), map[string]*sink{"a": {}, "b": {}}, faults.NewSwitch(faults.Set{})}
	exporters := []config.Exporter{{ID: "a", Delay: delay, Size: 5}, {ID: "b", Delay: delay, Size: 5}}
	group := Start(r.source, exporters, func(e config.Exporter) Sink { return r.sinks[e.ID] }, r.faults)
	t.Cleanup(group.Stop)
	return r
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("waited for: %s", what)
}

func (r *rig) has(exporter string, positions ...int64) func() bool {
	return func() bool { return slices.Equal(r.sinks[exporter].positions(), positions) }
}

func TestEachExporterGetsEveryRecordAndItsPositionIsKept(t *testing.T) {
	r := start(t, 50*time.Millisecond)
	r.source.add(1, 2, 4)
	for _, exporter := range []string{"a", "b"} {
		eventually(t, exporter+" has all", r.has(exporter, 1, 2, 4))
		eventually(t, exporter+" is kept", func() bool { return r.source.Kept(exporter) == 4 })
	}
}

func TestAFullBufferIsWrittenBeforeItsTime(t *testing.T) {
	r := start(t, time.Hour)
	r.source.add(1, 2, 3, 4)
	time.Sleep(50 * time.Millisecond)
	if got := r.sinks["a"].positions(); len(got) != 0 {
		t.Errorf("written before the buffer is full: %v", got)
	}
	r.source.add(5)
	eventually(t, "the full buffer", r.has("a", 1, 2, 3, 4, 5))
}

func TestAPauseStopsTheReadingAndWhatIsBufferedIsWrittenAllTheSame(t *testing.T) {
	r := start(t, 400*time.Millisecond)
	r.source.add(1, 2)
	time.Sleep(50 * time.Millisecond)
	r.source.set(partition.Paused)
	r.source.add(3)
	eventually(t, "the buffer", r.has("a", 1, 2))
	time.Sleep(900 * time.Millisecond)
	if got := r.sinks["a"].positions(); len(got) != 2 {
		t.Errorf("read during the pause: %v", got)
	}
	r.source.set(partition.Exporting)
	eventually(t, "the rest", r.has("a", 1, 2, 3))
}

func TestInAPauseOneThatIsBehindReadsWhatTheOtherHasRead(t *testing.T) {
	r := start(t, 50*time.Millisecond)
	block := make(chan struct{})
	r.sinks["a"].block(block)
	r.source.add(1)
	time.Sleep(200 * time.Millisecond) // it writes, and its engine takes its time
	r.source.add(2)
	eventually(t, "the other's", r.has("b", 1, 2))
	r.source.set(partition.Paused)
	r.source.add(3)
	close(block)
	eventually(t, "what the other has read", r.has("a", 1, 2))
	time.Sleep(200 * time.Millisecond)
	if a, b := r.sinks["a"].positions(), r.sinks["b"].positions(); len(a) != 2 || len(b) != 2 {
		t.Errorf("read during the pause: %v, %v", a, b)
	}
}

func TestWithoutTheQuirkABufferWaitsForTheEndOfThePause(t *testing.T) {
	r := start(t, 200*time.Millisecond)
	r.faults.Put(faults.Set{QuirksOff: []faults.Quirk{faults.FlushAfterPause}})
	r.source.add(1)
	time.Sleep(20 * time.Millisecond)
	r.source.set(partition.Paused)
	time.Sleep(500 * time.Millisecond)
	if got := r.sinks["a"].positions(); len(got) != 0 {
		t.Errorf("written: %v", got)
	}
}

func TestASoftPauseWritesAndKeepsNoPosition(t *testing.T) {
	r := start(t, 50*time.Millisecond)
	r.source.set(partition.SoftPaused)
	r.source.add(1)
	eventually(t, "the record", r.has("a", 1))
	time.Sleep(150 * time.Millisecond)
	if kept := r.source.Kept("a"); kept != -1 {
		t.Errorf("kept %d", kept)
	}
	r.source.set(partition.Exporting)
	eventually(t, "the position", func() bool { return r.source.Kept("a") == 1 })
}

func TestABrokenEngineGetsTheSameAgainAndTheOtherGoesOn(t *testing.T) {
	r := start(t, 50*time.Millisecond)
	r.sinks["a"].set(true)
	r.source.add(1, 2)
	eventually(t, "b has all", r.has("b", 1, 2))
	r.source.add(3)
	eventually(t, "b goes on", r.has("b", 1, 2, 3))
	r.sinks["a"].set(false)
	eventually(t, "a has all", func() bool {
		got := r.sinks["a"].positions()
		return slices.Equal(got, []int64{1, 2, 3})
	})
}

func TestAStuckExporterWritesNothingUntilItIsFreed(t *testing.T) {
	r := start(t, 20*time.Millisecond)
	r.faults.Put(faults.Set{StuckExporter: map[string]bool{"a": true}})
	r.source.add(1)
	eventually(t, "b has it", r.has("b", 1))
	if got := r.sinks["a"].positions(); len(got) != 0 {
		t.Errorf("%v", got)
	}
	r.faults.Put(faults.Set{})
	eventually(t, "a has it", r.has("a", 1))
}

func TestThePositionMovesPastWhatIsNotExportedButNotInAPause(t *testing.T) {
	r := start(t, 30*time.Millisecond)
	r.source.add(1)
	eventually(t, "the record", func() bool { return r.source.Kept("a") == 1 })
	r.source.set(partition.Paused)
	r.source.change(func() { r.source.end = 9 })
	time.Sleep(150 * time.Millisecond)
	if kept := r.source.Kept("a"); kept != 1 {
		t.Errorf("moved in a pause: %d", kept)
	}
	r.source.set(partition.Exporting)
	eventually(t, "the log's end", func() bool { return r.source.Kept("a") == 9 })
}

func TestADisabledExporterIsNotOpenAndBeginsWhereItIsPut(t *testing.T) {
	r := start(t, 30*time.Millisecond)
	r.source.change(func() { r.source.closed["a"] = true })
	r.source.add(1, 2, 3)
	eventually(t, "b has all", r.has("b", 1, 2, 3))
	time.Sleep(100 * time.Millisecond)
	if got := r.sinks["a"].positions(); len(got) != 0 {
		t.Errorf("written while disabled: %v", got)
	}
	r.source.change(func() { r.source.closed["a"], r.source.kept["a"] = false, 2 })
	eventually(t, "a goes on from b's position", r.has("a", 3))
}

func TestWhatADisabledExporterHasBufferedIsNotWritten(t *testing.T) {
	r := start(t, 300*time.Millisecond)
	r.source.add(1)
	time.Sleep(50 * time.Millisecond)
	r.source.change(func() { r.source.closed["a"] = true })
	eventually(t, "b has it", r.has("b", 1))
	time.Sleep(400 * time.Millisecond)
	if got := r.sinks["a"].positions(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
