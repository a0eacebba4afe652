package engine

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

const process = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="z"><process id="p">
<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/><serviceTask id="t"><extensionElements>
<zeebe:taskDefinition type="nobody"/></extensionElements></serviceTask></process></definitions>`

func deployed(t *testing.T, exporters ...string) *State {
	t.Helper()
	definitions, err := ParseBPMN([]byte(process))
	if err != nil {
		t.Fatal(err)
	}
	state := NewState(3)
	if exporters != nil {
		state.Apply(Command{Kind: RegisterExporters, Exporters: exporters})
	}
	state.Apply(Command{Kind: Deploy, Now: 1000, Definition: &definitions[0]})
	return state
}

func TestAKeyNamesItsPartition(t *testing.T) {
	state := deployed(t)
	for range 3 {
		if key := state.Apply(Command{Kind: Create, Process: "p"}).Key; key>>KeyBits != 3 {
			t.Errorf("key %d is of partition %d", key, key>>KeyBits)
		}
	}
	if len(state.Instances) != 3 || state.Instances[0] == state.Instances[1] {
		t.Errorf("instances: %v", state.Instances)
	}
}

func TestAnInstanceIsElevenDocumentsAndThirteenPositions(t *testing.T) {
	state := deployed(t)
	before := state.Position
	key := state.Apply(Command{Kind: Create, Now: 2000, Process: "p"}).Key
	records := state.After(before, 100)
	if len(records) != 11 || state.Position-before != 13 {
		t.Fatalf("%d documents, %d positions", len(records), state.Position-before)
	}
	intents := map[string]int{}
	var last int64
	for _, record := range records {
		var document struct {
			PartitionID, Position, Key, SourceRecordPosition int64
			Intent                                           string
			Value                                            struct{ BpmnElementType string }
		}
		if err := json.Unmarshal(record.Document, &document); err != nil {
			t.Fatal(err)
		}
		if document.Position <= last || document.Position != record.Position || document.PartitionID != 3 {
			t.Errorf("%s", record.Document)
		}
		last = document.Position
		intents[document.Intent+" "+document.Value.BpmnElementType]++
		if document.Intent == "ELEMENT_ACTIVATED" && document.Value.BpmnElementType == "PROCESS" && document.Key != key {
			t.Errorf("the instance is %d in the documents and %d in the answer", document.Key, key)
		}
	}
	if intents["ELEMENT_ACTIVATED PROCESS"] != 1 || intents["CREATED SERVICE_TASK"] != 1 {
		t.Errorf("intents: %v", intents)
	}
}

func TestSequencesCountEachValueTypeWithoutGaps(t *testing.T) {
	state := deployed(t)
	for range 2 {
		state.Apply(Command{Kind: Create, Process: "p"})
	}
	next := map[string]int64{}
	for _, record := range state.After(0, 1000) {
		var document struct{ Sequence int64 }
		if err := json.Unmarshal(record.Document, &document); err != nil {
			t.Fatal(err)
		}
		next[record.Type]++
		if document.Sequence != 3<<KeyBits|next[record.Type] {
			t.Errorf("%s: sequence %d, wanted the %dth", record.Type, document.Sequence, next[record.Type])
		}
	}
}

func TestWhatIsRejectedTakesTwoPositionsAndIsNotExported(t *testing.T) {
	state := deployed(t)
	for _, command := range []Command{{Kind: CompleteUserTask}, {Kind: Create, Process: "unknown"}} {
		before := state.Position
		if result := state.Apply(command); result.Rejection != NotFound {
			t.Errorf("%s: %+v", command.Kind, result)
		}
		if state.Position-before != 2 || len(state.After(before, 10)) != 0 || state.Processed != before+1 {
			t.Errorf("%s: positions %d to %d, processed %d", command.Kind, before, state.Position, state.Processed)
		}
	}
}

func TestTheSameProcessIsDeployedOnce(t *testing.T) {
	state := deployed(t)
	definitions, _ := ParseBPMN([]byte(process))
	before := state.Position
	again := state.Apply(Command{Kind: Deploy, Definition: &definitions[0]})
	if again.Version != 1 || state.Position != before {
		t.Errorf("%+v, position %d", again, state.Position)
	}
	definitions[0].Checksum = "other"
	if changed := state.Apply(Command{Kind: Deploy, Definition: &definitions[0]}); changed.Version != 2 {
		t.Errorf("%+v", changed)
	}
}

func TestAnotherPartitionTakesTheFirstsKeyAndVersion(t *testing.T) {
	definitions, _ := ParseBPMN([]byte(process))
	first, other := NewState(1), NewState(2)
	result := first.Apply(Command{Kind: Deploy, Definition: &definitions[0]})
	definitions[0].Key, definitions[0].Version = result.Definition, result.Version
	if taken := other.Apply(Command{Kind: Deploy, Definition: &definitions[0]}); taken != result {
		t.Errorf("%+v and %+v", taken, result)
	}
	if created := other.Apply(Command{Kind: Create, Process: "p"}); created.Definition != result.Definition {
		t.Errorf("%+v", created)
	}
}

func TestRecordsAreKeptUntilAllExportersHaveThem(t *testing.T) {
	state := deployed(t, "a", "b")
	state.Apply(Command{Kind: Create, Process: "p"})
	end := state.Position
	state.Apply(Command{Kind: Acknowledge, Exporter: "a", Position: end})
	if state.ExportedPosition() != -1 || len(state.After(-1, 100)) != 13 {
		t.Errorf("b has nothing yet: exported %d, %d kept", state.ExportedPosition(), len(state.After(-1, 100)))
	}
	state.Apply(Command{Kind: Acknowledge, Exporter: "b", Position: end - 1})
	if state.ExportedPosition() != end-1 || len(state.After(end-1, 100)) != 1 {
		t.Errorf("exported %d, %d kept", state.ExportedPosition(), len(state.After(end-1, 100)))
	}
	state.Apply(Command{Kind: Acknowledge, Exporter: "b", Position: end})
	if len(state.Pending) != 0 {
		t.Errorf("%d groups are kept for no one", len(state.Pending))
	}
}

func TestRecordsOfBeforeTheFirstRegistrationAreKeptForIt(t *testing.T) {
	state := deployed(t)
	state.Apply(Command{Kind: RegisterExporters, Exporters: []string{"a", "b"}})
	if len(state.After(-1, 100)) != 2 {
		t.Errorf("%d records", len(state.After(-1, 100)))
	}
}

func TestAnExporterKeepsItsPositionThroughARegistrationAndOneThatIsGoneHoldsNothingBack(t *testing.T) {
	state := deployed(t, "a", "gone")
	state.Apply(Command{Kind: Acknowledge, Exporter: "a", Position: state.Position})
	state.Apply(Command{Kind: RegisterExporters, Exporters: []string{"a"}})
	if state.Kept("a") != state.Position || state.Kept("gone") != -1 || len(state.Pending) != 0 {
		t.Errorf("a %d, gone %d, %d kept", state.Kept("a"), state.Kept("gone"), len(state.Pending))
	}
}

func TestAnAcknowledgementNeverGoesBack(t *testing.T) {
	state := deployed(t, "a")
	state.Apply(Command{Kind: Acknowledge, Exporter: "a", Position: 3})
	state.Apply(Command{Kind: Acknowledge, Exporter: "a", Position: 1})
	state.Apply(Command{Kind: Acknowledge, Exporter: "unknown", Position: 1})
	if state.Kept("a") != 3 || len(state.Exported) != 1 {
		t.Errorf("%v", state.Exported)
	}
}

func TestAReadEndsWhereItIsToldAndGoesOnWithinAGroup(t *testing.T) {
	state := deployed(t)
	state.Apply(Command{Kind: Create, Process: "p"})
	var positions []int64
	for position := int64(-1); ; {
		records := state.After(position, 4)
		if len(records) == 0 {
			break
		}
		for _, record := range records {
			position = record.Position
			positions = append(positions, position)
		}
	}
	if len(positions) != 13 {
		t.Errorf("positions %v", positions)
	}
}

func TestASnapshotIsTheWholeState(t *testing.T) {
	state := deployed(t, "a")
	state.Apply(Command{Kind: Create, Process: "p"})
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	var restored State
	if err := json.Unmarshal(text, &restored); err != nil {
		t.Fatal(err)
	}
	for _, each := range []*State{state, &restored} {
		each.Apply(Command{Kind: Create, Process: "p"})
	}
	if !reflect.DeepEqual(*state, restored) {
		t.Errorf("%+v\n%+v", *state, restored)
	}
}

func TestWhatIsNoProcessOfThisBrokersIsRefusedWithTheReason(t *testing.T) {
	for resource, reason := range map[string]string{
		"nonsense":                 "not XML",
		"<definitions/>":           "no process",
		"<d><process id='p'/></d>": "0 start events",
		"<d><process id='p'><startEvent id='s'/><sequenceFlow sourceRef='s' targetRef='e'/></process></d>": "no service task",
	} {
		_, err := ParseBPMN([]byte(resource))
		if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", resource, err)
		}
	}
}

func TestAClientsCommandIsRefusedBeforeItCouldStopAReplica(t *testing.T) {
	for _, wrong := range []Command{{Kind: Deploy}, {Kind: Acknowledge}, {Kind: RegisterExporters}, {Kind: "nonsense"}, {}} {
		if wrong.Validate() == nil {
			t.Errorf("%+v is accepted", wrong)
		}
	}
	for _, right := range []Command{{Kind: Create}, {Kind: CompleteUserTask}, {Kind: Deploy, Definition: &Definition{}}} {
		if err := right.Validate(); err != nil {
			t.Errorf("%+v: %v", right, err)
		}
	}
}

func TestADisabledExporterHoldsNothingBackAndStaysSo(t *testing.T) {
	state := deployed(t, "a", "b")
	state.Apply(Command{Kind: Create, Process: "p"})
	state.Apply(Command{Kind: Acknowledge, Exporter: "a", Position: state.Position})
	if len(state.Pending) == 0 {
		t.Fatal("nothing waits for b")
	}
	state.Apply(Command{Kind: DisableExporter, Exporter: "b"})
	if len(state.Pending) != 0 || state.ExportedPosition() != state.Position {
		t.Errorf("%d groups wait, exported to %d of %d", len(state.Pending), state.ExportedPosition(), state.Position)
	}
	state.Apply(Command{Kind: RegisterExporters, Exporters: []string{"a", "b"}})
	if state.Opens("b") {
		t.Error("a new leader has enabled it")
	}
}

func TestAnEnabledExporterTakesOverAPositionOnce(t *testing.T) {
	state := deployed(t, "a", "b")
	state.Apply(Command{Kind: DisableExporter, Exporter: "b"})
	state.Apply(Command{Kind: Acknowledge, Exporter: "a", Position: 2})
	for _, position := range []int64{2, 3} {
		state.Apply(Command{Kind: Acknowledge, Exporter: "a", Position: position})
		state.Apply(Command{Kind: EnableExporter, Exporter: "b", From: "a"})
		if kept := state.Kept("b"); kept != 2 {
			t.Errorf("b begins after %d", kept)
		}
	}
}
