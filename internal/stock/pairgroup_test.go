package stock

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/protocol"
)

// noGroup turns Redis's answer where there is no group, or no stream, into the model's.
func noGroup(err error) error {
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}

// nothingThere reports whether Redis missed a key or a group.
func nothingThere(err error) bool {
	return err != nil && (strings.HasPrefix(err.Error(), "NOGROUP") || strings.HasPrefix(err.Error(), "ERR "))
}

func idsOf(entries []redis.XMessage) []string {
	all := []string{}
	for _, entry := range entries {
		all = append(all, entry.ID)
	}
	return all
}

func modelIDs(entries []*protocol.Entry) []string {
	all := []string{}
	for _, entry := range entries {
		all = append(all, entry.ID.String())
	}
	return all
}

func (p *pair) read(ctx context.Context, consumer string, count int) error {
	var server []string
	streams, serverErr := p.client.XReadGroup(ctx, &redis.XReadGroupArgs{Group: modelGroup, Consumer: consumer,
		Streams: []string{p.shards.Entries(0), ">"}, Count: int64(count), Block: -1}).Result()
	if server = []string{}; len(streams) > 0 {
		server = idsOf(streams[0].Messages)
	}
	p.clock("")
	model, modelErr := p.model.Read(consumer, count)
	return p.done(ctx, "read "+consumer, modelIDs(model), modelErr, server, noGroup(serverErr))
}

func (p *pair) claim(ctx context.Context, consumer string, idle int64) error {
	entries, _, deleted, serverErr := p.client.XAutoClaimWithDeleted(ctx, &redis.XAutoClaimArgs{Stream: p.shards.Entries(0),
		Group: modelGroup, Consumer: consumer, MinIdle: ms(idle), Start: "0-0", Count: 100}).Result()
	p.clock("")
	model, modelDeleted, modelErr := p.model.Claim(consumer, idle, 100)
	return p.done(ctx, fmt.Sprintf("claim %s %d", consumer, idle), fmt.Sprint(modelIDs(model), modelDeleted), modelErr,
		fmt.Sprint(idsOf(entries), deleted), noGroup(serverErr))
}

// take is XCLAIM ... JUSTID.
func (p *pair) take(ctx context.Context, consumer string, id protocol.ID, force bool) error {
	args := []any{"XCLAIM", p.shards.Entries(0), modelGroup, consumer, 0, id.String()}
	if force {
		args = append(args, "FORCE")
	}
	serverErr := p.client.Do(ctx, append(args, "JUSTID")...).Err()
	p.clock("")
	modelErr := p.model.Take(consumer, []protocol.ID{id}, force)
	return p.done(ctx, fmt.Sprintf("take %s %s %v", consumer, id, force), nil, modelErr, nil, noGroup(serverErr))
}

func (p *pair) bury(ctx context.Context, id protocol.ID) error {
	server, serverErr := p.group.Bury(ctx, 0, id.String(), "why")
	model := p.model.Bury(id, "why")
	return p.done(ctx, "bury "+id.String(), model, nil, server, serverErr)
}

func (p *pair) leaves(ctx context.Context, consumer string) error {
	_, serverErr := p.script(ctx, p.leave, []string{p.shards.Entries(0)}, modelGroup, consumer)
	if nothingThere(serverErr) {
		serverErr = nil // the reader only notes it
	}
	p.model.Leave(consumer)
	return p.done(ctx, "leave "+consumer, nil, nil, nil, serverErr)
}

// damage is done by hand, to both.
func (p *pair) damage(ctx context.Context, what string, server func() error, model func()) error {
	err := server()
	model()
	if nothingThere(err) {
		err = nil
	}
	return p.done(ctx, what, nil, nil, nil, err)
}
