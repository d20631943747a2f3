package booking_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/invariant"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/system/systemtest"
)

const group = "recorders"

// load adds a show and puts it on sale.
func load(t *testing.T, rig *systemtest.Rig, capacity, limit int) int64 {
	t.Helper()
	show := rig.Show(t, capacity, limit)
	if _, err := rig.Resyncer.Resync(t.Context(), show, "test"); err != nil {
		t.Fatal(err)
	}
	return show
}

// book takes units without waiting, or ends the test.
func book(t *testing.T, rig *systemtest.Rig, user, show int64, units int, key string) booking.Reservation {
	t.Helper()
	r, repeated, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: user, Show: show, Units: units, Key: key})
	if err != nil || repeated || r.Status != booking.Pending {
		t.Fatalf("booking: %+v, repeated %v, %v; want it pending", r, repeated, err)
	}
	return r
}

// worker is a recorder whose batches a test hands out.
type worker struct {
	*booking.Recorder
	metrics *prometheus.Registry
}

func newWorker(rig *systemtest.Rig) worker {
	registry := prometheus.NewRegistry()
	return worker{rig.NewRecorder(registry), registry}
}

// take reads what is new in a show's shard, as a worker would.
func take(t *testing.T, rig *systemtest.Rig, show int64) []stream.Entry {
	t.Helper()
	streams, err := rig.Redis.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: group, Consumer: "by-hand",
		Streams: []string{rig.Shards.Entries(rig.Shards.Of(show)), ">"}, Block: -1}).Result()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return streams[0].Messages
}

// record has a worker record what is new in a show's shard.
func record(t *testing.T, rig *systemtest.Rig, show int64) {
	t.Helper()
	if err := newWorker(rig).Handle(t.Context(), rig.Shards.Of(show), take(t, rig, show)); err != nil {
		t.Fatal(err)
	}
}

// find returns a user's reservation, or ends the test.
func find(t *testing.T, rig *systemtest.Rig, user int64, id uuid.UUID) booking.Reservation {
	t.Helper()
	r, err := rig.Lookup.Find(t.Context(), user, booking.Ref{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantStatus checks a reservation's status and reason as its owner sees it.
func wantStatus(t *testing.T, rig *systemtest.Rig, r booking.Reservation, status booking.Status, reason booking.Reason) {
	t.Helper()
	if got := find(t, rig, r.User, r.ID); got.Status != status || got.Reason != reason {
		t.Errorf("reservation of user %d is %s %q, want %s %q", r.User, got.Status, got.Reason, status, reason)
	}
}

// faults returns what is wrong with a show that must be at rest with that many units left.
func faults(t *testing.T, rig *systemtest.Rig, show int64, left int) (found []string) {
	t.Helper()
	cuts, err := rig.Auditor.Cuts(t.Context(), show)
	if err != nil {
		t.Fatal(err)
	}
	if cut := cuts[show]; !cut.Conclusive || !cut.Agrees() || cut.Hash.Left != left {
		found = append(found, "not as it should be at rest")
		t.Logf("%+v; want it at rest, %d left", cut, left)
	}
	report, err := invariant.Check(t.Context(), invariant.Sources{DB: rig.DB, Redis: rig.Redis, Shards: rig.Shards, Ledger: rig.Ledger})
	if err != nil {
		t.Fatal(err)
	}
	for _, violation := range report.Violations {
		found = append(found, violation.Invariant+": "+violation.Detail)
	}
	return found
}

// sound checks that a show is at rest with that many units left and that no invariant is broken anywhere.
func sound(t *testing.T, rig *systemtest.Rig, show int64, left int) {
	t.Helper()
	if found := faults(t, rig, show, left); len(found) > 0 {
		t.Errorf("show %d: %q", show, found)
	}
}

func exec(t *testing.T, rig *systemtest.Rig, statement string, args ...any) {
	t.Helper()
	if _, err := rig.DB.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// counter returns the value of a counter, of the series that has all the label values given.
func counter(t *testing.T, from prometheus.Gatherer, name string, values ...string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			has := map[string]bool{}
			for _, label := range metric.GetLabel() {
				has[label.GetValue()] = true
			}
			if family.GetName() == name && !slices.ContainsFunc(values, func(value string) bool { return !has[value] }) {
				sum += metric.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// outcomes are what a worker counted, by outcome.
func (w worker) outcomes(t *testing.T) map[string]int {
	t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, family := range families {
		if family.GetName() == "neticket_recorded_total" {
			for _, metric := range family.GetMetric() {
				counts[metric.GetLabel()[0].GetValue()] = int(metric.GetCounter().GetValue())
			}
		}
	}
	return counts
}
