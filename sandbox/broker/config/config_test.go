package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rehearsal/faults"
)

const application = `
zeebe:
  broker:
    network: {host: 0.0.0.0, commandApi: {port: 26501}}
    cluster: {clusterSize: "8", partitions-count: 8, replicationFactor: 4}
`

func TestTheChartsFileAndEnvironmentComeTogether(t *testing.T) {
	settings, err := Parse([]string{
		"ZEEBE_BROKER_CLUSTER_NODEID=3",
		"ZEEBE_BROKER_NETWORK_HOST=10.0.0.7",
		"ZEEBE_BROKER_NETWORK_ADVERTISEDHOST=camunda-zeebe-1.camunda-zeebe.camunda-london.svc",
		"ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS=a:26502, b:26502,,",
		"ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION0_CLASSNAME=example.Exporter",
		"ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION0_ARGS_URL=http://london:9200/",
		"ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_URL=http://paris:9200",
		"ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_BULK_DELAY=30",
		"JAVA_TOOL_OPTIONS=-Xmx1g",
	}, []byte(application))
	if err != nil {
		t.Fatal(err)
	}
	b, err := settings.Broker()
	if err != nil {
		t.Fatal(err)
	}
	if b.ID != 3 || b.Sizes != (Sizes{8, 8, 4}) || b.Members.Host != "10.0.0.7" || b.CommandPort != 26501 {
		t.Errorf("%+v", b)
	}
	if !slices.Equal(b.Members.Contacts, []string{"a:26502", "b:26502"}) {
		t.Errorf("%v", b.Members.Contacts)
	}
	slices.SortFunc(b.Exporters, func(x, y Exporter) int { return strings.Compare(x.ID, y.ID) })
	wanted := []Exporter{
		{"elasticsearchregion0", "http://london:9200", "zeebe-record", 5 * time.Second, 1000, "", ""},
		{"elasticsearchregion1", "http://paris:9200", "zeebe-record", 30 * time.Second, 1000, "", ""},
	}
	if !slices.Equal(b.Exporters, wanted) {
		t.Errorf("%+v", b.Exporters)
	}
}

func TestTheEnvironmentOutranksTheFile(t *testing.T) {
	settings, _ := Parse([]string{"ZEEBE_BROKER_CLUSTER_CLUSTERSIZE=4", "ZEEBE_BROKER_NETWORK_HOST=127.0.0.1"}, []byte(application))
	if b, _ := settings.Broker(); b.Sizes.Brokers != 4 {
		t.Errorf("%+v", b.Sizes)
	}
}

func TestEverythingWrongIsToldAtOnce(t *testing.T) {
	settings, _ := Parse([]string{
		"ZEEBE_BROKER_CLUSTER_NODEID=4", "ZEEBE_BROKER_CLUSTER_CLUSTERSIZE=4", "ZEEBE_BROKER_CLUSTER_REPLICATIONFACTOR=5",
		"ZEEBE_BROKER_NETWORK_COMMANDAPI_PORT=many", "REHEARSAL_ELECTION=soon", `REHEARSAL_FAULTS={"quirksOff":["x"]}`,
	}, nil)
	_, err := settings.Broker()
	for _, wanted := range []string{"nodeId is 4", "replicationFactor is 5", `"many"`, `"soon"`, `no quirk "x"`} {
		if err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%v lacks %s", err, wanted)
		}
	}
}

func TestFaultsComeFromTheEnvironment(t *testing.T) {
	settings, _ := Parse([]string{`REHEARSAL_FAULTS={"refusePause":true,"quirksOff":["dead-connection"]}`}, nil)
	g, err := settings.Gateway()
	if err != nil || !g.Faults.RefusePause || !slices.Contains(g.Faults.QuirksOff, faults.DeadConnection) {
		t.Errorf("%+v %v", g.Faults, err)
	}
}

func TestTheVersionThatIsPlayedIsASetting(t *testing.T) {
	for text, want := range map[string]string{"": "8.5.8-rehearsal", "8.6": "8.6.0-rehearsal", "8.10": "8.10.0-rehearsal"} {
		settings, _ := Parse([]string{"REHEARSAL_CAMUNDA_VERSION=" + text, "ZEEBE_BROKER_NETWORK_HOST=127.0.0.1"}, nil)
		if b, err := settings.Broker(); err != nil || b.Camunda.String() != want {
			t.Errorf("%s: %v %v", text, b.Camunda, err)
		}
	}
	settings, _ := Parse([]string{"REHEARSAL_CAMUNDA_VERSION=8.4"}, nil)
	if _, err := settings.Gateway(); err == nil || !strings.Contains(err.Error(), "8.5 to 8.10") {
		t.Errorf("%v", err)
	}
}

const unified = `
spring: {profiles: {active: "broker,identity,operate,consolidated-auth"}}
server: {port: 8080}
management: {server: {port: 9600}}
camunda:
  cluster:
    node-id: "${VALUES_ORCHESTRATION_NODE_ID:}"
    size: "8"
    replication-factor: "4"
    partition-count: "6"
    initial-contact-points: ["a.${K8S_SERVICE_NAME}:26502", "b:26502"]
zeebe:
  broker:
    network: {advertisedHost: "${K8S_NAME}.zeebe", host: 0.0.0.0}
`

func TestTheNamesOf8_8AndLater(t *testing.T) {
	settings, err := Parse([]string{
		"REHEARSAL_CAMUNDA_VERSION=8.9", "VALUES_ORCHESTRATION_NODE_ID=5", "K8S_NAME=camunda-zeebe-2",
		"K8S_SERVICE_NAME=camunda-zeebe", "ZEEBE_BROKER_NETWORK_HOST=127.0.0.1", "CAMUNDA_CLUSTER_PARTITIONCOUNT=8",
		"CAMUNDA_DATA_EXPORTERS_CAMUNDAREGION0_CLASSNAME=io.camunda.exporter.CamundaExporter",
		"CAMUNDA_DATA_EXPORTERS_CAMUNDAREGION0_ARGS_CONNECT_URL=http://london:9200",
		"CAMUNDA_DATA_EXPORTERS_CAMUNDAREGION0_ARGS_CONNECT_USERNAME=elastic",
		"CAMUNDA_DATA_EXPORTERS_CAMUNDAREGION0_ARGS_CONNECT_PASSWORD=of London",
		"ZEEBE_BROKER_EXPORTERS_CAMUNDAREGION1_ARGS_CONNECT_URL=http://paris:9200",
	}, []byte(unified))
	if err != nil {
		t.Fatal(err)
	}
	b, err := settings.Broker()
	if err != nil || b.ID != 5 || b.Sizes != (Sizes{8, 8, 4}) || b.AdvertisedHost != "camunda-zeebe-2.zeebe" {
		t.Fatalf("%v %+v", err, b)
	}
	if !slices.Equal(b.Members.Contacts, []string{"a.camunda-zeebe:26502", "b:26502"}) || b.ManagementPort != 9600 {
		t.Errorf("%+v", b)
	}
	if len(b.Exporters) != 2 || b.Exporters[0].ID != "camundaregion0" || b.Exporters[1].URL != "http://paris:9200" {
		t.Errorf("%+v", b.Exporters)
	}
	if b.Exporters[0].User != "elastic" || b.Exporters[0].Password != "of London" || b.Exporters[1].User != "" {
		t.Errorf("%+v", b.Exporters)
	}
	g, err := settings.Gateway()
	if err != nil || g.RESTPort != 8080 || g.ManagementPort != 9600 || !slices.Contains(g.Profiles, "operate") {
		t.Errorf("%v %+v", err, g)
	}
}
