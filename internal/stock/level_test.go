package stock_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func TestLevels(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	open, fresh, paused, unloaded := load(t, rig, 10, 4), rig.Show(t, 20, 0), load(t, rig, 30, 0), load(t, rig, 40, 0)
	reserve(t, rig, request(open, 7, 3, "a"))
	confirm(t, rig, fresh, 7, 5)
	set("state", "paused", "left", 29)(t, rig, paused)
	set("state", "unloaded", "left", 1)(t, rig, unloaded)
	got, now, err := rig.Levels.Levels(t.Context(), []int64{unloaded, open, 12345, fresh, paused})
	want := []stock.Level{
		{ShowID: unloaded, Capacity: 40, Left: 40}, // what Redis holds is not trusted
		{ShowID: open, Capacity: 10, Limit: 4, Left: 7},
		{ShowID: fresh, Capacity: 20, Left: 15},
		{ShowID: paused, Capacity: 30, Left: 29, Paused: true},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("levels %v (-want +got):\n%s", err, diff)
	}
	if clock := rig.Redis.Time(t.Context()).Val(); now.After(clock) || clock.Sub(now) > time.Minute {
		t.Errorf("as of %v; Redis's clock says %v", now, clock)
	}
	if got, _, err := rig.Levels.Levels(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("no shows: %v, %v", got, err)
	}
}

func TestLevelsWhileMySQLIsAway(t *testing.T) {
	t.Parallel()
	proxy, dsn := systemtest.ProxyMySQL(t, servertest.MySQL(t))
	rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
	known, unknown := load(t, rig, 10, 4), load(t, rig, 20, 0)
	levels := func(shows ...int64) ([]stock.Level, error) {
		got, _, err := rig.Levels.Levels(t.Context(), shows)
		return got, err
	}
	if _, err := levels(known); err != nil {
		t.Fatal(err)
	}
	proxy.Cut()
	reserve(t, rig, request(known, 7, 3, "a"))
	want := []stock.Level{{ShowID: known, Capacity: 10, Limit: 4, Left: 7}}
	stale := time.Now().Add(1200 * time.Millisecond)
	servertest.Eventually(t, 10*time.Second, "what is remembered is no longer fresh", func() bool {
		got, err := levels(known)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("levels %v (-want +got):\n%s", err, diff)
		}
		return time.Now().After(stale)
	})
	if got, err := levels(known, unknown); err == nil {
		t.Errorf("got %v of a show that was never read", got)
	}
	proxy.Mend()
	servertest.Eventually(t, 5*time.Second, "MySQL is asked again", func() bool { got, err := levels(known, unknown); return err == nil && len(got) == 2 })
}
