package booking_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func wantNotFound(t *testing.T, rig *systemtest.Rig, user int64, id uuid.UUID) {
	t.Helper()
	if r, err := rig.Lookup.Find(t.Context(), user, booking.Ref{ID: id}); !errors.Is(err, booking.ErrNotFound) {
		t.Errorf("user %d finds %+v, %v; want %v", user, r, err, booking.ErrNotFound)
	}
}

// raiseEpoch does to MySQL what a resync does that does not wait for entries.
func raiseEpoch(t *testing.T, rig *systemtest.Rig, show int64) {
	t.Helper()
	exec(t, rig, "UPDATE stock SET epoch = epoch + 1 WHERE show_id = ?", show)
}

func TestFindThroughALife(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	wantNotFound(t, rig, 7, booking.NewID(7, show, "a"))
	r := book(t, rig, 7, show, 2, "a")
	pending := find(t, rig, 7, r.ID)
	if pending.Status != booking.Pending || pending.Units != 2 || pending.Show != show || !pending.BookedAt.Equal(r.BookedAt) || !pending.ConfirmedAt.IsZero() {
		t.Errorf("pending: %+v", pending)
	}
	wantNotFound(t, rig, 8, r.ID)

	record(t, rig, show)
	confirmed := find(t, rig, 7, r.ID)
	if confirmed.Status != booking.Confirmed || !confirmed.BookedAt.Equal(r.BookedAt) || confirmed.ConfirmedAt.IsZero() || !confirmed.CancelledAt.IsZero() {
		t.Errorf("confirmed: %+v, booked %v", confirmed, r.BookedAt)
	}
	if age := confirmed.AsOf.Sub(confirmed.BookedAt); age < 0 || age > time.Minute {
		t.Errorf("as of %v, booked at %v", confirmed.AsOf, confirmed.BookedAt)
	}
	wantNotFound(t, rig, 8, r.ID)

	if _, err := rig.BoxOffice.Cancel(t.Context(), 7, r.Ref(), 0); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, rig, r, booking.Cancelling, "")
	raiseEpoch(t, rig, show) // the cancel entry is void now
	wantStatus(t, rig, r, booking.Confirmed, "")
	exec(t, rig, "UPDATE stock SET epoch = epoch - 1 WHERE show_id = ?", show)
	record(t, rig, show)
	wantStatus(t, rig, r, booking.Cancelled, "")
	if got := find(t, rig, 7, r.ID); got.CancelledAt.IsZero() {
		t.Errorf("cancelled: %+v", got)
	}
	rig.Redis.FlushAll(t.Context()) // a row needs no marker
	wantStatus(t, rig, r, booking.Cancelled, "")
	wantNotFound(t, rig, 8, r.ID)
}

func TestFindWhatRedisLost(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	kept, lost := book(t, rig, 7, show, 1, "a"), book(t, rig, 7, show, 1, "b")
	raiseEpoch(t, rig, show)
	wantStatus(t, rig, kept, booking.Rejected, booking.Lost)
	wantStatus(t, rig, lost, booking.Rejected, booking.Lost)
	record(t, rig, show) // what the marker said before is what the row says
	wantStatus(t, rig, kept, booking.Rejected, booking.Lost)

	if _, err := rig.Resyncer.Resync(t.Context(), show, "test"); err != nil {
		t.Fatal(err)
	}
	gone := book(t, rig, 7, show, 1, "c")
	rig.Redis.FlushAll(t.Context())
	wantNotFound(t, rig, 7, gone.ID)
	wantStatus(t, rig, kept, booking.Rejected, booking.Lost)
}

// Garbled markers, and those of a show that is not there, do not get in the way of a row.
func TestFindWithGarbledMarkers(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	r := book(t, rig, 7, show, 1, "a")
	record(t, rig, show)
	key := rig.Shards.User(rig.Shards.Of(show), 7)
	for _, marker := range []string{"", "x", "1|2", "1|2|3|4", "a|b|c|d|e", "1|x|1|1|1-1", "||||"} {
		rig.Redis.HSet(t.Context(), key, "r:"+r.ID.String(), marker, "c:"+r.ID.String(), marker)
		wantStatus(t, rig, r, booking.Confirmed, "")
		id := booking.NewID(7, show, "never booked")
		rig.Redis.HSet(t.Context(), key, "r:"+id.String(), marker)
		wantNotFound(t, rig, 7, id)
	}
	// A cancel's marker of an older epoch is void, one of a newer too.
	for _, epoch := range []int{0, 2} {
		rig.Redis.HSet(t.Context(), key, "r:"+r.ID.String(), "x", "c:"+r.ID.String(), fmt.Sprintf("%d|1|1-1", epoch))
		wantStatus(t, rig, r, booking.Confirmed, "")
	}
}

// A reservation keeps the price that it was recorded at, whatever the show costs later.
func TestPriceIsKept(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	cost := func(price int) { exec(t, rig, "UPDATE shows SET price = ? WHERE id = ?", price, show) }
	cost(50_000)
	first := book(t, rig, 7, show, 2, "a")
	if price := find(t, rig, 7, first.ID).Price; price != nil {
		t.Errorf("a pending reservation has a price of its own already: %d", *price)
	}
	record(t, rig, show)
	cost(70_000)
	second := book(t, rig, 7, show, 1, "b")
	record(t, rig, show)
	for id, want := range map[uuid.UUID]int64{first.ID: 50_000, second.ID: 70_000} {
		if price := find(t, rig, 7, id).Price; price == nil || *price != want {
			t.Errorf("price %v, want %d", price, want)
		}
	}
}
