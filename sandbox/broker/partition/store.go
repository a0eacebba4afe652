package partition

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

const lockTimeout = 10 * time.Second

var (
	logBucket    = []byte("log")
	stableBucket = []byte("stable")
	// errNotFound has the text by which raft tells a missing value from a failure.
	errNotFound = errors.New("not found")
)

// store keeps raft's log, term and vote in one file, each write synced: an acknowledged command outlasts a kill -9.
// (raft-boltdb, which does the same, does not build with this version of raft.)
type store struct{ db *bbolt.DB }

func openStore(path string) (*store, error) {
	db, err := bbolt.Open(path, 0o644, &bbolt.Options{
		Timeout:        lockTimeout, // of a process that has not ended yet
		NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, InitialMmapSize: 1 << 20,
	})
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{logBucket, stableBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &store{db}, nil
}

func (s *store) close() error { return s.db.Close() }

func bytesOf(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// FirstIndex implements raft.LogStore.
func (s *store) FirstIndex() (uint64, error) { return s.edge((*bbolt.Cursor).First) }

// LastIndex implements raft.LogStore.
func (s *store) LastIndex() (uint64, error) { return s.edge((*bbolt.Cursor).Last) }

func (s *store) edge(end func(*bbolt.Cursor) ([]byte, []byte)) (index uint64, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		if key, _ := end(tx.Bucket(logBucket).Cursor()); key != nil {
			index = binary.BigEndian.Uint64(key)
		}
		return nil
	})
	return index, err
}

// GetLog implements raft.LogStore.
func (s *store) GetLog(index uint64, entry *raft.Log) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		found := tx.Bucket(logBucket).Get(bytesOf(index))
		if found == nil {
			return raft.ErrLogNotFound
		}
		return codec.NewDecoderBytes(found, &codec.MsgpackHandle{}).Decode(entry)
	})
}

// StoreLog implements raft.LogStore.
func (s *store) StoreLog(entry *raft.Log) error { return s.StoreLogs([]*raft.Log{entry}) }

// StoreLogs implements raft.LogStore: all of the entries, or none.
func (s *store) StoreLogs(entries []*raft.Log) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(logBucket)
		bucket.FillPercent = 0.9 // entries come in order
		for _, entry := range entries {
			var value []byte
			if err := codec.NewEncoderBytes(&value, &codec.MsgpackHandle{}).Encode(entry); err != nil {
				return err
			}
			if err := bucket.Put(bytesOf(entry.Index), value); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteRange implements raft.LogStore; both ends are deleted, too.
func (s *store) DeleteRange(first, last uint64) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(logBucket)
		var keys [][]byte // deleting while a cursor moves on may skip a key
		cursor := bucket.Cursor()
		for key, _ := cursor.Seek(bytesOf(first)); key != nil && binary.BigEndian.Uint64(key) <= last; key, _ = cursor.Next() {
			keys = append(keys, slices.Clone(key))
		}
		for _, key := range keys {
			if err := bucket.Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}

// Set implements raft.StableStore.
func (s *store) Set(key, value []byte) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(stableBucket).Put(key, value) })
}

// Get implements raft.StableStore.
func (s *store) Get(key []byte) (value []byte, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		found := tx.Bucket(stableBucket).Get(key)
		if found == nil {
			return errNotFound
		}
		value = slices.Clone(found)
		return nil
	})
	return value, err
}

// SetUint64 implements raft.StableStore.
func (s *store) SetUint64(key []byte, number uint64) error { return s.Set(key, bytesOf(number)) }

// GetUint64 implements raft.StableStore.
func (s *store) GetUint64(key []byte) (uint64, error) {
	value, err := s.Get(key)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(value), nil
}
