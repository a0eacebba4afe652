// Package disk writes files that outlast a kill -9 and a power cut.
package disk

import (
	"errors"
	"os"
)

// WriteSynced replaces a file as a whole: a reader finds the old content or the new one.
func WriteSynced(path string, content []byte) error {
	unfinished, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	_, err = unfinished.Write(content)
	err = errors.Join(err, unfinished.Sync(), unfinished.Close())
	if err != nil {
		return err
	}
	return os.Rename(unfinished.Name(), path)
}
