package booking_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// refuseRows has MySQL refuse rows of 7 units that meet a condition, as a fault of their data.
func refuseRows(t *testing.T, rig *systemtest.Rig, condition string) {
	t.Helper()
	exec(t, rig, `CREATE TRIGGER refuse BEFORE INSERT ON reservations FOR EACH ROW
		IF NEW.units = 7 AND `+condition+` THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'; END IF`)
}

// One entry whose row cannot be stored is rejected; those that came with it are recorded.
func TestDataErrorAlone(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	refuseRows(t, rig, "NEW.status = 'confirmed'")
	show := load(t, rig, 20, 10)
	good := []booking.Reservation{book(t, rig, 1, show, 2, "a"), {}, book(t, rig, 3, show, 3, "a")}
	bad := book(t, rig, 2, show, 7, "a")
	good[1] = book(t, rig, 2, show, 1, "b")
	batch := take(t, rig, show)
	w := newWorker(rig)
	if err := w.Handle(t.Context(), rig.Shards.Of(show), batch); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, rig, bad, booking.Rejected, booking.Failed)
	for _, r := range good {
		wantStatus(t, rig, r, booking.Confirmed, "")
	}
	if diff := cmp.Diff(map[string]int{"confirmed": 3, "rejected_error": 1}, w.outcomes(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sound(t, rig, show, 14)
	if err := newWorker(rig).Handle(t.Context(), rig.Shards.Of(show), batch); err != nil { // delivered again
		t.Fatal(err)
	}
	sound(t, rig, show, 14)
}

// An entry that can be neither recorded nor rejected stays in the stream until somebody has mended what is wrong.
func TestDataErrorOfTheRejectionToo(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	refuseRows(t, rig, "TRUE")
	show := load(t, rig, 20, 0)
	good, bad := book(t, rig, 1, show, 2, "a"), book(t, rig, 2, show, 7, "a")
	batch := take(t, rig, show)
	for range 2 {
		if err := newWorker(rig).Handle(t.Context(), rig.Shards.Of(show), batch); err == nil {
			t.Error("a batch of which one entry is left is reported as done")
		}
		wantStatus(t, rig, good, booking.Confirmed, "")
		wantStatus(t, rig, bad, booking.Pending, "")
		if n := rig.Redis.XLen(t.Context(), rig.Shards.Entries(rig.Shards.Of(show))).Val(); n != 1 {
			t.Errorf("%d entries are left, want the one", n)
		}
	}
	exec(t, rig, "DROP TRIGGER refuse")
	if err := newWorker(rig).Handle(t.Context(), rig.Shards.Of(show), batch); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, rig, bad, booking.Confirmed, "")
	sound(t, rig, show, 11)
}

// A reservation whose cancel cannot be stored stays confirmed; its entry is not lost.
func TestDataErrorOfACancel(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 20, 0)
	r := book(t, rig, 1, show, 7, "a")
	record(t, rig, show)
	exec(t, rig, `CREATE TRIGGER refuse BEFORE UPDATE ON reservations FOR EACH ROW SIGNAL SQLSTATE '45000'`)
	if _, err := rig.BoxOffice.Cancel(t.Context(), 1, r.Ref(), 0); err != nil {
		t.Fatal(err)
	}
	batch := take(t, rig, show)
	if err := newWorker(rig).Handle(t.Context(), rig.Shards.Of(show), batch); err == nil {
		t.Error("a batch of which one entry is left is reported as done")
	}
	wantStatus(t, rig, r, booking.Cancelling, "")
	exec(t, rig, "DROP TRIGGER refuse")
	if err := newWorker(rig).Handle(t.Context(), rig.Shards.Of(show), batch); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, rig, r, booking.Cancelled, "")
	sound(t, rig, show, 20)
}
