package stock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Guardian lets the shards sell: requests.lua takes nothing unless somebody subscribes to the shard's channel on the
// very server that runs them, and a guardian subscribes only where it has verified that the server has kept its history. A
// restarted or replaced server has no subscriber, so it sells nothing until every show that it may have forgotten parts of
// is distrusted. Every process runs one; one is enough.
type Guardian struct {
	// Lease, where it is set, is ended when the address is found to lead to another server than before.
	Lease *Lease

	ledger *Ledger
	store  *Store
	log    *slog.Logger
	poll   time.Duration // how often the server is asked who it is
}

// NewGuardian returns a guardian that asks each server every second who it is.
func NewGuardian(ledger *Ledger, store *Store, log *slog.Logger) *Guardian {
	return &Guardian{ledger: ledger, store: store, log: log, poll: time.Second}
}

// Run guards all shards until the context ends.
func (g *Guardian) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		servers, err := g.servers(ctx)
		if err != nil {
			g.log.Warn("the fence cannot find the Redis servers; nothing is sold until it can", "error", err)
			sleep(ctx, g.poll)
			continue
		}
		// When a shard moves to another server, all watches end and the map is read anew.
		round, end := context.WithCancel(ctx)
		var watches sync.WaitGroup
		for addr, s := range servers {
			watches.Go(func() {
				defer end()
				g.guard(round, addr, s)
			})
		}
		watches.Go(func() {
			defer end()
			for sleep(round, g.poll) {
				if now, err := g.servers(round); err == nil && !sameServers(now, servers) {
					return
				}
			}
		})
		watches.Wait()
		end()
	}
	return nil
}

// server is a Redis server and the shards that it holds.
type server struct {
	client *redis.Client
	shards []int
}

func (g *Guardian) servers(ctx context.Context) (map[string]server, error) {
	servers := map[string]server{}
	for shard := range g.ledger.shards.Len() {
		client, err := masterOf(ctx, g.ledger.client, g.ledger.shards.Entries(shard))
		if err != nil {
			return nil, err
		}
		addr := client.Options().Addr
		servers[addr] = server{client, append(servers[addr].shards, shard)}
	}
	return servers, nil
}

func sameServers(a, b map[string]server) bool {
	if len(a) != len(b) {
		return false
	}
	for addr, s := range a {
		if fmt.Sprint(s.shards) != fmt.Sprint(b[addr].shards) {
			return false
		}
	}
	return true
}

// guard watches one server, again and again, until the context ends.
func (g *Guardian) guard(ctx context.Context, addr string, s server) {
	for failures := 0; ctx.Err() == nil; failures++ {
		began := time.Now()
		err := g.watch(ctx, s)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errOther) && g.Lease != nil {
			g.Lease.End()
		}
		if time.Since(began) > 5*time.Second {
			failures = 0
		}
		if failures == 0 || failures%20 == 0 {
			g.log.Warn("fence: the shards of this server sell nothing until it is verified", "redis", addr, "shards", len(s.shards), "error", err)
		}
		sleep(ctx, min(50*time.Millisecond<<min(failures, 5), g.poll)*time.Duration(50+rand.IntN(100))/100) //nolint:gosec // jitter
	}
}

// watch verifies the server, subscribes to its shards' channels and stays until it is not the same server any more.
func (g *Guardian) watch(ctx context.Context, s server) error {
	id, err := g.verify(ctx, s)
	if err != nil {
		return err
	}
	client := g.clientOf(s, id)
	defer client.Close() // whatever it says, the subscription is gone
	sub, err := g.subscribe(ctx, client, s.shards)
	if err != nil {
		return err
	}
	g.log.Info("fence: server verified", "redis", s.client.Options().Addr, "shards", len(s.shards), "run_id", id.run)

	broken := make(chan error, 1)
	var receiving sync.WaitGroup
	receiving.Go(func() {
		for { // nobody publishes on these channels: this returns when the connection does
			if _, err := sub.Receive(ctx); err != nil {
				broken <- err
				return
			}
		}
	})
	defer receiving.Wait()
	defer sub.Close() // ends the goroutine
	for silent := 0; ; {
		timer := time.NewTimer(g.poll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case err := <-broken:
			timer.Stop()
			return fmt.Errorf("the guardian's connection broke: %w", err)
		case <-timer.C:
			// No answer is no proof of a change: a dead server breaks the subscription by itself. For a while, that is.
			err := g.still(ctx, s, id)
			if silent++; err == nil {
				silent = 0
			}
			if errors.Is(err, errOther) || silent == 5 {
				return err
			}
		}
	}
}

// clientOf returns a client of which every connection, also one that go-redis opens in place of a broken one, is refused
// where it does not reach the server that was verified.
func (g *Guardian) clientOf(s server, id identity) *redis.Client {
	options := *s.client.Options()
	options.OnConnect = func(ctx context.Context, conn *redis.Conn) error {
		found, err := whoIs(ctx, conn)
		if err == nil && found != id {
			err = errOther
		}
		return err
	}
	return redis.NewClient(&options)
}

// subscribe returns when the server has confirmed the subscription to every shard's channel.
func (g *Guardian) subscribe(ctx context.Context, client *redis.Client, shards []int) (*redis.PubSub, error) {
	channels := make([]string, len(shards))
	for i, shard := range shards {
		channels[i] = g.ledger.shards.Entries(shard)
	}
	sub := client.Subscribe(ctx, channels...)
	for range channels {
		if _, err := sub.ReceiveTimeout(ctx, 2*time.Second); err != nil {
			_ = sub.Close() // the first error tells more
			return nil, fmt.Errorf("subscribe: %w", err)
		}
	}
	return sub, nil
}
