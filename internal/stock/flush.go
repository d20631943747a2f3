package stock

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Flusher writes the units left back to MySQL, for everyone who may not ask Redis: reports, other systems, a person with a
// database client. Nothing is decided on what it writes. Two flushers do no harm.
type Flusher struct {
	ledger   *Ledger
	store    *Store
	audits   *audits
	interval time.Duration
	log      *slog.Logger
	metrics  *flushMetrics

	mu      sync.Mutex
	written map[int64]Snapshot // what this flusher has written last
}

type flushMetrics struct {
	lastSuccess prometheus.Gauge
	shows       prometheus.Counter
}

// NewFlusher returns a flusher that writes every interval, then audits the stock and has the healer resync what it finds wrong.
func NewFlusher(ledger *Ledger, store *Store, healer *Healer, interval time.Duration, o Observers) *Flusher {
	m := &flushMetrics{
		lastSuccess: prometheus.NewGauge(prometheus.GaugeOpts{Name: "neticket_flush_last_success_timestamp_seconds",
			Help: "When the units left were last written back to MySQL."}),
		shows: prometheus.NewCounter(prometheus.CounterOpts{Name: "neticket_flushed_shows_total",
			Help: "Snapshots written; a show whose units did not change is not written again."}),
	}
	o.Registry.MustRegister(m.lastSuccess, m.shows)
	return &Flusher{ledger: ledger, store: store, audits: newAudits(NewAuditor(ledger, store), healer, o), interval: interval,
		log: o.Log, metrics: m, written: map[int64]Snapshot{}}
}

// Run flushes and audits every interval until the context ends, then flushes once more.
func (f *Flusher) Run(ctx context.Context) error {
	ticker := time.NewTicker(f.interval)
	defer ticker.Stop()
	for {
		f.round(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			f.flush(last)
			return nil
		}
	}
}

func (f *Flusher) round(ctx context.Context) {
	f.flush(ctx)
	if err := f.audits.round(ctx); err != nil && ctx.Err() == nil {
		f.log.Warn("the stock was not audited; the next round tries again", "error", err)
	}
}

func (f *Flusher) flush(ctx context.Context) {
	if _, err := f.Flush(ctx); err != nil && ctx.Err() == nil {
		f.log.Warn("the units left were not written back; the next round tries again", "error", err)
	}
}

// Flush writes a snapshot of every loaded show that changed since this flusher wrote it, and returns how many it wrote.
func (f *Flusher) Flush(ctx context.Context) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rows, err := f.store.Rows(ctx)
	if err != nil {
		return 0, err
	}
	shows := make([]int64, 0, len(rows))
	for show := range rows {
		shows = append(shows, show)
	}
	var changed []Snapshot
	unread := f.ledger.eachHash(ctx, shows, func(show int64, hash Hash, at time.Time) {
		last, ok := f.written[show]
		if hash.Epoch > 0 && (!ok || last.Epoch != hash.Epoch || last.Left != hash.Left) {
			changed = append(changed, Snapshot{Show: show, Epoch: hash.Epoch, Left: hash.Left, AsOf: at})
		}
	})
	written := 0
	for batch := range slices.Chunk(changed, 500) {
		if err := f.store.WriteSnapshots(ctx, batch); err != nil {
			return written, err
		}
		for _, snapshot := range batch {
			f.written[snapshot.Show] = snapshot
		}
		written += len(batch)
		f.metrics.shows.Add(float64(len(batch)))
	}
	if unread != nil {
		return written, unread
	}
	if err := f.store.noteFlush(ctx); err != nil {
		return written, err
	}
	f.metrics.lastSuccess.SetToCurrentTime()
	return written, nil
}
