// Package loadgen sends HTTP/1.1 requests at given times and measures each answer from the moment its request was due, so a
// server that stalls shows in the latencies of everyone who had to wait for it ("coordinated omission" cannot hide it).
//
// It exists because net/http's client costs more per request than the server it would measure. A connection is a plain socket,
// requests are bytes that the caller builds, and the parser reads no more of an answer than what a report needs. It speaks no
// TLS and follows no redirects. Retries are the caller's decision; the generator only keeps their time.
//
// Everything is bounded: the number of connections, the time a connection and an answer may take, the size of an answer. It
// imports nothing of ours.
package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultTimeout = 30 * time.Second // as long as the API may take to write an answer
	dialTimeout    = 10 * time.Second // longer than three SYNs that a full accept queue drops
	// openAtOnce is how many connections Open has under way. More would overrun the accept queue (4,096 on Linux).
	openAtOnce = 256
)

// Options of a generator.
type Options struct {
	Addr        string // host:port; the host is resolved once
	Connections int    // open at the same time, at most; MaxConnections says how many this process can have
	// Keep has connections stay open from request to request, and Open open all of them. Without it each request has a
	// connection of its own, from its dial to the last byte of its answer.
	Keep bool
	// Greeting is a request that Open sends on every connection, with its answer read and dropped: servers close connections
	// that stay silent (ReadHeaderTimeout). Nil: Open sends nothing.
	Greeting []byte
	Timeout  time.Duration // of one request from its dial or write to the last byte; 0: 30 s
}

// Generator sends requests to one address. Open and Run wait for each other; Progress and Close may be called at any time.
type Generator struct {
	options Options
	dialer  dialer
	workers []*worker

	sent, answered, open atomic.Int64

	busy    sync.Mutex // held by Open and Run, whose workers are the only ones to touch their connections
	closed  context.Context
	closing context.CancelFunc
}

// New resolves the address and opens nothing. Its error names the option that is wrong.
func New(ctx context.Context, o Options) (*Generator, error) {
	if o.Connections < 1 {
		return nil, fmt.Errorf("load generator: Connections must be 1 or more, not %d", o.Connections)
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	addr, err := resolve(ctx, o.Addr)
	if err != nil {
		return nil, fmt.Errorf("load generator: Addr %q: %w", o.Addr, err)
	}
	g := &Generator{options: o, dialer: newDialer(addr, o.Connections)}
	g.closed, g.closing = context.WithCancel(context.Background())
	g.workers = make([]*worker, o.Connections)
	for i := range g.workers {
		g.workers[i] = &worker{generator: g, number: i}
	}
	return g, nil
}

// Addr is where the requests go.
func (g *Generator) Addr() netip.AddrPort { return g.dialer.to }

// Open opens all connections of a generator that keeps them, and greets on each. It returns the first error; then none is open.
func (g *Generator) Open(ctx context.Context) error {
	if !g.options.Keep {
		return errors.New("load generator: only connections that are kept can be opened beforehand")
	}
	g.busy.Lock()
	defer g.busy.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ends := context.AfterFunc(g.closed, func() { cancel(context.Canceled) })
	defer ends()
	next := make(chan *worker)
	var opening sync.WaitGroup
	for range min(openAtOnce, len(g.workers)) {
		opening.Go(func() {
			for w := range next {
				if err := w.greet(ctx, g.options.Greeting); err != nil {
					cancel(fmt.Errorf("open connection %d of %d: %w", w.number+1, len(g.workers), err))
				}
			}
		})
	}
	for _, w := range g.workers {
		if ctx.Err() != nil {
			break
		}
		next <- w
	}
	close(next)
	opening.Wait()
	if ctx.Err() != nil {
		g.hangUp()
		return context.Cause(ctx)
	}
	return nil
}

// Progress is how far a generator is. Retries count.
type Progress struct {
	Open     int // connections
	Sent     int // requests, whole
	Answered int // of these
}

// Progress may be called at any time.
func (g *Generator) Progress() Progress {
	return Progress{Open: int(g.open.Load()), Sent: int(g.sent.Load()), Answered: int(g.answered.Load())}
}

// Close ends Open and Run, waits for them, and closes all connections.
func (g *Generator) Close() {
	g.closing()
	g.busy.Lock()
	defer g.busy.Unlock()
	g.hangUp()
}

func (g *Generator) hangUp() {
	for _, w := range g.workers {
		w.hangUp()
	}
}

func resolve(ctx context.Context, addr string) (netip.AddrPort, error) {
	if to, err := netip.ParseAddrPort(addr); err == nil {
		return to, nil
	}
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for _, ip := range ips { // IPv4 first: a loopback has many addresses there, and one with IPv6
		if ip = ip.Unmap(); ip.Is4() {
			return netip.AddrPortFrom(ip, uint16(port)), nil
		}
	}
	return netip.AddrPortFrom(ips[0], uint16(port)), nil
}
