package web

import (
	"errors"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/stock"
)

type metrics struct {
	requests  *prometheus.CounterVec   // route: Echo's pattern, or none; method; code
	durations *prometheus.HistogramVec // route
	shed      *prometheus.CounterVec   // reason: rate_per_user, rate_per_address, streams; and those of countShed

	streamsCut prometheus.Counter

	// A series is looked up in the vectors once: that costs five times what a look into this map costs.
	mu    sync.Mutex // of writers
	known atomic.Pointer[map[series]observers]
}

type series struct {
	route, method string
	code          int
}

type observers struct {
	requests prometheus.Counter
	duration prometheus.Observer
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "neticket_http_requests_total", Help: "Requests answered; code 499: the client left before.",
		}, []string{"route", "method", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "neticket_http_request_duration_seconds", Help: "Time to answer a request, waits that the client asked for included.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		shed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "neticket_shed_total", Help: "Requests refused to protect the rest.",
		}, []string{"reason"}),
	}
	m.streamsCut = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "neticket_stock_streams_cut_total", Help: "Streams of units left whose client took nothing in, or was gone.",
	})
	m.known.Store(&map[series]observers{})
	registry.MustRegister(m.requests, m.durations, m.shed, m.streamsCut)
	return m
}

// countShed counts an error with which a request was refused to protect the rest. The limits per second count for themselves.
func (m *metrics) countShed(err error) {
	var reason string
	_, guessing := errors.AsType[*account.TooManyAttemptsError](err)
	switch {
	case errors.Is(err, stock.ErrQueueFull):
		reason = "queue_full"
	case errors.Is(err, stock.ErrQueueWait):
		reason = "queue_wait"
	case errors.Is(err, stock.ErrBusy):
		reason = "backlog"
	case errors.Is(err, account.ErrBusy):
		reason = "password_queue"
	case guessing:
		reason = "login_attempts"
	default:
		return
	}
	m.shed.WithLabelValues(reason).Inc()
}

// countStreams exports how many streams are open.
func (m *metrics) countStreams(registry prometheus.Registerer, open *atomic.Int64) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "neticket_stock_streams", Help: "Streams of units left that are open.",
	}, func() float64 { return float64(open.Load()) }))
}

// countConnections exports how many connections are open, and how many may be.
func (m *metrics) countConnections(registry prometheus.Registerer, all *connections) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "neticket_http_connections", Help: "Open connections of clients.",
	}, func() float64 { return float64(all.len()) }), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "neticket_http_connections_limit", Help: "Connections of clients that may be open at once; more wait to be accepted. 0: no limit.",
	}, func() float64 { return float64(all.limit) }))
}

// observe counts one answer. route is "" where none matched.
func (m *metrics) observe(route, method string, code int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	s := series{route, method, code}
	o, ok := (*m.known.Load())[s]
	if !ok {
		o = m.resolve(s)
	}
	o.requests.Inc()
	o.duration.Observe(took.Seconds())
}

func (m *metrics) resolve(s series) observers {
	switch s.method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		// A client may make methods up: they share a label, and are not worth remembering.
		return observers{m.requests.WithLabelValues(s.route, "other", strconv.Itoa(s.code)), m.durations.WithLabelValues(s.route)}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o := observers{m.requests.WithLabelValues(s.route, s.method, strconv.Itoa(s.code)), m.durations.WithLabelValues(s.route)}
	known := maps.Clone(*m.known.Load())
	known[s] = o
	m.known.Store(&known)
	return o
}
