package stock_test

import (
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// previous is an API of a build before version 2: testdata/v1 has its scripts.
type previous struct {
	rig             *systemtest.Rig
	reserve, cancel *redis.Script
}

func newPrevious(t *testing.T, rig *systemtest.Rig) previous {
	t.Helper()
	read := func(name string) *redis.Script {
		source, err := os.ReadFile("testdata/v1/" + name + ".lua")
		if err != nil {
			t.Fatal(err)
		}
		return redis.NewScript(string(source))
	}
	return previous{rig, read("reserve"), read("cancel")}
}

func (p previous) want(t *testing.T, script *redis.Script, word string, r stock.Request, args ...any) {
	t.Helper()
	shard := p.rig.Shards.Of(r.Show)
	keys := []string{p.rig.Shards.Show(r.Show), p.rig.Shards.Entries(shard), p.rig.Shards.User(shard, r.User), p.rig.Shards.Users(r.Show)}
	answer, err := script.Run(t.Context(), p.rig.Redis, keys, append([]any{r.ID, r.User, r.Units, r.Show}, args...)...).Slice()
	if err != nil || answer[0] != word {
		t.Fatalf("%v, %v; want %s", answer, err, word)
	}
}

func (p previous) wantReserve(t *testing.T, word string, r stock.Request) {
	t.Helper()
	p.want(t, p.reserve, word, r, 1000, 3600, "api-0", "")
}

func (p previous) wantCancel(t *testing.T, word string, r stock.Request) {
	t.Helper()
	p.want(t, p.cancel, word, r, 3600, "api-0", "")
}

// What a build before version 2 left in Redis is read, recorded and settled as if this one had written it, also side by side.
func TestStreamOfThePreviousBuild(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	old := newPrevious(t, rig)
	show := load(t, rig, 20, 4)

	// Both builds book, and the other's markers are known.
	old.wantReserve(t, "ok", request(show, 1, 2, "a"))
	reserve(t, rig, request(show, 2, 2, "a"))
	old.wantReserve(t, "ok", request(show, 3, 1, "a"))
	unchanged(t, rig, show, func() {
		again := reserve(t, rig, request(show, 1, 2, "a"))
		if m := again.Marker; !again.Repeated || m.Kind != stock.Reserve || m.Units != 2 || m.Show != show || m.Epoch != 1 || m.Seq != 1 {
			t.Errorf("again: %+v", again)
		}
		_, err := rig.Ledger.Reserve(t.Context(), request(show, 1, 1, "a"))
		wantError(t, err, stock.ErrConflict)
	})

	// The entries are settled by hand, for what comes back, and recorded by a worker.
	entries := take(t, rig, show)
	third := settlements(t, entries, 1, 1)[2:]
	if n, err := rig.Ledger.Settle(t.Context(), rig.Shards.Of(show), third); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	rig.Redis.XGroupDelConsumer(t.Context(), rig.Shards.Entries(rig.Shards.Of(show)), group, "by-hand")
	rig.Work(t, "w1")
	rig.Settled(t, 10*time.Second, show)
	for _, user := range []int64{1, 2} {
		wantFound(t, rig, show, user, booking.Confirmed)
	}
	wantOpen(t, rig, show, 16)

	// A cancel of the previous build is known while it waits, is recorded, and gives back once.
	if users := usersOf(t, rig, show); users["1"] != "2" || users["3"] != "" {
		t.Errorf("users hold %v", users)
	}
	old.wantCancel(t, "ok", request(show, 1, 2, "a"))
	if again, err := rig.Ledger.Cancel(t.Context(), request(show, 1, 2, "a")); err != nil {
		t.Errorf("the cancel again: %+v, %v", again, err)
	}
	rig.Settled(t, 10*time.Second, show)
	wantFound(t, rig, show, 1, booking.Cancelled)
	wantOpen(t, rig, show, 18)
}

func wantFound(t *testing.T, rig *systemtest.Rig, show, user int64, status booking.Status) {
	t.Helper()
	servertest.Eventually(t, 10*time.Second, "the reservation is "+string(status), func() bool {
		r, err := rig.Lookup.Find(t.Context(), user, booking.Ref{Show: show, ID: booking.NewID(user, show, "a")})
		return err == nil && r.Status == status
	})
}

// A drain waits for entries of the previous build, too.
func TestDrainSeesEntriesOfThePreviousBuild(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	newPrevious(t, rig).wantReserve(t, "ok", request(show, 1, 2, "a"))
	deleteHash(t, rig, show) // so that only a look at the stream tells that something waits
	r := newResyncer(rig, nil)
	r.SetPatience(10*time.Second, 200*time.Millisecond)
	_, err := r.Resync(t.Context(), show, "test")
	wantError(t, err, stock.ErrNotDrained)
}
