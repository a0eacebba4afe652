package wire

import (
	"errors"
	"sync"
)

// Together runs all at the same time, waits for them, and returns their errors joined.
func Together(works []func() error) error {
	var running sync.WaitGroup
	failed := make([]error, len(works))
	for i, work := range works {
		running.Go(func() { failed[i] = work() })
	}
	running.Wait()
	return errors.Join(failed...)
}
