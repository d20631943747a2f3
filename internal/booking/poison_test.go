package booking_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// Bytes that cannot be decoded go to the dead letters; what came with them is recorded.
func TestPoisonIsBuried(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	shard := rig.Shards.Of(show)
	add := func(values ...any) {
		if err := rig.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: rig.Shards.Entries(shard), Values: values}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	before := book(t, rig, 7, show, 1, "a")
	add("v", "1", "kind", "reserve", "units", "many")
	add("\xff\x00", "\xfe")
	after := book(t, rig, 8, show, 1, "a")
	batch := take(t, rig, show)
	w := newWorker(rig)
	for range 2 {
		if err := w.Handle(t.Context(), shard, batch); err != nil {
			t.Fatal(err)
		}
	}
	wantStatus(t, rig, before, booking.Confirmed, "")
	wantStatus(t, rig, after, booking.Confirmed, "")
	dead, err := rig.Redis.XRange(t.Context(), rig.Shards.Dead(shard), "-", "+").Result()
	if err != nil || len(dead) != 2 {
		t.Fatalf("%d dead letters, %v; want 2", len(dead), err)
	}
	if reason := dead[0].Values["reason"]; dead[0].Values["entry"] != batch[1].ID || !strings.HasPrefix(reason.(string), "show ") {
		t.Errorf("dead letter %v; want entry %s and its first fault", dead[0].Values, batch[1].ID)
	}
	if n := counter(t, w.metrics, "neticket_dead_letters_total"); n != 2 {
		t.Errorf("%v dead letters counted", n)
	}
	sound(t, rig, show, 8)
}

// A batch of nothing but poison, and one of nothing.
func TestNothingToRecord(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	w := newWorker(rig)
	for _, batch := range [][]stream.Entry{nil, {{ID: "1-1"}}} {
		// The stream is not there, so nothing is buried either.
		if err := w.Handle(t.Context(), 0, batch); err != nil && len(batch) == 0 {
			t.Errorf("%v: %v", batch, err)
		}
	}
	if got := w.outcomes(t); len(got) != 0 {
		t.Errorf("recorded %v", got)
	}
}

// Whatever decode lets pass can be stored.
func TestRecordExtremes(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	shard := rig.Shards.Of(show)
	for i, id := range []string{"1-1", "221845392000000-1"} {
		err := rig.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: rig.Shards.Entries(shard), ID: id, Values: []any{"v", "1", "kind", "reserve",
			"id", booking.NewID(1, 1, id).String(), "show", "4611686018427387904", "user", "4611686018427387904", "units", "1073741824",
			"epoch", "4611686018427387904", "seq", 4611686018427387903 + int64(i), "from", strings.Repeat("f", 9000), "trace", "\xff"}}).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	w := newWorker(rig)
	if err := w.Handle(t.Context(), shard, take(t, rig, show)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"rejected_lost": 2}, w.outcomes(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := rig.Redis.XLen(t.Context(), rig.Shards.Entries(shard)).Val(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}

// What the recorder finds wrong with a show has it resynced.
func TestRecorderHasWrongShowsResynced(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	systemtest.Go(t, rig.Healer.Run)
	for name, test := range map[string]struct {
		damage func(show int64)
		reason booking.Reason
		epoch  string
	}{
		"more units than there are": {func(show int64) { rig.Redis.HSet(t.Context(), rig.Shards.Show(show), "left", 20) }, booking.SoldOut, "2"},
		"an older epoch":            {func(show int64) { exec(t, rig, "UPDATE stock SET epoch = 5 WHERE show_id = ?", show) }, booking.Lost, "6"},
	} {
		t.Run(name, func(t *testing.T) {
			show := load(t, rig, 10, 0)
			test.damage(show)
			r := book(t, rig, 7, show, 10, "a")
			if test.reason == booking.SoldOut {
				r = book(t, rig, 8, show, 1, "a")
			}
			record(t, rig, show)
			wantStatus(t, rig, r, booking.Rejected, test.reason)
			servertest.Eventually(t, 10*time.Second, "the show is in epoch "+test.epoch, func() bool {
				return rig.Redis.HGet(t.Context(), rig.Shards.Show(show), "epoch").Val() == test.epoch
			})
			sound(t, rig, show, map[booking.Reason]int{booking.SoldOut: 0, booking.Lost: 10}[test.reason])
		})
	}
}
