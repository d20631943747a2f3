// Package stream reads Redis Streams through a consumer group: new entries in batches, entries of consumers that died, dead
// letters for what cannot be decoded. It knows no domain: what an entry means is its handler's business, and an entry leaves
// the stream only when its handler settles it.
//
// It guarantees that every entry is handed out again until it is settled, however often readers die, and never makes a
// stream or group: where one is missing, that is told to its owner.
//
// Keys: the streams and their dead letters.
package stream

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Entry is one entry of a stream: its id and its fields.
type Entry = redis.XMessage

// Shard names the keys of a stream.
type Shard struct {
	Entries string // the stream
	Dead    string // its dead letters
}

// Group is a consumer group over the streams of all shards.
type Group struct {
	client redis.UniversalClient
	name   string
	shards []Shard
	bury   *redis.Script
	leave  *redis.Script
}

var (
	//go:embed scripts/bury.lua
	buryScript string
	//go:embed scripts/leave.lua
	leaveScript string
)

// NewGroup returns a group of that name.
func NewGroup(client redis.UniversalClient, name string, shards []Shard) *Group {
	return &Group{client: client, name: name, shards: shards, bury: redis.NewScript(buryScript), leave: redis.NewScript(leaveScript)}
}

// Bury moves an entry that cannot be decoded to the shard's dead letters. It reports whether this call did, not another.
func (g *Group) Bury(ctx context.Context, shard int, entry, reason string) (bool, error) {
	keys := []string{g.shards[shard].Entries, g.shards[shard].Dead}
	moved, err := g.bury.Run(ctx, g.client, keys, g.name, entry, reason).Int()
	if err != nil {
		return false, fmt.Errorf("bury entry %s of shard %d: %w", entry, shard, err)
	}
	return moved == 1, nil
}
