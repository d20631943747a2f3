package booking_test

import (
	"bytes"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// 1. A booking that is recorded between any two reads of the list is in the list.
func TestListWhileABookingIsRecorded(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]string{"the rows": "WHERE r.user_id = ", "the epochs": "UNION ALL SELECT"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recordedBefore(t, before)
		})
	}
}

// recordedBefore has a booking recorded when the list has sent the statement with a text in it, and before MySQL gets that.
func recordedBefore(t *testing.T, statement string) {
	t.Helper()
	rig := systemtest.New(t)
	c := rig.Config
	proxy, dsn := systemtest.ProxyMySQL(t, c.MySQLDSN)
	c.MySQLDSN = dsn
	s, err := system.Build(c, systemtest.Log(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	show := load(t, rig, 10, 0)
	r := book(t, rig, 7, show, 1, "a")
	var once atomic.Bool
	proxy.Rule(func(request []byte) systemtest.Fate {
		if bytes.Contains(request, []byte(statement)) && once.CompareAndSwap(false, true) {
			record(t, rig, show)
		}
		return systemtest.Deliver
	})
	page, err := s.OpenFront().Lookup.List(t.Context(), 7, booking.Position{}, 10)
	if err != nil || page.Partial != nil || !once.Load() {
		t.Fatalf("%+v, %v; recorded in between: %v", page, err, once.Load())
	}
	if diff := cmp.Diff([]line{{r.ID, booking.Confirmed}}, lines(page.Reservations)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// 2. What decode lets pass can be settled: settle.lua compares texts.
func TestNumbersThatCannotBeSettledAreBuried(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	for _, seq := range []string{"+1", "01"} {
		rig.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: rig.Shards.Entries(rig.Shards.Of(show)), Values: []any{"v", "1", "kind", "reserve",
			"id", booking.NewID(1, 1, seq).String(), "show", show, "user", "7", "units", "1", "epoch", "1", "seq", seq, "from", "", "trace", ""}})
	}
	record(t, rig, show)
	if n := rig.Redis.XLen(t.Context(), rig.Shards.Entries(rig.Shards.Of(show))).Val(); n != 0 {
		t.Errorf("%d entries are left after a batch that is reported as done", n)
	}
}

// 3. An oversold show is resynced, also where an entry of another epoch comes after it in the batch.
func TestOversoldShowIsResynced(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	systemtest.Go(t, rig.Healer.Run)
	show := load(t, rig, 10, 0)
	set := func(field string, value int) { rig.Redis.HSet(t.Context(), rig.Shards.Show(show), field, value) }
	set("left", 20)
	book(t, rig, 7, show, 10, "a")
	book(t, rig, 8, show, 1, "a") // one more than there are
	set("epoch", 9)
	book(t, rig, 9, show, 1, "a") // of another epoch
	set("epoch", 1)
	record(t, rig, show)
	servertest.Eventually(t, 5*time.Second, "resynced", func() bool {
		return rig.Redis.HGet(t.Context(), rig.Shards.Show(show), "epoch").Val() == "2"
	})
}

// 4. The same where the commit's answer was lost.
func TestOversoldShowIsResyncedAfterALostCommit(t *testing.T) {
	t.Parallel()
	proxy, dsn := systemtest.ProxyMySQL(t, servertest.MySQL(t))
	rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
	systemtest.Go(t, rig.Healer.Run)
	show := load(t, rig, 10, 0)
	rig.Redis.HSet(t.Context(), rig.Shards.Show(show), "left", 20)
	book(t, rig, 7, show, 10, "a")
	book(t, rig, 8, show, 1, "a")
	var cut atomic.Bool
	proxy.Rule(func(request []byte) systemtest.Fate {
		if bytes.HasSuffix(request, []byte("\x03COMMIT")) && cut.CompareAndSwap(false, true) {
			return systemtest.LoseAnswer
		}
		return systemtest.Deliver
	})
	record(t, rig, show)
	servertest.Eventually(t, 5*time.Second, "resynced", func() bool {
		return rig.Redis.HGet(t.Context(), rig.Shards.Show(show), "epoch").Val() == "2"
	})
}
