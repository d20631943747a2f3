package stream_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stream"
)

// The batch in hand is finished after the context has ended, and the consumer leaves.
func TestStopFinishesTheBatchInHand(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	inside, goOn := make(chan struct{}), make(chan struct{})
	d.handle = func(ctx context.Context, d *desk, shard int, entries []stream.Entry) error {
		close(inside)
		<-goOn
		if ctx.Err() != nil {
			t.Error("the handler's context has ended with the reader's")
		}
		return settleAll(ctx, d, shard, entries)
	}
	d.add(t, 0, 1, 3)
	r := newReader(t, d, stream.Options{Consumer: "w1"})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	<-inside
	cancel()
	servertest.Eventually(t, 10*time.Second, "nobody waits for new entries any more", func() bool {
		return strings.Contains(d.Info(t.Context(), "clients").Val(), "\r\nblocked_clients:0\r\n")
	})
	select {
	case <-done:
		t.Fatal("the reader ended with a batch in hand")
	default:
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := d.XLen(t.Context(), shards[0].Entries).Val(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
	for shard := range shards {
		if owned := d.consumers(t, shard); len(owned) != 0 {
			t.Errorf("consumers of shard %d: %v", shard, owned)
		}
	}
}

// A handler that does not end is told to, and what it had stays its consumer's: deleting that would orphan the entries.
func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	inside := make(chan struct{})
	d.handle = func(ctx context.Context, _ *desk, _ int, _ []stream.Entry) error {
		close(inside)
		<-ctx.Done()
		return ctx.Err()
	}
	d.add(t, 0, 1, 2)
	r := newReader(t, d, stream.Options{Consumer: "w1", StopWithin: 20 * time.Millisecond})
	stop := r.start(t)
	<-inside
	stop()
	if owned := d.consumers(t, 0)["w1"]; owned != 2 {
		t.Errorf("the consumer owns %d entries, want its 2", owned)
	}
}

// The consumer is deleted only where it owns nothing.
func TestConsumerLeavesWhereItOwnsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	d.handle = func(ctx context.Context, d *desk, shard int, entries []stream.Entry) error {
		if shard == 1 {
			return nil // not settled
		}
		return settleAll(ctx, d, shard, entries)
	}
	d.add(t, 0, 1, 2)
	d.add(t, 1, 1, 2)
	stop := newReader(t, d, stream.Options{Consumer: "w1"}).start(t)
	d.gets(t, 0, 2)
	d.gets(t, 1, 2)
	stop()
	for shard, want := range []map[string]int64{{}, {"w1": 2}} {
		if diff := cmp.Diff(want, d.consumers(t, shard)); diff != "" {
			t.Errorf("consumers of shard %d (-want +got):\n%s", shard, diff)
		}
	}
}

// A reader that never found its server ends, too.
func TestStopWithoutAServer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if err := d.server.Kill(); err != nil {
		t.Fatal(err)
	}
	r := newReader(t, d, stream.Options{Consumer: "w1"})
	stop := r.start(t)
	servertest.Eventually(t, 10*time.Second, "it has tried", func() bool { return r.of("xautoclaim")+r.of("xreadgroup") >= 4 })
	stop()
}
