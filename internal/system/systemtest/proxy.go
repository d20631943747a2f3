package systemtest

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// Fate is what becomes of a request that a proxy was handed.
type Fate int

// The fates of a request.
const (
	Deliver     Fate = iota // it passes, and so does its answer
	LoseAnswer              // the server gets it and acts; its answer is lost with the connection
	LoseRequest             // the server never gets it; the connection is cut
)

// Proxy stands between a client and a server on TCP and loses what a test wants lost.
type Proxy struct {
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	target string
	conns  map[net.Conn]bool
	down   bool
	rule   func(request []byte) Fate
}

// NewProxy returns a proxy to the server at an address. It ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, listener: listener, conns: map[net.Conn]bool{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.Cut()
		p.running.Wait()
	})
	return p
}

// ProxyMySQL returns a proxy to the server of a DSN, and the DSN that leads through it.
func ProxyMySQL(t testing.TB, dsn string) (*Proxy, string) {
	t.Helper()
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	p := NewProxy(t, config.Addr)
	config.Addr = p.Addr()
	return p, config.FormatDSN()
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Rule has every request that comes from now on judged, in the bytes of one read; nil delivers all. A rule that blocks
// holds its request back. It may be called for several connections at a time.
func (p *Proxy) Rule(rule func(request []byte) Fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rule = rule
}

// Cut breaks every connection and refuses new ones until Mend is called: the server is away.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for conn := range p.conns {
		_ = conn.Close()
	}
}

// Mend undoes Cut.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// Move has connections that are made from now on lead to another server. Those that are there stay where they are, as after a
// fail-over that left the old server up: Cut and Mend move them too.
func (p *Proxy) Move(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

func (p *Proxy) leadsTo() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		target := p.leadsTo()
		server, err := net.Dial("tcp", target)
		if err != nil || !p.add(target, client, server) {
			_ = client.Close()
			if server != nil {
				_ = server.Close()
			}
			continue
		}
		var lose atomic.Bool
		p.running.Go(func() {
			defer p.remove(client, server)
			p.requests(client, server, &lose)
		})
		p.running.Go(func() {
			defer p.remove(client, server)
			answers(client, server, &lose)
		})
	}
}

// add is false where a connection is not wanted any more.
func (p *Proxy) add(target string, conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down || p.target != target {
		return false
	}
	for _, conn := range conns {
		p.conns[conn] = true
	}
	return true
}

func (p *Proxy) remove(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close()
		delete(p.conns, conn)
	}
}

func (p *Proxy) requests(client io.Reader, server io.Writer, lose *atomic.Bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		rule := p.rule
		p.mu.Unlock()
		if rule != nil {
			switch rule(buffer[:n]) {
			case LoseAnswer:
				lose.Store(true)
			case LoseRequest:
				return
			case Deliver:
			}
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func answers(client io.Writer, server io.Reader, lose *atomic.Bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil || lose.Load() {
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}
