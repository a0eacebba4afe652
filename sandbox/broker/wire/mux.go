package wire

import (
	"errors"
	"log"
	"net"
	"sync"
	"time"
)

// FirstHTTP is the first byte from which on a connection is HTTP, of which every request begins with a letter. Lower ones
// name the partition whose raft traffic follows.
const FirstHTTP = 0x40

const (
	helloTimeout = 10 * time.Second
	acceptRetry  = 50 * time.Millisecond
)

// Mux shares one port between the raft traffic of all partitions and HTTP.
type Mux struct {
	listener net.Listener
	http     *Port
	mu       sync.Mutex
	ports    map[byte]*Port
}

// NewMux takes connections of a listener apart until it is closed.
func NewMux(listener net.Listener) *Mux {
	m := &Mux{listener: listener, ports: map[byte]*Port{}, http: newPort(listener.Addr())}
	go m.serve()
	return m
}

// HTTP is the listener of HTTP connections.
func (m *Mux) HTTP() net.Listener { return m.http }

// Partition opens the listener of one partition's raft traffic.
func (m *Mux) Partition(partition byte) *Port {
	port := newPort(m.listener.Addr())
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ports[partition] = port
	return port
}

func (m *Mux) serve() {
	for {
		connection, err := m.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			_ = m.http.Close()
			return
		}
		if err != nil {
			log.Printf("a connection was not accepted: %v", err)
			time.Sleep(acceptRetry)
			continue
		}
		go m.hand(connection)
	}
}

func (m *Mux) hand(connection net.Conn) {
	first := make([]byte, 1)
	_ = connection.SetReadDeadline(time.Now().Add(helloTimeout))
	if _, err := connection.Read(first); err != nil {
		_ = connection.Close()
		return
	}
	_ = connection.SetReadDeadline(time.Time{})
	if first[0] >= FirstHTTP {
		m.http.take(&begun{Conn: connection, first: first})
		return
	}
	m.mu.Lock()
	port := m.ports[first[0]]
	m.mu.Unlock()
	if port == nil {
		_ = connection.Close()
		return
	}
	port.take(connection)
}

// begun is a connection of which the first byte was read already.
type begun struct {
	net.Conn
	first []byte
}

func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) > 0 && len(p) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return b.Conn.Read(p)
}

// Port is a listener fed by a Mux.
type Port struct {
	address     net.Addr
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func newPort(address net.Addr) *Port {
	return &Port{address: address, connections: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *Port) take(connection net.Conn) {
	select {
	case p.connections <- connection:
	case <-p.closed:
		_ = connection.Close()
	}
}

// Accept waits for the next connection; net.ErrClosed once the port is closed.
func (p *Port) Accept() (net.Conn, error) {
	select {
	case connection := <-p.connections:
		return connection, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept with net.ErrClosed and closes the channel of Closed.
func (p *Port) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Closed is closed with the port.
func (p *Port) Closed() <-chan struct{} { return p.closed }

// Addr is the shared port's address.
func (p *Port) Addr() net.Addr { return p.address }
