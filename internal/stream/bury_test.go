package stream_test

import (
	"encoding/json"
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
	id, err := d.XAdd(t.Context(), &redis.XAddArgs{Stream: shards[1].Entries, Values: []any{"a", "1", "b", "\"\n예"}}).Result()
	if err != nil {
		t.Fatal(err)
	}
	if moved, err := g.Bury(t.Context(), 1, id, "not delivered"); err != nil || moved {
		t.Errorf("an entry that nobody owns: moved %v, %v", moved, err)
	}
	d.die(t, 1, "w1", 0)
	if moved, err := g.Bury(t.Context(), 1, "9-9", "no such entry"); err != nil || moved {
		t.Errorf("an entry that is not there: moved %v, %v", moved, err)
	}
	var moves atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			moved, err := g.Bury(t.Context(), 1, id, "garbled")
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
	if err != nil || moves.Load() != 1 || len(dead) != 1 {
		t.Fatalf("%d moved it, %d dead letters, %v; want 1", moves.Load(), len(dead), err)
	}
	if dead[0].Values["entry"] != id || dead[0].Values["reason"] != "garbled" {
		t.Errorf("dead letter %v", dead[0].Values)
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
