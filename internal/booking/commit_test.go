package booking_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// A batch may hold new bookings, ones that were recorded before, and more cancels than a statement takes, of several shows: each row gets
// the outcome of its own entry, and keeps the price and the time of its booking.
func TestLargeMixedBatch(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	shows := []int64{load(t, rig, 1000, 0), load(t, rig, 1000, 3)}
	exec(t, rig, "UPDATE shows SET price = 1000 * id")
	at := time.Date(2026, 5, 3, 12, 0, 0, 789_000_000, time.UTC)
	entry := func(kind booking.Kind, n int, seq int64) booking.Entry {
		show, user := shows[n%2], int64(n+1)
		return booking.Entry{Kind: kind, Show: show, User: user, ID: booking.NewID(user, show, "a"), Units: 1 + n%3, Epoch: 1, Seq: seq, At: at}
	}
	var first, second []booking.Entry
	for n := range 200 {
		first = append(first, entry(booking.Reserve, n, int64(n+1)))
		second = append(second, entry(booking.Cancel, n, int64(1000+n)))
	}
	second = append(second, first[:20]...) // delivered again
	for n := 200; n < 230; n++ {
		second = append(second, entry(booking.Reserve, n, int64(n+1)))
	}
	rand.Shuffle(len(second), func(i, j int) { second[i], second[j] = second[j], second[i] })
	for n := 220; n < 230; n++ { // after their bookings, in one batch with them
		second = append(second, entry(booking.Cancel, n, int64(1000+n)))
	}
	w := newWorker(rig)
	for _, batch := range [][]booking.Entry{first, second, second} {
		if _, err := w.Commit(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}

	want := map[uuid.UUID]string{}
	for n := range 230 {
		e := entry(booking.Reserve, n, int64(n+1))
		cancel := ""
		if n < 200 || n >= 220 {
			cancel = fmt.Sprint("1/", 1000+n)
		}
		want[e.ID] = fmt.Sprint(e.Show, e.User, e.Units, e.Seq, 1000*e.Show, at, true, cancel != "", cancel)
	}
	got := map[uuid.UUID]string{}
	rows, err := rig.DB.QueryContext(t.Context(), `SELECT id, show_id, user_id, units, seq, price, booked_at, confirmed_at IS NOT NULL, cancelled_at IS NOT NULL,
		IF(status = 'cancelled', CONCAT_WS('/', cancel_epoch, cancel_seq), '') FROM reservations`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		var show, user, seq, price int64
		var units int
		var booked time.Time
		var confirmed, cancelled bool
		var cancel string
		if err := rows.Scan(&id, &show, &user, &units, &seq, &price, &booked, &confirmed, &cancelled, &cancel); err != nil {
			t.Fatal(err)
		}
		got[id] = fmt.Sprint(show, user, units, seq, price, booked, confirmed, cancelled, cancel)
	}
	if diff := cmp.Diff(want, got); diff != "" || rows.Err() != nil {
		t.Errorf("%v (-want +got):\n%s", rows.Err(), diff)
	}
	for _, show := range shows {
		var reserved, confirmed int
		err := rig.DB.QueryRowContext(t.Context(), `SELECT reserved, (SELECT SUM(units) FROM reservations
			WHERE show_id = ? AND status = 'confirmed') FROM stock WHERE show_id = ?`, show, show).Scan(&reserved, &confirmed)
		if err != nil || reserved != confirmed || confirmed == 0 {
			t.Errorf("show %d: reserved %d, confirmed %d, %v", show, reserved, confirmed, err)
		}
	}
}
