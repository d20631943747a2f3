package booking_test

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// While MySQL is away or silent, owners see what their markers tell, marked as provisional; nothing is cancelled, and no read is
// left behind that waits. Once it is back they see what is recorded.
func TestReadingWithoutMySQL(t *testing.T) {
	t.Parallel()
	type server interface {
		Pause() error
		Resume() error
		Kill() error
		Start(ctx context.Context) error
	}
	for name, fault := range map[string]struct {
		begin, end func(s server, ctx context.Context) error
		silent     bool
	}{
		"killed": {
			begin: func(s server, _ context.Context) error { return s.Kill() },
			end:   func(s server, ctx context.Context) error { return s.Start(ctx) },
		},
		"frozen": {
			begin: func(s server, _ context.Context) error { return s.Pause() },
			end:   func(s server, _ context.Context) error { return s.Resume() }, silent: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mysql := servertest.MariaDB(t)
			rig := systemtest.On(t, systemtest.Servers{DSN: mysql.DSN("neticket"), Redis: servertest.Redis(t)})
			show := load(t, rig, 20, 0)
			old := book(t, rig, 7, show, 1, "old")
			confirmed := book(t, rig, 7, show, 1, "confirmed")
			cancelling := book(t, rig, 7, show, 1, "cancelling")
			record(t, rig, show)
			forget(t, rig, old)
			if _, err := rig.BoxOffice.Cancel(t.Context(), 7, cancelling.Ref(), 0); err != nil {
				t.Fatal(err)
			}
			pending := book(t, rig, 7, show, 2, "pending")
			ends := awaiting(t, rig, pending)

			if err := fault.begin(mysql, t.Context()); err != nil {
				t.Fatal(err)
			}
			told := map[uuid.UUID]booking.Status{
				confirmed.ID: booking.Pending, cancelling.ID: booking.Cancelling, pending.ID: booking.Pending,
			}
			mine := []booking.Reservation{confirmed, cancelling, pending}
			seeProvisional(t, rig, mine, told)
			waited := rig.DB.Stats().WaitCount
			seeProvisional(t, rig, mine, told)
			if more := rig.DB.Stats().WaitCount - waited; fault.silent && more > 0 {
				t.Errorf("%d look-ups wait for a connection to a MySQL that is known to be silent", more)
			}
			wantUnreadable(t, rig, old, mine...)
			late := book(t, rig, 7, show, 3, "late")
			again, repeated, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: 7, Show: show, Units: 3, Key: "late"})
			if err != nil || !repeated || again.ID != late.ID || again.Status != booking.Pending || !again.Provisional {
				t.Errorf("the same key again: %+v, repeated %v, %v", again, repeated, err)
			}
			page, err := rig.Lookup.List(t.Context(), 7, booking.Position{}, 3)
			if err != nil || !errors.Is(page.Partial, booking.ErrUnreadable) {
				t.Errorf("the list: %+v, %v", page, err)
			}
			var want []line
			for _, r := range byNewest(append(mine, late))[:3] {
				want = append(want, line{r.ID, cmp.Or(told[r.ID], booking.Pending)})
			}
			if diff := gocmp.Diff(want, lines(page.Reservations)); diff != "" || page.Next == (booking.Position{}) {
				t.Errorf("the list goes on at %v (-want +got):\n%s", page.Next, diff)
			}

			if err := fault.end(mysql, t.Context()); err != nil {
				t.Fatal(err)
			}
			servertest.Eventually(t, 20*time.Second, "MySQL is read again", func() bool {
				r, err := rig.Lookup.Find(t.Context(), 7, confirmed.Ref())
				return err == nil && r.Status == booking.Confirmed && !r.Provisional
			})
			wantStatus(t, rig, old, booking.Confirmed, "")
			record(t, rig, show)
			wantStatus(t, rig, cancelling, booking.Cancelled, "")
			for _, r := range []booking.Reservation{pending, late} {
				wantStatus(t, rig, r, booking.Confirmed, "")
			}
			if r := <-ends; r.Status != booking.Confirmed || r.Provisional {
				t.Errorf("a request that waited all the time sees %+v", r)
			}
			sound(t, rig, show, 20-1-1-2-3)
		})
	}
}

// forget has Redis forget a booking's marker, as it does after two days.
func forget(t *testing.T, rig *systemtest.Rig, r booking.Reservation) {
	t.Helper()
	key := rig.Shards.User(rig.Shards.Of(r.Show), r.User)
	if n, err := rig.Redis.HDel(t.Context(), key, stock.ReserveField(r.ID.String())).Result(); err != nil || n != 1 {
		t.Fatalf("%d markers are forgotten, %v", n, err)
	}
}

// awaiting has the owner of a reservation wait for its outcome for a minute.
func awaiting(t *testing.T, rig *systemtest.Rig, r booking.Reservation) <-chan booking.Reservation {
	t.Helper()
	ends := make(chan booking.Reservation, 1)
	go func() {
		r, err := rig.BoxOffice.Await(t.Context(), r.User, r.Ref(), time.Minute)
		if err != nil {
			t.Errorf("a request that waits: %v", err)
		}
		ends <- r
	}()
	return ends
}

// seeProvisional has many look at reservations at once, by address and by id, with and without a wait.
func seeProvisional(t *testing.T, rig *systemtest.Rig, all []booking.Reservation, told map[uuid.UUID]booking.Status) {
	t.Helper()
	var lookers sync.WaitGroup
	for i := range 90 {
		r := all[i%len(all)]
		ref, wait := r.Ref(), time.Duration(0)
		if i%2 == 0 {
			ref.Show = 0
		}
		if i%5 == 0 {
			wait = 100 * time.Millisecond
		}
		lookers.Go(func() {
			got, err := rig.BoxOffice.Await(t.Context(), r.User, ref, wait)
			if err != nil || got.Status != told[r.ID] || !got.Provisional || got.Show != r.Show || got.Units != r.Units || !got.BookedAt.Equal(r.BookedAt) {
				t.Errorf("%+v by %+v is seen as %+v, %v; want it %s", r, ref, got, err, told[r.ID])
			}
		})
	}
	lookers.Wait()
}

// wantUnreadable checks what nobody can tell without MySQL: what became of a booking without a marker, and whether one can be cancelled.
func wantUnreadable(t *testing.T, rig *systemtest.Rig, old booking.Reservation, others ...booking.Reservation) {
	t.Helper()
	if r, err := rig.Lookup.Find(t.Context(), old.User, old.Ref()); !errors.Is(err, booking.ErrUnreadable) {
		t.Errorf("one without a marker: %+v, %v", r, err)
	}
	for _, r := range append(others, old) {
		if got, err := rig.BoxOffice.Cancel(t.Context(), r.User, r.Ref(), 0); !errors.Is(err, booking.ErrUnreadable) {
			t.Errorf("%+v is cancelled: %+v, %v", r, got, err)
		}
		if got, err := rig.Lookup.Find(t.Context(), 8, r.Ref()); err == nil {
			t.Errorf("somebody else sees %+v", got)
		}
	}
}
