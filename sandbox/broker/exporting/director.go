// Package exporting writes a led partition's records to search engines: one director an exporter, each by itself.
package exporting

import (
	"context"
	"errors"
	"log"
	"slices"
	"sync"
	"time"

	"rehearsal/config"
	"rehearsal/engine"
	"rehearsal/faults"
	"rehearsal/partition"
)

// retryAfter is how long a director waits after a failed write.
const retryAfter = time.Second

// ErrStuck is the error of an exporter that is stuck on purpose.
var ErrStuck = errors.New("stuck on purpose")

// Source is a partition as its exporters see it.
type Source interface {
	After(position int64, most int) []engine.Record
	Opens(exporter string) bool
	Kept(exporter string) int64
	End() int64
	Acknowledge(exporter string, position int64) error
	Phase() (partition.Phase, time.Time)
	Changed() <-chan struct{}
}

// Sink takes records; writing the same ones again changes nothing.
type Sink interface {
	Write(ctx context.Context, records []engine.Record) error
}

// Group runs the directors of one partition, from its leader's installation to its deposition.
type Group struct {
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// Start begins to export with a director for each exporter.
func Start(source Source, exporters []config.Exporter, sinks func(config.Exporter) Sink, switches *faults.Switch) *Group {
	ctx, cancel := context.WithCancel(context.Background())
	group := &Group{cancel: cancel}
	all := &siblings{failing: map[string]bool{}, read: map[string]int64{}}
	for _, exporter := range exporters {
		d := &director{source: source, exporter: exporter, sink: sinks(exporter), faults: switches, siblings: all}
		group.ended.Go(func() { d.run(ctx) })
	}
	return group
}

// Stop ends the directors; what they have buffered the next leader reads again.
func (g *Group) Stop() {
	g.cancel()
	g.ended.Wait()
}

// siblings are the directors of one partition, as they know of each other.
type siblings struct {
	mu      sync.Mutex
	failing map[string]bool  // whose last write failed
	read    map[string]int64 // up to which position those that are open have read
}

func (s *siblings) setFailing(exporter string, failing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing[exporter] = failing
}

func (s *siblings) othersFail(exporter string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for other, failing := range s.failing {
		if failing && other != exporter {
			return true
		}
	}
	return false
}

func (s *siblings) hasRead(exporter string, position int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read[exporter] = position
}

func (s *siblings) close(exporter string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.read, exporter)
	s.failing[exporter] = false
}

// furthest returns up to which position one of them has read.
func (s *siblings) furthest() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	furthest := int64(-1)
	for _, position := range s.read {
		furthest = max(furthest, position)
	}
	return furthest
}

// director exports one partition to one engine. It buffers what it reads, and writes the buffer at regular times, or as
// soon as it is full. A pause stops the reading only: what is buffered is written all the same. Real exporters are given
// each record together; so in a pause one that a slow engine has held up still reads what another has read before. While
// its exporter is disabled it does nothing.
type director struct {
	source   Source
	exporter config.Exporter
	sink     Sink
	faults   *faults.Switch
	siblings *siblings

	isOpen bool
	buffer []engine.Record
	read   int64     // position up to which records were read
	kept   int64     // position that the partition keeps for this exporter
	due    time.Time // of the next regular write
	retry  time.Time // before which nothing is written after a failure
	logged string    // the failure that was logged last
}

