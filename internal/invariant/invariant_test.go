package invariant_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/invariant"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func sources(rig *systemtest.Rig) invariant.Sources {
	return invariant.Sources{DB: rig.DB, Redis: rig.Redis, Shards: rig.Shards, Ledger: rig.Ledger}
}

func check(t *testing.T, rig *systemtest.Rig) invariant.Report {
	t.Helper()
	report, err := invariant.Check(t.Context(), sources(rig))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// mustHold fails when something is broken, or when fewer shows than that could be compared.
func mustHold(t *testing.T, rig *systemtest.Rig, when string, conclusive int) invariant.Report {
	t.Helper()
	report := check(t, rig)
	if !report.OK() || report.Conclusive < conclusive {
		t.Errorf("%s: %+v", when, report)
	}
	return report
}

func reserve(t *testing.T, rig *systemtest.Rig, user, show int64, units int, key string) uuid.UUID {
	t.Helper()
	r, _, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: user, Show: show, Units: units, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// drain records what waits in a show's stream.
func drain(t *testing.T, rig *systemtest.Rig, show int64) {
	t.Helper()
	if err := rig.Reader.Drain(t.Context(), rig.Shards.Of(show)); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsReportedOfASystemInMotion(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	rig.Work(t, "w1")
	rig.Work(t, "w2")
	shows := []int64{rig.Show(t, 100, 0), rig.Show(t, 100, 3), rig.Show(t, 50, 4), rig.Show(t, 8, 0)}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	resyncing, stopResyncs := context.WithCancel(ctx)
	defer stopResyncs()
	var customers, resyncs errgroup.Group
	for user := range int64(8) {
		customers.Go(func() error { return buyAndCancel(ctx, rig, user+1, shows) })
	}
	resyncs.Go(func() error {
		for resyncing.Err() == nil {
			// To its end: what is left half done is taken over after 10 s.
			_, err := rig.Resyncer.Resync(t.Context(), shows[rand.IntN(len(shows))], "test")
			if err != nil && !errors.Is(err, stock.ErrNotDrained) && !errors.Is(err, stock.ErrResyncRunning) {
				return err
			}
		}
		return nil
	})
	conclusive := 0
	for range 20 {
		conclusive += mustHold(t, rig, "in motion", 0).Conclusive
	}
	if conclusive == 0 {
		t.Error("no cut was conclusive while the system moved, so the test shows nothing")
	}
	stopResyncs()
	if err := resyncs.Wait(); err != nil {
		t.Fatal(err)
	}

	// The negative control: a lost unit is found while everything moves. (One too many would be sold, and rejected.)
	if err := rig.Redis.HIncrBy(t.Context(), rig.Shards.Show(shows[3]), "left", -1).Err(); err != nil {
		t.Fatal(err)
	}
	servertest.Eventually(t, time.Minute, "the loss is found", func() bool { return check(t, rig).Drift == 1 })
	stop()
	if err := customers.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := rig.Resyncer.Resync(t.Context(), shows[3], "test"); err != nil {
		t.Fatal(err)
	}
	rig.Settled(t, 10*time.Second, shows...)
	if report := mustHold(t, rig, "at rest", len(shows)); report.Shows != len(shows) || report.Loaded != len(shows) || report.OldestEntry != 0 {
		t.Errorf("at rest: %+v", report)
	}
}

// buyAndCancel books at random and cancels all but the last few of what it has got, until the context ends.
func buyAndCancel(ctx context.Context, rig *systemtest.Rig, user int64, shows []int64) error {
	var mine []uuid.UUID
	for i := 0; ctx.Err() == nil; i++ {
		r, _, err := rig.BoxOffice.Reserve(ctx, booking.Booking{User: user, Show: shows[rand.IntN(len(shows))],
			Units: 1 + rand.IntN(2), Key: fmt.Sprint(i), Wait: time.Duration(rand.IntN(2)) * time.Second})
		if err == nil {
			mine = append(mine, r.ID)
		} else if booking.ResultOf(err) == "error" && ctx.Err() == nil {
			return fmt.Errorf("reserve: %w", err)
		}
		if len(mine) <= 3 {
			continue
		}
		_, err = rig.BoxOffice.Cancel(ctx, user, booking.Ref{ID: mine[0]}, time.Duration(rand.IntN(2))*time.Second)
		switch {
		case err == nil, errors.Is(err, booking.ErrNotCancellable): // rejected: lost
			mine = mine[1:]
		case booking.ResultOf(err) == "error" && !errors.Is(err, booking.ErrPending) && ctx.Err() == nil:
			return fmt.Errorf("cancel: %w", err)
		}
	}
	return nil
}
