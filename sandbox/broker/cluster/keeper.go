package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"rehearsal/disk"
)

// Keeper holds one process's copy of the document: on the disk, if it is a broker's.
type Keeper struct {
	mu       sync.Mutex
	file     string
	document Document
	text     []byte // of the document; empty before the first one
	changed  chan struct{}
}

// Open begins with the document in a file, or with none; a gateway has no file.
func Open(file string) (*Keeper, error) {
	k := &Keeper{file: file, document: Document{Members: map[int]Member{}}, changed: make(chan struct{})}
	if file == "" {
		return k, nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &k.document); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	k.text = text
	return k, nil
}

// Get is the document, which must not be changed in place.
func (k *Keeper) Get() Document {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.document
}

// Changed is closed at the next change.
func (k *Keeper) Changed() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.changed
}

// Update replaces the document by what a function makes of it, unless that returns an error.
func (k *Keeper) Update(change func(Document) (Document, error)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	document, err := change(k.document)
	if err != nil {
		return err
	}
	return k.put(document)
}

// Hear takes in what another process keeps (members.Gossip).
func (k *Keeper) Hear(text json.RawMessage) error {
	var theirs Document
	if err := json.Unmarshal(text, &theirs); err != nil {
		return err
	}
	return k.Update(func(ours Document) (Document, error) { return Merge(ours, theirs), nil })
}

// Tell is what others are to hear, or nothing (members.Gossip).
func (k *Keeper) Tell() json.RawMessage {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text
}

// put keeps a document, on the disk first. The caller holds mu.
func (k *Keeper) put(document Document) error {
	text, err := json.Marshal(document)
	if err != nil || bytes.Equal(text, k.text) {
		return err
	}
	if k.file != "" {
		if err := disk.WriteSynced(k.file, text); err != nil {
			return err
		}
	}
	k.document, k.text = document, text
	close(k.changed)
	k.changed = make(chan struct{})
	return nil
}
