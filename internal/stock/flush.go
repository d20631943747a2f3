package stock

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Flusher writes the units left back to MySQL, for everyone who may not ask Redis: reports, other systems, a person with a
// database client. Nothing is decided on what it writes. Two flushers do no harm.
type Flusher struct {
	ledger   *Ledger
	store    *Store
	auditor  *Auditor
	healer   *Healer
	interval time.Duration
	observe  Observers
	metrics  *flushMetrics

	mu      sync.Mutex
	written map[int64]Snapshot // what this flusher has written last

	audited map[int64]time.Time // when a show's last conclusive audit was, or when it was first seen
}

type flushMetrics struct {
	lastSuccess prometheus.Gauge
	shows       prometheus.Counter
	drift       prometheus.Gauge
	drifting    prometheus.Gauge
	unaudited   prometheus.Gauge
}

// NewFlusher returns a flusher that writes every interval and has the healer look after shows that are stuck.
func NewFlusher(ledger *Ledger, store *Store, healer *Healer, interval time.Duration, o Observers) *Flusher {
	m := &flushMetrics{
		lastSuccess: prometheus.NewGauge(prometheus.GaugeOpts{Name: "neticket_flush_last_success_timestamp_seconds",
			Help: "When the units left were last written back to MySQL."}),
		shows: prometheus.NewCounter(prometheus.CounterOpts{Name: "neticket_flushed_shows_total",
			Help: "Snapshots written; a show whose units did not change is not written again."}),
		drift: prometheus.NewGauge(prometheus.GaugeOpts{Name: "neticket_stock_drift_units",
			Help: "Sum of the absolute differences between Redis and MySQL, over the shows that could be compared at the last audit."}),
		drifting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "neticket_stock_drifting_shows",
			Help: "Shows whose stock in Redis differs from MySQL's, at the last audit."}),
		unaudited: prometheus.NewGauge(prometheus.GaugeOpts{Name: "neticket_audit_oldest_conclusive_seconds",
			Help: "How long ago the loaded show that could not be compared for the longest time was compared; a show that never rests cannot be."}),
	}
	o.Registry.MustRegister(m.lastSuccess, m.shows, m.drift, m.drifting, m.unaudited)
	return &Flusher{ledger: ledger, store: store, auditor: NewAuditor(ledger, store), healer: healer, interval: interval,
		observe: o, metrics: m, written: map[int64]Snapshot{}, audited: map[int64]time.Time{}}
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
			f.round(last)
			return nil
		}
	}
}

func (f *Flusher) round(ctx context.Context) {
	if _, err := f.Flush(ctx); err != nil && ctx.Err() == nil {
		f.observe.Log.Warn("the units left were not written back; the next round tries again", "error", err)
	}
	if err := f.audit(ctx); err != nil && ctx.Err() == nil {
		f.observe.Log.Warn("the stock was not audited; the next round tries again", "error", err)
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
	err = f.ledger.eachHash(ctx, shows, func(show int64, hash Hash, at time.Time) {
		last, ok := f.written[show]
		if hash.Epoch > 0 && (!ok || last.Epoch != hash.Epoch || last.Left != hash.Left) {
			changed = append(changed, Snapshot{Show: show, Epoch: hash.Epoch, Left: hash.Left, AsOf: at})
		}
		if hash.Stuck() { // nobody may ever ask for it again, and pending reservations of it wait for an answer
			f.healer.Want(show, CauseStuck)
		}
	})
	if err != nil {
		return 0, err
	}
	const chunk = 500
	written := 0
	for part := changed; len(part) > 0; part = part[min(chunk, len(part)):] {
		batch := part[:min(chunk, len(part))]
		if err := f.store.WriteSnapshots(ctx, batch); err != nil {
			return written, err
		}
		for _, snapshot := range batch {
			f.written[snapshot.Show] = snapshot
		}
		written += len(batch)
		f.metrics.shows.Add(float64(len(batch)))
	}
	f.metrics.lastSuccess.SetToCurrentTime()
	return written, nil
}

// audit compares Redis with MySQL where a look is conclusive, and says where they differ.
func (f *Flusher) audit(ctx context.Context) error {
	cuts, err := f.auditor.Cuts(ctx)
	if err != nil {
		return err
	}
	drift, drifting := 0, 0
	now, oldest := time.Now(), time.Duration(0)
	for show, cut := range cuts {
		if cut.Hash.State == "" {
			delete(f.audited, show)
			continue
		}
		if last, ok := f.audited[show]; cut.Conclusive || !ok {
			f.audited[show] = now
		} else {
			oldest = max(oldest, now.Sub(last))
		}
		if !cut.Conclusive || cut.Agrees() {
			continue
		}
		drifting++
		drift += max(cut.Drift(), -cut.Drift())
		f.observe.Log.Error("the stock in Redis differs from MySQL's", "show", show, "drift", cut.Drift(),
			"left", cut.Hash.Left, "capacity", cut.Row.Capacity, "reserved", cut.Row.Reserved,
			"epoch", cut.Hash.Epoch, "epoch_mysql", cut.Row.Epoch)
	}
	f.metrics.drift.Set(float64(drift))
	f.metrics.drifting.Set(float64(drifting))
	f.metrics.unaudited.Set(oldest.Seconds())
	return nil
}
