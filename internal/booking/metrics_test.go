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

// The words that clients and dashboards know the errors by.
func TestResultOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want string
	}{
		{&stock.SoldOutError{}, "sold_out"}, {&stock.LimitError{}, "limit_reached"}, {&stock.NotOpenError{}, "not_open"},
		{stock.ErrClosed, "closed"}, {stock.ErrConflict, "key_reused"}, {stock.ErrBusy, "busy"}, {stock.ErrPaused, "paused"},
		{stock.ErrFenced, "fenced"}, {stock.ErrUnloaded, "unloaded"}, {stock.ErrGarbled, "unloaded"}, {stock.ErrUnknown, "unknown"},
		{stock.ErrUnavailable, "unavailable"}, {stock.ErrNoShow, "not_found"}, {errors.New("else"), "error"},
	} {
		if got := booking.ResultOf(fmt.Errorf("reserve: %w", test.err)); got != test.want {
			t.Errorf("%v is called %q, want %q", test.err, got, test.want)
		}
		if test.err.Error() == "" {
			t.Errorf("%T says nothing", test.err)
		}
	}
}

func TestBookingsAreCounted(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show, opening := load(t, rig, 5, 4), rig.ShowAt(t, 5, 0, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour), time.Now().Add(3*time.Hour))
	for _, wish := range []booking.Booking{
		{User: 1, Show: show, Units: 2, Key: "a"}, {User: 1, Show: show, Units: 2, Key: "a"}, {User: 1, Show: show, Units: 3, Key: "a"},
		{User: 1, Show: show, Units: 3, Key: "b"}, {User: 2, Show: show, Units: 4, Key: "a"}, {User: 2, Show: show, Units: 3, Key: "b"},
		{User: 2, Show: opening, Units: 1, Key: "a"}, {User: 2, Show: 12345, Units: 1, Key: "a"},
	} {
		_, _, _ = rig.BoxOffice.Reserve(t.Context(), wish)
	}
	for result, want := range map[string]float64{"accepted": 2, "repeated": 1, "key_reused": 1, "limit_reached": 1, "sold_out": 1, "not_open": 1, "not_found": 1} {
		if got := counter(t, rig.Registry, "neticket_bookings_total", result); got != want {
			t.Errorf("%v bookings are %s, want %v", got, result, want)
		}
	}
}
