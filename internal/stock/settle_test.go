package stock_test

import (
	"context"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// settlements closes entries, each giving that many units back.
func settlements(t *testing.T, entries []redis.XMessage, units, count int) []stock.Settlement {
	t.Helper()
	list := make([]stock.Settlement, len(entries))
	for i, raw := range entries {
		e, err := stock.ParseEntry(raw)
		if err != nil {
			t.Fatal(err)
		}
		list[i] = stock.Settlement{Entry: e.Entry, Show: e.Show, User: e.User, Epoch: e.Epoch, Seq: e.Seq, UnitsBack: units, CountBack: count}
	}
	return list
}

// booked loads a show, takes one unit for each of n users and reads the entries.
func booked(t *testing.T, rig *systemtest.Rig, n int) (show int64, entries []redis.XMessage) {
	t.Helper()
	show = load(t, rig, n, 2)
	for user := range int64(n) {
		reserve(t, rig, request(show, user+1, 1, "a"))
	}
	return show, take(t, rig, show)
}

func TestSettleOnce(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show, entries := booked(t, rig, 3)
	list := settlements(t, entries, 1, 1)
	for try, want := range []int{3, 0} {
		if n, err := rig.Ledger.Settle(t.Context(), rig.Shards.Of(show), list); err != nil || n != want {
			t.Errorf("try %d settled %d, %v; want %d", try, n, err, want)
		}
		wantOpen(t, rig, show, 3)
		if users := usersOf(t, rig, show); len(users) != 0 {
			t.Errorf("users still hold %v", users)
		}
		if n := rig.Redis.XLen(t.Context(), rig.Shards.Entries(rig.Shards.Of(show))).Val(); n != 0 {
			t.Errorf("%d entries are left", n)
		}
	}
}

// twiceSettler is a broken twin of the ledger: it looks, then acts.
type twiceSettler struct {
	rig  *systemtest.Rig
	both *sync.WaitGroup // until all callers have looked
}

func (s twiceSettler) Settle(ctx context.Context, shard int, list []stock.Settlement) (int, error) {
	settled := 0
	for i, one := range list {
		found, err := s.rig.Redis.XRange(ctx, s.rig.Shards.Entries(shard), one.Entry, one.Entry).Result()
		if err != nil {
			return settled, err
		}
		if i == 0 {
			s.both.Done()
			s.both.Wait()
		}
		if len(found) == 1 {
			s.rig.Redis.XDel(ctx, s.rig.Shards.Entries(shard), one.Entry)
			s.rig.Redis.HIncrBy(ctx, s.rig.Shards.Show(one.Show), "left", int64(one.UnitsBack))
			settled++
		}
	}
	return settled, nil
}

func TestSettleConcurrently(t *testing.T) {
	t.Parallel()
	const callers, entries = 4, 50
	rig := systemtest.New(t)
	race := func(settler interface {
		Settle(context.Context, int, []stock.Settlement) (int, error)
	}) (settled int, left string) {
		show, taken := booked(t, rig, entries)
		list := settlements(t, taken, 1, 1)
		counts := make(chan int, callers)
		for range callers {
			go func() {
				n, err := settler.Settle(t.Context(), rig.Shards.Of(show), list)
				if err != nil {
					t.Error(err)
				}
				counts <- n
			}()
		}
		for range callers {
			settled += <-counts
		}
		return settled, hashOf(t, rig, show)["left"]
	}
	if settled, left := race(rig.Ledger); settled != entries || left != "50" {
		t.Errorf("%d callers settled %d of %d entries, %s left of 50", callers, settled, entries, left)
	}
	var looked sync.WaitGroup
	looked.Add(callers)
	if settled, left := race(twiceSettler{rig, &looked}); settled == entries && left == "50" {
		t.Error("the test does not see a settler that gives back twice")
	}
}

func TestSettleOfAnotherEpoch(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show, entries := booked(t, rig, 2)
	shard := rig.Shards.Of(show)
	// The hash is gone and built anew: the entries belong to the old epoch.
	deleteHash(t, rig, show)
	r := newResyncer(rig, nil)
	epoch, err := r.StepPause(t.Context(), show, "token", "")
	if err != nil {
		t.Fatal(err)
	}
	row, err := rig.Stock.Row(t.Context(), show)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := r.StepRaise(t.Context(), row, epoch)
	if err != nil || fresh == nil {
		t.Fatal(fresh, err)
	}
	if err := r.StepLoad(t.Context(), *fresh, saleTimes(), "token"); err != nil {
		t.Fatal(err)
	}
	if n, err := rig.Ledger.Settle(t.Context(), shard, settlements(t, entries, 1, 1)); n != 2 || err != nil {
		t.Errorf("settled %d, %v; want both closed", n, err)
	}
	wantOpen(t, rig, show, 2) // neither more units nor more entries than were sold under this epoch
}

// Ids of entries repeat after a fail-over: an entry with the id of another one must not be closed for it.
func TestSettleOfAnotherEntry(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show, entries := booked(t, rig, 1)
	right := settlements(t, entries, 1, 1)[0]
	for name, change := range map[string]func(*stock.Settlement){
		"show":  func(s *stock.Settlement) { s.Show += 1 << 40 },
		"epoch": func(s *stock.Settlement) { s.Epoch++ },
		"seq":   func(s *stock.Settlement) { s.Seq++ },
		"entry": func(s *stock.Settlement) { s.Entry = "1-1" },
	} {
		wrong := right
		change(&wrong)
		unchanged(t, rig, show, func() {
			if n, err := rig.Ledger.Settle(t.Context(), rig.Shards.Of(show), []stock.Settlement{wrong}); n != 0 || err != nil {
				t.Errorf("another %s: settled %d, %v", name, n, err)
			}
		})
	}
	if n, err := rig.Ledger.Settle(t.Context(), rig.Shards.Of(show), []stock.Settlement{right}); n != 1 || err != nil {
		t.Errorf("the right one: settled %d, %v", n, err)
	}
}

func TestSettleAfterTheScriptCacheIsLost(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show, entries := booked(t, rig, 5)
	list := settlements(t, entries, 0, 0)
	for _, part := range [][]stock.Settlement{list[:2], list[2:]} {
		if err := rig.Redis.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if n, err := rig.Ledger.Settle(t.Context(), rig.Shards.Of(show), part); n != len(part) || err != nil {
			t.Errorf("settled %d, %v; want %d", n, err, len(part))
		}
	}
}

// The marker of a cancel that did nothing goes, unless a newer cancel has put its own there.
func TestSettleRemovesTheMarkerOfAVoidCancel(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 3, 0)
	r := request(show, 7, 1, "a")
	if _, err := rig.Ledger.Cancel(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	first := settlements(t, take(t, rig, show), 0, 0)
	first[0].Void = r.ID
	key, field := rig.Shards.User(rig.Shards.Of(show), 7), stock.CancelField(r.ID)
	own := rig.Redis.HGet(t.Context(), key, field).Val()

	rig.Redis.HSet(t.Context(), key, field, "1|9|9-9") // of a newer cancel
	if n, err := rig.Ledger.Settle(t.Context(), rig.Shards.Of(show), first); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if got := rig.Redis.HGet(t.Context(), key, field).Val(); got != "1|9|9-9" {
		t.Errorf("the newer marker is %q now; the first was %q", got, own)
	}

	rig.Redis.HDel(t.Context(), key, field)
	if _, err := rig.Ledger.Cancel(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	second := settlements(t, take(t, rig, show), 0, 0)
	second[0].Void = r.ID
	if n, err := rig.Ledger.Settle(t.Context(), rig.Shards.Of(show), second); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if rig.Redis.HExists(t.Context(), key, field).Val() {
		t.Error("the void cancel's own marker is still there")
	}
}
