package partition

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"rehearsal/disk"
)

// Phase of a partition's exporting on one broker.
type Phase string

// The phases, as the management API spells them.
const (
	Exporting  Phase = "EXPORTING"
	Paused     Phase = "PAUSED"
	SoftPaused Phase = "SOFT_PAUSED"
)

// ErrMixed is the refusal of a hard pause during a soft one, and the reverse. The real broker takes it and cannot start
// the partition again (camunda/camunda issue 55838).
var ErrMixed = errors.New("exporting is paused in the other way: resume it first")

// phaseFile keeps a partition's phase on this broker's disk: it counts for this replica alone, and outlasts restarts.
type phaseFile struct {
	path string
	mu   sync.Mutex
	held Phase
}

func openPhase(folder string) (*phaseFile, error) {
	file := &phaseFile{path: filepath.Join(folder, ".exporter"), held: Exporting}
	text, err := os.ReadFile(file.path)
	if errors.Is(err, os.ErrNotExist) {
		return file, nil
	}
	if err != nil {
		return nil, err
	}
	switch phase := Phase(strings.TrimSpace(string(text))); phase {
	case Exporting, Paused, SoftPaused:
		file.held = phase
		return file, nil
	default:
		return nil, errors.New(file.path + " holds no phase: " + string(text))
	}
}

func (f *phaseFile) get() Phase {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held
}

// set changes the phase, on the disk first if it is to outlast a restart; ErrMixed unless mixing is allowed.
func (f *phaseFile) set(phase Phase, persists, mayMix bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held != Exporting && phase != Exporting && f.held != phase && !mayMix {
		return ErrMixed
	}
	if persists {
		if err := disk.WriteSynced(f.path, []byte(phase)); err != nil {
			return err
		}
	}
	f.held = phase
	return nil
}
