package members

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
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

// Gossip is what else is told with each exchange.
type Gossip interface {
	// Tell is what others are to hear, or nothing.
	Tell() json.RawMessage
	Hear(told json.RawMessage) error
}

// message is one side of an exchange.
type message struct {
	Lines  map[string]Line `json:"lines"`
	Gossip json.RawMessage `json:"gossip,omitempty"`
}

// Cluster keeps the table by talking to the others.
type Cluster struct {
	*Table
	gossip  Gossip // may be nil
	faults  *faults.Switch
	client  *http.Client
	own     string
	changed chan struct{}
	mu      sync.Mutex
	pending map[string]bool // addresses that an exchange is under way with, and whether another must follow
}

// Join opens the port for exchanges and begins to look for the others.
//
// name tells this process from others on the same machine; the line's Born makes it unique. gossip may be nil.
func Join(name string, line Line, settings config.Membership, switches *faults.Switch, gossip Gossip) (*Cluster, error) {
	line.IP, line.Members, line.Born, line.Beat = settings.Host, settings.Port, time.Now().UnixMilli(), 1
	timeout := func() time.Duration {
		if !switches.Has(faults.MemberTimeout) {
			return quickTimeout
		}
		return settings.Timeout
	}
	c := &Cluster{
		Table:   NewTable(fmt.Sprintf("%s-%d", name, line.Born), line, timeout, time.Now),
		gossip:  gossip,
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

// Push tells all members at once what has changed.
func (c *Cluster) Push() { c.Update(func(*Line) {}) }

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
	var told message
	if err := json.NewDecoder(r.Body).Decode(&told); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.take(told)
	for _, line := range told.Lines {
		if line.exchange() == r.Header.Get("From") && c.isCut(line) {
			http.Error(w, "cut", http.StatusServiceUnavailable)
			return
		}
	}
	wire.Reply(w, http.StatusOK, c.message())
}

// message is what this process tells.
func (c *Cluster) message() message {
	told := message{Lines: c.Alive()}
	if c.gossip != nil {
		told.Gossip = c.gossip.Tell()
	}
	return told
}

func (c *Cluster) take(told message) {
	c.Merge(told.Lines)
	if c.gossip == nil || len(told.Gossip) == 0 {
		return
	}
	if err := c.gossip.Hear(told.Gossip); err != nil {
		log.Printf("what another member has told is not kept: %v", err)
	}
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
	body, err := json.Marshal(c.message())
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
	var told message
	if response.StatusCode == http.StatusOK && json.NewDecoder(response.Body).Decode(&told) == nil {
		c.take(told)
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
