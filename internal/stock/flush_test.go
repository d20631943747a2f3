package stock_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func newFlusher(rig *systemtest.Rig, interval time.Duration) (*stock.Flusher, *prometheus.Registry) {
	registry := prometheus.NewRegistry()
	return stock.NewFlusher(rig.Ledger, rig.Stock, rig.Healer, interval, rig.Observers(registry)), registry
}

func flush(t *testing.T, f *stock.Flusher, want int) {
	t.Helper()
	if n, err := f.Flush(t.Context()); err != nil || n != want {
		t.Errorf("wrote %d snapshots, %v; want %d", n, err, want)
	}
}

func wantSnapshot(t *testing.T, rig *systemtest.Rig, show, epoch int64, left int) {
	t.Helper()
	stored, err := rig.Stock.Snapshots(t.Context(), show)
	got, ok := stored[show]
	if err != nil || !ok || len(stored) != 1 || got.Epoch != epoch || got.Left != left {
		t.Errorf("snapshot %+v, %v; want epoch %d, %d left", got, err, epoch, left)
	}
	if now := rig.Redis.Time(t.Context()).Val(); got.AsOf.After(now) || now.Sub(got.AsOf) > time.Minute {
		t.Errorf("snapshot as of %v, Redis's clock says %v", got.AsOf, now)
	}
}

func TestFlushWritesWhatChanged(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	f, registry := newFlusher(rig, time.Hour)
	a, b := load(t, rig, 10, 0), load(t, rig, 20, 0)
	rig.Show(t, 30, 0) // not loaded: nothing to write
	flush(t, f, 2)
	wantSnapshot(t, rig, a, 1, 10)
	wantSnapshot(t, rig, b, 1, 20)
	flush(t, f, 0)
	reserve(t, rig, request(a, 7, 3, "a"))
	flush(t, f, 1)
	wantSnapshot(t, rig, a, 1, 7)
	resync(t, rig, b) // a new epoch is a change, the same units or not
	flush(t, f, 1)
	wantSnapshot(t, rig, b, 2, 20)
	deleteHash(t, rig, b)
	flush(t, f, 0)
	wantSnapshot(t, rig, b, 2, 20)
	if n := counter(t, registry, "neticket_flushed_shows_total"); n != 4 {
		t.Errorf("counted %v snapshots, want 4", n)
	}
	if at := counter(t, registry, "neticket_flush_last_success_timestamp_seconds"); time.Since(time.Unix(int64(at), 0)) > time.Minute {
		t.Errorf("the last success was at %v", at)
	}
}

