package stock

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Fenced tells which shards have no guardian: nothing of them can be booked or cancelled.
func (l *Ledger) Fenced(ctx context.Context) (map[int]bool, error) {
	nodes := map[*redis.Client][]string{}
	for shard := range l.shards.Len() {
		channel := l.shards.Entries(shard)
		node, err := masterOf(ctx, l.client, channel)
		if err != nil {
			return nil, fmt.Errorf("find the server of shard %d: %w", shard, err)
		}
		nodes[node] = append(nodes[node], channel)
	}
	guardians := map[string]int64{}
	for node, channels := range nodes {
		counts, err := node.PubSubNumSub(ctx, channels...).Result()
		if err != nil {
			return nil, fmt.Errorf("ask %s for its guardians: %w", node.Options().Addr, err)
		}
		for channel, count := range counts {
			guardians[channel] = count
		}
	}
	fenced := map[int]bool{}
	for shard := range l.shards.Len() {
		if guardians[l.shards.Entries(shard)] == 0 {
			fenced[shard] = true
		}
	}
	return fenced, nil
}

// CheckFence returns an error while a shard is fenced.
func (l *Ledger) CheckFence(ctx context.Context) error {
	fenced, err := l.Fenced(ctx)
	if err != nil {
		return err
	}
	if len(fenced) > 0 {
		return fmt.Errorf("%w: %d of %d shards", ErrFenced, len(fenced), l.shards.Len())
	}
	return nil
}
