package booking_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

const askers = 4

// confirmed books and records a reservation.
func confirmed(t *testing.T, rig *systemtest.Rig, user, show int64, units int) booking.Reservation {
	t.Helper()
	r := book(t, rig, user, show, units, "a")
	record(t, rig, show)
	wantStatus(t, rig, r, booking.Confirmed, "")
	return r
}

func TestCancelAnswers(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 4)
	started := rig.ShowAt(t, 10, 0, time.Now().Add(-2*time.Hour), time.Now().Add(time.Hour), time.Now().Add(-time.Hour))
	if _, err := rig.Resyncer.Resync(t.Context(), started, "test"); err != nil {
		t.Fatal(err)
	}
	exec(t, rig, "UPDATE stock SET limit_per_user = 1 WHERE show_id = ?", show) // Redis does not know yet
	rejected := book(t, rig, 9, show, 2, "a")
	record(t, rig, show)
	mine, late := confirmed(t, rig, 7, show, 1), confirmed(t, rig, 7, started, 1)
	pending := book(t, rig, 8, show, 1, "b")
	for name, test := range map[string]struct {
		user int64
		id   uuid.UUID
		want error
	}{
		"pending":     {8, pending.ID, booking.ErrPending},
		"rejected":    {9, rejected.ID, booking.ErrNotCancellable},
		"not there":   {7, uuid.New(), booking.ErrNotFound},
		"somebody's":  {8, mine.ID, booking.ErrNotFound},
		"has started": {7, late.ID, stock.ErrStarted},
		"one's own":   {7, mine.ID, nil},
	} {
		if _, err := rig.BoxOffice.Cancel(t.Context(), test.user, booking.Ref{ID: test.id}, 0); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	r, err := rig.BoxOffice.Cancel(t.Context(), 7, mine.Ref(), 0)
	if err != nil || r.Status != booking.Cancelling {
		t.Errorf("again, before it is recorded: %+v, %v", r, err)
	}
	record(t, rig, show)
	r, err = rig.BoxOffice.Cancel(t.Context(), 7, mine.Ref(), 0)
	if err != nil || r.Status != booking.Cancelled || r.CancelledAt.IsZero() {
		t.Errorf("again, afterwards: %+v, %v", r, err)
	}
	sound(t, rig, show, 9) // user 8's was recorded with it
}

// A reservation can be cancelled when Redis has forgotten its request, or the whole show.
func TestCancelWithoutMarker(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 4)
	for name, forget := range map[string]func(){
		"request": func() { rig.Redis.Del(t.Context(), rig.Shards.User(rig.Shards.Of(show), 7)) },
		"show":    func() { rig.Redis.Del(t.Context(), rig.Shards.Show(show)) },
		"all":     func() { rig.Redis.FlushAll(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			r := book(t, rig, 7, show, 2, name)
			record(t, rig, show)
			forget()
			if got, err := rig.BoxOffice.Cancel(t.Context(), 7, r.Ref(), 0); err != nil || got.Status != booking.Cancelling {
				t.Fatalf("%+v, %v", got, err)
			}
			record(t, rig, show)
			wantStatus(t, rig, r, booking.Cancelled, "")
			sound(t, rig, show, 10)
		})
	}
}

// Units come back once, however many ask at once.
func TestCancelsAtOnce(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	rig.Work(t, "w1")
	race := func(cancel func(r booking.Reservation) error) (show int64) {
		show = load(t, rig, 10, 0)
		r, _, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: 7, Show: show, Units: 3, Key: "a", Wait: 20 * time.Second})
		if err != nil || r.Status != booking.Confirmed {
			t.Fatal(r, err)
		}
		var all sync.WaitGroup
		for range askers {
			all.Go(func() {
				if err := cancel(r); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		rig.Settled(t, 10*time.Second, show)
		return show
	}
	show := race(func(r booking.Reservation) error {
		got, err := rig.BoxOffice.Cancel(t.Context(), 7, r.Ref(), 20*time.Second)
		if err == nil && got.Status != booking.Cancelled {
			err = fmt.Errorf("it is %s", got.Status)
		}
		return err
	})
	sound(t, rig, show, 10)

	// The broken twin looks, then acts.
	var looked sync.WaitGroup
	looked.Add(askers)
	show = race(func(r booking.Reservation) error {
		row, _, err := booking.NewStore(rig.DB).ByID(t.Context(), r.User, r.ID)
		looked.Done()
		looked.Wait()
		if err != nil || row.Status != booking.Confirmed {
			return err
		}
		_, err = rig.DB.ExecContext(t.Context(), "UPDATE reservations SET status = 'cancelled', cancel_epoch = 1, cancel_seq = 2 WHERE id = ?", r.ID[:])
		_, err2 := rig.DB.ExecContext(t.Context(), "UPDATE stock SET reserved = GREATEST(reserved - ?, 0) WHERE show_id = ?", r.Units, r.Show)
		return errors.Join(err, err2, rig.Redis.HIncrBy(t.Context(), rig.Shards.Show(r.Show), "left", int64(r.Units)).Err())
	})
	if len(faults(t, rig, show, 10)) == 0 {
		t.Error("the test does not see units that come back twice")
	}
}

// A resync in between voids a cancel's entry: whoever waits asks once more, and gets it.
func TestCancelAcrossAResync(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	r := confirmed(t, rig, 7, show, 3)
	done := make(chan booking.Reservation, 1)
	systemtest.Go(t, func(context.Context) error {
		r, err := rig.BoxOffice.Cancel(context.WithoutCancel(t.Context()), 7, r.Ref(), 20*time.Second)
		done <- r
		return err
	})
	stream := rig.Shards.Entries(rig.Shards.Of(show))
	appended := func() bool { return rig.Redis.XLen(t.Context(), stream).Val() == 1 }
	servertest.Eventually(t, 10*time.Second, "the first entry", appended)
	exec(t, rig, "UPDATE stock SET epoch = 2 WHERE show_id = ?", show)
	rig.Redis.HSet(t.Context(), rig.Shards.Show(show), "epoch", 2, "seq", 0, "settled", 0)
	record(t, rig, show) // void
	servertest.Eventually(t, 10*time.Second, "the second entry", appended)
	record(t, rig, show)
	if r := <-done; r.Status != booking.Cancelled {
		t.Errorf("got %+v", r)
	}
	sound(t, rig, show, 10)
}
