package stock

import (
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// Observers is where a part tells its operator what it does.
type Observers struct {
	Log      *slog.Logger
	Registry prometheus.Registerer
}

type resyncMetrics struct {
	resyncs *prometheus.CounterVec // cause: see the constants; result: ok, running, not_drained, refused, failed
}

func newResyncMetrics(registry prometheus.Registerer) *resyncMetrics {
	m := &resyncMetrics{resyncs: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "neticket_resyncs_total", Help: "Loads and resyncs of shows, by what caused them and how they ended.",
	}, []string{"cause", "result"})}
	registry.MustRegister(m.resyncs)
	return m
}

func (m *resyncMetrics) count(cause string, err error) {
	result := "failed"
	_, refused := errors.AsType[*CapacityError](err)
	switch {
	case err == nil:
		result = "ok"
	case errors.Is(err, ErrResyncRunning):
		result = "running"
	case errors.Is(err, ErrNotDrained):
		result = "not_drained"
	case refused:
		result = "refused"
	}
	m.resyncs.WithLabelValues(cause, result).Inc()
}

// register exports how many requests wait for their turn, and how many share a call.
func (q *queues) register(registry prometheus.Registerer) {
	sizes := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "neticket_booking_call_requests",
		Help: "Bookings and cancels that shared one call to Redis.", Buckets: prometheus.ExponentialBuckets(1, 2, 8)})
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "neticket_bookings_waiting",
		Help: "Bookings and cancels that wait for their turn to be sent to Redis."}, func() float64 { return float64(q.waiting.Load()) })
	registry.MustRegister(sizes, waiting)
	q.sizes = sizes
}
