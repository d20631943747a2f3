package booking

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/stock"
)

type recorderMetrics struct {
	outcomes       *prometheus.CounterVec // outcome: see the outcomes in plan.go
	batch          prometheus.Histogram
	commit, settle prometheus.Observer
	latency        prometheus.Histogram
	retries        prometheus.Counter
	buried         prometheus.Counter
}

func newRecorderMetrics(registry prometheus.Registerer) *recorderMetrics {
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "neticket_record_duration_seconds",
		Help: "Time to record a batch: commit (with every retry) and settle.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
	}, []string{"step"})
	m := &recorderMetrics{
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "neticket_recorded_total",
			Help: "Entries recorded, by outcome."}, []string{"outcome"}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "neticket_record_batch_size",
			Help: "Entries recorded in one transaction.", Buckets: prometheus.ExponentialBuckets(1, 2, 13)}),
		commit: durations.WithLabelValues("commit"), settle: durations.WithLabelValues("settle"),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "neticket_confirm_latency_seconds",
			Help:    "Accepted (by Redis's clock) to committed (by the worker's) of confirmed bookings.",
			Buckets: []float64{.002, .005, .01, .02, .03, .05, .075, .1, .15, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{Name: "neticket_record_retries_total",
			Help: "Transactions that were done again after an error of MySQL or the network."}),
		buried: prometheus.NewCounter(prometheus.CounterOpts{Name: "neticket_dead_letters_total",
			Help: "Entries that could not be decoded."}),
	}
	registry.MustRegister(m.outcomes, m.batch, durations, m.latency, m.retries, m.buried)
	return m
}

func (m *recorderMetrics) recorded(d Decision, committed time.Time) {
	m.outcomes.WithLabelValues(string(d.Outcome)).Inc()
	if d.Outcome == outcomeConfirmed {
		m.latency.Observe(max(0, committed.Sub(d.Entry.At).Seconds()))
	}
}

// bookingMetrics counts what the box office answers.
type bookingMetrics struct{ results *prometheus.CounterVec }

func newBookingMetrics(registry prometheus.Registerer) *bookingMetrics {
	m := &bookingMetrics{prometheus.NewCounterVec(prometheus.CounterOpts{Name: "neticket_bookings_total",
		Help: "Booking requests by what the ledger answered."}, []string{"result"})}
	registry.MustRegister(m.results)
	return m
}

func (m *bookingMetrics) count(receipt stock.Receipt, err error) {
	result := "accepted"
	if receipt.Repeated {
		result = "repeated"
	}
	if err != nil {
		result = ResultOf(err)
	}
	m.results.WithLabelValues(result).Inc()
}

// ResultOf names an error of the box office with the word that clients and metrics know it by.
func ResultOf(err error) string {
	var soldOut *stock.SoldOutError
	var limit *stock.LimitError
	var notOpen *stock.NotOpenError
	switch {
	case errors.As(err, &soldOut):
		return "sold_out"
	case errors.As(err, &limit):
		return "limit_reached"
	case errors.As(err, &notOpen):
		return "not_open"
	case errors.Is(err, stock.ErrClosed):
		return "closed"
	case errors.Is(err, stock.ErrConflict):
		return "key_reused"
	case errors.Is(err, stock.ErrBusy):
		return "busy"
	case errors.Is(err, stock.ErrPaused):
		return "paused"
	case errors.Is(err, stock.ErrFenced):
		return "fenced"
	case errors.Is(err, stock.ErrUnloaded):
		return "unloaded"
	case errors.Is(err, stock.ErrUnknown):
		return "unknown"
	case errors.Is(err, stock.ErrUnavailable):
		return "unavailable"
	case errors.Is(err, stock.ErrNoShow):
		return "not_found"
	case errors.Is(err, context.Canceled):
		return "abandoned" // its client went before its turn came
	}
	return "error"
}
