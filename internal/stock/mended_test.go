package stock_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// 2. Entries whose consumer was deleted are swept.
func TestEntriesWithoutAnOwnerAreSwept(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	reserve(t, rig, request(show, 7, 1, "a"))
	take(t, rig, show)
	rig.Redis.XGroupDelConsumer(t.Context(), rig.Shards.Entries(rig.Shards.Of(show)), group, "by-hand")
	rig.Work(t, "w1")
	if _, err := rig.Resyncer.Resync(t.Context(), show, "test"); err != nil {
		t.Error(err) // not drained, now and for ever
	}
	rig.Settled(t, 8*time.Second, show)
}

// 3. The other shows of a shard whose stream was lost.
func TestOtherShowsOfALostStream(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	a, b := load(t, rig, 10, 0), load(t, rig, 10, 0)
	for rig.Shards.Of(b) != rig.Shards.Of(a) {
		b = load(t, rig, 10, 0)
	}
	reserve(t, rig, request(b, 7, 1, "a"))
	deleteStream(t, rig, a)
	resync(t, rig, a) // makes the stream anew before any worker has missed it
	rig.Work(t, "w1")
	systemtest.Go(t, rig.Healer.Run)
	watch(t, rig)
	servertest.Eventually(t, 12*time.Second, "b is at rest", func() bool { cut := cutOf(t, rig, b); return cut.Conclusive && cut.Agrees() })
}

// 4, 5. Rows for TestGarbledShowIsLoadedAnew.
func TestGarbledMore(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	for name, garble := range map[string]func(*testing.T, *systemtest.Rig, int64){
		"no opens": unset("opens"), "no closes": unset("closes"), "opens no number": set("opens", "x"), "closes no number": set("closes", "x"),
		"epoch no number": set("epoch", "x"),
		"version no number": func(t *testing.T, rig *systemtest.Rig, show int64) {
			set("version", "x")(t, rig, show)
			unset("left")(t, rig, show)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			show := load(t, rig, 10, 4)
			garble(t, rig, show)
			servertest.Eventually(t, 6*time.Second, "a booking gets through", func() bool {
				_, _, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: 7, Show: show, Units: 2, Key: "a"})
				return err == nil
			})
			if epoch := hashOf(t, rig, show)["epoch"]; epoch != "2" {
				t.Errorf("sold under epoch %q", epoch)
			}
		})
	}
	t.Run("no starts", func(t *testing.T) {
		t.Parallel()
		show := load(t, rig, 10, 0)
		unset("starts")(t, rig, show)
		resync(t, rig, show)
		_, err := rig.Ledger.Cancel(t.Context(), request(show, 7, 1, "a"))
		wantError(t, err, nil)
	})
}

// 6. A show that is met while its dead holder may still be alive is taken over as soon as it may be.
func TestStuckShowIsTakenOverInTime(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	rig.Resyncer.SetPatience(300*time.Millisecond, 5*time.Second)
	show := load(t, rig, 10, 0)
	systemtest.Go(t, rig.Healer.Run)
	watch(t, rig)
	crashAfter(t, rig, show, "pause", "dead")
	servertest.Eventually(t, 15*time.Second, "taken over", func() bool { return hashOf(t, rig, show)["state"] == "open" })
}

// 7. Loader.Wait waits for a load whose caller has gone. Fails by itself or under the race detector.
func TestLoaderWaitsForEveryLoad(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	for range 200 {
		loader := stock.NewLoader(rig.Resyncer)
		show := rig.Show(t, 10, 0)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_ = loader.Load(gone, show, false)
		loader.Wait()
		if hashOf(t, rig, show)["state"] != "open" {
			t.Fatal("Wait returned while a show was being loaded")
		}
	}
}

// 8. Two flushers do each other no harm.
func TestSnapshotsOfTwoFlushersDoNotDeadlock(t *testing.T) {
	t.Parallel()
	store := stock.NewStore(newDB(t))
	random := rand.New(rand.NewPCG(1, 2))
	var list []stock.Snapshot
	for i := range 500 {
		list = append(list, stock.Snapshot{Show: int64(i), Epoch: 1, Left: 1, AsOf: time.Now()})
	}
	for range 20 {
		var all sync.WaitGroup
		for range 2 {
			mine := list
			list = append([]stock.Snapshot(nil), list...) // Flush takes them in a map's order
			random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			all.Go(func() {
				if err := store.WriteSnapshots(t.Context(), mine); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

// 9. Guardians that verify the same server at once.
func TestGuardiansDoNotDeadlock(t *testing.T) {
	t.Parallel()
	rig := unguarded(t)
	var heard listener
	for range 4 {
		systemtest.Go(t, stock.NewGuardian(rig.Ledger, rig.Stock, slog.New(slog.NewTextHandler(&heard, nil))).Run)
	}
	for range 5 {
		fenceOpens(t, rig)
		_, _ = rig.RedisServer.Kill(), rig.RedisServer.Start(t.Context())
	}
	fenceOpens(t, rig)
	if n := heard.heard("1213"); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
}

// 10. A process with one connection to MySQL, which the configuration allows.
func TestGuardianWithOneConnection(t *testing.T) {
	t.Parallel()
	rig := unguarded(t)
	c := rig.Config
	c.MySQLConns = 1
	s, err := system.Build(c, systemtest.Log(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	systemtest.Go(t, s.Guardian.Run)
	fenceOpens(t, rig)
}

// 11. A hash without left has no units to write back.
func TestFlushOfAGarbledHash(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	f, _ := newFlusher(rig, time.Hour)
	show := load(t, rig, 10, 0)
	flush(t, f, 1)
	unset("left")(t, rig, show)
	flush(t, f, 0)
	wantSnapshot(t, rig, show, 1, 10)
}

// 12. The first pause's answer is lost: the show is put back, not left paused until somebody takes it over.
func TestResyncPutsBackAfterALostPause(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	proxy := systemtest.NewProxy(t, rig.RedisServer.Addr())
	other := sibling(t, rig, proxy.Addr())
	if _, err := other.Resyncer.Resync(t.Context(), rig.Show(t, 1, 0), "warm up"); err != nil {
		t.Fatal(err)
	}
	show := load(t, rig, 10, 0)
	once := true
	proxy.Rule(func(request []byte) systemtest.Fate {
		if once && bytes.Contains(request, []byte("evalsha")) && bytes.Contains(request, []byte(fmt.Sprintf("show:%d\r\n", show))) {
			once = false
			return systemtest.LoseAnswer
		}
		return systemtest.Deliver
	})
	_, err := other.Resyncer.Resync(t.Context(), show, "test")
	if state := hashOf(t, rig, show)["state"]; state != "open" {
		t.Errorf("%v, and the show is %s", err, state)
	}
}
