package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	requestTimeout  = 10 * time.Second // to read a request, and to write an answer; pprof adds the seconds it was asked for
	shutdownTimeout = 2 * time.Second
)

// Server answers /metrics, /livez, /readyz and /debug/pprof.
type Server struct {
	log      *slog.Logger
	http     http.Server
	listener net.Listener
}

// NewServer shows the metrics of reg and what health reports.
func NewServer(reg *prometheus.Registry, health *Health, log *slog.Logger) *Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError),
		Registry: reg,
		Timeout:  requestTimeout / 2,
	}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", health.serveReady)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return &Server{log: log, http: http.Server{
		Handler:        mux,
		ReadTimeout:    requestTimeout,
		WriteTimeout:   requestTimeout,
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: 1 << 14,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
}

// Listen takes addr, such as ":8081" or, for a free port, ":0", logs what it got and returns it. Call it before Run, as
// early as possible: probes can then connect.
func (s *Server) Listen(ctx context.Context, addr string) (net.Addr, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on the ops address: %w", err)
	}
	s.listener = listener
	s.log.InfoContext(ctx, "ops page listens", "addr", listener.Addr().String())
	return listener.Addr(), nil
}

// Run serves until ctx ends, which should be the last thing that ends in a process: until then it shows that the
// process is stopping. A request under way is given 2 s. Run returns nil after ctx ended.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve the ops page: %w", err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // cuts a profile that still runs
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the ops page: %w", err)
	}
	return nil
}
