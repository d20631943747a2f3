package stream_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stream"
)

// While entries pile up, a second batch is handed out before the first is done, but no third; a batch that is not full, which tells
// that nothing piles up, is handed out alone.
func TestFullBatchesOverlap(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	goOn := make(chan struct{})
	var inside, most atomic.Int32
	d.handle = func(ctx context.Context, d *desk, shard int, entries []stream.Entry) error {
		now := inside.Add(1)
		defer inside.Add(-1)
		for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
		}
		if len(entries) < 3 && now > 1 {
			t.Errorf("%d batches at a time, and one of them has %d entries", now, len(entries))
		}
		<-goOn
		return settleAll(ctx, d, shard, entries)
	}
	d.add(t, 0, 1, 11) // three full batches and a rest
	newReader(t, d, stream.Options{Consumer: "w1", Batch: 3}).start(t)
	d.gets(t, 0, 6)
	close(goOn)
	d.gets(t, 0, 11)
	if most.Load() != 2 {
		t.Errorf("%d batches at a time, want 2", most.Load())
	}
	servertest.Eventually(t, 10*time.Second, "all are settled", func() bool { return d.XLen(t.Context(), shards[0].Entries).Val() == 0 })
}

// The error of a batch that was handled beside the reading slows the reading down like any other, and the batch is claimed again.
func TestFullBatchThatFails(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	var failures atomic.Int32
	d.handle = func(ctx context.Context, d *desk, shard int, entries []stream.Entry) error {
		if failures.Add(1) <= 2 {
			return errors.New("on purpose")
		}
		return settleAll(ctx, d, shard, entries)
	}
	d.add(t, 0, 1, 6)
	newReader(t, d, stream.Options{Consumer: "w1", Batch: 3, ClaimAfter: 200 * time.Millisecond}).start(t)
	servertest.Eventually(t, 15*time.Second, "all are settled", func() bool { return d.XLen(t.Context(), shards[0].Entries).Val() == 0 })
	if n := len(d.handed(0)); n != 12 {
		t.Errorf("%d entries were handed out, want each of 6 twice", n)
	}
}
