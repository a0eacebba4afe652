package partition

import (
	"time"

	"rehearsal/engine"
)

// What exporters see of a partition: package exporting.

// After returns at most so many records beyond a position.
func (p *Partition) After(position int64, most int) (records []engine.Record) {
	p.machine.look(func(state *engine.State) { records = state.After(position, most) })
	return records
}

// Opens reports whether an exporter is to be open: a disabled one is not.
func (p *Partition) Opens(exporter string) (opens bool) {
	p.machine.look(func(state *engine.State) { opens = state.Opens(exporter) })
	return opens
}

// Kept is the position up to which an exporter has written.
func (p *Partition) Kept(exporter string) (position int64) {
	p.machine.look(func(state *engine.State) { position = state.Kept(exporter) })
	return position
}

// End is the position of the last record, exported or not.
func (p *Partition) End() (position int64) {
	p.machine.look(func(state *engine.State) { position = state.Position })
	return position
}

// Acknowledge keeps the position up to which an exporter has written.
func (p *Partition) Acknowledge(exporter string, position int64) error {
	_, err := p.apply(
		engine.Command{Kind: engine.Acknowledge, Exporter: exporter, Position: position}, exporterTimeout,
	)
	return err
}

// Phase is the phase of exporting, and the moment at which it was last changed.
func (p *Partition) Phase() (Phase, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.phase.get(), p.pausedAt
}

// Changed is closed at the next record or change of phase.
func (p *Partition) Changed() <-chan struct{} { return p.machine.next() }
