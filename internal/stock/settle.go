package stock

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Settlement closes one entry whose outcome is committed.
type Settlement struct {
	Entry     string // id in the stream
	Show      int64
	User      int64
	Epoch     int64 // the entry's
	Seq       int64
	UnitsBack int    // to left
	CountBack int    // off the user's count
	Void      string // reservation id of a cancel that did nothing, whose marker goes; else ""
}

// Settle closes entries of one shard, in one round trip, and returns how many this call settled: the others were settled
// before. After an error the same call may be made again; nothing is counted twice.
func (l *Ledger) Settle(ctx context.Context, shard int, settlements []Settlement) (int, error) {
	settled, err := l.settle(ctx, shard, settlements)
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		// The server was restarted or replaced since; a pipeline cannot send the source by itself.
		node, masterErr := masterOf(ctx, l.client, l.shards.Entries(shard))
		if masterErr != nil {
			return 0, fmt.Errorf("find the server of shard %d: %w", shard, masterErr)
		}
		if err := l.scripts.settle.Load(ctx, node).Err(); err != nil {
			return 0, fmt.Errorf("load settle.lua: %w", err)
		}
		settled, err = l.settle(ctx, shard, settlements)
	}
	if err != nil {
		return settled, fmt.Errorf("settle %d entries of shard %d: %w", len(settlements), shard, err)
	}
	return settled, nil
}

func (l *Ledger) settle(ctx context.Context, shard int, settlements []Settlement) (int, error) {
	pipe := l.client.Pipeline()
	replies := make([]*redis.Cmd, len(settlements))
	for i, s := range settlements {
		keys := []string{l.shards.Entries(shard), l.shards.Show(s.Show), l.shards.Users(s.Show), l.shards.User(shard, s.User)}
		replies[i] = l.scripts.settle.EvalSha(ctx, pipe, keys, l.options.Group, s.Entry, s.Show, s.Epoch, s.Seq, s.User,
			s.UnitsBack, s.CountBack, s.Void)
	}
	_, _ = pipe.Exec(ctx) // each reply carries its own
	settled := 0
	var failed error
	for _, reply := range replies {
		n, err := reply.Int()
		switch {
		case err == nil:
			settled += n
		case failed == nil || redis.HasErrorPrefix(err, "NOSCRIPT"):
			failed = err
		}
	}
	if errors.Is(failed, redis.Nil) {
		failed = errors.New("settle.lua answered nothing")
	}
	return settled, failed
}
