package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// stop ends the server without cutting a request. http.Server.Shutdown alone closes connections that are idle at that
// moment, and on a busy one the next request may be on its way. So for a while every answer says that it is its connection's
// last, and whoever sends requests all the time has moved on before Shutdown.
func (s *Server) stop(ctx context.Context, served <-chan error) error {
	s.log.InfoContext(ctx, "http drains", "for", s.options.DrainFor)
	s.draining.Store(true)
	if s.options.OnDrain != nil {
		s.options.OnDrain()
	}
	select {
	case err := <-served:
		return fmt.Errorf("serve http while draining: %w", err)
	case <-time.After(s.options.DrainFor):
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
		return fmt.Errorf("requests were cut: they took longer than %v: %w", shutdownTimeout, err)
	}
	<-served
	return nil
}

// closeWhileDraining is called when a request begins and, as draining may have begun since, again when it is answered.
func (s *Server) closeWhileDraining(h http.Header) {
	if s.draining.Load() {
		h.Set(echo.HeaderConnection, "close")
	}
}
