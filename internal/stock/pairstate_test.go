package stock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/protocol"
)

// modelState is every key of the model as text.
func (p *pair) modelState() string {
	var lines []string
	hash := func(key string, h protocol.Hash) {
		for _, field := range h {
			lines = append(lines, fmt.Sprintf("%s %s = %q", key, field.Name, field.Value))
		}
	}
	for show := int64(1); show <= modelShows; show++ {
		hash(p.shards.Show(show), *p.model.Show(show))
		hash(p.shards.Users(show), *p.model.UsersOf(show))
	}
	for _, built := range p.model.Built {
		hash(p.shards.Users(built.Show)+":"+built.Token, built.Hash)
	}
	for user := range p.model.Markers {
		key := p.shards.User(0, int64(user)+1)
		hash(key, p.model.Markers[user].Hash)
		if expires := p.model.Markers[user].Expires; expires != 0 {
			lines = append(lines, fmt.Sprintf("%s expires in about %d s", key, about((expires-p.model.Now)/1000)))
		}
	}
	for _, dead := range p.model.Dead {
		lines = append(lines, fmt.Sprintf("dead %s %s", dead.Entry, dead.Reason))
	}
	if s := p.model.Stream; s != nil {
		lines = append(lines, "stream, last "+s.Last.String())
		for _, e := range s.Entries {
			lines = append(lines, fmt.Sprintf("entry %s %q", e.ID, map[string]string{"e": strings.Join([]string{"2", e.Show, e.Epoch, e.Seq, e.Kind,
				e.Units, e.User, e.Reservation, e.Rest}, "|")}))
		}
		if g := s.Group; g != nil {
			lines = append(lines, "group, delivered "+g.Delivered.String())
			for _, pending := range g.Pending {
				lines = append(lines, fmt.Sprintf("pending %s %s %d", pending.ID, pending.Consumer, pending.Count))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// about rounds a time to live, since the clocks are not read in the same instant.
func about(seconds int64) int64 { return (seconds + 50) / 100 }

// serverState is modelState of the server. Every key that there is must be one of those known.
func (p *pair) serverState(ctx context.Context) (string, error) {
	keys, err := p.client.Keys(ctx, "*").Result()
	if err != nil {
		return "", err
	}
	stream := p.shards.Entries(0)
	pipe := p.client.Pipeline()
	hashes, ttls := map[string]*redis.MapStringStringCmd{}, map[string]*redis.DurationCmd{}
	var entries, dead *redis.XMessageSliceCmd
	var info *redis.XInfoStreamCmd
	var groups *redis.XInfoGroupsCmd
	var pending *redis.XPendingExtCmd
	for _, key := range keys {
		switch key {
		case stream:
			entries, info, groups = pipe.XRange(ctx, key, "-", "+"), pipe.XInfoStream(ctx, key), pipe.XInfoGroups(ctx, key)
			pending = pipe.XPendingExt(ctx, &redis.XPendingExtArgs{Stream: key, Group: modelGroup, Start: "-", End: "+", Count: 1000})
		case p.shards.Dead(0):
			dead = pipe.XRange(ctx, key, "-", "+")
		default:
			hashes[key], ttls[key] = pipe.HGetAll(ctx, key), pipe.TTL(ctx, key)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil && !redis.HasErrorPrefix(err, "NOGROUP") && !errors.Is(err, redis.Nil) {
		return "", err
	}
	var lines []string
	for key, reply := range hashes {
		for name, value := range reply.Val() {
			lines = append(lines, fmt.Sprintf("%s %s = %q", key, name, value))
		}
		if ttl := ttls[key].Val(); ttl > 0 {
			lines = append(lines, fmt.Sprintf("%s expires in about %d s", key, about(int64(ttl.Seconds()))))
		}
	}
	if dead != nil {
		for _, d := range dead.Val() {
			lines = append(lines, fmt.Sprintf("dead %s %s", d.Values["entry"], d.Values["reason"]))
		}
	}
	if entries != nil {
		lines = append(lines, "stream, last "+info.Val().LastGeneratedID)
		for _, e := range entries.Val() {
			lines = append(lines, fmt.Sprintf("entry %s %q", e.ID, e.Values))
		}
		for _, g := range groups.Val() {
			lines = append(lines, "group, delivered "+g.LastDeliveredID)
		}
		for _, one := range pending.Val() {
			lines = append(lines, fmt.Sprintf("pending %s %s %d", one.ID, one.Consumer, one.RetryCount))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), nil
}
