package stock

import (
	"context"
	"fmt"
	"maps"

	"github.com/redis/go-redis/v9"
)

// Fenced tells which shards have no guardian: nothing of them can be booked or cancelled.
func (l *Ledger) Fenced(ctx context.Context) (map[int]bool, error) {
	guardians, err := l.Guardians(ctx)
	if err != nil {
		return nil, err
	}
	fenced := map[int]bool{}
	for shard, count := range guardians {
		if count == 0 {
			fenced[shard] = true
		}
	}
	return fenced, nil
}

// Guardians returns how many guardians each shard has: one of every process that runs.
func (l *Ledger) Guardians(ctx context.Context) ([]int, error) {
	nodes := map[*redis.Client][]string{}
	for shard := range l.shards.Len() {
		channel := l.shards.Entries(shard)
		node, err := masterOf(ctx, l.client, channel)
		if err != nil {
			return nil, fmt.Errorf("find the server of shard %d: %w", shard, err)
		}
		nodes[node] = append(nodes[node], channel)
	}
	subscribed := map[string]int64{}
	for node, channels := range nodes {
		counts, err := node.PubSubNumSub(ctx, channels...).Result()
		if err != nil {
			return nil, fmt.Errorf("ask %s for its guardians: %w", node.Options().Addr, err)
		}
		maps.Copy(subscribed, counts)
	}
	guardians := make([]int, l.shards.Len())
	for shard := range guardians {
		guardians[shard] = int(subscribed[l.shards.Entries(shard)])
	}
	return guardians, nil
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