func (d *director) run(ctx context.Context) {
	for ctx.Err() == nil {
		changed := d.source.Changed() // before looking, so that nothing is missed
		wait := d.step(ctx)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-d.faults.Changed():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// step does what is due, and returns after which time something will be.
func (d *director) step(ctx context.Context) time.Duration {
	if !d.source.Opens(d.exporter.ID) {
		d.isOpen, d.buffer = false, nil
		d.siblings.close(d.exporter.ID)
		return d.exporter.Delay + time.Second // or when it is enabled
	}
	d.open()
	phase, since := d.source.Phase()
	if d.mayRead() {
		d.fill(phase == partition.Paused)
	}
	now := time.Now()
	isDue := !now.Before(d.due)
	if isDue {
		d.due = now.Add(d.exporter.Delay)
	}
	full := len(d.buffer) >= d.exporter.Size
	switch {
	case len(d.buffer) > 0 && (isDue || full || !d.retry.IsZero()) && d.mayWrite(phase, since, now):
		d.write(ctx)
	case len(d.buffer) == 0 && isDue && phase == partition.Exporting && d.faults.Has(faults.PositionMovesPast):
		d.skip()
	}
	if wait := time.Until(d.retry); wait > 0 {
		return wait
	}
	return time.Until(d.due)
}

// open begins where the partition says: at the start, and after the exporter was enabled again at another position.
func (d *director) open() {
	kept := d.source.Kept(d.exporter.ID)
	if d.isOpen && d.kept <= kept && kept <= d.read {
		return
	}
	d.isOpen, d.buffer, d.read, d.kept, d.retry = true, nil, kept, kept, time.Time{}
	d.siblings.hasRead(d.exporter.ID, d.read)
	d.due = time.Now().Add(d.exporter.Delay)
}

func (d *director) mayRead() bool {
	return d.faults.Has(faults.IndependentExporters) || !d.siblings.othersFail(d.exporter.ID)
}

func (d *director) fill(isPaused bool) {
	missing := d.exporter.Size - len(d.buffer)
	if missing <= 0 {
		return
	}
	records := d.source.After(d.read, missing)
	if isPaused {
		furthest := d.siblings.furthest()
		records = slices.DeleteFunc(records, func(r engine.Record) bool { return r.Position > furthest })
	}
	if len(records) > 0 {
		d.read = records[len(records)-1].Position
		d.buffer = append(d.buffer, records...)
		d.siblings.hasRead(d.exporter.ID, d.read)
	}
}

func (d *director) mayWrite(phase partition.Phase, since, now time.Time) bool {
	if now.Before(d.retry) {
		return false
	}
	if phase != partition.Paused {
		return true
	}
	late := time.Duration(d.faults.Get().LateFlush * float64(time.Second))
	if !d.faults.Has(faults.FlushAfterPause) {
		return false
	}
	if end := since.Add(late); now.Before(end) {
		d.retry = end
		return false
	}
	return true
}

func (d *director) write(ctx context.Context) {
	err := d.send(ctx)
	d.siblings.setFailing(d.exporter.ID, err != nil)
	if err != nil {
		d.retry = time.Now().Add(retryAfter)
		if text := err.Error(); text != d.logged && ctx.Err() == nil {
			d.logged = text
			log.Printf("exporter %s: %v; trying again every %s", d.exporter.ID, err, retryAfter)
		}
		return
	}
	d.retry, d.logged = time.Time{}, ""
	written := d.buffer[len(d.buffer)-1].Position
	d.buffer = nil
	// The phase of now: it may have been paused while the engine took its time.
	if phase, _ := d.source.Phase(); phase != partition.SoftPaused {
		d.acknowledge(written)
	}
}

func (d *director) send(ctx context.Context) error {
	set := d.faults.Get()
	if set.StuckExporter[d.exporter.ID] {
		return ErrStuck
	}
	if slow := set.SlowExporter[d.exporter.ID]; slow > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(slow * float64(time.Second))):
		}
	}
	return d.sink.Write(ctx, d.buffer)
}

// skip acknowledges the log's end when there is nothing to write: commands and rejections take positions, too, and
// whoever waits for an idle partition to be exported would wait for ever.
func (d *director) skip() {
	end := d.source.End()
	if end > d.kept && len(d.source.After(d.read, 1)) == 0 {
		d.acknowledge(end)
	}
}

func (d *director) acknowledge(position int64) {
	// Not kept: it is acknowledged with the next write, or written again by the next leader.
	if d.source.Acknowledge(d.exporter.ID, position) == nil {
		d.kept = position
	}
}
