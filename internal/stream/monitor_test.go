package stream_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stream"
)

// look looks once, or fails the test.
func look(t *testing.T, m *stream.Monitor) stream.Queue {
	t.Helper()
	queue, err := m.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return queue
}

func TestMonitorTellsWhatWaits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	m := stream.NewMonitor(stream.NewGroup(d.Client, group, shards))
	for shard, depth := range look(t, m).Shards {
		if !depth.Missing || depth.Entries != 0 || depth.Oldest != 0 {
			t.Errorf("shard %d, which is not there: %+v", shard, depth)
		}
	}
	d.open(t)
	now := d.Time(t.Context()).Val().UnixMilli()
	for i, ms := range []int64{now - 90_000, now - 80_000, now - 70_000} {
		if err := d.XAdd(t.Context(), &redis.XAddArgs{Stream: shards[1].Entries, ID: fmt.Sprint(ms, "-0"), Values: []any{"n", i}}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	d.die(t, 1, "slow", 0)
	d.add(t, 1, 4, 5)
	queue := look(t, m)
	if depth := queue.Shards[0]; depth.Missing || depth.Entries != 0 || depth.Oldest != 0 {
		t.Errorf("shard 0: %+v", depth)
	}
	if depth := queue.Shards[1]; depth.Entries != 5 || depth.InHand != 3 || depth.Workers != 1 || depth.Oldest < 90*time.Second || depth.Oldest > 150*time.Second {
		t.Errorf("shard 1: %+v", depth)
	}
	var slow stream.Worker
	for _, worker := range queue.Workers {
		if worker.Name == "slow" {
			slow = worker
		}
	}
	if slow.InHand != 3 || slow.Shards != 1 || slow.Idle > time.Minute {
		t.Errorf("workers: %+v", queue.Workers)
	}
	if err := d.server.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Look(t.Context()); err == nil {
		t.Error("Redis is away, and nothing is said")
	}
}

func TestMonitorTellsAPace(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	m := stream.NewMonitor(stream.NewGroup(d.Client, group, shards))
	d.open(t)
	d.add(t, 0, 1, 10)
	if first := look(t, m); first.Shards[0].Pace != nil {
		t.Errorf("a pace from one look: %+v", first.Shards[0].Pace)
	}
	ids := d.add(t, 0, 11, 40)
	if err := d.XDel(t.Context(), shards[0].Entries, ids[:20]...).Err(); err != nil {
		t.Fatal(err)
	}
	var pace *stream.Pace
	servertest.Eventually(t, 15*time.Second, "two looks are a second apart", func() bool {
		pace = look(t, m).Shards[0].Pace
		return pace != nil
	})
	// 30 made and 20 settled in a second or more; the machine may be slow.
	if pace.Made <= 0 || pace.Made > 30 || pace.Settled <= 0 || pace.Settled > 20 || pace.Made/pace.Settled < 1.49 || pace.Made/pace.Settled > 1.51 {
		t.Errorf("pace %+v", pace)
	}
	if err := d.Del(t.Context(), shards[0].Entries).Err(); err != nil {
		t.Fatal(err)
	}
	d.open(t, 0)
	if again := look(t, m).Shards[0]; again.Pace != nil {
		t.Errorf("a stream that was made anew has a pace: %+v", again.Pace)
	}
}
