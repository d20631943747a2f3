package stock

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// pipeliner is a client or a single connection.
type pipeliner interface {
	redis.Scripter
	Pipeline() redis.Pipeliner
}

// distrust has shows of one shard loaded under a new epoch at their next request, and returns how many of them were loaded.
func (l *Ledger) distrust(ctx context.Context, conn pipeliner, shard int, shows []int64) (loaded int, err error) {
	if len(shows) == 0 {
		return 0, nil
	}
	unload := l.scripts.unload
	if err := unload.Load(ctx, conn).Err(); err != nil {
		return 0, fmt.Errorf("load unload.lua: %w", err)
	}
	pipe := conn.Pipeline()
	replies := make([]*redis.Cmd, len(shows))
	for i, show := range shows {
		replies[i] = unload.EvalSha(ctx, pipe, []string{l.shards.Show(show)})
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, fmt.Errorf("distrust the shows of shard %d: %w", shard, err)
	}
	for _, reply := range replies {
		n, _ := reply.Int() // Exec returned the first error
		loaded += n
	}
	return loaded, nil
}

// Distrust has every loaded show of a shard loaded under a new epoch at its next request, and returns how many they are. It goes
// by the shows that MySQL has: only those are ever loaded.
func (l *Ledger) Distrust(ctx context.Context, store *Store, shard int) (int, error) {
	node, err := masterOf(ctx, l.client, l.shards.Entries(shard))
	if err != nil {
		return 0, fmt.Errorf("find the server of shard %d: %w", shard, err)
	}
	rows, err := store.Rows(ctx)
	if err != nil {
		return 0, err
	}
	return l.distrust(ctx, node, shard, l.inShard(rows, shard))
}

// DistrustLost is Distrust for a shard whose stream or group is gone, and returns how many shows were not distrusted already. It
// does nothing where both are there: whoever saw that they are gone may be late, and the shows loaded anew by now.
func (l *Ledger) DistrustLost(ctx context.Context, store *Store, shard int) (int, error) {
	if lost, err := l.lost(ctx, shard); err != nil || !lost {
		return 0, err
	}
	rows, err := store.Rows(ctx)
	if err != nil {
		return 0, err
	}
	shows := l.inShard(rows, shard)
	hashes, _, err := l.hashes(ctx, shows)
	if err != nil {
		return 0, err
	}
	shows = slices.DeleteFunc(shows, func(show int64) bool { return hashes[show].State == "unloaded" })
	if lost, err := l.lost(ctx, shard); err != nil || !lost { // reading all rows takes a while
		return 0, err
	}
	node, err := masterOf(ctx, l.client, l.shards.Entries(shard))
	if err != nil {
		return 0, fmt.Errorf("find the server of shard %d: %w", shard, err)
	}
	return l.distrust(ctx, node, shard, shows)
}

// lost reports whether a shard's stream or group is gone.
func (l *Ledger) lost(ctx context.Context, shard int) (bool, error) {
	groups, err := l.client.XInfoGroups(ctx, l.shards.Entries(shard)).Result()
	if err != nil && !strings.Contains(err.Error(), "no such key") {
		return false, fmt.Errorf("read the groups of shard %d: %w", shard, err)
	}
	return !slices.ContainsFunc(groups, func(group redis.XInfoGroup) bool { return group.Name == l.options.Group }), nil
}

// inShard returns the shows of a shard.
func (l *Ledger) inShard(rows map[int64]Row, shard int) []int64 {
	var shows []int64
	for show := range rows {
		if l.shards.Of(show) == shard {
			shows = append(shows, show)
		}
	}
	return shows
}
