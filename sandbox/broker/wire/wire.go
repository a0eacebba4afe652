// Package wire is how brokers and gateways talk: TCP connections that give up soon.
package wire

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"syscall"
	"time"
)

// unacknowledged is for how long the kernel tries to deliver what a peer does not acknowledge. Without a limit, what was
// written before a link was cut arrives when the link is back, past packet filters that let established connections
// live: a lost region's broker would speak once more.
const unacknowledged = 3 * time.Second

const tcpUserTimeout = 18 // TCP_USER_TIMEOUT in linux/tcp.h

func limit(_, _ string, connection syscall.RawConn) error {
	var failed error
	err := connection.Control(func(descriptor uintptr) {
		failed = syscall.SetsockoptInt(int(descriptor), syscall.IPPROTO_TCP, tcpUserTimeout,
			int(unacknowledged.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}

// Listen opens a port whose connections give up soon.
func Listen(address string) (net.Listener, error) {
	return (&net.ListenConfig{Control: limit}).Listen(context.Background(), "tcp", address)
}

// Dial connects within a time-out; the connection gives up soon.
func Dial(ctx context.Context, address string, timeout time.Duration) (net.Conn, error) {
	return (&net.Dialer{Timeout: timeout, Control: limit}).DialContext(ctx, "tcp", address)
}

// NewClient is an HTTP client between members; its requests end with their context.
func NewClient(dialTimeout time.Duration) *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     unacknowledged,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return Dial(ctx, address, dialTimeout)
		},
	}}
}

// NewServer is an HTTP server for members: what a lost one has opened is closed soon.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: unacknowledged, IdleTimeout: unacknowledged}
}

// Reply answers a request with JSON and, as the API server's proxy wants it, its length.
func Reply(w http.ResponseWriter, status int, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
