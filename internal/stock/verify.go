package stock

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

var errOther = errors.New("another server, or one with another history, answers")

// verify returns who the server is, after every show of its shards is distrusted where that is not who was verified before.
// It uses one connection from beginning to end, so that all of it happens on one server.
func (g *Guardian) verify(ctx context.Context, s server) (identity, error) {
	conn := s.client.Conn()
	defer conn.Close() // nothing is buffered in it
	id, err := whoIs(ctx, conn)
	if err != nil {
		return identity{}, err
	}
	known, err := g.store.verified(ctx)
	if err != nil {
		return identity{}, err
	}
	changed := slices.DeleteFunc(slices.Clone(s.shards), func(shard int) bool { return known[shard] == id })
	if len(changed) == 0 {
		return id, nil
	}
	rows, err := g.store.Rows(ctx) // not in a transaction: that would need a second connection
	if err != nil {
		return identity{}, err
	}
	for _, shard := range changed {
		err := g.store.verify(ctx, shard, id, func() error {
			n, err := g.distrust(ctx, conn, shard, rows)
			if err == nil && n > 0 {
				g.log.Warn("fence: the server's history may have changed; its shows are loaded anew under a new epoch",
					"redis", s.client.Options().Addr, "shard", shard, "shows", n)
			}
			return err
		})
		if err != nil {
			return identity{}, err
		}
	}
	return id, nil
}

// Distrust has every loaded show of a shard loaded under a new epoch at its next request, and returns how many they are.
func (g *Guardian) Distrust(ctx context.Context, shard int) (int, error) {
	client, err := masterOf(ctx, g.ledger.client, g.ledger.shards.Entries(shard))
	if err != nil {
		return 0, err
	}
	rows, err := g.store.Rows(ctx)
	if err != nil {
		return 0, err
	}
	return g.distrust(ctx, client, shard, rows)
}

// pipeliner is a client or a single connection.
type pipeliner interface {
	redis.Scripter
	Pipeline() redis.Pipeliner
}

// distrust goes by the shows that MySQL has: only those are ever loaded.
func (g *Guardian) distrust(ctx context.Context, conn pipeliner, shard int, rows map[int64]Row) (int, error) {
	unload := g.ledger.scripts.unload
	if err := unload.Load(ctx, conn).Err(); err != nil {
		return 0, fmt.Errorf("load unload.lua: %w", err)
	}
	pipe := conn.Pipeline()
	var replies []*redis.Cmd
	for show := range rows {
		if g.ledger.shards.Of(show) == shard {
			replies = append(replies, unload.EvalSha(ctx, pipe, []string{g.ledger.shards.Show(show)}))
		}
	}
	if len(replies) == 0 {
		return 0, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, fmt.Errorf("distrust the shows of shard %d: %w", shard, err)
	}
	loaded := 0
	for _, reply := range replies {
		n, _ := reply.Int() // Exec returned the first error
		loaded += n
	}
	return loaded, nil
}

// still asks, over a new connection, whether the address leads to the same server.
func (g *Guardian) still(ctx context.Context, s server, id identity) error {
	options := *s.client.Options()
	options.PoolSize, options.MinIdleConns = 1, 0
	client := redis.NewClient(&options)
	defer client.Close() // nothing is buffered in it
	found, err := whoIs(ctx, client)
	if err == nil && found != id {
		err = errOther
	}
	return err
}

// whoIs returns the identity of a master.
func whoIs(ctx context.Context, conn infoer) (identity, error) {
	process, err := info(ctx, conn, "server")
	if err != nil {
		return identity{}, err
	}
	replication, err := info(ctx, conn, "replication")
	if err != nil {
		return identity{}, err
	}
	if role := replication["role"]; role != "master" {
		return identity{}, fmt.Errorf("%w: its role is %q", errOther, role)
	}
	id := identity{run: process["run_id"], replication: replication["master_replid"]}
	if id.run == "" || id.replication == "" {
		return identity{}, errors.New("the server does not tell its run id or replication id")
	}
	return id, nil
}
