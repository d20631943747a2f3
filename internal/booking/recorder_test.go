package booking_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// mixedBatch prepares a show of 100 units in which the batch that waits confirms 3 bookings, refuses 5 and cancels 2, of 2
// units each: 88 are left once it is settled.
func mixedBatch(t *testing.T, rig *systemtest.Rig) (show int64, batch []stream.Entry) {
	t.Helper()
	show = load(t, rig, 100, 4)
	var old []booking.Reservation
	for user := range int64(5) {
		old = append(old, book(t, rig, user+1, show, 2, "a"))
	}
	record(t, rig, show)
	exec(t, rig, "UPDATE stock SET limit_per_user = 2 WHERE show_id = ?", show) // Redis does not know yet
	for user := range int64(8) {
		book(t, rig, user+1, show, 2, "b")
	}
	for _, r := range old[:2] {
		if _, err := rig.BoxOffice.Cancel(t.Context(), r.User, r.Ref(), 0); err != nil {
			t.Fatal(err)
		}
	}
	return show, take(t, rig, show)
}

var mixedOutcomes = map[string]int{"confirmed": 3, "rejected_limit_reached": 5, "cancelled": 2}

func TestBatchDeliveredTwice(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show, batch := mixedBatch(t, rig)
	for try, want := range []map[string]int{mixedOutcomes, {"delivered_again": 10}} {
		w := newWorker(rig)
		if err := w.Handle(t.Context(), rig.Shards.Of(show), batch); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, w.outcomes(t)); diff != "" {
			t.Errorf("try %d (-want +got):\n%s", try, diff)
		}
		sound(t, rig, show, 88)
	}
}

// settler settles as it is told to.
type settler func(ctx context.Context, shard int, settlements []stock.Settlement) (int, error)

func (s settler) Settle(ctx context.Context, shard int, settlements []stock.Settlement) (int, error) {
	return s(ctx, shard, settlements)
}

// settlesWith returns a worker that settles in another way.
func settlesWith(rig *systemtest.Rig, s settler) worker {
	registry := prometheus.NewRegistry()
	return worker{booking.NewRecorder(rig.DB, s, rig.Group, quiet{}, booking.NewWaker(rig.Redis, rig.Log), rig.Observers(registry)), registry}
}

// quiet is an alarm that nobody hears.
type quiet struct{}

func (quiet) Want(int64, string, int64)     {}
func (quiet) Vanished(context.Context, int) {}

// A worker dies when it has settled a part of what it committed; another gets the whole batch again.
func TestBatchHalfSettled(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	for _, settled := range []int{0, 1, 5, 9, 10} {
		show, batch := mixedBatch(t, rig)
		ctx, die := context.WithCancel(t.Context())
		dying := settlesWith(rig, func(ctx context.Context, shard int, settlements []stock.Settlement) (int, error) {
			n, err := rig.Ledger.Settle(ctx, shard, settlements[:settled])
			die()
			return n, errors.Join(err, errors.New("killed"))
		})
		if err := dying.Handle(ctx, rig.Shards.Of(show), batch); err == nil {
			t.Error("a batch that is not settled is reported as done")
		}
		w := newWorker(rig)
		if err := w.Handle(t.Context(), rig.Shards.Of(show), batch); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"delivered_again": 10}, w.outcomes(t)); diff != "" {
			t.Errorf("%d of 10 settled before (-want +got):\n%s", settled, diff)
		}
		sound(t, rig, show, 88)
	}
}

// Settling goes on until Redis has taken it.
func TestSettlingIsTriedAgain(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show, batch := mixedBatch(t, rig)
	tries := 0
	w := settlesWith(rig, func(ctx context.Context, shard int, settlements []stock.Settlement) (int, error) {
		if tries++; tries < 4 {
			return 0, errors.New("no answer")
		}
		return rig.Ledger.Settle(ctx, shard, settlements)
	})
	if err := w.Handle(t.Context(), rig.Shards.Of(show), batch); err != nil || tries != 4 {
		t.Errorf("%v after %d tries", err, tries)
	}
	sound(t, rig, show, 88)
}

// Workers that each think the other dead handle the same batch at once.
func TestWorkersHandleTheSameBatch(t *testing.T) {
	t.Parallel()
	const workers = 4
	rig := systemtest.New(t)
	race := func(newWorker func() worker) (show int64, outcomes map[string]int) {
		show, batch := mixedBatch(t, rig)
		outcomes = map[string]int{}
		var all sync.WaitGroup
		var mu sync.Mutex
		for range workers {
			w := newWorker()
			all.Go(func() {
				if err := w.Handle(t.Context(), rig.Shards.Of(show), batch); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for outcome, n := range w.outcomes(t) {
					outcomes[outcome] += n
				}
			})
		}
		all.Wait()
		return show, outcomes
	}
	show, outcomes := race(func() worker { return newWorker(rig) })
	want := map[string]int{"confirmed": 3, "rejected_limit_reached": 5, "cancelled": 2, "delivered_again": 10 * (workers - 1)}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	sound(t, rig, show, 88)

	// The broken twin gives back whenever it settles, not once an entry.
	show, _ = race(func() worker {
		return settlesWith(rig, func(ctx context.Context, shard int, settlements []stock.Settlement) (int, error) {
			for _, s := range settlements {
				rig.Redis.HIncrBy(ctx, rig.Shards.Show(s.Show), "left", int64(s.UnitsBack))
				s.UnitsBack = 0
				if _, err := rig.Ledger.Settle(ctx, shard, []stock.Settlement{s}); err != nil {
					return 0, err
				}
			}
			return len(settlements), nil
		})
	})
	if len(faults(t, rig, show, 88)) == 0 {
		t.Error("the test does not see units that are given back twice")
	}
}
