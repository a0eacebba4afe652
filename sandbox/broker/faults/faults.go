// Package faults holds what a broker or gateway does wrong on purpose: what a real one does only on bad days, and the
// real one's quirks, which can be switched off to see that somebody notices. No chart sets any of it.
package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Quirk is a behaviour of a real broker or gateway that a simpler one would not have.
type Quirk string

// The quirks, each described where it is made.
const (
	RefusalBehind200       Quirk = "refusal-behind-200"
	PausePersists          Quirk = "pause-persists"
	FlushAfterPause        Quirk = "flush-after-pause"
	PositionMovesPast      Quirk = "position-moves-past-commands"
	DeadConnection         Quirk = "dead-connection"
	MemberTimeout          Quirk = "member-timeout"
	ReadyBeforeCommands    Quirk = "ready-before-commands"
	IndependentExporters   Quirk = "independent-exporters"
	UnansweredStillCarried Quirk = "unanswered-still-carried-out"
	FollowersLag           Quirk = "followers-lag"
	NoMixedPause           Quirk = "no-mixed-pause"
	QuorumReadiness        Quirk = "quorum-readiness"
)

var quirks = []Quirk{
	RefusalBehind200, PausePersists, FlushAfterPause, PositionMovesPast, DeadConnection, MemberTimeout,
	ReadyBeforeCommands, IndependentExporters, UnansweredStillCarried, FollowersLag, NoMixedPause, QuorumReadiness,
}

// Set is what is wrong at the moment; the zero value is a broker without fault.
type Set struct {
	// RefusePause: the gateway refuses every pause and resume, in the real one's way.
	RefusePause bool `json:"refusePause,omitempty"`
	// SlowExporter: seconds that each write of an exporter takes longer.
	SlowExporter map[string]float64 `json:"slowExporter,omitempty"`
	// StuckExporter: exporters whose writes all fail.
	StuckExporter map[string]bool `json:"stuckExporter,omitempty"`
	// LateFlush: seconds for which buffers are held after a pause.
	LateFlush float64 `json:"lateFlush,omitempty"`
	// Leaderless: partitions that this broker neither leads nor follows: with two of them none has a leader.
	Leaderless []int `json:"leaderless,omitempty"`
	// StuckChange: this broker carries out no operation of a change, which pends as long (8.6 and later).
	StuckChange bool `json:"stuckChange,omitempty"`
	// DiskFull: this broker's disk is filled above the mark from which on it processes nothing: it refuses all commands
	// and says that its partitions are unhealthy. It goes on to lead, to follow, and to export.
	DiskFull bool `json:"diskFull,omitempty"`
	// HangManagement: the management port accepts requests and never answers.
	HangManagement bool `json:"hangManagement,omitempty"`
	// StaleGateway: the gateway goes on with the topology that it sees now.
	StaleGateway bool `json:"staleGateway,omitempty"`
	// Cut: brokers that nothing from here gets through to.
	Cut []int `json:"cut,omitempty"`
	// QuirksOff: quirks of the real one that are left out.
	QuirksOff []Quirk `json:"quirksOff,omitempty"`
}

// Parse reads a set; an unknown key or quirk is an error that names what there is.
func Parse(text []byte) (Set, error) {
	var set Set
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&set); err != nil {
		return Set{}, fmt.Errorf("faults: %w", err)
	}
	for _, quirk := range set.QuirksOff {
		if !slices.Contains(quirks, quirk) {
			return Set{}, fmt.Errorf("faults: there is no quirk %q; there are %v", quirk, quirks)
		}
	}
	return set, nil
}

// Switch is the set in force, which can be changed at any moment.
type Switch struct {
	mu      sync.Mutex
	set     Set
	changed chan struct{}
}

// NewSwitch begins with a set.
func NewSwitch(set Set) *Switch { return &Switch{set: set, changed: make(chan struct{})} }

// Get is the set in force.
func (s *Switch) Get() Set {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set
}

// Put replaces the set in force.
func (s *Switch) Put(set Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set = set
	close(s.changed)
	s.changed = make(chan struct{})
}

// Changed is closed at the next change.
func (s *Switch) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Has tells whether a quirk is in force.
func (s *Switch) Has(quirk Quirk) bool { return !slices.Contains(s.Get().QuirksOff, quirk) }

// IsCut tells whether nothing gets through to a broker.
func (s *Switch) IsCut(broker int) bool { return slices.Contains(s.Get().Cut, broker) }

// IsLeaderless tells whether this broker takes no part in a partition.
func (s *Switch) IsLeaderless(partition int) bool {
	return slices.Contains(s.Get().Leaderless, partition)
}

// Wrap serves the set at /rehearsal/faults, beside a management port that it lets hang.
func (s *Switch) Wrap(management http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.TrimSuffix(r.URL.Path, "/") == "/rehearsal/faults" {
			s.serve(w, r)
			return
		}
		for s.Get().HangManagement {
			select {
			case <-r.Context().Done():
				return
			case <-s.Changed():
			case <-time.After(time.Second):
			}
		}
		management.ServeHTTP(w, r)
	})
}

func (s *Switch) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		var text bytes.Buffer
		if _, err := text.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<16)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		set, err := Parse(text.Bytes())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.Put(set)
	} else if r.Method != http.MethodGet {
		http.Error(w, "GET or PUT", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.Get())
}
