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
			n, err := g.ledger.distrust(ctx, conn, shard, g.ledger.inShard(rows, shard))
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
