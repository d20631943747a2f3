package invariant

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stock"
)

// claim is a marker and where it was found.
type claim struct {
	shard  int
	user   int64
	field  string
	text   string
	cancel bool
	id     uuid.UUID
	stock.Marker
}

// markers compares what Redis remembers of requests with the rows, a chunk of users at a time. Each server's keys are walked
// through once, for all its shards.
func (c *checker) markers(ctx context.Context) error {
	shards := map[string]int{} // prefix of the users' keys -> shard
	for shard := range c.Shards.Len() {
		shards[strings.TrimSuffix(c.Shards.UserPattern(shard), "*")] = shard
	}
	servers, err := c.servers(ctx)
	if err != nil {
		return err
	}
	for _, server := range servers {
		for cursor := uint64(0); ; {
			keys, next, err := server.Scan(ctx, cursor, "", chunk).Result()
			if err != nil {
				return fmt.Errorf("walk through the keys in Redis: %w", err)
			}
			claims, err := c.claims(ctx, server, shards, keys)
			if err == nil {
				err = c.compare(ctx, claims)
			}
			if err != nil {
				return fmt.Errorf("compare markers with rows: %w", err)
			}
			if cursor = next; cursor == 0 {
				break
			}
		}
	}
	return nil
}

// servers returns a client of each server that holds shards.
func (c *checker) servers(ctx context.Context) ([]redis.UniversalClient, error) {
	cluster, ok := c.Redis.(*redis.ClusterClient)
	if !ok {
		return []redis.UniversalClient{c.Redis}, nil
	}
	var mu sync.Mutex
	var servers []redis.UniversalClient
	err := cluster.ForEachMaster(ctx, func(_ context.Context, server *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		servers = append(servers, server)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find the servers of the cluster: %w", err)
	}
	return servers, nil
}

// claims reads the markers of those of the keys that are users'.
func (c *checker) claims(ctx context.Context, server redis.UniversalClient, shards map[string]int, keys []string) ([]claim, error) {
	var owners []claim
	pipe := server.Pipeline()
	var replies []*redis.MapStringStringCmd
	for _, key := range keys {
		name := strings.LastIndexByte(key, ':') + 1
		shard, ok := shards[key[:name]]
		user, err := strconv.ParseInt(key[name:], 10, 64)
		if !ok || err != nil {
			continue
		}
		owners = append(owners, claim{shard: shard, user: user})
		replies = append(replies, pipe.HGetAll(ctx, key))
	}
	if len(owners) == 0 {
		return nil, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	var claims []claim
	for i, claim := range owners {
		for field, text := range replies[i].Val() {
			if claim.parse(field, text) {
				claims = append(claims, claim)
			} else {
				c.found.add("I3", 0, "a marker is garbled; the ids are users and fields", fmt.Sprintf("%d %.60s", claim.user, field))
			}
		}
	}
	return claims, nil
}

// parse reads a field of a user's hash; it reports whether that is a marker.
func (m *claim) parse(field, text string) bool {
	kind, name, _ := strings.Cut(field, ":")
	id, err := uuid.Parse(name)
	marker, ok := stock.ParseMarker(text)
	ms, seq, _ := strings.Cut(marker.Entry, "-")
	_, errMS := strconv.ParseUint(ms, 10, 64)
	_, errSeq := strconv.ParseUint(seq, 10, 64)
	m.field, m.text, m.cancel, m.id, m.Marker = field, text, kind == "c", id, marker
	return ok && err == nil && errMS == nil && errSeq == nil && (kind == "r" && marker.Kind == stock.Reserve || kind == "c" && marker.Kind == stock.Cancel)
}
