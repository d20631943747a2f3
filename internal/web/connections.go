package web

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

// sweepEvery is how often idle connections make room while a new one waits: one that was idle at two sweeps is closed.
const sweepEvery = 250 * time.Millisecond

// retryAccept is the pause when no file is left for a connection.
const retryAccept = 50 * time.Millisecond

// connections counts the connections of a server and keeps them within a limit. At the limit the next one is accepted and held
// until another ends; all others wait in the kernel's queue, where a client notices nothing but the time. Meanwhile each answer is
// the last of its connection, and connections that are idle are closed, so that nobody waits for somebody who says nothing.
type connections struct {
	limit   int // 0: none
	crowded atomic.Bool
	freed   chan struct{} // has a value when a connection has ended

	mu  sync.Mutex
	all map[*protocolConn]bool
}

func newConnections(limit int) *connections {
	return &connections{limit: limit, freed: make(chan struct{}, 1), all: map[*protocolConn]bool{}}
}

// add is false while the limit is reached.
func (s *connections) add(c *protocolConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit > 0 && len(s.all) >= s.limit {
		return false
	}
	s.all[c] = true
	return true
}

func (s *connections) remove(c *protocolConn) {
	s.mu.Lock()
	delete(s.all, c)
	s.mu.Unlock()
	select {
	case s.freed <- struct{}{}:
	default:
	}
}

func (s *connections) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// sweep closes the connections that have been idle since the last sweep. Like any server that ends an idle connection it may meet a
// request that is on its way; HTTP clients send such a one again.
func (s *connections) sweep() {
	var idle []*protocolConn
	s.mu.Lock()
	for c := range s.all {
		if c.use.CompareAndSwap(idleTwice, closing) {
			idle = append(idle, c)
		} else {
			c.use.CompareAndSwap(idleOnce, idleTwice)
		}
	}
	s.mu.Unlock()
	for _, c := range idle {
		_ = c.Close()
	}
}

// What a connection does, as its use.
const (
	busy      int32 = iota // or new
	idleOnce               // since the last sweep
	idleTwice              // since the sweep before
	closing                // by a sweep
)

// protocolListener accepts TCP connections that answer with problems, and no more at a time than the server's limit. It is used by
// one goroutine.
type protocolListener struct {
	net.Listener
	server *Server
	swept  time.Time
	noFile rate.Sometimes // one line a minute in the log
}

func newProtocolListener(listener net.Listener, s *Server) *protocolListener {
	return &protocolListener{Listener: listener, server: s, noFile: rate.Sometimes{Interval: time.Minute}}
}

// Accept returns the next connection once there is room for it. When its server is deaf it ends soon, with the listener's error.
func (l *protocolListener) Accept() (net.Conn, error) {
	accepted, err := l.accept()
	if err != nil {
		return nil, err // as it is: net/http looks at its type
	}
	conn := &protocolConn{TCPConn: accepted.(*net.TCPConn), server: l.server, fresh: true}
	all := l.server.connections
	for !all.add(conn) {
		all.crowded.Store(true)
		if l.makeRoom(sweepEvery) {
			break // the last one that a stopping server answers
		}
	}
	all.crowded.Store(false)
	return conn, nil
}

// accept waits where the process, or the host, has no file left: net/http would log a line for each attempt.
func (l *protocolListener) accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) {
			return conn, err
		}
		l.noFile.Do(func() {
			l.server.log.Warn("no file is left for more connections, which wait; raise the limit of open files, or lower NETICKET_MAX_CONNECTIONS", "error", err)
		})
		if l.makeRoom(retryAccept) {
			return l.Listener.Accept() // it was closed
		}
	}
}

// makeRoom returns when a connection has ended, or after a while, or, with true, when the server is deaf.
func (l *protocolListener) makeRoom(within time.Duration) (deaf bool) {
	if time.Since(l.swept) >= sweepEvery {
		l.server.connections.sweep()
		l.swept = time.Now()
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-l.server.connections.freed:
	case <-timer.C:
	case <-l.server.deaf:
		return true
	}
	return false
}
