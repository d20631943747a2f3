package booking_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// lookups counts how often a client looks for reservations: each look is one pipeline that reads markers.
type lookups struct{ atomic.Int64 }

func (*lookups) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (*lookups) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (l *lookups) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		if slices.ContainsFunc(commands, func(c redis.Cmder) bool { return c.Name() == "hmget" }) {
			l.Add(1)
		}
		return next(ctx, commands)
	}
}

// newBoxOffice returns a box office of one more instance, whose lookups are counted. It hears no wake-ups unless somebody
// runs its waiters.
func newBoxOffice(t *testing.T, rig *systemtest.Rig, instance string) (*booking.BoxOffice, *booking.Waiters, *lookups) {
	t.Helper()
	var count lookups
	client := stock.Connect(stock.Connection{Addrs: []string{rig.RedisServer.Addr()}, Conns: 8})
	t.Cleanup(func() { _ = client.Close() })
	client.AddHook(&count)
	waiters := booking.NewWaiters(instance)
	return booking.NewBoxOffice(rig.Ledger, rig.Loader, booking.NewLookup(client, rig.Shards, rig.DB), waiters,
		rig.Observers(prometheus.NewRegistry())), waiters, &count
}

// listens waits until an instance's waiters hear wake-ups.
func listens(t *testing.T, rig *systemtest.Rig, instance string) {
	t.Helper()
	channel := "nt:wake:" + instance
	servertest.Eventually(t, 10*time.Second, "the waiters listen", func() bool {
		return rig.Redis.PubSubNumSub(t.Context(), channel).Val()[channel] == 1
	})
}

func arrives(t *testing.T, woken <-chan struct{}) {
	t.Helper()
	select {
	case <-woken:
	case <-time.After(10 * time.Second):
		t.Error("not woken within 10 s")
	}
}

func silent(t *testing.T, woken <-chan struct{}) {
	t.Helper()
	select {
	case <-woken:
		t.Error("woken by somebody else's reservation")
	default:
	}
}

// Settling wakes whoever waits for that reservation, on the instance that took it, and nobody else.
func TestSettlingWakesWaiters(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	listens(t, rig, rig.Waiters.Instance)
	show := load(t, rig, 10, 0)
	id := booking.NewID(7, show, "a")
	first, leaveFirst := rig.Waiters.Join(id)
	defer leaveFirst()
	second, leaveSecond := rig.Waiters.Join(id)
	gone, leaveGone := rig.Waiters.Join(id)
	leaveGone()
	other, leaveOther := rig.Waiters.Join(uuid.New())
	defer leaveOther()
	book(t, rig, 8, show, 1, "a") // in the same message
	book(t, rig, 7, show, 1, "a")
	record(t, rig, show)
	arrives(t, first)
	arrives(t, second)
	silent(t, other)
	silent(t, gone)
	leaveSecond()
	if _, err := rig.BoxOffice.Cancel(t.Context(), 7, booking.Ref{ID: id}, 0); err != nil {
		t.Fatal(err)
	}
	record(t, rig, show)
	arrives(t, first)
	silent(t, second)
}

