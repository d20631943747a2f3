package stock

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/protocol"
	"github.com/neticket/neticket/internal/stream"
)

const (
	modelShows = 2
	modelUsers = 3
	modelGroup = "recorders"
	farFuture  = 1 << 42 // ms
)

// pair is a real server and the model, which are told the same.
type pair struct {
	client  *redis.Client
	scripts scripts
	leave   *redis.Script
	group   *stream.Group
	shards  Shards
	sub     *redis.PubSub // the fence, while somebody subscribes

	random *rand.Rand
	model  *protocol.Server
	calls  int
	said   []string
}

func newPair(t *testing.T) *pair {
	t.Helper()
	client := servertest.Client(t, servertest.Redis(t))
	shards := NewShards(1)
	leave, err := os.ReadFile("../stream/scripts/leave.lua")
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{client: client, scripts: newScripts(), leave: redis.NewScript(string(leave)), shards: shards,
		group: stream.NewGroup(client, modelGroup, []stream.Shard{{Entries: shards.Entries(0), Dead: shards.Dead(0)}})}
	t.Cleanup(p.unsubscribe)
	return p
}

// live empties both, puts the shows on sale as a rule, and makes some calls.
func (p *pair) live(ctx context.Context, seed uint64, mistakes protocol.Mistakes) error {
	p.random = rand.New(rand.NewPCG(seed, 2))
	p.model = protocol.NewServer(modelShows, modelUsers)
	p.model.Mistakes = mistakes
	p.said = nil
	if err := p.client.FlushAll(ctx).Err(); err != nil {
		return err
	}
	if err := p.fence(ctx, p.random.IntN(10) > 0); err != nil {
		return err
	}
	for show := int64(1); show <= modelShows; show++ {
		if p.random.IntN(8) == 0 {
			continue
		}
		for _, do := range []func() error{
			func() error { return p.pause(ctx, show, "a", 0, "") },
			func() error { return p.pause(ctx, show, "a", 0, "make") },
			func() error { return p.pause(ctx, show, "a", 0, "bump") },
			func() error { return p.build(ctx, show, "a", 0) },
			func() error {
				return p.load(ctx, protocol.Loading{Show: show, Token: "a", Epoch: 1, Left: 3 + p.random.Int64N(6), Limit: p.random.Int64N(2) * 3,
					Version: 1, Closes: farFuture, Starts: farFuture})
			},
		} {
			if err := do(); err != nil {
				return err
			}
		}
	}
	for range 40 {
		if err := p.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// done compares the answers of one call, then all keys.
func (p *pair) done(ctx context.Context, call string, model any, modelErr error, server any, serverErr error) error {
	p.calls++
	p.said = append(p.said, fmt.Sprintf("%s -> %v", call, server))
	if (modelErr == nil) != (serverErr == nil) {
		return p.compare(fmt.Sprintf("error: %v", modelErr), fmt.Sprintf("error: %v", serverErr))
	}
	if serverErr == nil {
		if err := p.compare(fmt.Sprintf("answer: %v", model), fmt.Sprintf("answer: %v", server)); err != nil {
			return err
		}
	}
	state, err := p.serverState(ctx)
	if err != nil {
		return err
	}
	return p.compare(p.modelState(), state)
}

// fence has somebody subscribe to the shard's channel, or nobody.
func (p *pair) fence(ctx context.Context, on bool) error {
	p.model.Subscribers = 0
	if on {
		p.model.Subscribers = 1
	}
	switch {
	case on && p.sub == nil:
		p.sub = p.client.Subscribe(ctx, p.shards.Entries(0))
		_, err := p.sub.ReceiveTimeout(ctx, 5*time.Second)
		return err
	case !on && p.sub != nil:
		err := p.sub.Unsubscribe(ctx, p.shards.Entries(0))
		if err == nil {
			_, err = p.sub.ReceiveTimeout(ctx, 5*time.Second)
		}
		p.unsubscribe()
		return err
	}
	return nil
}

func (p *pair) unsubscribe() {
	if p.sub != nil {
		_ = p.sub.Close()
		p.sub = nil
	}
}

// clock sets the model's clock to what an entry's id, or else this machine, says.
func (p *pair) clock(entry string) {
	p.model.Now = time.Now().UnixMilli()
	if at := EntryTime(entry); strings.Contains(entry, "-") && !at.IsZero() {
		p.model.Now = at.UnixMilli()
	}
}

// script calls a script; redis.Nil is no error.
func (p *pair) script(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error) {
	reply, err := script.Run(ctx, p.client, keys, args...).Result()
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	return reply, err
}

// requests makes one call for all of them.
func (p *pair) requests(ctx context.Context, b protocol.Bounds, list ...protocol.Request) error {
	keys, args := []string{p.shards.Entries(0)}, []any{b.MaxBacklog, b.Remember}
	for _, r := range list {
		keys = append(keys, p.shards.Show(r.Show), p.shards.User(0, r.User), p.shards.Users(r.Show))
		args = append(args, r.Kind, r.Reservation, r.User, r.Units, r.Show, r.Rest)
	}
	server, serverErr := p.script(ctx, p.scripts.requests, keys, args...)
	p.clock("")
	for _, answer := range texts(server) {
		if id, ok := strings.CutPrefix(answer, "ok|"); ok {
			p.model.Appends = append(p.model.Appends, EntryTime(id).UnixMilli())
		}
	}
	if len(p.model.Appends) > 0 {
		p.model.Now = p.model.Appends[0]
	}
	model := []any{}
	for _, text := range p.model.Requests(b, list...) {
		model = append(model, string(text))
	}
	return p.done(ctx, fmt.Sprintf("requests %+v %+v", b, list), model, nil, server, serverErr)
}

// settle makes one call for all of them, as the ledger would.
func (p *pair) settle(ctx context.Context, list ...protocol.Settlement) error {
	settlements := make([]Settlement, len(list))
	for i, s := range list {
		settlements[i] = Settlement{Entry: s.Entry.String(), Show: s.Show, User: s.User, Epoch: s.Epoch, Seq: s.Seq,
			UnitsBack: int(s.UnitsBack), CountBack: int(s.CountBack), Void: s.Void}
	}
	ledger := Ledger{shards: p.shards, options: LedgerOptions{Group: modelGroup}}
	keys, args := ledger.settleCall(0, settlements)
	server, serverErr := p.script(ctx, p.scripts.settle, keys, args...)
	p.clock("")
	return p.done(ctx, fmt.Sprintf("settle %+v", list), p.model.Settle(list...), nil, server, serverErr)
}

func (p *pair) pause(ctx context.Context, show int64, token string, takeOver int64, mode string) error {
	server, serverErr := p.script(ctx, p.scripts.pause, []string{p.shards.Show(show), p.shards.Entries(0)}, token, modelGroup, takeOver, mode)
	p.clock("")
	if slices.Equal(texts(server)[:1], []string{"ok"}) {
		p.clock(p.client.HGet(ctx, p.shards.Show(show), "paused_at").Val() + "-0")
	}
	model := p.model.Pause(show, token, takeOver, mode)
	return p.done(ctx, fmt.Sprintf("pause %d %s %d %q", show, token, takeOver, mode), []any(model), nil, server, serverErr)
}

// build makes the units per user of a show under a token, for that many users.
func (p *pair) build(ctx context.Context, show int64, token string, users int) error {
	key := p.shards.Users(show) + ":" + token
	serverErr := p.client.Del(ctx, key).Err()
	var hash protocol.Hash
	for user := range users {
		hash.Set(strconv.Itoa(user+1), "1")
		serverErr = errors.Join(serverErr, p.client.HSet(ctx, key, strconv.Itoa(user+1), "1").Err())
	}
	p.model.BuildUsers(show, token, hash)
	return p.done(ctx, fmt.Sprintf("build %d %s %d", show, token, users), nil, nil, nil, serverErr)
}

func (p *pair) load(ctx context.Context, l protocol.Loading) error {
	keys := []string{p.shards.Show(l.Show), p.shards.Users(l.Show), p.shards.Users(l.Show) + ":" + l.Token}
	server, serverErr := p.script(ctx, p.scripts.load, keys, l.Token, l.Epoch, l.Left, l.Limit, l.Version, l.Opens, l.Closes, l.Starts, l.Users)
	p.clock("")
	model := p.model.Load(l)
	return p.done(ctx, fmt.Sprintf("load %+v", l), []any(model), nil, server, serverErr)
}

func (p *pair) resume(ctx context.Context, show int64, token string) error {
	server, serverErr := p.script(ctx, p.scripts.resume, []string{p.shards.Show(show)}, token)
	model := p.model.Resume(show, token)
	return p.done(ctx, fmt.Sprintf("resume %d %s", show, token), []any(model), nil, server, serverErr)
}

func (p *pair) unload(ctx context.Context, show int64) error {
	server, serverErr := p.script(ctx, p.scripts.unload, []string{p.shards.Show(show)})
	model := p.model.Unload(show)
	return p.done(ctx, fmt.Sprintf("unload %d", show), model, nil, server, serverErr)
}

func (p *pair) edit(ctx context.Context, show, version, opens, closes, starts int64) error {
	server, serverErr := p.script(ctx, p.scripts.edit, []string{p.shards.Show(show)}, version, opens, closes, starts)
	model := p.model.Edit(show, version, opens, closes, starts)
	return p.done(ctx, fmt.Sprintf("edit %d to version %d", show, version), model, nil, server, serverErr)
}

// texts are the strings of an answer, one at least.
func texts(answer any) []string {
	all := []string{}
	list, _ := answer.([]any)
	for _, value := range list {
		all = append(all, fmt.Sprint(value))
	}
	if len(all) == 0 {
		return []string{""}
	}
	return all
}
