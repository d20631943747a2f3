package stream_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stream"
)

// before runs once, before a consumer is deleted.
type before struct{ do func() }

func (*before) DialHook(next redis.DialHook) redis.DialHook { return next }
func (*before) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
func (b *before) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		if do := b.do; (c.Name() == "xgroup" || c.Name() == "evalsha") && do != nil {
			b.do = nil
			do()
		}
		return next(ctx, c)
	}
}

// Two shows of a shard are resynced by one process: one drain leaves while the other has entries in hand.
func TestDrainLeavesAnotherDrainItsEntries(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	client := servertest.Client(t, d.server)
	hook, inHand, goOn, done := &before{}, make(chan struct{}), make(chan struct{}), make(chan error, 1)
	client.AddHook(hook)
	r := stream.NewReader(stream.NewGroup(client, group, shards), d, stream.Options{Consumer: "tool"}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	d.add(t, 0, 1, 1)
	hook.do = func() {
		d.handle = func(ctx context.Context, d *desk, shard int, entries []stream.Entry) error {
			close(inHand)
			<-goOn
			return settleAll(ctx, d, shard, entries)
		}
		d.add(t, 0, 2, 2)
		go func() { done <- r.Drain(t.Context(), 0) }()
		<-inHand
	}
	if err := r.Drain(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if owned := d.consumers(t, 0); owned["tool"] != 1 {
		t.Errorf("owners %v: entry 2 is in hand and has none, so settle.lua will not settle it and XAUTOCLAIM not find it", owned)
	}
	close(goOn)
	<-done
}
