package stock_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// sold returns what MySQL says of a show: reserved and the sum of confirmed units.
func sold(t *testing.T, rig *systemtest.Rig, show int64) (reserved, confirmed int) {
	t.Helper()
	err := rig.DB.QueryRowContext(t.Context(), `SELECT reserved, (SELECT COALESCE(SUM(units), 0) FROM reservations
		WHERE show_id = ? AND status = 'confirmed') FROM stock WHERE show_id = ?`, show, show).Scan(&reserved, &confirmed)
	if err != nil {
		t.Fatal(err)
	}
	return reserved, confirmed
}

// shop has some people buy single units, each for another user, until n were taken or, where n is 0, the test ends.
func shop(t *testing.T, rig *systemtest.Rig, show int64, user *atomic.Int64, n int64) (wait func()) {
	t.Helper()
	var all sync.WaitGroup
	var taken atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	for range 4 {
		all.Go(func() {
			breath := time.NewTicker(2 * time.Millisecond)
			defer breath.Stop()
			for ctx.Err() == nil && (n == 0 || taken.Add(1) <= n) {
				_, _, err := rig.BoxOffice.Reserve(ctx, booking.Booking{User: user.Add(1), Show: show, Units: 1, Key: "a"})
				if err != nil {
					taken.Add(-1)
					<-breath.C
				}
			}
		})
	}
	t.Cleanup(func() { cancel(); all.Wait() })
	return all.Wait
}

// Whatever Redis loses, selling is back by itself, nothing is sold twice, and in the end exactly the capacity is sold.
func TestSellingIsBackAfter(t *testing.T) {
	t.Parallel()
	const capacity = 300
	for name, fault := range map[string]func(*testing.T, *systemtest.Rig, int64){
		"stream deleted": deleteStream,
		"group deleted": func(t *testing.T, rig *systemtest.Rig, show int64) {
			rig.Redis.XGroupDestroy(t.Context(), rig.Shards.Entries(rig.Shards.Of(show)), group)
		},
		"hash deleted": deleteHash,
		"users deleted": func(t *testing.T, rig *systemtest.Rig, show int64) {
			rig.Redis.Del(t.Context(), rig.Shards.Users(show))
		},
		"everything deleted": func(t *testing.T, rig *systemtest.Rig, _ int64) {
			if err := rig.Redis.FlushAll(t.Context()).Err(); err != nil {
				t.Error(err)
			}
		},
		"killed and started": func(t *testing.T, rig *systemtest.Rig, _ int64) {
			if err := errors.Join(rig.RedisServer.Kill(), rig.RedisServer.Start(t.Context())); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			rig := systemtest.New(t)
			rig.Work(t, "w1")
			show := rig.Show(t, capacity, 1)
			var user atomic.Int64
			shop(t, rig, show, &user, 40)()
			fault(t, rig, show)
			shop(t, rig, show, &user, 0)
			recorded := func(least int) func() bool {
				return func() bool {
					reserved, confirmed := sold(t, rig, show)
					if reserved != confirmed || reserved > capacity {
						t.Fatalf("reserved %d, confirmed %d, capacity %d", reserved, confirmed, capacity)
					}
					return confirmed >= least
				}
			}
			servertest.Eventually(t, 15*time.Second, "more are sold than before", recorded(41))
			servertest.Eventually(t, 15*time.Second, "all are sold", recorded(capacity))
			servertest.Eventually(t, 15*time.Second, "the show is open and at rest", func() bool { return cutOf(t, rig, show).Conclusive })
			wantOpen(t, rig, show, 0)
		})
	}
}