// A wake-up has a waiting request look at once: many looks, where the clock alone would bring few.
func TestAwaitLooksWhenWoken(t *testing.T) {
	t.Parallel()
	const wakes = 30
	rig := systemtest.New(t)
	office, waiters, looks := newBoxOffice(t, rig, "api-1")
	systemtest.Go(t, func(ctx context.Context) error { return waiters.Run(ctx, rig.Redis) })
	listens(t, rig, "api-1")
	show := load(t, rig, 10, 0)
	r := book(t, rig, 7, show, 1, "a")
	began := time.Now()
	done := make(chan booking.Reservation, 1)
	go func() {
		r, err := office.Await(t.Context(), 7, r.Ref(), 30*time.Second)
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	wake := func() { // a torn id at the end is left out
		rig.Redis.Publish(t.Context(), "nt:wake:api-1", append(append([]byte{}, r.ID[:]...), 1, 2, 3))
	}
	for range wakes {
		before := looks.Load()
		servertest.Eventually(t, 10*time.Second, "somebody waits, and is woken", func() bool { wake(); return looks.Load() > before })
	}
	byTheClock := int64(time.Since(began)/booking.RereadEvery) + 1
	if n := looks.Load(); n < wakes || n <= byTheClock {
		t.Errorf("%d looks after %d wake-ups; the clock alone would have brought %d", n, wakes, byTheClock)
	}
	record(t, rig, show)
	wake()
	if r := <-done; r.Status != booking.Confirmed {
		t.Errorf("got %s", r.Status)
	}
}

// A lost wake-up costs a re-read.
func TestAwaitWithoutWakeUp(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	office, _, looks := newBoxOffice(t, rig, "deaf")
	show := load(t, rig, 10, 0)
	r := book(t, rig, 7, show, 1, "a")
	done := make(chan booking.Reservation, 1)
	go func() {
		r, err := office.Await(t.Context(), 7, r.Ref(), 30*time.Second)
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	servertest.Eventually(t, 10*time.Second, "it looks again by itself", func() bool { return looks.Load() >= 2 })
	record(t, rig, show)
	if r := <-done; r.Status != booking.Confirmed {
		t.Errorf("got %s", r.Status)
	}
}

// A wait ends with what is known then: when it is over, its client is gone, or the process ends.
func TestAwaitEndsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	r := book(t, rig, 7, show, 1, "a")
	for name, test := range map[string]struct {
		wait time.Duration
		end  func(office *booking.BoxOffice, cancel func())
	}{
		"no wait":        {0, nil},
		"over":           {10 * time.Millisecond, nil},
		"client gone":    {time.Minute, func(_ *booking.BoxOffice, cancel func()) { cancel() }},
		"process ending": {time.Minute, func(office *booking.BoxOffice, _ func()) { office.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			office, _, looks := newBoxOffice(t, rig, name)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan booking.Reservation, 1)
			go func() {
				r, err := office.Await(ctx, 7, r.Ref(), test.wait)
				if err != nil {
					t.Error(err)
				}
				done <- r
			}()
			if test.end != nil {
				servertest.Eventually(t, 10*time.Second, "it waits", func() bool { return looks.Load() > 0 })
				// Its first look must be over, else the end of the context ends that.
				servertest.Eventually(t, 10*time.Second, "it looks again", func() bool { return looks.Load() > 1 })
				test.end(office, cancel)
			}
			if r := <-done; r.Status != booking.Pending {
				t.Errorf("got %s", r.Status)
			}
		})
	}
	if _, err := rig.BoxOffice.Await(t.Context(), 8, r.Ref(), time.Minute); !errors.Is(err, booking.ErrNotFound) {
		t.Errorf("somebody else waits for it: %v", err)
	}
}

// A booking that waits returns what became of it, whatever that is.
func TestReserveWaitsForTheOutcome(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	rig.Work(t, "w1")
	show := load(t, rig, 10, 4)
	exec(t, rig, "UPDATE stock SET limit_per_user = 2 WHERE show_id = ?", show) // Redis does not know yet
	for _, test := range []struct {
		units  int
		status booking.Status
		reason booking.Reason
	}{{2, booking.Confirmed, ""}, {1, booking.Rejected, booking.LimitReached}} {
		r, repeated, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: 7, Show: show, Units: test.units, Key: string(test.status), Wait: 20 * time.Second})
		if err != nil || repeated || r.Status != test.status || r.Reason != test.reason {
			t.Errorf("%d units: %+v, %v; want %s %s", test.units, r, err, test.status, test.reason)
		}
	}
	rig.Settled(t, 10*time.Second, show)
	sound(t, rig, show, 8)
}

// A booking that is repeated asks MySQL, which may say nothing; one that is new does not.
func TestReserveIsBoundedWhileMySQLIsSilent(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	proxy, dsn := systemtest.ProxyMySQL(t, rig.Config.MySQLDSN)
	held := make(chan struct{})
	proxy.Rule(func([]byte) systemtest.Fate { <-held; return systemtest.Deliver })
	db, err := database.Open(dsn, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(held); _ = db.Close() })
	office := booking.NewBoxOffice(rig.Ledger, rig.Loader, booking.NewLookup(rig.Redis, rig.Shards, db), booking.NewWaiters("silent"),
		rig.Observers(prometheus.NewRegistry()))
	office.FindWithin(100 * time.Millisecond)
	wish := booking.Booking{User: 7, Show: show, Units: 1, Key: "a"}
	if r, repeated, err := office.Reserve(t.Context(), wish); err != nil || repeated || r.Status != booking.Pending {
		t.Errorf("new: %+v, %v, %v", r, repeated, err)
	}
	if _, _, err := office.Reserve(t.Context(), wish); !errors.Is(err, booking.ErrUnreadable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("again: %v", err)
	}
}
