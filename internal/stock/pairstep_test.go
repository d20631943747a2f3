package stock

import (
	"context"
	"fmt"
	"time"

	"github.com/neticket/neticket/internal/protocol"
)

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// pick returns one of the values.
func pick[T any](p *pair, values ...T) T { return values[p.random.IntN(len(values))] }

// step makes one call, on the server and on the model.
func (p *pair) step(ctx context.Context) error {
	show, user := 1+p.random.Int64N(modelShows), 1+p.random.Int64N(modelUsers)
	token, consumer := pick(p, "a", "a", "b"), pick(p, "w1", "w2")
	switch n := p.random.IntN(100); {
	case n < 34:
		return p.requests(ctx, p.bounds(), several(p, p.request)...)
	case n < 42:
		return p.read(ctx, consumer, pick(p, 1, 3, 10))
	case n < 58:
		return p.settle(ctx, several(p, p.settlement)...)
	case n < 64:
		return p.pause(ctx, show, token, pick[int64](p, 0, 3_600_000), pick(p, "", "", "beat", "make", "bump"))
	case n < 66:
		return p.build(ctx, show, token, p.random.IntN(3))
	case n < 72:
		return p.load(ctx, p.loading(show, token))
	case n < 75:
		return p.resume(ctx, show, token)
	case n < 77:
		return p.unload(ctx, show)
	case n < 80:
		return p.edit(ctx, show, p.random.Int64N(4), pick[int64](p, 0, 0, farFuture), pick[int64](p, 1, farFuture, farFuture), pick[int64](p, 1, farFuture, farFuture))
	case n < 82:
		return p.claim(ctx, consumer, pick[int64](p, 0, 3_600_000))
	case n < 84:
		return p.take(ctx, consumer, p.someID(), p.random.IntN(2) == 0)
	case n < 85:
		return p.bury(ctx, p.someID())
	case n < 86:
		return p.leaves(ctx, consumer)
	case n < 88:
		return p.resync(ctx, show, token)
	}
	return p.damaged(ctx, show, user, consumer)
}

// several draws some, which share a call.
func several[T any](p *pair, draw func() T) []T {
	list := make([]T, pick(p, 1, 1, 2, 5))
	for i := range list {
		list[i] = draw()
	}
	return list
}

func (p *pair) bounds() protocol.Bounds {
	return protocol.Bounds{MaxBacklog: pick[int64](p, 50, 50, 3), Remember: pick[int64](p, 7200, 7200, 172800, 0)}
}

func (p *pair) request() protocol.Request {
	return protocol.Request{Kind: pick(p, protocol.Reserve, protocol.Reserve, protocol.Reserve, protocol.Cancel),
		Reservation: fmt.Sprintf("r%d", p.random.IntN(5)), User: 1 + p.random.Int64N(modelUsers), Show: 1 + p.random.Int64N(modelShows),
		Units: pick[int64](p, 1, 1, 2, 3, 0), Rest: pick(p, "|", "api-1|", "api-1|00-trace|x")}
}

// resync makes the calls of one that nobody disturbs, or of one that gives up.
func (p *pair) resync(ctx context.Context, show int64, token string) error {
	err := p.pause(ctx, show, token, 0, "")
	if err == nil && p.random.IntN(4) > 0 {
		err = p.pause(ctx, show, token, 0, "make")
	}
	if err == nil && p.random.IntN(2) == 0 {
		err = p.pause(ctx, show, token, 0, "bump")
	}
	if err == nil && p.random.IntN(3) == 0 {
		err = p.resume(ctx, show, token)
	}
	if err == nil {
		err = p.build(ctx, show, token, 1)
	}
	if err == nil {
		l := p.loading(show, token)
		l.Epoch, l.Users = max(1, p.model.Show(show).Number("epoch")+1), 1
		err = p.load(ctx, l)
	}
	return err
}

// someID is an entry's id, or one that nobody has.
func (p *pair) someID() protocol.ID {
	if entries := p.model.Entries(); len(entries) > 0 && p.random.IntN(8) > 0 {
		return entries[p.random.IntN(len(entries))].ID
	}
	return protocol.ID{Ms: 1, Seq: 1}
}

// settlement is one of an entry that is there, as a rule, and sometimes wrong.
func (p *pair) settlement() protocol.Settlement {
	s := protocol.Settlement{Entry: p.someID(), Show: 1, User: 1, Epoch: 1, Seq: 1, UnitsBack: p.random.Int64N(3), CountBack: p.random.Int64N(3)}
	if e := p.model.Entry(s.Entry); e != nil {
		s.Show, s.User, s.Epoch, s.Seq = parseInt(e.Show), parseInt(e.User), parseInt(e.Epoch), parseInt(e.Seq)
		if e.Kind == "cancel" && p.random.IntN(2) == 0 {
			s.Void = e.Reservation
		}
	}
	switch p.random.IntN(12) {
	case 0:
		s.Show = 3 - s.Show
	case 1:
		s.Epoch++
	case 2:
		s.Seq++
	}
	return s
}

