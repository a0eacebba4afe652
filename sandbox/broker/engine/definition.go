package engine

import (
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
)

// Definition is a deployed process: one start event, a sequence flow, and a service task that nobody works on.
type Definition struct {
	Key     int64  `json:"key"`
	Version int32  `json:"version"`
	Process string `json:"process"`
	Start   string `json:"start"`
	Flow    string `json:"flow"`
	Task    string `json:"task"`
	JobType string `json:"jobType"`
	// Checksum is the resource's: a changed one is another version.
	Checksum string `json:"checksum"`
}

// ErrUnsupported is the error of BPMN that this broker does not carry out.
var ErrUnsupported = errors.New("unsupported process")

type element struct {
	ID string `xml:"id,attr"`
}

type bpmn struct {
	Processes []struct {
		element
		Starts []element `xml:"startEvent"`
		Flows  []struct {
			element
			Source string `xml:"sourceRef,attr"`
			Target string `xml:"targetRef,attr"`
		} `xml:"sequenceFlow"`
		Tasks []struct {
			element
			Definition struct {
				Type string `xml:"type,attr"`
			} `xml:"extensionElements>taskDefinition"`
		} `xml:"serviceTask"`
	} `xml:"process"`
}

// ParseBPMN reads the processes of a BPMN resource.
//
// It returns ErrUnsupported, with the reason, for a process that is more than a start event, which may lead anywhere
// after a service task: an instance waits at that task for ever.
func ParseBPMN(resource []byte) ([]Definition, error) {
	var found bpmn
	if err := xml.Unmarshal(resource, &found); err != nil {
		return nil, fmt.Errorf("%w: not XML: %w", ErrUnsupported, err)
	}
	if len(found.Processes) == 0 {
		return nil, fmt.Errorf("%w: the resource holds no process", ErrUnsupported)
	}
	checksum := fmt.Sprintf("%x", sha256.Sum256(resource))
	definitions := make([]Definition, 0, len(found.Processes))
	for _, process := range found.Processes {
		if len(process.Starts) != 1 {
			return nil, fmt.Errorf("%w: %s has %d start events, not one", ErrUnsupported, process.ID, len(process.Starts))
		}
		made := Definition{Process: process.ID, Start: process.Starts[0].ID, Checksum: checksum}
		target := ""
		for _, flow := range process.Flows {
			if flow.Source == made.Start {
				made.Flow, target = flow.ID, flow.Target
			}
		}
		for _, task := range process.Tasks {
			if task.ID == target {
				made.Task, made.JobType = task.ID, task.Definition.Type
			}
		}
		if made.Task == "" {
			return nil, fmt.Errorf("%w: no service task follows the start event of %s", ErrUnsupported, process.ID)
		}
		definitions = append(definitions, made)
	}
	return definitions, nil
}
