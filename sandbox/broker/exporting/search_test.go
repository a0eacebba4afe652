package exporting

import "testing"

func TestABulkIsWrittenOnlyIfTheEngineSaysSo(t *testing.T) {
	for answer, isWritten := range map[string]bool{
		`{"errors":false,"items":[]}`:                                            true,
		`{"errors":true,"items":[{"index":{"_id":"1-2","error":{"type":"x"}}}]}`: false,
		`{"errors":true,"items":[]}`:                                             false,
		`{}`:                                                                     false,
		`<html>`:                                                                 false,
	} {
		if err := bulkError([]byte(answer)); (err == nil) != isWritten {
			t.Errorf("%s: %v", answer, err)
		}
	}
}
