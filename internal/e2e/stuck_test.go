package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
)

// TestStuckWithNobodyAsking: bookings wait to be recorded, something is broken, and no customer comes by. Worker and flusher see it
// by themselves: each booking ends as it has to, and the show is on sale again.
func TestStuckWithNobodyAsking(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		damage func(t *testing.T, d *deployment, show int64) error
		may    []booking.Reason // why bookings may be rejected
	}{
		"paused by a dead holder":                      {damage: pausedBy("dead")},
		"paused by a dead holder that had no way back": {damage: pausedBy("dead", "bump", 1)},
		"entries without an owner": {damage: func(t *testing.T, d *deployment, show int64) error {
			stream := d.Shards.Entries(d.Shards.Of(show))
			if err := d.Redis.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: "recorders", Consumer: "gone", Streams: []string{stream, ">"}}).Err(); err != nil {
				return err
			}
			return d.Redis.XGroupDelConsumer(t.Context(), stream, "recorders", "gone").Err()
		}},
		"no group": {damage: func(t *testing.T, d *deployment, show int64) error {
			return d.Redis.XGroupDestroy(t.Context(), d.Shards.Entries(d.Shards.Of(show)), "recorders").Err()
		}},
		"no stream": {damage: func(t *testing.T, d *deployment, show int64) error {
			return d.Redis.Del(t.Context(), d.Shards.Entries(d.Shards.Of(show))).Err()
		}, may: []booking.Reason{booking.Lost}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t)
			show := d.Show(t, 100, 4)
			worker := d.start(t, "worker")
			d.start(t, "flusher")
			servertest.Eventually(t, 10*time.Second, "the fence is open", func() bool { return d.Ledger.CheckFence(t.Context()) == nil })
			book := func(user int64) booking.Reservation {
				r, _, err := d.BoxOffice.Reserve(t.Context(), booking.Booking{User: user, Show: show, Units: 2, Key: fmt.Sprint(user)})
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			first := book(1)
			d.Settled(t, 10*time.Second, show)
			worker.freeze(t)
			var waiting []booking.Reservation
			for user := range int64(10) {
				waiting = append(waiting, book(2+user))
			}
			if err := test.damage(t, d, show); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			worker.thaw(t)

			servertest.Eventually(t, 10*time.Second, "nothing is pending, and the show is on sale", func() bool {
				for _, r := range waiting {
					if now, err := d.Lookup.Find(t.Context(), r.User, r.Ref()); err != nil || now.Status == booking.Pending {
						return false
					}
				}
				cuts, err := d.Auditor.Cuts(t.Context(), show)
				return err == nil && cuts[show].Conclusive
			})
			t.Logf("after %v", time.Since(began).Round(time.Millisecond))
			gone := 0
			for _, r := range append(waiting, first) {
				now, err := d.Lookup.Find(t.Context(), r.User, r.Ref())
				lost := now.Status == booking.Rejected && slices.Contains(test.may, now.Reason) && r.ID != first.ID
				if lost {
					gone++
				}
				if err != nil || now.Status != booking.Confirmed && !lost {
					t.Errorf("user %d: %s %s, %v", r.User, now.Status, now.Reason, err)
				}
			}
			if len(test.may) > 0 && gone == 0 {
				t.Error("nothing was lost: this finds nothing")
			}
			d.sound(t)
		})
	}
}

// pausedBy leaves the show as pause.lua does, by a holder that died 7 s ago: in another 3 s it may be taken over.
func pausedBy(token string, more ...any) func(*testing.T, *deployment, int64) error {
	return func(t *testing.T, d *deployment, show int64) error {
		now, err := d.Redis.Time(t.Context()).Result()
		if err != nil {
			return err
		}
		fields := append([]any{"state", "paused", "token", token, "paused_at", now.Add(-7 * time.Second).UnixMilli()}, more...)
		return d.Redis.HSet(t.Context(), d.Shards.Show(show), fields...).Err()
	}
}
