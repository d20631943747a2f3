package stock

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// audits are the audits that a flusher makes, one after the other, and what they found.
type audits struct {
	auditor *Auditor
	healer  *Healer
	holders holders
	log     *slog.Logger
	metrics auditMetrics
	last    map[int64]time.Time // when the last conclusive audit of a show on sale was, or when it was first seen
	done    time.Time           // when an audit last got to its end, or the first began
}

type auditMetrics struct {
	drift     prometheus.Gauge
	drifting  prometheus.Gauge
	unaudited prometheus.Gauge
}

func newAudits(auditor *Auditor, healer *Healer, o Observers) *audits {
	m := auditMetrics{
		drift: prometheus.NewGauge(prometheus.GaugeOpts{Name: "neticket_stock_drift_units",
			Help: "Sum of the absolute differences between Redis and MySQL, over the shows that could be compared at the last audit."}),
		drifting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "neticket_stock_drifting_shows",
			Help: "Shows whose stock in Redis was found wrong at the last audit."}),
		unaudited: prometheus.NewGauge(prometheus.GaugeOpts{Name: "neticket_audit_oldest_conclusive_seconds",
			Help: "How long ago the show on sale that could not be compared for the longest time was compared; a show that never rests cannot be, and none while audits fail."}),
	}
	o.Registry.MustRegister(m.drift, m.drifting, m.unaudited)
	return &audits{auditor: auditor, healer: healer, log: o.Log,
		holders: holders{auditor.ledger, auditor, map[int64]counted{}},
		metrics: m, last: map[int64]time.Time{}}
}

// A show that moves is looked at a few times more: between two bookings it may rest for a moment.
const (
	auditLooks = 5
	auditPause = 20 * time.Millisecond
)

// round makes one audit. While audits fail, all shows grow old.
func (a *audits) round(ctx context.Context) error {
	if a.done.IsZero() {
		a.done = time.Now()
	}
	err := a.compare(ctx)
	if err == nil {
		a.done = time.Now()
		return nil
	}
	oldest := a.done
	for _, last := range a.last {
		if last.Before(oldest) {
			oldest = last
		}
	}
	a.metrics.unaudited.Set(time.Since(oldest).Seconds())
	return err
}

// compare compares Redis with MySQL where a look is conclusive, tells where they differ, and has that resynced.
func (a *audits) compare(ctx context.Context) error {
	cuts, err := a.auditor.Cuts(ctx)
	if err != nil {
		return err
	}
	for range auditLooks - 1 {
		moving := inconclusive(cuts)
		if len(moving) == 0 || !sleep(ctx, auditPause) {
			break
		}
		again, err := a.auditor.Cuts(ctx, moving...)
		if err != nil {
			return err
		}
		maps.Copy(cuts, again)
	}
	forsaken, err := a.auditor.forsaken(ctx, inconclusive(cuts))
	if err != nil {
		return err
	}
	users, err := a.holders.wrong(ctx, cuts)
	if err != nil {
		return err
	}
	a.judge(cuts, forsaken, users)
	return nil
}

// inconclusive returns the shows on sale that moved, or had entries that wait to be recorded.
func inconclusive(cuts map[int64]Cut) []int64 {
	var shows []int64
	for show, cut := range cuts {
		if cut.Hash.State == "open" && !cut.Conclusive {
			shows = append(shows, show)
		}
	}
	return shows
}

func (a *audits) judge(cuts map[int64]Cut, forsaken map[int64]bool, users []int64) {
	for _, show := range users {
		a.log.Error("the units per user in Redis are wrong; the show is resynced", "show", show, "reserved", cuts[show].Row.Reserved)
		a.healer.Want(show, CauseUsers, cuts[show].Row.Epoch)
	}
	drift, drifting := 0, len(users)
	now, oldest := time.Now(), time.Duration(0)
	for show, cut := range cuts {
		if cut.Hash.State == "" || cut.Hash.State == "unloaded" { // it is loaded from MySQL at its next request
			delete(a.last, show)
			continue
		}
		if last, ok := a.last[show]; cut.Conclusive || !ok {
			a.last[show] = now
		} else {
			oldest = max(oldest, now.Sub(last))
		}
		if !forsaken[show] && (!cut.Conclusive || cut.Agrees()) {
			continue
		}
		drifting++
		drift += max(cut.Drift(), -cut.Drift())
		a.log.Error("the stock in Redis is wrong; the show is resynced", "show", show, "drift", cut.Drift(),
			"left", cut.Hash.Left, "capacity", cut.Row.Capacity, "reserved", cut.Row.Reserved,
			"epoch", cut.Hash.Epoch, "epoch_mysql", cut.Row.Epoch, "entries_lost", forsaken[show])
		a.healer.Want(show, CauseDrift, cut.Row.Epoch)
	}
	a.metrics.drift.Set(float64(drift))
	a.metrics.drifting.Set(float64(drifting))
	a.metrics.unaudited.Set(oldest.Seconds())
}
