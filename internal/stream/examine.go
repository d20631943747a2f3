package stream

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/diagnosis"
)

const (
	// silentReader is how long a reader that lives asks for nothing, at most: it asks every shard once a second.
	silentReader = 10 * time.Second
	// An entry is settled in a fraction of a second, unless it waits for MySQL or for a reader.
	lateEntry  = time.Minute
	stuckEntry = 5 * time.Minute
)

// Examine looks at whether entries are read and how long they wait, and for dead letters. It changes nothing.
func (g *Group) Examine(ctx context.Context) (d diagnosis.Diagnosis) {
	pipe := g.client.Pipeline()
	clock := pipe.Time(ctx)
	asked := make([]struct {
		waiting, dead *redis.IntCmd
		oldest        *redis.XMessageSliceCmd
		consumers     *redis.XInfoConsumersCmd
	}, len(g.shards))
	for i, shard := range g.shards {
		asked[i].waiting, asked[i].dead = pipe.XLen(ctx, shard.Entries), pipe.XLen(ctx, shard.Dead)
		asked[i].oldest = pipe.XRangeN(ctx, shard.Entries, "-", "+", 1)
		asked[i].consumers = pipe.XInfoConsumers(ctx, shard.Entries, g.name)
	}
	_, _ = pipe.Exec(ctx) // each answer carries its own error: of a shard that nothing was sold of there is no stream
	var waiting, dead int64
	var oldest time.Duration
	groups, silent := 0, 0
	for i := range asked {
		for _, answer := range []redis.Cmder{clock, asked[i].waiting, asked[i].dead, asked[i].oldest} {
			if err := answer.Err(); err != nil {
				d.Fault("streams.backlog", "see Redis", "the stream of shard %d cannot be looked at: %v", i, err)
				return d
			}
		}
		waiting += asked[i].waiting.Val()
		dead += asked[i].dead.Val()
		oldest = max(oldest, age(asked[i].oldest.Val(), clock.Val()))
		if asked[i].consumers.Err() != nil {
			continue
		}
		groups++
		if !alive(asked[i].consumers.Val()) {
			silent++
		}
	}
	g.examineReaders(ctx, &d, groups, silent)
	examineBacklog(&d, waiting, oldest)
	if dead > 0 {
		d.Warn("streams.dead_letters", "`neticket dead-letters list` shows them; who wrote them?", "%d entries could not be decoded", dead)
	} else {
		d.OK("streams.dead_letters", "there are no dead letters")
	}
	return d
}

// alive reports whether one of the consumers has been heard of lately.
func alive(consumers []redis.XInfoConsumer) bool {
	return slices.ContainsFunc(consumers, func(c redis.XInfoConsumer) bool { return c.Idle < silentReader })
}

// examineReaders is told how many shards have a group, and of how many of them no consumer was heard of. Before version 7.2 Redis hears
// of a consumer only when there are entries for it; whoever waits for some is seen among the connections.
func (g *Group) examineReaders(ctx context.Context, d *diagnosis.Diagnosis, groups, silent int) {
	if groups == 0 {
		d.OK("streams.workers", "nothing was sold yet, so it cannot be told whether a worker is there")
		return
	}
	for try := 0; silent > 0 && try < 5; try++ { // a reader may be between two reads, or about to see a new group
		switch waiting, err := g.waitingReaders(ctx); {
		case err != nil:
			d.Warn("streams.workers", "let the user of Redis call CLIENT LIST", "it cannot be told whether workers read the streams: %v", err)
			return
		case waiting > 0:
			silent = 0
		default:
			wait(ctx, 100*time.Millisecond)
		}
	}
	if silent > 0 {
		d.Fault("streams.workers", "start a worker; if one runs, see its log", "no worker reads %d of %d streams: bookings stay pending", silent, groups)
		return
	}
	d.OK("streams.workers", "workers read the streams, %d so far", groups)
}

// waitingReaders returns how many connections wait for entries of streams.
func (g *Group) waitingReaders(ctx context.Context) (int, error) {
	var waiting atomic.Int64
	count := func(ctx context.Context, server redis.Cmdable) error {
		list, err := server.ClientList(ctx).Result()
		if err != nil {
			return fmt.Errorf("list the connections: %w", err)
		}
		for line := range strings.Lines(list) {
			if strings.Contains(line, " cmd=xreadgroup ") && strings.Contains(line, " flags=b ") {
				waiting.Add(1)
			}
		}
		return nil
	}
	var err error
	if cluster, ok := g.client.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return count(ctx, node) })
	} else {
		err = count(ctx, g.client)
	}
	return int(waiting.Load()), err
}

func examineBacklog(d *diagnosis.Diagnosis, waiting int64, oldest time.Duration) {
	const mend = "see the workers' logs and whether MySQL is slow; start more workers if it is not"
	backlog := fmt.Sprintf("%d entries wait to be recorded, the oldest for %v", waiting, oldest.Round(time.Second))
	switch {
	case oldest > stuckEntry:
		d.Fault("streams.backlog", mend, "%s", backlog)
	case oldest > lateEntry:
		d.Warn("streams.backlog", mend, "%s", backlog)
	case waiting == 0:
		d.OK("streams.backlog", "no entry waits to be recorded")
	default:
		d.OK("streams.backlog", "%s", backlog)
	}
}
