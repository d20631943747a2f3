package booking_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// rush has people book, book again with the same key and cancel, until each is done; resyncs come in between.
func rush(t *testing.T, rig *systemtest.Rig, show int64, people int, resync func(context.Context) error) {
	t.Helper()
	ctx, done := context.WithCancel(t.Context())
	var all, resyncs sync.WaitGroup
	resyncs.Go(func() {
		for ctx.Err() == nil {
			err := resync(ctx) // another one may run: that of a booking which found the show paused
			if err != nil && ctx.Err() == nil && !errors.Is(err, stock.ErrNotDrained) && !errors.Is(err, stock.ErrResyncRunning) {
				t.Error(err)
			}
		}
	})
	for user := range int64(people) {
		all.Go(func() {
			for try := range 3 {
				wish := booking.Booking{User: user + 1, Show: show, Units: 1 + int(user)%2, Key: fmt.Sprint(try), Wait: 5 * time.Second}
				var r booking.Reservation
				var err error
				for range 200 { // paused shows open again
					if r, _, err = rig.BoxOffice.Reserve(ctx, wish); !errors.Is(err, stock.ErrPaused) && !errors.Is(err, stock.ErrUnloaded) {
						break
					}
				}
				var soldOut *stock.SoldOutError
				if err != nil {
					if !errors.As(err, &soldOut) {
						t.Errorf("user %d: %v", user, err)
					}
					continue
				}
				if again, repeated, err := rig.BoxOffice.Reserve(ctx, wish); err != nil || !repeated || again.ID != r.ID {
					t.Errorf("user %d, again: %+v, %v", user, again, err)
				}
				if r.Status == booking.Confirmed && user%3 == 0 {
					if _, err := rig.BoxOffice.Cancel(ctx, r.User, r.Ref(), 0); err != nil && !errors.Is(err, stock.ErrPaused) {
						t.Errorf("user %d, cancel: %v", user, err)
					}
				}
			}
		})
	}
	all.Wait()
	done()
	resyncs.Wait()
}

// Resyncs in the midst of a sale lose nothing and sell nothing twice.
func TestResyncDuringASale(t *testing.T) {
	t.Parallel()
	const capacity = 60
	rig := systemtest.New(t)
	rig.Work(t, "w1")
	rig.Work(t, "w2")
	show := load(t, rig, capacity, 0)
	rush(t, rig, show, 40, func(ctx context.Context) error {
		_, err := rig.Resyncer.Resync(ctx, show, "test")
		return err
	})
	rig.Settled(t, 15*time.Second, show)
	row, err := rig.Stock.Row(t.Context(), show)
	if err != nil || row.Epoch < 3 {
		t.Errorf("%+v, %v; want a few resyncs to have been in between", row, err)
	}
	sound(t, rig, show, capacity-row.Reserved)
	// I6: exactly what is left can still be sold.
	for left := capacity - row.Reserved; left > 0; left-- {
		book(t, rig, 1000+int64(left), show, 1, "last")
	}
	var soldOut *stock.SoldOutError
	if _, _, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: 1, Show: show, Units: 1, Key: "one too many"}); !errors.As(err, &soldOut) {
		t.Errorf("one more than there are: %v", err)
	}
}

// The broken twin is the first version's resync: total minus the sum of the reservations, then SET.
func TestSaleSeesANaiveResync(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 60, 0)
	for user := range int64(5) {
		book(t, rig, user+1, show, 2, "a") // in flight
	}
	row, err := rig.Stock.Row(t.Context(), show)
	if err != nil {
		t.Fatal(err)
	}
	rig.Redis.HSet(t.Context(), rig.Shards.Show(show), "left", row.Capacity-row.Reserved)
	rig.Work(t, "w1")
	rig.Settled(t, 15*time.Second, show)
	servertest.Eventually(t, 10*time.Second, "all are recorded", func() bool {
		row, err := rig.Stock.Row(t.Context(), show)
		return err == nil && row.Reserved == 10
	})
	if len(faults(t, rig, show, 50)) == 0 {
		t.Error("the test does not see units that are sold twice")
	}
}
