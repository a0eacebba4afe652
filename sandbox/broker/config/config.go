// Package config reads what a chart gives a broker or gateway: application.yaml, and the environment, which outranks it.
//
// Names are Zeebe's own, in Spring's relaxed spelling. What is not known here is ignored, as a chart sets much that only
// the real one needs; a value of a known name that cannot be read is an error.
package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"rehearsal/faults"
)

// Sizes of a cluster.
type Sizes struct {
	Brokers           int `json:"brokers"`
	Partitions        int `json:"partitions"`
	ReplicationFactor int `json:"replicationFactor"`
}

// Exporter is one exporter of a broker's records to a search engine.
type Exporter struct {
	ID     string
	URL    string
	Prefix string
	Delay  time.Duration // after which what is buffered is written
	Size   int           // number of records at which it is written sooner
	// User and Password of the search engine; none where it asks for none.
	User     string
	Password string
}

// Membership says how a process takes part in the members' table.
type Membership struct {
	Host     string // address that others reach it at
	Port     int
	Contacts []string // host:port
	Timeout  time.Duration
}

// Broker is a broker's configuration.
type Broker struct {
	Camunda        Camunda
	ID             int
	Sizes          Sizes
	AdvertisedHost string
	CommandPort    int
	ManagementPort int
	DataFolder     string
	Exporters      []Exporter
	Members        Membership
	Election       time.Duration // heartbeat and election time-out of the partition's first replica
	Installation   time.Duration // from a leader's election to its first command
	Distribution   time.Duration // between two words of the leader to followers about exported positions
	StartDelay     time.Duration
	Join           time.Duration // how long a replica takes to join a partition
	OperationRetry time.Duration // after which a failed operation of a change is tried again
	// SnapshotEntries is after how many entries of the log a snapshot takes their place; a quarter of them stays.
	SnapshotEntries int
	Faults          faults.Set
}

// Gateway is a gateway's configuration.
type Gateway struct {
	Camunda        Camunda
	MemberID       string
	GRPCPort       int
	RESTPort       int
	ManagementPort int
	Members        Membership
	Profiles       []string      // which applications run in this process, from 8.8 on
	DeadConnection time.Duration // for which the first command to a broker that has restarted waits
	Faults         faults.Set
}

// Settings maps names in one spelling (lower case, dotted) to texts.
type Settings map[string]string

