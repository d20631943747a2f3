package stream_test

import (
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stream"
)

func TestBuryMovesAnEntryOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	g := stream.NewGroup(d.Client, group, shards)
	add := func() string {
		id, err := d.XAdd(t.Context(), &redis.XAddArgs{Stream: shards[1].Entries, Values: []any{"a", "1", "b", "\"\n예"}}).Result()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	id := add()
	for entry, what := range map[string]string{id: "that nobody owns", "9-9": "that is not there"} {
		if moved, err := g.Bury(t.Context(), 1, entry, what); err != nil || moved {
			t.Errorf("an entry %s: moved %v, %v", what, moved, err)
		}
	}
	d.die(t, 1, "w1", 0)
	dead := buried(t, d, func() (bool, error) { return g.Bury(t.Context(), 1, id, "garbled") })
	if len(dead) != 1 || dead[0].Values["entry"] != id || dead[0].Values["reason"] != "garbled" {
		t.Fatalf("dead letters %v; want the one", dead)
	}
	var fields []string
	if err := json.Unmarshal([]byte(dead[0].Values["fields"].(string)), &fields); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "1", "b", "\"\n예"}, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if n := d.XLen(t.Context(), shards[1].Entries).Val(); n != 0 || d.consumers(t, 1)["w1"] != 0 {
		t.Errorf("%d entries left, owned %v", n, d.consumers(t, 1))
	}

	// The broken twin looks, then moves.
	id = add()
	var looked sync.WaitGroup
	looked.Add(buriers)
	dead = buried(t, d, func() (bool, error) {
		found, err := d.XRange(t.Context(), shards[1].Entries, id, id).Result()
		looked.Done()
		looked.Wait()
		if err != nil || len(found) == 0 {
			return false, err
		}
		err = d.XAdd(t.Context(), &redis.XAddArgs{Stream: shards[1].Dead, Values: []any{"entry", id}}).Err()
		return true, errors.Join(err, d.XDel(t.Context(), shards[1].Entries, id).Err())
	})
	if len(dead) <= 2 {
		t.Error("the test does not see an entry that is moved twice")
	}
}

const buriers = 8

// buried has some bury an entry at once and returns all dead letters. As many as say so must have moved one.
func buried(t *testing.T, d *desk, bury func() (bool, error)) []redis.XMessage {
	t.Helper()
	before := d.XLen(t.Context(), shards[1].Dead).Val()
	var moves atomic.Int64
	var all sync.WaitGroup
	for range buriers {
		all.Go(func() {
			moved, err := bury()
			if err != nil {
				t.Error(err)
			}
			if moved {
				moves.Add(1)
			}
		})
	}
	all.Wait()
	dead, err := d.XRange(t.Context(), shards[1].Dead, "-", "+").Result()
	if err != nil || int64(len(dead))-before != moves.Load() {
		t.Fatalf("%d say that they moved it, and there are %d dead letters, %v", moves.Load(), len(dead), err)
	}
	return dead
}

// Drain hands out what is new and what somebody has had for a second, of one shard.
func TestDrain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	d.add(t, 0, 1, 3)
	d.die(t, 0, "dead", 2*time.Second)
	d.add(t, 0, 4, 5)
	d.die(t, 0, "busy", 0)
	d.add(t, 0, 6, 30)
	d.add(t, 1, 1, 2)
	r := newReader(t, d, stream.Options{Consumer: "w1", Batch: 4})
	if err := r.Drain(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(numbered(0, 1, 3), numbered(0, 6, 30)...), d.handed(0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := d.handed(1); len(got) != 0 {
		t.Errorf("of another shard: %v", got)
	}
	if owned := d.consumers(t, 0)["busy"]; owned != 2 {
		t.Errorf("the busy one owns %d entries, want its 2", owned)
	}
	if err := r.Drain(t.Context(), 0); err != nil {
		t.Errorf("again, with nothing to do: %v", err)
	}
}

func TestDrainThatFails(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := newReader(t, d, stream.Options{Consumer: "w1"})
	if err := r.Drain(t.Context(), 0); !redis.HasErrorPrefix(err, "NOGROUP") {
		t.Errorf("without a group: %v", err)
	}
	d.open(t)
	d.add(t, 0, 1, 2)
	d.handle = nothing // neither an error nor settled
	if err := r.Drain(t.Context(), 0); err != nil {
		t.Errorf("a handler that leaves entries: %v", err)
	}
	d.add(t, 0, 3, 4)
	d.handle = fails
	if err := r.Drain(t.Context(), 0); err == nil {
		t.Error("a handler's error is not told")
	}
}
