package booking_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// Under its show a reservation is found by its owner, in each of its states; under another show, of its shard or not, nobody finds it.
func TestFindByShow(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	wrong := map[string]int64{"no show at all": 987_654}
	for wrong["a show of the shard"] == 0 || wrong["a show of another shard"] == 0 {
		if other := load(t, rig, 10, 0); rig.Shards.Of(other) == rig.Shards.Of(show) {
			wrong["a show of the shard"] = other
		} else {
			wrong["a show of another shard"] = other
		}
	}
	r := book(t, rig, 7, show, 2, "a")
	check := func(status booking.Status) {
		t.Helper()
		for name, ref := range map[string]booking.Ref{"its show": r.Ref(), "its id alone": {ID: r.ID}} {
			if got, err := rig.Lookup.Find(t.Context(), 7, ref); err != nil || got.Status != status || got.Show != show || got.Units != 2 {
				t.Errorf("%s by %s: %+v, %v", status, name, got, err)
			}
			if got, err := rig.Lookup.Find(t.Context(), 8, ref); !errors.Is(err, booking.ErrNotFound) {
				t.Errorf("somebody else finds it by %s: %+v, %v", name, got, err)
			}
		}
		for name, other := range wrong {
			ref := booking.Ref{Show: other, ID: r.ID}
			if got, err := rig.Lookup.Find(t.Context(), 7, ref); !errors.Is(err, booking.ErrNotFound) {
				t.Errorf("%s under %s: %+v, %v", status, name, got, err)
			}
			if got, err := rig.BoxOffice.Cancel(t.Context(), 7, ref, 0); !errors.Is(err, booking.ErrNotFound) {
				t.Errorf("%s is cancelled under %s: %+v, %v", status, name, got, err)
			}
		}
	}
	check(booking.Pending)
	record(t, rig, show)
	check(booking.Confirmed)
	if _, err := rig.BoxOffice.Cancel(t.Context(), 7, r.Ref(), 0); err != nil {
		t.Fatal(err)
	}
	check(booking.Cancelling)
	record(t, rig, show)
	check(booking.Cancelled)
	rig.Redis.FlushAll(t.Context())
	check(booking.Cancelled)
}

// sent collects what a client sends, one list of command names for each round trip.
type sent struct {
	mu    sync.Mutex
	trips [][]string
}

func (*sent) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s *sent) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		s.add(command)
		return next(ctx, command)
	}
}

func (s *sent) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		s.add(commands...)
		return next(ctx, commands)
	}
}

func (s *sent) add(commands ...redis.Cmder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, command := range commands {
		names = append(names, command.Name())
	}
	s.trips = append(s.trips, names)
}

// looked returns the commands of the round trips that read markers, and forgets them.
func (s *sent) looked() (trips, commands int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, names := range s.trips {
		read := 0
		for _, name := range names {
			if name == "time" || name == "hmget" || name == "hgetall" {
				read++
			}
		}
		if read > 0 {
			trips, commands = trips+1, commands+read
		}
	}
	s.trips = nil
	return trips, commands
}

// A request that names the show asks one shard, with the time, in one round trip.
func TestFindAsksOneShard(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	r := book(t, rig, 7, load(t, rig, 10, 0), 1, "a")
	var seen sent
	client := stock.Connect(stock.Connection{Addrs: []string{rig.RedisServer.Addr()}, Conns: 1})
	t.Cleanup(func() { _ = client.Close() })
	client.AddHook(&seen)
	lookup := booking.NewLookup(client, rig.Shards, rig.DB)
	for name, test := range map[string]struct {
		do   func() error
		want int
	}{
		"its show":     {func() error { _, err := lookup.Find(t.Context(), 7, r.Ref()); return err }, 2},
		"its id alone": {func() error { _, err := lookup.Find(t.Context(), 7, booking.Ref{ID: r.ID}); return err }, 1 + rig.Shards.Len()},
		"the list": {func() error {
			_, err := lookup.List(t.Context(), 7, booking.Position{}, 10)
			return err
		}, 1 + rig.Shards.Len()},
	} {
		if err := test.do(); err != nil {
			t.Error(err)
		}
		if trips, commands := seen.looked(); trips != 1 || commands != test.want {
			t.Errorf("%s: %d commands in %d round trips, want %d in 1", name, commands, trips, test.want)
		}
	}
}