func (p *pair) loading(show int64, token string) protocol.Loading {
	h := p.model.Show(show)
	return protocol.Loading{Show: show, Token: token, Epoch: max(1, h.Number("epoch")+pick[int64](p, 1, 1, 1, 2, 0, -1)), Left: p.random.Int64N(8),
		Limit: pick[int64](p, 0, 2, 4), Version: p.random.Int64N(4), Opens: pick[int64](p, 0, 0, 0, farFuture), Closes: pick[int64](p, 1, farFuture, farFuture, farFuture),
		Starts: pick[int64](p, 1, farFuture, farFuture), Users: pick[int64](p, 0, 0, 1, 2)}
}

// damaged does by hand what no script does.
func (p *pair) damaged(ctx context.Context, show, user int64, consumer string) error {
	stream, hash, users, markers := p.shards.Entries(0), p.shards.Show(show), p.shards.Users(show), p.shards.User(0, user)
	value := pick(p, "", "x", "1.5", "-1", "7", "1e2", " 3", "0x10", "0", "2")
	del := func(key string) func() error { return func() error { return p.client.Del(ctx, key).Err() } }
	set := func(key, field string) func() error {
		return func() error { return p.client.HSet(ctx, key, field, value).Err() }
	}
	switch p.random.IntN(17) {
	case 0:
		return p.damage(ctx, "DEL "+hash, del(hash), func() { *p.model.Show(show) = nil })
	case 1:
		return p.damage(ctx, "DEL "+stream, del(stream), func() { p.model.Stream = nil })
	case 2:
		return p.damage(ctx, "DEL "+users, del(users), func() { *p.model.UsersOf(show) = nil })
	case 3:
		return p.damage(ctx, "DEL "+markers, del(markers), func() { p.model.Markers[user-1] = protocol.Markers{} })
	case 4:
		if p.random.IntN(3) > 0 {
			return nil
		}
		return p.damage(ctx, "FLUSHALL", func() error { return p.client.FlushAll(ctx).Err() }, p.model.FlushAll)
	case 5:
		return p.damage(ctx, "XGROUP DESTROY", func() error { return p.client.XGroupDestroy(ctx, stream, modelGroup).Err() }, p.model.DestroyGroup)
	case 6, 7:
		return p.damage(ctx, "XGROUP DELCONSUMER "+consumer, func() error { return p.client.XGroupDelConsumer(ctx, stream, modelGroup, consumer).Err() },
			func() { p.model.DeleteConsumer(consumer) })
	case 8, 9, 10, 11:
		field := pick(p, "state", "epoch", "left", "seq", "settled", "limit", "version", "opens", "closes", "starts", "token", "paused_at", "bump", "distrust")
		return p.damage(ctx, fmt.Sprintf("HSET %s %s %q", hash, field, value), set(hash, field), func() { p.model.Show(show).Set(field, value) })
	case 12:
		field := pick(p, "epoch", "left", "seq", "settled", "limit", "version", "opens", "starts", "paused_at", "token")
		return p.damage(ctx, fmt.Sprintf("HDEL %s %s", hash, field), func() error { return p.client.HDel(ctx, hash, field).Err() }, func() { p.model.Show(show).Delete(field) })
	case 13:
		field := fmt.Sprint(user)
		return p.damage(ctx, fmt.Sprintf("HSET %s %s %q", users, field, value), set(users, field), func() { p.model.UsersOf(show).Set(field, value) })
	case 14:
		field := pick(p, "r:", "c:") + fmt.Sprintf("r%d", p.random.IntN(5))
		value = pick(p, "", "x", "1|", "1|1|", "1|1|1|1|1-1", "2|1|1|1|1-1", "1|1|1-1", "2|2|7|1-1", "2|1|1|1|reserve|1|1-1", "2|2|2|1|cancel|1|1-1")
		return p.damage(ctx, fmt.Sprintf("HSET %s %s %q", markers, field, value), set(markers, field), func() { p.model.Markers[user-1].Set(field, value) })
	case 15:
		return p.damage(ctx, "the fence", func() error { return p.fence(ctx, p.random.IntN(3) > 0) }, func() {})
	default:
		// A consumer's entry that is trimmed stays pending, and is told when it is claimed.
		id := p.someID()
		return p.damage(ctx, "XDEL "+id.String(), func() error { return p.client.XDel(ctx, stream, id.String()).Err() }, func() { p.model.Trim(id) })
	}
}
