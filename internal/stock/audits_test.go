package stock_test

import (
	"context"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// What an audit finds is mended by a resync, and the next audit finds nothing.
func TestAuditHeals(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(*testing.T, *systemtest.Rig, int64){
		"too high":       set("left", 57),
		"too low":        set("left", 1),
		"garbled":        set("left", "many"),
		"behind MySQL":   raiseEpoch,
		"ahead of MySQL": set("epoch", 9),
		"entry lost": func(t *testing.T, rig *systemtest.Rig, show int64) {
			receipt := reserve(t, rig, request(show, 8, 1, "a"))
			rig.Redis.XDel(t.Context(), rig.Shards.Entries(rig.Shards.Of(show)), receipt.Marker.Entry)
		},
		"settled twice": set("settled", 3),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := systemtest.New(t)
			show := rig.Show(t, 10, 0)
			confirm(t, rig, show, 7, 3)
			resync(t, rig, show)
			f, registry := newFlusher(rig, 20*time.Millisecond)
			systemtest.Go(t, f.Run)
			found := func() float64 { return counter(t, registry, "neticket_stock_drifting_shows") }
			damage(t, rig, show)
			servertest.Eventually(t, 10*time.Second, "the audit finds it", func() bool { return found() == 1 })
			systemtest.Go(t, rig.Healer.Run)
			resyncs := func() float64 { return counter(t, rig.Registry, "neticket_resyncs_total", "drift", "ok") }
			servertest.Eventually(t, 10*time.Second, "it is resynced", func() bool { return resyncs() == 1 })
			servertest.Eventually(t, 10*time.Second, "the next audit finds nothing", func() bool { return found() == 0 })
			wantOpen(t, rig, show, 7)
			if n := resyncs(); n != 1 {
				t.Errorf("%v resyncs, want 1", n)
			}
		})
	}
}

// Units per user that were lost, or changed by hand, are found and mended, though no figure of the show itself is wrong: at once where
// their number tells, else once the show sells something.
func TestAuditCountsUsers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		damage func(ctx context.Context, redis redis.Cmdable, users string)
		sells  bool
	}{
		"lost":              {func(ctx context.Context, redis redis.Cmdable, users string) { redis.Del(ctx, users) }, false},
		"lost and sold on":  {func(ctx context.Context, redis redis.Cmdable, users string) { redis.Del(ctx, users) }, true},
		"one lost":          {func(ctx context.Context, redis redis.Cmdable, users string) { redis.HDel(ctx, users, "7") }, false},
		"one too many":      {func(ctx context.Context, redis redis.Cmdable, users string) { redis.HSet(ctx, users, "1", 1) }, false},
		"one has too much":  {func(ctx context.Context, redis redis.Cmdable, users string) { redis.HSet(ctx, users, "7", 2) }, true},
		"one is no number":  {func(ctx context.Context, redis redis.Cmdable, users string) { redis.HSet(ctx, users, "8", "x") }, true},
		"one is not needed": {func(ctx context.Context, redis redis.Cmdable, users string) { redis.HSet(ctx, users, "1", 0) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := systemtest.New(t)
			show := rig.Show(t, 1000, 4)
			want := map[string]string{}
			for user := range int64(200) { // more than Redis keeps in one piece
				confirm(t, rig, show, user+7, 1)
				want[strconv.FormatInt(user+7, 10)] = "1"
			}
			resync(t, rig, show)
			rig.Work(t, "w1")
			f, _ := newFlusher(rig, 20*time.Millisecond)
			systemtest.Go(t, f.Run)
			test.damage(t.Context(), rig.Redis, rig.Shards.Users(show))
			if test.sells {
				reserve(t, rig, request(show, 500, 3, "a"))
				want["500"] = "3"
			}
			rig.Settled(t, 10*time.Second, show)
			systemtest.Go(t, rig.Healer.Run)
			servertest.Eventually(t, 10*time.Second, "they are right", func() bool {
				return counter(t, rig.Registry, "neticket_resyncs_total", "users", "ok") == 1 && maps.Equal(usersOf(t, rig, show), want)
			})
		})
	}
}

// A sale that goes on is no fault, however busy it is: the audit only tells how long nobody could compare it.
func TestAuditLeavesASaleAlone(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 100_000, 4)
	systemtest.Go(t, rig.Healer.Run)
	rig.Work(t, "w1")
	f, registry := newFlusher(rig, 5*time.Millisecond)
	systemtest.Go(t, f.Run)
	for user := range int64(3000) {
		reserve(t, rig, request(show, user+1, 1, "a"))
		if user%100 == 0 && counter(t, registry, "neticket_stock_drifting_shows") != 0 {
			t.Fatal("a sale was found wrong")
		}
	}
	rig.Settled(t, 20*time.Second, show)
	wantOpen(t, rig, show, 97_000)
	if n := counter(t, rig.Registry, "neticket_resyncs_total", "ok"); n != 1 {
		t.Errorf("%v resyncs of a sale that was right, want only the load", n)
	}
}

// The age of the last conclusive audit grows while audits fail, and not for what is off sale until somebody asks for it.
func TestAgeOfTheLastAudit(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	proxy, dsn := systemtest.ProxyMySQL(t, rig.Config.MySQLDSN)
	db, err := database.Open(dsn, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	load(t, rig, 10, 0)
	idle := load(t, rig, 10, 0)
	set("state", "unloaded", "distrust", 1)(t, rig, idle)
	registry := prometheus.NewRegistry()
	f := stock.NewFlusher(rig.Ledger, stock.NewStore(db), rig.Healer, 10*time.Millisecond, rig.Observers(registry))
	systemtest.Go(t, f.Run)
	age := func() float64 { return counter(t, registry, "neticket_audit_oldest_conclusive_seconds") }
	written := func() float64 { return counter(t, registry, "neticket_flush_last_success_timestamp_seconds") }
	servertest.Eventually(t, 10*time.Second, "a first round", func() bool { return written() > 0 })
	first := written()
	servertest.Eventually(t, 10*time.Second, "rounds go on", func() bool { return written() > first+0.2 })
	if age() != 0 {
		t.Errorf("%v s old, though only what nobody asks for is not compared", age())
	}
	proxy.Cut()
	servertest.Eventually(t, 10*time.Second, "nobody can tell any more", func() bool { return age() > 0.2 })
	proxy.Mend()
	servertest.Eventually(t, 10*time.Second, "it is compared again", func() bool { return age() == 0 })
}

// A look leaves the list of shows that it was handed as it is: whoever looks until something is so hands it over again.
func TestCutsKeepTheList(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	shows := []int64{rig.Show(t, 10, 0), load(t, rig, 10, 0), rig.Show(t, 10, 0)} // only one is on sale
	for range 2 {
		cuts, err := rig.Auditor.Cuts(t.Context(), shows...)
		if err != nil {
			t.Fatal(err)
		}
		if len(cuts) != len(shows) || !cuts[shows[1]].Conclusive {
			t.Errorf("looked at %v, found %v", shows, cuts)
		}
	}
}
