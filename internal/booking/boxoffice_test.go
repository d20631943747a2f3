package booking_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func TestBookingFromClickToRow(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	rig.Work(t, "w1")
	show := rig.Show(t, 10, 0)
	wish := booking.Booking{User: 7, Show: show, Units: 2, Key: "a", Wait: 5 * time.Second}

	first, repeated, err := rig.BoxOffice.Reserve(t.Context(), wish)
	if err != nil || repeated || first.Status != booking.Confirmed || first.Units != 2 {
		t.Fatalf("first: %+v, repeated %v, %v; want it confirmed", first, repeated, err)
	}
	again, repeated, err := rig.BoxOffice.Reserve(t.Context(), wish)
	if err != nil || !repeated || again.ID != first.ID || again.Status != booking.Confirmed {
		t.Errorf("again: %+v, repeated %v, %v; want the same one", again, repeated, err)
	}
	wish.Units = 3
	if _, _, err := rig.BoxOffice.Reserve(t.Context(), wish); !errors.Is(err, stock.ErrConflict) {
		t.Errorf("same key with 3 units: %v, want %v", err, stock.ErrConflict)
	}
	if found, err := rig.Lookup.Find(t.Context(), 8, first.Ref()); !errors.Is(err, booking.ErrNotFound) {
		t.Errorf("somebody else finds %+v, %v", found, err)
	}

	cancelled, err := rig.BoxOffice.Cancel(t.Context(), 7, first.Ref(), 5*time.Second)
	if err != nil || cancelled.Status != booking.Cancelled {
		t.Fatalf("cancel: %+v, %v", cancelled, err)
	}
	level, _, err := rig.Levels.Level(t.Context(), show)
	if err != nil || level.Left != 10 {
		t.Errorf("level after the cancel: %+v, %v; want 10 left", level, err)
	}
}

func TestSoldOut(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	rig.Work(t, "w1")
	show := rig.Show(t, 3, 0)
	for user := range int64(5) {
		_, _, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: user + 1, Show: show, Units: 1, Key: fmt.Sprint(user)})
		var soldOut *stock.SoldOutError
		if got := errors.As(err, &soldOut); got != (user >= 3) {
			t.Errorf("user %d: %v", user, err)
		}
	}
	rig.Settled(t, 10*time.Second, show)
}
