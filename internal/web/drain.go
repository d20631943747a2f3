package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	stopTimeout = 8 * time.Second
	stopPoll    = 5 * time.Millisecond
)

// stop ends the server without cutting a request. http.Server.Shutdown alone would cut some: it closes what is idle, though on
// a busy connection the next request may be on its way, and it drops a request that it reads after it was called. So
//
//  1. for a while every answer says that it is its connection's last, and whoever sends requests all the time moves on;
//  2. the listener closes, then the connections that were idle all that while;
//  3. what is left has a request under way, or was just accepted and is about to send one: it is answered, then closed.
func (s *Server) stop(ctx context.Context, served <-chan error) error {
	s.log.InfoContext(ctx, "http drains", "for", s.options.DrainFor)
	s.draining.Store(true)
	close(s.ending) // streams would go on for ever; their clients connect again, to another process
	if s.options.OnDrain != nil {
		s.options.OnDrain()
	}
	select {
	case err := <-served:
		return fmt.Errorf("serve http while draining: %w", err)
	case <-time.After(s.options.DrainFor):
	}
	_ = s.listener.Close()
	close(s.deaf)
	<-served //nolint:errcheck // it says that the listener is closed; from here on open only falls
	s.http.SetKeepAlivesEnabled(false)

	ctx, cancel := context.WithTimeout(ctx, s.stopTimeout)
	defer cancel()
	poll := time.NewTicker(stopPoll)
	defer poll.Stop()
	for s.open.Load() > 0 {
		select {
		case <-poll.C:
		case <-ctx.Done():
			_ = s.http.Close()
			return fmt.Errorf("stop http: %d connections were cut after %v", s.open.Load(), s.stopTimeout)
		}
	}
	return nil
}

// followConnection is the http.Server's ConnState.
func (s *Server) followConnection(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.open.Add(1)
	case http.StateActive:
		if c, ok := conn.(*protocolConn); ok {
			c.use.Store(busy)
		}
	case http.StateIdle:
		if c, ok := conn.(*protocolConn); ok {
			c.fresh = true
			c.use.Store(idleOnce)
		}
	case http.StateHijacked, http.StateClosed:
		s.open.Add(-1)
	}
}

// closeIfDue makes an answer the last of its connection while the server drains, or a new connection waits for room. It is called
// when a request begins and, as either may have begun since, again when it is answered.
func (s *Server) closeIfDue(h http.Header) {
	if s.draining.Load() || s.connections.crowded.Load() {
		h[echo.HeaderConnection] = lastAnswer
	}
}

var lastAnswer = []string{"close"} // shared, and never changed in place
