package members

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"rehearsal/config"
	"rehearsal/faults"
	"rehearsal/wire"
)

const (
	beat = time.Second
	// exchangeTimeout bounds one exchange, so that a silent peer holds nobody up.
	exchangeTimeout = 1500 * time.Millisecond
	lookupTimeout   = 2 * time.Second
	// fanout is how many others hear from each of us at each beat; all hear at once of a change.
	fanout = 3
	// settledLookup is how often names are looked up while everybody is there.
	settledLookup = 10
	// quickTimeout is the time-out when the quirk is switched off.
	quickTimeout = 2500 * time.Millisecond
)

// Cluster keeps the table by talking to the others.
type Cluster struct {
	*Table
	faults  *faults.Switch
	client  *http.Client
	own     string
	changed chan struct{}
	mu      sync.Mutex
	pending map[string]bool // addresses that an exchange is under way with, and whether another must follow
}

// Join opens the port for exchanges and begins to look for the others.
//
// name tells this process from others on the same machine; the line's Born makes it unique.
func Join(name string, line Line, settings config.Membership, switches *faults.Switch) (*Cluster, error) {
	line.IP, line.Members, line.Born, line.Beat = settings.Host, settings.Port, time.Now().UnixMilli(), 1
	timeout := func() time.Duration {
		if !switches.Has(faults.MemberTimeout) {
			return quickTimeout
		}
		return settings.Timeout
	}
	c := &Cluster{
		Table:   NewTable(fmt.Sprintf("%s-%d", name, line.Born), line, timeout, time.Now),
		faults:  switches,
		client:  wire.NewClient(time.Second),
		own:     line.exchange(),
		changed: make(chan struct{}, 1),
		pending: map[string]bool{},
	}
	listener, err := wire.Listen(net.JoinHostPort(config.ListenHost(settings.Host), strconv.Itoa(settings.Port)))
	if err != nil {
		return nil, fmt.Errorf("the members' port: %w", err)
	}
	handler := http.NewServeMux()
	handler.HandleFunc("POST /members", c.receive)
	go func() { _ = wire.NewServer(handler).Serve(listener) }()
	go c.beat()
	for _, contact := range settings.Contacts {
		go c.look(contact)
	}
	return c, nil
}

// Update changes the own line and sends it to all members at once.
func (c *Cluster) Update(change func(*Line)) {
	c.Table.Update(change)
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Leave announces the end of this process, and waits for a moment for answers.
func (c *Cluster) Leave() {
	c.Table.Update(func(line *Line) { line.Left = true })
	var told sync.WaitGroup
	for _, line := range c.Others() {
		told.Go(func() { c.exchange(line.exchange()) })
	}
	done := make(chan struct{})
	go func() { told.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(300 * time.Millisecond):
	}
}

func (c *Cluster) receive(w http.ResponseWriter, r *http.Request) {
	var lines map[string]Line
	if err := json.NewDecoder(r.Body).Decode(&lines); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.Merge(lines)
	for _, line := range lines {
		if line.exchange() == r.Header.Get("From") && c.isCut(line) {
			http.Error(w, "cut", http.StatusServiceUnavailable)
			return
		}
	}
	wire.Reply(w, http.StatusOK, c.Alive())
}

func (c *Cluster) isCut(line Line) bool { return line.Broker != Gateway && c.faults.IsCut(line.Broker) }

func (c *Cluster) beat() {
	ticker := time.NewTicker(beat)
	for {
		select {
		case <-ticker.C:
			c.Table.Update(func(*Line) {})
			c.tell(fanout)
		case <-c.changed:
			c.tell(len(c.Others()))
		}
	}
}

// tell exchanges the table with at most so many others, chosen by chance.
func (c *Cluster) tell(most int) {
	others := c.Others()
	names := make([]string, 0, len(others))
	for name := range others {
		names = append(names, name)
	}
	rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:min(most, len(names))] {
		if !c.isCut(others[name]) {
			c.start(others[name].exchange())
		}
	}
}

// start exchanges the table with an address; while one exchange is under way, another follows it, so that no change is
// lost.
func (c *Cluster) start(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, isBusy := c.pending[address]; isBusy {
		c.pending[address] = true
		return
	}
	c.pending[address] = false
	go func() {
		for again := true; again; again = c.isAskedAgain(address) {
			c.exchange(address)
		}
	}()
}

// isAskedAgain reports whether another exchange was asked for meanwhile, and ends the turn if not.
func (c *Cluster) isAskedAgain(address string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending[address] {
		c.pending[address] = false
		return true
	}
	delete(c.pending, address)
	return false
}

func (c *Cluster) exchange(address string) {
	ctx, cancel := context.WithTimeout(context.Background(), exchangeTimeout)
	defer cancel()
	body, err := json.Marshal(c.Alive())
	if err != nil {
		return
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/members", bytes.NewReader(body))
	if err != nil {
		return
	}
	request.Header.Set("From", c.own)
	response, err := c.client.Do(request)
	if err != nil {
		return // it may be gone: its silence is what counts
	}
	defer func() { _ = response.Body.Close() }()
	var lines map[string]Line
	if response.StatusCode == http.StatusOK && json.NewDecoder(response.Body).Decode(&lines) == nil {
		c.Merge(lines)
	}
}

// look resolves a contact point again and again, since what it leads to comes and goes; each in a goroutine of its own,
// as lookups of a lost region's names hang.
func (c *Cluster) look(contact string) {
	host, port, err := net.SplitHostPort(contact)
	if err != nil {
		return
	}
	for beats := 0; ; beats++ {
		if !c.isComplete() || beats%settledLookup == 0 {
			c.meet(host, port)
		}
		time.Sleep(beat)
	}
}

func (c *Cluster) meet(host, port string) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return // not there yet, or lost
	}
	known := map[string]bool{c.own: true}
	for _, line := range c.Others() {
		known[line.exchange()] = true
	}
	for _, address := range addresses {
		if address = net.JoinHostPort(address, port); !known[address] {
			c.start(address)
		}
	}
}

// isComplete tells whether every broker of the cluster is there.
func (c *Cluster) isComplete() bool {
	brokers := c.Brokers()
	for _, line := range brokers {
		return len(brokers) >= line.Sizes.Brokers
	}
	return false
}
