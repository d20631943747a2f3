// Package web is the HTTP interface: routes, the JSON API, problems. It is the only package that knows Echo, and problem.go
// the only file that knows which HTTP status an error has.
//
// It owns no data. It guarantees that every request is answered with what api.md describes, errors, panics and what net/http
// refuses to read included; that nothing below the admin path is reachable but by an admin; and that a server that is told to
// stop answers what it has accepted before it does.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/neticket/neticket/internal/web/apidoc"
	"github.com/neticket/neticket/internal/web/page"
)

const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second // more than the longest wait that a client may ask for
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10 // so much that a search of 10,000 words is told what is wrong with it
)

// Dependencies are what the handlers work with.
type Dependencies struct {
	Accounts    Accounts
	Tokens      Tokens
	Revocations Revocations
	Shows       Shows
	Levels      Levels

	BoxOffice    BoxOffice
	Reservations Reservations
	BackOffice   BackOffice
	Images       Images
	AuditLog     AuditLog
	DeadLetters  DeadLetters
}

// Options of a server; the zero value trusts no proxy, sets no limits, and drains for no time.
type Options struct {
	TrustedProxies []netip.Prefix
	RatePerUser    int              // requests per second; 0: no limit
	RatePerAddress int              // requests per second; 0: no limit
	MaxStreams     int              // open at once; 0: 10,000
	MaxConnections int              // open at once; 0: no limit
	DrainFor       time.Duration    // how long a stopping server still takes requests, each the last of its connection
	OnDrain        func()           // called when draining begins: readyz has to fail now, and waiting requests to end; may be nil
	Now            func() time.Time // nil: time.Now; of limits and durations
}

// Server answers HTTP requests.
type Server struct {
	deps        Dependencies
	options     Options
	log         *slog.Logger
	metrics     *metrics
	proxies     proxies
	perUser     *limiter[int64]
	perAddress  *limiter[netip.Addr]
	sites       http.CrossOriginProtection
	docs        func() ([]byte, error) // made by who asks first
	checks      []check
	unavailable rate.Sometimes // so that an outage does not fill the log

	echo     *echo.Echo
	http     http.Server
	listener net.Listener
	draining atomic.Bool
	open     atomic.Int64  // connections
	deaf     chan struct{} // closed when nothing more is accepted

	connections *connections

	site *page.Site
	soon openings

	feed    *feed
	streams atomic.Int64  // open ones
	ending  chan struct{} // closed when streams have to end

	stopTimeout time.Duration // for the requests that are left when draining ends
}

// New returns a server that does not listen yet.
func New(deps Dependencies, options Options, log *slog.Logger, registry prometheus.Registerer) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.MaxStreams == 0 {
		options.MaxStreams = maxStreams
	}
	s := &Server{
		site: page.New(), feed: newFeed(deps.Shows, deps.Levels), ending: make(chan struct{}),
		deaf: make(chan struct{}), connections: newConnections(options.MaxConnections),
		deps: deps, options: options, log: log, metrics: newMetrics(registry), proxies: options.TrustedProxies,
		unavailable: rate.Sometimes{Interval: time.Second}, echo: echo.New(), stopTimeout: stopTimeout,
	}
	s.docs = sync.OnceValues(func() ([]byte, error) {
		stylesheet, err := s.site.Files.URL("docs.css")
		if err != nil {
			return nil, err
		}
		return apidoc.HTML(stylesheet)
	})
	s.metrics.countStreams(registry, &s.streams)
	s.metrics.countConnections(registry, s.connections)
	s.perUser = newLimiter[int64](options.RatePerUser, options.Now, s.metrics.shed.WithLabelValues("rate_per_user"))
	s.perAddress = newLimiter[netip.Addr](options.RatePerAddress, options.Now, s.metrics.shed.WithLabelValues("rate_per_address"))
	s.checks = []check{
		func(c echo.Context) error { return s.perAddress.take(network(s.proxies.client(c.Request()))) },
		s.refuseOtherSites,
		s.guardAdmin,
	}
	s.echo.HTTPErrorHandler = s.answerError
	s.echo.JSONSerializer = serializer{s}
	s.echo.IPExtractor = func(r *http.Request) string { return s.proxies.client(r).String() }
	s.route()
	s.http = http.Server{
		Handler:           s,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         s.followConnection,
		// OPTIONS * too is answered by front.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return s
}

// Listen takes addr, such as ":8080" or, for a free port, "127.0.0.1:0", logs what it got and returns it. Call it before Run.
func (s *Server) Listen(ctx context.Context, addr string) (net.Addr, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for http: %w", err)
	}
	s.listener = listener
	s.log.InfoContext(ctx, "http listens", "addr", listener.Addr().String())
	return listener.Addr(), nil
}

// Run serves until ctx ends, then drains and stops. It returns nil when no request was cut.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(newProtocolListener(s.listener, s)) }()
	publishing, quit := context.WithCancel(ctx)
	var publisher sync.WaitGroup
	publisher.Go(func() { s.feed.run(publishing) })
	defer publisher.Wait()
	defer quit()
	select {
	case err := <-served:
		return fmt.Errorf("serve http: %w", err)
	case <-ctx.Done():
	}
	return s.stop(context.WithoutCancel(ctx), served)
}
