package partition

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
)

func filled(t *testing.T, path string) *store {
	t.Helper()
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	var entries []*raft.Log
	for index := uint64(1); index <= 300; index++ {
		entries = append(entries, &raft.Log{Index: index, Term: 2, Data: []byte{byte(index)}})
	}
	if err := s.StoreLogs(entries); err != nil {
		t.Fatal(err)
	}
	return s
}

func edges(t *testing.T, s *store) [2]uint64 {
	t.Helper()
	first, err := s.FirstIndex()
	if err != nil {
		t.Fatal(err)
	}
	last, err := s.LastIndex()
	if err != nil {
		t.Fatal(err)
	}
	return [2]uint64{first, last}
}

func TestTheLogOutlastsAnEndOfTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "raft.db")
	s := filled(t, path)
	if err := s.SetUint64([]byte("term"), 7); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.close() }()
	var entry raft.Log
	if err := s.GetLog(200, &entry); err != nil || entry.Data[0] != 200 || entry.Term != 2 {
		t.Errorf("%+v %v", entry, err)
	}
	if term, err := s.GetUint64([]byte("term")); err != nil || term != 7 {
		t.Errorf("%d %v", term, err)
	}
}

func TestARangeIsDeletedWithBothItsEndsAndNothingElse(t *testing.T) {
	s := filled(t, filepath.Join(t.TempDir(), "raft.db"))
	defer func() { _ = s.close() }()
	if err := s.DeleteRange(1, 100); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteRange(250, 300); err != nil {
		t.Fatal(err)
	}
	if got := edges(t, s); got != [2]uint64{101, 249} {
		t.Errorf("%v", got)
	}
	for index := uint64(1); index <= 300; index++ {
		err := s.GetLog(index, new(raft.Log))
		if isThere := index > 100 && index < 250; isThere != (err == nil) {
			t.Errorf("entry %d: %v", index, err)
		}
	}
}

func TestAnEmptyLogHasNoEdgesAndAMissingValueIsNotFound(t *testing.T) {
	s, err := openStore(filepath.Join(t.TempDir(), "raft.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.close() }()
	if got := edges(t, s); got != [2]uint64{} {
		t.Errorf("%v", got)
	}
	if err := s.GetLog(1, new(raft.Log)); !errors.Is(err, raft.ErrLogNotFound) {
		t.Errorf("%v", err)
	}
	// Raft compares the text.
	if _, err := s.Get([]byte("vote")); err == nil || err.Error() != "not found" {
		t.Errorf("%v", err)
	}
}
