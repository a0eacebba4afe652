package engine

import (
	"encoding/json"
	"sort"
)

// BrokerVersion is what topology, documents and index names say: Zeebe's version whose contract this is, marked as
// what it is.
const BrokerVersion = "8.5.8-rehearsal"

const (
	deployPositions = 3 // command, PROCESS CREATED, DEPLOYMENT CREATED
	createPositions = 13
	instanceEvents  = 9
	createKeys      = 6 // instance, creation, start event, flow, task, job
	activateOffset  = 2 // the command ACTIVATE_ELEMENT after CREATE and its event
)

// Record is one document of a search engine.
type Record struct {
	Position  int64
	Partition int64
	Time      int64  // milliseconds since the epoch
	Type      string // as in index names
	Document  []byte
}

// After writes out at most so many records beyond a position, in their order.
func (s *State) After(position int64, most int) []Record {
	begin := sort.Search(len(s.Pending), func(i int) bool { return s.Pending[i].Last > position })
	var found []Record
	for _, group := range s.Pending[begin:] {
		for _, record := range s.records(group) {
			if record.Position > position && len(found) < most {
				found = append(found, record)
			}
		}
		if len(found) >= most {
			break
		}
	}
	return found
}

// records are the events of a group. Commands among them take a position and are not exported.
func (s *State) records(group Group) []Record {
	w := writer{state: s, group: group, definition: s.Definitions[group.Definition], source: group.First}
	if group.Kind == Deploy {
		w.event(1, "process", "PROCESS", "CREATED", w.definition.Key, &w.group.Counters.Process, w.deployed())
		w.event(2, "deployment", "DEPLOYMENT", "CREATED", s.key(group.Key+1), &w.group.Counters.Deployment,
			map[string]any{"processesMetadata": []any{w.deployed()}})
		return w.records
	}
	instance, start, flow, task := group.Key, group.Key+2, group.Key+3, group.Key+4
	w.event(1, "process-instance-creation", "PROCESS_INSTANCE_CREATION", "CREATED", s.key(group.Key+1),
		&w.group.Counters.Creation, w.value("", ""))
	w.source = group.First + activateOffset
	d := w.definition
	w.element(3, "ELEMENT_ACTIVATING", instance, d.Process, "PROCESS")
	w.element(4, "ELEMENT_ACTIVATED", instance, d.Process, "PROCESS")
	w.element(5, "ELEMENT_ACTIVATING", start, d.Start, "START_EVENT")
	w.element(6, "ELEMENT_ACTIVATED", start, d.Start, "START_EVENT")
	w.element(7, "ELEMENT_COMPLETING", start, d.Start, "START_EVENT")
	w.element(8, "ELEMENT_COMPLETED", start, d.Start, "START_EVENT")
	w.element(9, "SEQUENCE_FLOW_TAKEN", flow, d.Flow, "SEQUENCE_FLOW")
	w.element(10, "ELEMENT_ACTIVATING", task, d.Task, "SERVICE_TASK")
	job := w.value(d.Task, "SERVICE_TASK")
	job["type"], job["retries"] = d.JobType, 3
	w.event(11, "job", "JOB", "CREATED", s.key(group.Key+5), &w.group.Counters.Job, job)
	w.element(12, "ELEMENT_ACTIVATED", task, d.Task, "SERVICE_TASK")
	return w.records
}

// writer writes out the records of one group; its copy of the group's counters runs along.
type writer struct {
	state      *State
	group      Group
	definition Definition
	source     int64
	records    []Record
}

func (w *writer) element(offset int64, intent string, key int64, id, kind string) {
	w.event(offset, "process-instance", "PROCESS_INSTANCE", intent, w.state.key(key), &w.group.Counters.Instance,
		w.value(id, kind))
}

func (w *writer) event(offset int64, index, valueType, intent string, key int64, counter *int64, value map[string]any) {
	*counter++
	position := w.group.First + offset
	document, err := json.Marshal(map[string]any{
		"partitionId": w.state.Partition, "position": position, "sourceRecordPosition": w.source,
		"sequence": w.state.Partition<<KeyBits | *counter, "key": key, "timestamp": w.group.Now,
		"recordType": "EVENT", "valueType": valueType, "intent": intent, "value": value,
		"brokerVersion": BrokerVersion, "recordVersion": 1, "rejectionType": "NULL_VAL", "rejectionReason": "",
		"authorizations": map[string]any{},
	})
	if err != nil {
		panic(err) // nothing in it can fail: numbers, texts and maps of them
	}
	w.records = append(w.records, Record{position, w.state.Partition, w.group.Now, index, document})
}

func (w *writer) value(id, kind string) map[string]any {
	value := map[string]any{
		"bpmnProcessId": w.definition.Process, "version": w.definition.Version,
		"processDefinitionKey": w.definition.Key, "processInstanceKey": w.state.key(w.group.Key), "tenantId": "<default>",
	}
	if id != "" {
		value["elementId"], value["bpmnElementType"] = id, kind
	}
	return value
}

func (w *writer) deployed() map[string]any {
	return map[string]any{
		"bpmnProcessId": w.definition.Process, "version": w.definition.Version,
		"processDefinitionKey": w.definition.Key, "tenantId": "<default>",
	}
}

// IndexTypes are the kinds of records that there are, as in index names.
func IndexTypes() []string {
	return []string{"deployment", "job", "process", "process-instance", "process-instance-creation"}
}