// Parse brings environment (NAME=value) and application.yaml (may be empty) together.
func Parse(environ []string, application []byte) (Settings, error) {
	var document map[string]any
	if err := yaml.Unmarshal(application, &document); err != nil {
		return nil, fmt.Errorf("application.yaml: %w", err)
	}
	settings, environment := Settings{}, map[string]string{}
	settings.flatten("", document)
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		environment[name] = value
		settings[strings.ToLower(strings.ReplaceAll(name, "_", "."))] = value
	}
	for name, value := range settings {
		settings[name] = resolve(value, environment)
	}
	settings.translate()
	return settings, nil
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9_.]+)(?::([^}]*))?\}`)

// resolve puts the environment's values, or the defaults, in the places of ${NAME:default}.
func resolve(value string, environment map[string]string) string {
	return placeholder.ReplaceAllStringFunc(value, func(found string) string {
		parts := placeholder.FindStringSubmatch(found)
		if given, known := environment[parts[1]]; known {
			return given
		}
		return parts[2]
	})
}

// newNames are those that Camunda 8.8 and later give to Zeebe's settings.
var newNames = map[string]string{
	"camunda.cluster.nodeid":               "zeebe.broker.cluster.nodeid",
	"camunda.cluster.size":                 "zeebe.broker.cluster.clustersize",
	"camunda.cluster.partitioncount":       "zeebe.broker.cluster.partitionscount",
	"camunda.cluster.replicationfactor":    "zeebe.broker.cluster.replicationfactor",
	"camunda.cluster.initialcontactpoints": "zeebe.broker.cluster.initialcontactpoints",
	"camunda.api.grpc.port":                "zeebe.broker.gateway.network.port",
}

// translate gives settings of new names their old ones, too; the new ones count.
func (s Settings) translate() {
	const newExporters, oldExporters = "camunda.data.exporters.", "zeebe.broker.exporters."
	for name, value := range maps.Clone(s) {
		old, known := newNames[name]
		if rest, isExporter := strings.CutPrefix(name, newExporters); isExporter {
			old, known = oldExporters+rest, true
		}
		if known && value != "" {
			s[old] = value
		}
	}
	for name, value := range maps.Clone(s) {
		// The CamundaExporter has its address elsewhere.
		if of, isURL := strings.CutSuffix(name, ".args.connect.url"); isURL && strings.HasPrefix(name, oldExporters) {
			s[of+".args.url"] = value
		}
	}
}

func (s Settings) flatten(path string, value any) {
	if value == nil {
		return
	}
	if items, ok := value.([]any); ok {
		texts := make([]string, len(items))
		for i, item := range items {
			texts[i] = fmt.Sprint(item)
		}
		s[path] = strings.Join(texts, ",")
		return
	}
	children, ok := value.(map[string]any)
	if !ok {
		s[path] = fmt.Sprint(value)
		return
	}
	for name, child := range children {
		name = strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
		s.flatten(strings.TrimPrefix(path+"."+name, "."), child)
	}
}

// Broker reads a broker's configuration.
func (s Settings) Broker() (Broker, error) {
	r := reader{settings: s}
	host := r.host("zeebe.broker.network.host")
	b := Broker{
		Camunda: r.camunda(),
		ID:      r.number("zeebe.broker.cluster.nodeid", 0),
		Sizes: Sizes{
			Brokers:           r.number("zeebe.broker.cluster.clustersize", 1),
			Partitions:        r.number("zeebe.broker.cluster.partitionscount", 1),
			ReplicationFactor: r.number("zeebe.broker.cluster.replicationfactor", 1),
		},
		AdvertisedHost: r.text("zeebe.broker.network.advertisedhost", host),
		CommandPort:    r.number("zeebe.broker.network.commandapi.port", 26501),
		ManagementPort: r.number("management.server.port", r.number("server.port", 9600)),
		DataFolder:     r.text("zeebe.broker.data.directory", "data"),
		Exporters:      r.exporters(),
		Members: Membership{
			Host:     host,
			Port:     r.number("zeebe.broker.network.internalapi.port", 26502),
			Contacts: r.list("zeebe.broker.cluster.initialcontactpoints"),
			Timeout:  r.duration("rehearsal.member.timeout", 10*time.Second),
		},
		Installation:    r.duration("rehearsal.installation", 300*time.Millisecond),
		Distribution:    r.duration("rehearsal.distribution", 15*time.Second),
		StartDelay:      r.duration("rehearsal.start.delay", 0),
		Join:            r.duration("rehearsal.join", 300*time.Millisecond),
		OperationRetry:  r.duration("rehearsal.operation.retry", 10*time.Second),
		SnapshotEntries: r.number("rehearsal.snapshot.entries", 2000),
		Faults:          r.faults(),
	}
	// More brokers on the same cores answer later: a short time-out would change leaders for nothing.
	usual := 1500 * time.Millisecond
	if b.Sizes.Brokers > 4 {
		usual = 2500 * time.Millisecond
	}
	b.Election = r.duration("rehearsal.election", usual)
	r.check(b.ID >= 0 && b.ID < b.Sizes.Brokers,
		"zeebe.broker.cluster.nodeId is %d: allowed are 0 to clusterSize-1, %d", b.ID, b.Sizes.Brokers-1)
	r.check(b.Sizes.Partitions >= 1 && b.Sizes.Partitions < 64,
		"zeebe.broker.cluster.partitionsCount is %d: allowed are 1 to 63", b.Sizes.Partitions)
	r.check(b.Sizes.ReplicationFactor >= 1 && b.Sizes.ReplicationFactor <= b.Sizes.Brokers,
		"zeebe.broker.cluster.replicationFactor is %d: allowed are 1 to clusterSize, %d",
		b.Sizes.ReplicationFactor, b.Sizes.Brokers)
	return b, errors.Join(r.problems...)
}

// Gateway reads a gateway's configuration.
func (s Settings) Gateway() (Gateway, error) {
	r := reader{settings: s}
	g := Gateway{
		Camunda:        r.camunda(),
		MemberID:       r.text("zeebe.gateway.cluster.memberid", "gateway"),
		GRPCPort:       r.number("zeebe.gateway.network.port", r.number("zeebe.broker.gateway.network.port", 26500)),
		RESTPort:       r.number("zeebe.gateway.rest.port", r.number("server.port", 8080)),
		ManagementPort: r.number("management.server.port", r.number("zeebe.gateway.monitoring.port", 9600)),
		Members: Membership{
			Host:     r.host("zeebe.gateway.cluster.host"),
			Port:     r.number("zeebe.gateway.cluster.port", 26502),
			Contacts: r.list("zeebe.gateway.cluster.initialcontactpoints"),
			Timeout:  r.duration("rehearsal.member.timeout", 10*time.Second),
		},
		Profiles:       r.list("spring.profiles.active"),
		DeadConnection: r.duration("rehearsal.dead.connection", 10*time.Second),
		Faults:         r.faults(),
	}
	return g, errors.Join(r.problems...)
}

// reader reads values and keeps what is wrong with them, so that all of it is told at once.
type reader struct {
	settings Settings
	problems []error
}

func (r *reader) check(holds bool, format string, args ...any) {
	if !holds {
		r.problems = append(r.problems, fmt.Errorf(format, args...))
	}
}

func (r *reader) text(name, fallback string) string {
	if value := strings.TrimSpace(r.settings[name]); value != "" {
		return value
	}
	return fallback
}

func (r *reader) camunda() Camunda {
	version, err := ParseCamunda(r.text("rehearsal.camunda.version", oldest.Minor()))
	r.check(err == nil, "REHEARSAL_CAMUNDA_VERSION: %v", err)
	return version
}

func (r *reader) number(name string, fallback int) int {
	text := r.text(name, "")
	if text == "" {
		return fallback
	}
	number, err := strconv.Atoi(text)
	r.check(err == nil, "%s is %q: a whole number is allowed", name, text)
	return number
}

func (r *reader) duration(name string, fallback time.Duration) time.Duration {
	text := r.text(name, "")
	if text == "" {
		return fallback
	}
	duration, err := time.ParseDuration(text)
	if seconds, failed := strconv.ParseFloat(text, 64); failed == nil {
		duration, err = time.Duration(seconds*float64(time.Second)), nil
	}
	r.check(err == nil && duration >= 0, "%s is %q: a number of seconds is allowed, or such as 1500ms", name, text)
	return duration
}

func (r *reader) list(name string) []string {
	return strings.FieldsFunc(r.settings[name], func(c rune) bool { return c == ',' || c == ' ' })
}

// host is the address at which others reach this process: the configured one, unless that stands for every address.
func (r *reader) host(name string) string {
	fields := strings.Fields(r.text(name, ""))
	if len(fields) > 0 && !net.ParseIP(fields[0]).IsUnspecified() {
		return fields[0]
	}
	address, err := ownAddress()
	r.check(err == nil, "%s names no address, and this machine has none: %v", name, err)
	return address
}

// ownAddress is the first address of this machine that is no loopback one.
func ownAddress() (string, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.To4() != nil && !network.IP.IsLoopback() {
			return network.IP.String(), nil
		}
	}
	return "", errors.New("no interface has an IPv4 address")
}

func (r *reader) exporters() []Exporter {
	const prefix = "zeebe.broker.exporters."
	var found []Exporter
	for name, url := range r.settings {
		id, isURL := strings.CutSuffix(strings.TrimPrefix(name, prefix), ".args.url")
		if !strings.HasPrefix(name, prefix) || !isURL || strings.Contains(id, ".") {
			continue
		}
		of := prefix + id + ".args."
		found = append(found, Exporter{
			ID:     id,
			URL:    strings.TrimSuffix(strings.TrimSpace(url), "/"),
			Prefix: r.text(of+"index.prefix", "zeebe-record"),
			Delay:  r.duration(of+"bulk.delay", 5*time.Second),
			Size:   r.number(of+"bulk.size", 1000),
			// The older exporter has its login elsewhere.
			User:     r.text(of+"connect.username", r.text(of+"authentication.username", "")),
			Password: r.text(of+"connect.password", r.text(of+"authentication.password", "")),
		})
	}
	slices.SortFunc(found, func(a, b Exporter) int { return strings.Compare(a.ID, b.ID) })
	for _, exporter := range found {
		r.check(exporter.Size >= 1, "the bulk size of exporter %s is %d: at least 1 is allowed", exporter.ID, exporter.Size)
	}
	return found
}

func (r *reader) faults() faults.Set {
	text := r.text("rehearsal.faults", "")
	if text == "" {
		return faults.Set{}
	}
	set, err := faults.Parse([]byte(text))
	r.check(err == nil, "REHEARSAL_FAULTS: %v", err)
	return set
}

// ListenHost is where to listen so that others reach a process at its address, and a port-forward does, too.
func ListenHost(address string) string {
	if net.ParseIP(address).IsLoopback() {
		return address
	}
	return "0.0.0.0"
}