// Two flushers each write what they have not written; the snapshots are right whoever comes last.
func TestTwoFlushers(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 50, 0)
	f, _ := newFlusher(rig, time.Hour)
	g, _ := newFlusher(rig, time.Hour)
	var buying sync.WaitGroup
	buying.Go(func() {
		for user := range int64(50) {
			if _, err := rig.Ledger.Reserve(t.Context(), request(show, user+1, 1, "a")); err != nil {
				t.Error(err)
			}
		}
	})
	done := make(chan struct{})
	go func() { buying.Wait(); close(done) }()
	var flushing sync.WaitGroup
	for _, flusher := range []*stock.Flusher{f, g} {
		flushing.Go(func() {
			for running := true; running; {
				select {
				case <-done:
					running = false // and once more
				default:
				}
				if _, err := flusher.Flush(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	last := 50
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		stored, err := rig.Stock.Snapshots(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := stored[show]; ok {
			if got.Left > last {
				t.Errorf("the snapshot went from %d left back to %d", last, got.Left)
			}
			last = got.Left
		}
	}
	flushing.Wait()
	wantSnapshot(t, rig, show, 1, 0)
}

func TestFlusherFlushesOnceMoreAtTheEnd(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	f, registry := newFlusher(rig, time.Hour)
	stop := systemtest.Go(t, f.Run)
	servertest.Eventually(t, 10*time.Second, "the first flush", func() bool { return counter(t, registry, "neticket_flushed_shows_total") == 1 })
	reserve(t, rig, request(show, 7, 4, "a"))
	stop()
	wantSnapshot(t, rig, show, 1, 6)
}

// A round that fails writes what it could not write in the next one.
func TestFlushWhileMySQLIsAway(t *testing.T) {
	t.Parallel()
	proxy, dsn := systemtest.ProxyMySQL(t, servertest.MySQL(t))
	rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
	show := load(t, rig, 10, 0)
	f, registry := newFlusher(rig, time.Hour)
	proxy.Cut()
	if n, err := f.Flush(t.Context()); err == nil || n != 0 {
		t.Errorf("wrote %d, %v, without a database", n, err)
	}
	if at := counter(t, registry, "neticket_flush_last_success_timestamp_seconds"); at != 0 {
		t.Errorf("it was called a success at %v", at)
	}
	proxy.Mend()
	flush(t, f, 1)
	wantSnapshot(t, rig, show, 1, 10)
}

// The flusher's audit tells of drift where a look is conclusive, and only there.
func TestFlusherReportsDrift(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	high, low, busy := load(t, rig, 10, 0), load(t, rig, 10, 0), load(t, rig, 10, 0)
	set("left", 13)(t, rig, high)
	set("left", 8)(t, rig, low)
	reserve(t, rig, request(busy, 7, 1, "a"))
	registry := prometheus.NewRegistry()
	var heard listener
	f := stock.NewFlusher(rig.Ledger, rig.Stock, rig.Healer, 10*time.Millisecond,
		stock.Observers{Log: slog.New(slog.NewTextHandler(&heard, nil)), Registry: registry})
	stop := systemtest.Go(t, f.Run)
	drift := func(units, shows float64) func() bool {
		return func() bool {
			return counter(t, registry, "neticket_stock_drift_units") == units && counter(t, registry, "neticket_stock_drifting_shows") == shows
		}
	}
	servertest.Eventually(t, 10*time.Second, "drift is reported", drift(5, 2))
	if heard.heard("the stock in Redis is wrong") < 2 {
		t.Error("the drift is not in the log")
	}
	resync(t, rig, high)
	resync(t, rig, low)
	servertest.Eventually(t, 10*time.Second, "drift is gone", drift(0, 0))
	unaudited := func() float64 { return counter(t, registry, "neticket_audit_oldest_conclusive_seconds") }
	servertest.Eventually(t, 10*time.Second, "the busy show grows old", func() bool { return unaudited() > 0.1 })
	if n, err := rig.Ledger.Settle(t.Context(), rig.Shards.Of(busy), settlements(t, take(t, rig, busy), 1, 1)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	servertest.Eventually(t, 10*time.Second, "it rests, and is audited", func() bool { return unaudited() == 0 })
	stop()
}

func TestCutsThatAreNotConclusive(t *testing.T) {
	t.Parallel()
	rig := unguarded(t)
	show := load(t, rig, 10, 0)
	if cut := cutOf(t, rig, show); cut.Conclusive {
		t.Errorf("fenced: %+v", cut)
	}
	systemtest.Go(t, rig.Guardian.Run)
	fenceOpens(t, rig)
	resync(t, rig, show)
	wantOpen(t, rig, show, 10)
	for name, change := range map[string]func(*testing.T, *systemtest.Rig, int64){
		"pending": set("seq", 1), "paused": set("state", "paused"), "unloaded": set("state", "unloaded"), "no hash": deleteHash,
	} {
		change(t, rig, show)
		if cut := cutOf(t, rig, show); cut.Conclusive {
			t.Errorf("%s: %+v", name, cut)
		}
		set("seq", 0, "state", "open")(t, rig, show)
	}
	// What changes between the two looks at Redis.
	show = load(t, rig, 10, 0)
	other := load(t, rig, 10, 0)
	ctx, cancel := context.WithCancel(t.Context())
	systemtest.Go(t, func(context.Context) error {
		for left := 0; ctx.Err() == nil; left++ {
			rig.Redis.HSet(ctx, rig.Shards.Show(show), "left", left)
		}
		return nil
	})
	defer cancel()
	servertest.Eventually(t, 10*time.Second, "a look that is not conclusive", func() bool { return !cutOf(t, rig, show).Conclusive })
	wantOpen(t, rig, other, 10)
}

// Somebody put another kind of value in a show's place: that hinders this show alone.
func TestShowThatIsNoHash(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	odd, sound := load(t, rig, 10, 0), load(t, rig, 20, 0)
	for rig.Shards.Of(sound) != rig.Shards.Of(odd) {
		sound = load(t, rig, 20, 0)
	}
	f, _ := newFlusher(rig, time.Hour)
	if _, err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	rig.Redis.Del(t.Context(), rig.Shards.Show(odd))
	rig.Redis.Set(t.Context(), rig.Shards.Show(odd), "what is this", 0)
	reserve(t, rig, request(sound, 7, 3, "a"))
	flush(t, f, 1)
	wantSnapshot(t, rig, sound, 1, 17)
	look(t, rig.NewWatch())
	if cut := cutOf(t, rig, odd); cut.Hash.State != "" {
		t.Errorf("it is taken for %+v", cut.Hash)
	}
}
