package stock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

var exceptAsOf = cmpopts.IgnoreFields(stock.Level{}, "AsOf")

// last returns what memory holds of shows, once it holds something.
func last(t *testing.T, rig *systemtest.Rig, shows ...int64) []stock.Level {
	t.Helper()
	var levels []stock.Level
	servertest.Eventually(t, 10*time.Second, "memory is filled", func() (ok bool) {
		var err error
		levels, _, err = rig.Levels.Last(shows)
		return err == nil
	})
	return levels
}

func TestLevels(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	open, fresh, paused, unloaded := load(t, rig, 10, 4), rig.Show(t, 20, 0), load(t, rig, 30, 0), load(t, rig, 40, 0)
	reserve(t, rig, request(open, 7, 3, "a"))
	confirm(t, rig, fresh, 7, 5)
	set("state", "paused", "left", 29)(t, rig, paused)
	set("state", "unloaded", "left", 1)(t, rig, unloaded)
	if _, _, err := rig.Levels.Last([]int64{open}); err == nil {
		t.Error("levels before anything was read")
	}
	systemtest.Go(t, rig.Levels.Run)
	want := []stock.Level{
		{ShowID: unloaded, Capacity: 40, Left: 40}, // what Redis holds is not trusted
		{ShowID: open, Capacity: 10, Limit: 4, Left: 7},
		{ShowID: fresh, Capacity: 20, Left: 15},
		{ShowID: paused, Capacity: 30, Left: 29, Paused: true},
	}
	got := last(t, rig, unloaded, open, 12345, fresh, paused)
	if diff := cmp.Diff(want, got, exceptAsOf); diff != "" {
		t.Errorf("levels (-want +got):\n%s", diff)
	}
	for _, want := range want {
		got, now, err := rig.Levels.Level(t.Context(), want.ShowID)
		if diff := cmp.Diff(want, got, exceptAsOf); diff != "" || err != nil {
			t.Errorf("level %v (-want +got):\n%s", err, diff)
		}
		if clock := rig.Redis.Time(t.Context()).Val(); now.After(clock) || clock.Sub(now) > time.Minute || now.Before(got.AsOf) {
			t.Errorf("as of %v, now %v; Redis's clock says %v", got.AsOf, now, clock)
		}
	}
	if _, _, err := rig.Levels.Level(t.Context(), 12345); !errors.Is(err, stock.ErrNoShow) {
		t.Errorf("no such show: %v", err)
	}
}

// TestLevelsFollow: what changes in Redis and MySQL is seen without anyone asking for it, and a level never is older than promised.
func TestLevelsFollow(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	systemtest.Go(t, rig.Levels.Run)
	last(t, rig, show)

	reserve(t, rig, request(show, 7, 3, "a"))
	servertest.Eventually(t, 10*time.Second, "the poll sees the units taken", func() bool { return last(t, rig, show)[0].Left == 7 })
	for range 3 {
		sent := rig.Redis.Time(t.Context()).Val()
		level, _, err := rig.Levels.Level(t.Context(), show)
		if err != nil || sent.Sub(level.AsOf) > 500*time.Millisecond {
			t.Errorf("a level of %v ago, %v", sent.Sub(level.AsOf), err)
		}
		<-rig.Levels.Polled()
	}

	added := rig.Show(t, 5, 0)
	if got := last(t, rig, added); len(got) != 0 {
		t.Errorf("a show added this instant: %v", got)
	}
	servertest.Eventually(t, 10*time.Second, "a new show is found", func() bool { return len(last(t, rig, added)) == 1 })

	if _, err := rig.Resyncer.Change(t.Context(), show, stock.Change{Capacity: 30, Limit: 2}); err != nil {
		t.Fatal(err)
	}
	want := []stock.Level{{ShowID: show, Capacity: 30, Limit: 2, Left: 27}} // the change recorded the 3 units
	servertest.Eventually(t, 10*time.Second, "another capacity is seen", func() bool { return cmp.Equal(want, last(t, rig, show), exceptAsOf) })
}

func TestLevelsWhileMySQLIsAway(t *testing.T) {
	t.Parallel()
	proxy, dsn := systemtest.ProxyMySQL(t, servertest.MySQL(t))
	rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
	known := load(t, rig, 10, 4)
	systemtest.Go(t, rig.Levels.Run)
	last(t, rig, known)
	proxy.Cut()
	reserve(t, rig, request(known, 7, 3, "a"))
	want := stock.Level{ShowID: known, Capacity: 10, Limit: 4, Left: 7}
	stale := time.Now().Add(1200 * time.Millisecond)
	servertest.Eventually(t, 10*time.Second, "levels move without MySQL", func() bool {
		got, _, err := rig.Levels.Level(t.Context(), known)
		if err != nil {
			t.Fatal(err)
		}
		return cmp.Equal(want, got, exceptAsOf) && cmp.Equal([]stock.Level{want}, last(t, rig, known), exceptAsOf) && time.Now().After(stale)
	})
	if got, _, err := rig.Levels.Level(t.Context(), known+1); err == nil {
		t.Errorf("got %v of a show that was never read", got)
	}
	proxy.Mend()
	added := rig.Show(t, 20, 0)
	servertest.Eventually(t, 5*time.Second, "MySQL is asked again", func() bool { _, _, err := rig.Levels.Level(t.Context(), added); return err == nil })
}

// TestLevelsWhileRedisIsAway: the last levels are told for a while, then none; requests do not wait for the server.
func TestLevelsWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 4)
	systemtest.Go(t, rig.Levels.Run)
	before := last(t, rig, show)
	if err := rig.RedisServer.Kill(); err != nil {
		t.Fatal(err)
	}
	gone := time.Now()
	servertest.Eventually(t, 30*time.Second, "the silence is told", func() bool {
		got, _, err := rig.Levels.Level(t.Context(), show)
		if err == nil && !cmp.Equal(before[0], got, exceptAsOf) {
			t.Errorf("got %v, before %v", got, before)
		}
		return err != nil
	})
	if after := time.Since(gone); after < 8*time.Second {
		t.Errorf("there are no levels after %v already", after)
	}
	servertest.Eventually(t, 5*time.Second, "the silence is told by the list, too", func() bool { _, _, err := rig.Levels.Last([]int64{show}); return err != nil })
	if err := rig.RedisServer.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	servertest.Eventually(t, 10*time.Second, "levels are back", func() bool { _, _, err := rig.Levels.Last([]int64{show}); return err == nil })
}
