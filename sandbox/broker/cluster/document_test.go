package cluster

import (
	"errors"
	"maps"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

var at = time.Unix(1000, 0).UTC()

func static() Document { return Static(4, 4, 4, []string{"region0", "region1"}) }

// planned is the outcome of a request that must be accepted.
func planned(t *testing.T, d Document, own int, request Request) Outcome {
	t.Helper()
	outcome, err := Plan(d, own, request, at)
	if err != nil {
		t.Fatalf("%+v: %v", request, err)
	}
	return outcome
}

// finished is a document after a change.
func finished(t *testing.T, d Document, own int, request Request) Document {
	t.Helper()
	changed := planned(t, d, own, request).Begun
	for changed.Pending != nil {
		begun, err := changed.BeginNext(at)
		if err != nil {
			t.Fatal(err)
		}
		changed = begun.Advance(at)
	}
	return changed
}

func refused(t *testing.T, d Document, own int, request Request, status int) {
	t.Helper()
	if outcome, err := Plan(d, own, request, at); err == nil || StatusOf(err) != status {
		t.Errorf("%+v: %v, planned %v", request, err, outcome.Planned)
	}
}

func kinds(operations []Operation) []Kind {
	var found []Kind
	for _, operation := range operations {
		if len(found) == 0 || found[len(found)-1] != operation.Kind {
			found = append(found, operation.Kind)
		}
	}
	return found
}

func TestANewClusterSpreadsPartitionsOverConsecutiveBrokers(t *testing.T) {
	document := Static(6, 6, 4, nil)
	if got := document.Replicas(5); !slices.Equal(got, []int{4, 5, 0, 1}) {
		t.Errorf("partition 5 lies on %v", got)
	}
	if document.ReplicationFactor() != 4 || len(document.Partitions()) != 6 || len(document.MemberIDs()) != 6 {
		t.Errorf("%+v", document)
	}
}

func TestAForcedRemovalKeepsPartitionsWhereTheyAre(t *testing.T) {
	before := static()
	after := finished(t, before, 0, Request{Ask: AskForce, Members: []int{2, 0}})
	if got := after.MemberIDs(); !slices.Equal(got, []int{0, 2}) || after.ReplicationFactor() != 2 {
		t.Errorf("members %v, %d replicas", got, after.ReplicationFactor())
	}
	for _, id := range []int{0, 2} {
		for partition, replica := range before.Members[id].Replicas {
			if got := after.Members[id].Replicas[partition]; got.Priority != replica.Priority {
				t.Errorf("partition %d of broker %d has priority %d, had %d", partition, id, got.Priority, replica.Priority)
			}
		}
	}
}

func TestAForcedRemovalIsCarriedOutByTheLowestThatRemains(t *testing.T) {
	request := Request{Ask: AskForce, Remove: []int{0, 2}}
	document := static()
	if coordinator, _ := request.Coordinator(document); coordinator != 1 {
		t.Errorf("it is sent to %d", coordinator)
	}
	operations := planned(t, document, 1, request).Planned
	if got := kinds(operations); !slices.Equal(got, []Kind{PartitionForce, BrokerRemove}) {
		t.Errorf("%v", got)
	}
	for _, operation := range operations {
		if operation.Broker != 1 && operation.Broker != 3 {
			t.Errorf("%+v", operation)
		}
	}
}

func TestAForcedRemovalWithNothingToRemoveIsCarriedOutAllTheSame(t *testing.T) {
	operations := planned(t, static(), 0, Request{Ask: AskForce, Members: []int{0, 1, 2, 3}}).Planned
	if got := kinds(operations); !slices.Equal(got, []Kind{PartitionForce}) {
		t.Errorf("%v", got)
	}
}

func TestRequestsThatMakeNoSenseAreInvalid(t *testing.T) {
	document := Static(4, 4, 2, []string{"region0"})
	for _, request := range []Request{
		{Ask: AskForce, Members: []int{0, 7}},
		{Ask: AskForce, Members: []int{0}}, // partition 2 lies on 1 and 2
		{Ask: AskScale, Members: []int{0}, ReplicationFactor: 2},
		{Ask: AskScale},
		{Ask: AskDisable, Exporter: "region7"},
		{Ask: AskEnable, Exporter: "region0"},
		{Ask: AskPatch, Add: []int{4}, Remove: []int{4}},
	} {
		refused(t, document, 0, request, http.StatusBadRequest)
	}
}

func TestABrokerThatIsNotTheCoordinatorRefuses(t *testing.T) {
	refused(t, static(), 1, Request{Ask: AskDisable, Exporter: "region0"}, http.StatusInternalServerError)
}

func TestOneChangeAtATime(t *testing.T) {
	pending := planned(t, static(), 0, Request{Ask: AskDisable, Exporter: "region1"}).Begun
	refused(t, pending, 0, Request{Ask: AskForce, Members: []int{0, 2}}, http.StatusConflict)
	refused(t, pending, 0, Request{Ask: AskForce, Members: []int{0, 2}, DryRun: true}, http.StatusConflict)
	refused(t, pending, 0, Request{Ask: AskForce, Members: []int{9}}, http.StatusBadRequest)
}

func TestAChangesIDIsTheVersionThatItBeginsWithSoTheyGrowByTwo(t *testing.T) {
	document := static()
	for i, exporter := range []string{"region0", "region1"} {
		document = finished(t, document, 0, Request{Ask: AskDisable, Exporter: exporter})
		if want := int64(2 + 2*i); document.Last.ID != want || document.Last.Status != Succeeded {
			t.Errorf("%+v, not %d", document.Last, want)
		}
	}
}

func TestADryRunChangesNothing(t *testing.T) {
	document := static()
	outcome := planned(t, document, 0, Request{Ask: AskForce, Members: []int{0, 2}, DryRun: true})
	if !reflect.DeepEqual(outcome.Begun, document) || len(outcome.Expected.MemberIDs()) != 2 || len(outcome.Planned) != 6 {
		t.Errorf("%+v", outcome)
	}
}

func TestNothingToDoIsAcceptedUnderTheLastChangesID(t *testing.T) {
	document := finished(t, static(), 0, Request{Ask: AskDisable, Exporter: "region0"})
	outcome := planned(t, document, 0, Request{Ask: AskScale, Members: []int{0, 1, 2, 3}})
	if outcome.ID != 2 || len(outcome.Planned) != 0 || outcome.Begun.Pending != nil {
		t.Errorf("%+v", outcome)
	}
}

func TestLostBrokersThatAreAddedGetTheOriginalDistributionBack(t *testing.T) {
	for lost := range 2 {
		before := Static(8, 8, 4, []string{"region0"})
		var kept, all []int
		for id := range before.Members {
			all = append(all, id)
			if id%2 != lost {
				kept = append(kept, id)
			}
		}
		removed := finished(t, before, slices.Min(kept), Request{Ask: AskForce, Members: kept})
		outcome := planned(t, removed, slices.Min(kept), Request{Ask: AskScale, Members: all, ReplicationFactor: 4})
		for _, kind := range kinds(outcome.Planned) {
			if !slices.Contains([]Kind{BrokerAdd, PartitionJoin, PartitionPriority}, kind) {
				t.Errorf("%s is planned", kind)
			}
		}
		for partition := 1; partition <= 8; partition++ {
			if got, want := outcome.Expected.Replicas(partition), before.Replicas(partition); !slices.Equal(got, want) {
				t.Errorf("partition %d lies on %v, not %v", partition, got, want)
			}
		}
	}
}

func TestANewReplicaExportsAsTheOthersDo(t *testing.T) {
	document := finished(t, static(), 0, Request{Ask: AskForce, Members: []int{0, 2}})
	document = finished(t, document, 0, Request{Ask: AskDisable, Exporter: "region1"})
	document = finished(t, document, 0, Request{Ask: AskExporting, Exporting: "PAUSED"})
	document = finished(t, document, 0, Request{Ask: AskPatch, Add: []int{1, 3}, ReplicationFactor: 4})
	replica := document.Members[3].Replicas[1]
	if replica.Exporters["region1"] != Disabled || replica.Exporting != "PAUSED" || replica.State != Active {
		t.Errorf("%+v", replica)
	}
	if got := document.ExportingStatus(); got != "PAUSED" {
		t.Errorf("%s", got)
	}
}

func TestARemovalWithQuorumLeavesPartitionsFirst(t *testing.T) {
	document := Static(3, 3, 2, nil)
	operations := planned(t, document, 0, Request{Ask: AskPatch, Remove: []int{2}}).Planned
	if last := operations[len(operations)-1]; last.Kind != BrokerRemove || last.Broker != 2 {
		t.Errorf("%+v", operations)
	}
	after, want := finished(t, document, 0, Request{Ask: AskPatch, Remove: []int{2}}), Static(2, 3, 2, nil)
	for partition := 1; partition <= 3; partition++ {
		if got, want := after.Replicas(partition), want.Replicas(partition); !slices.Equal(got, want) {
			t.Errorf("partition %d lies on %v, not %v", partition, got, want)
		}
	}
}

func TestAnExportersStatusIsThatOfAllReplicas(t *testing.T) {
	status := func(d Document) string {
		for _, exporter := range d.Exporters() {
			if exporter.ID == "region1" {
				return exporter.Status
			}
		}
		return ""
	}
	document := static()
	pending := planned(t, document, 0, Request{Ask: AskDisable, Exporter: "region1"}).Begun
	half := pending.Advance(at)
	cancelled, err := half.Cancel(half.Pending.ID, at)
	if err != nil {
		t.Fatal(err)
	}
	disabled := finished(t, document, 0, Request{Ask: AskDisable, Exporter: "region1"})
	enabling := planned(t, disabled, 0, Request{Ask: AskEnable, Exporter: "region1", InitializeFrom: "region0"}).Begun
	for _, each := range []struct {
		document Document
		want     string
	}{
		{document, "ENABLED"}, {pending, "DISABLING"}, {half, "DISABLING"}, {cancelled, "UNKNOWN"}, {disabled, "DISABLED"},
		{enabling, "ENABLING"},
	} {
		if got := status(each.document); got != each.want {
			t.Errorf("%s, not %s", got, each.want)
		}
	}
}

func TestACancelledChangeStaysAsFarAsItWas(t *testing.T) {
	pending := planned(t, static(), 0, Request{Ask: AskForce, Members: []int{0, 2}}).Begun.Advance(at)
	cancelled, err := pending.Cancel(pending.Pending.ID, at)
	if err != nil || cancelled.Last.Status != Cancelled || cancelled.Pending != nil {
		t.Fatalf("%v %+v", err, cancelled.Last)
	}
	if len(cancelled.Replicas(1)) != 2 || len(cancelled.Replicas(2)) != 4 {
		t.Errorf("%v %v", cancelled.Replicas(1), cancelled.Replicas(2))
	}
	for _, id := range []int64{pending.Pending.ID + 1, 0} {
		if _, err := pending.Cancel(id, at); StatusOf(err) != http.StatusBadRequest {
			t.Errorf("%v", err)
		}
	}
}

func TestTheNewerDocumentCounts(t *testing.T) {
	old := static()
	pending := planned(t, old, 0, Request{Ask: AskDisable, Exporter: "region1"}).Begun
	further := pending.Advance(at)
	over := finished(t, old, 0, Request{Ask: AskForce, Members: []int{0, 2}})
	for _, each := range []struct{ a, b, want Document }{
		{old, pending, pending}, {pending, further, further}, {further, over, over}, {Document{}, old, old},
	} {
		if got := Merge(each.a, each.b); !reflect.DeepEqual(got, each.want) {
			t.Errorf("%+v\nis not\n%+v", got, each.want)
		}
		if got := Merge(each.b, each.a); !reflect.DeepEqual(got, each.want) {
			t.Errorf("the other way round: %+v", got)
		}
	}
}

func TestWhatTwoBrokersSayOfThemselvesIsMerged(t *testing.T) {
	document := static()
	a, _ := document.WithExporters(0, []string{"region0", "new"}, false, at)
	b, _ := document.WithExporters(1, []string{"region0"}, false, at)
	merged := Merge(a, b)
	if len(merged.Members[0].Replicas[1].Exporters) != 2 || len(merged.Members[1].Replicas[1].Exporters) != 1 {
		t.Errorf("%+v", merged.Members)
	}
}

func TestExportersThatLeftTheConfiguration(t *testing.T) {
	document := finished(t, static(), 0, Request{Ask: AskDisable, Exporter: "region1"})
	for namesMissing, want := range map[bool]map[string]ExporterState{
		true:  {"region1": Disabled, "region0": NotFound},
		false: {"region1": Disabled},
	} {
		named, isChanged := document.WithExporters(0, []string{"region1"}, namesMissing, at)
		if got := named.Members[0].Replicas[1].Exporters; !isChanged || !maps.Equal(got, want) {
			t.Errorf("%v, not %v", got, want)
		}
		if _, isChanged := named.WithExporters(0, []string{"region1"}, namesMissing, at); isChanged {
			t.Error("the same again is a change")
		}
	}
}

func TestAKeeperHasItsDocumentAfterARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "document")
	kept, err := Open(file)
	if err != nil || kept.Tell() != nil {
		t.Fatalf("%v %s", err, kept.Tell())
	}
	changed := kept.Changed()
	if err := kept.Update(func(Document) (Document, error) { return static(), nil }); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("the change is not announced")
	}
	changed = kept.Changed()
	if err := kept.Hear(kept.Tell()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
		t.Error("what was known is announced as a change")
	default:
	}
	again, err := Open(file)
	if err != nil || again.Get().Version != 1 || len(again.Get().Members) != 4 {
		t.Errorf("%v %+v", err, again.Get())
	}
}

func TestAKeeperKeepsNothingOfAnUpdateThatFails(t *testing.T) {
	kept, _ := Open("")
	failure := errors.New("no")
	err := kept.Update(func(Document) (Document, error) { return static(), failure })
	if !errors.Is(err, failure) || kept.Get().Version != 0 {
		t.Errorf("%v %+v", err, kept.Get())
	}
}
