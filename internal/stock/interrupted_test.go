package stock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// takenOver resyncs a show, as soon as whoever holds it was silent for long enough.
func takenOver(t *testing.T, rig *systemtest.Rig, show int64) {
	t.Helper()
	heir := newResyncer(rig, nil)
	heir.SetPatience(50*time.Millisecond, 5*time.Second)
	servertest.Eventually(t, 10*time.Second, "the show is taken over", func() bool {
		_, err := heir.Resync(t.Context(), show, "test")
		if err != nil && !errors.Is(err, stock.ErrResyncRunning) {
			t.Fatal(err)
		}
		return err == nil
	})
}

// MySQL goes away at some step of a resync: before the bump the show is put back, after it, it waits for the next resync.
func TestResyncWithoutMySQL(t *testing.T) {
	t.Parallel()
	proxy, dsn := systemtest.ProxyMySQL(t, servertest.MySQL(t))
	rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
	for name, test := range map[string]struct {
		change func(p *parts)
		state  string
	}{
		"before it begins": {nil, "open"},
		"before the bump": {func(p *parts) {
			p.calendar = func(context.Context, int64) (stock.SaleTimes, error) { return stock.SaleTimes{}, errors.New("away") }
		}, "open"},
		"in the transaction": {func(p *parts) { p.confirmed = hooked{Store: booking.NewStore(rig.DB), units: proxy.Cut} }, "paused"},
		"before the load":    {func(p *parts) { p.confirmed = hooked{Store: booking.NewStore(rig.DB), byUser: proxy.Cut} }, "paused"},
	} {
		t.Run(name, func(t *testing.T) {
			show := load(t, rig, 10, 4)
			reserve(t, rig, request(show, 7, 2, "a"))
			if n, err := rig.Ledger.Settle(t.Context(), rig.Shards.Of(show), settlements(t, take(t, rig, show), 2, 2)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			if test.change == nil {
				proxy.Cut()
			}
			if _, err := newResyncer(rig, test.change).Resync(t.Context(), show, "test"); err == nil {
				t.Error("it reports success")
			}
			if state := hashOf(t, rig, show)["state"]; state != test.state {
				t.Errorf("the show is %s, want %s", state, test.state)
			}
			proxy.Mend()
			if test.state == "open" {
				wantOpen(t, rig, show, 10)
				reserve(t, rig, request(show, 8, 1, "a"))
				return
			}
			takenOver(t, rig, show)
			wantOpen(t, rig, show, 10)
		})
	}
}

// The answer to any script of a resync may get lost, or the call itself: the show ends open, in one epoch, with the right units.
func TestResyncWithLostReplies(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	proxy := systemtest.NewProxy(t, rig.RedisServer.Addr())
	other := sibling(t, rig, proxy.Addr())
	if _, err := other.Resyncer.Resync(t.Context(), rig.Show(t, 1, 0), "warm up"); err != nil { // so that all scripts are known
		t.Fatal(err)
	}
	for _, fate := range []systemtest.Fate{systemtest.LoseAnswer, systemtest.LoseRequest} {
		for lost := 1; lost <= 3; lost++ {
			t.Run(fmt.Sprintf("fate %d of call %d", fate, lost), func(t *testing.T) {
				show := rig.Show(t, 10, 4)
				confirm(t, rig, show, 7, 3)
				resync(t, rig, show)
				calls := 0
				key := []byte(rig.Shards.Show(show) + "\r\n")
				proxy.Rule(func(request []byte) systemtest.Fate { // a resync's steps come one after the other
					if bytes.Contains(request, []byte("evalsha")) && bytes.Contains(request, key) {
						if calls++; calls == lost {
							return fate
						}
					}
					return systemtest.Deliver
				})
				_, err := other.Resyncer.Resync(t.Context(), show, "test")
				proxy.Rule(nil)
				if calls < lost {
					t.Errorf("%d calls only", calls)
				}
				if lost == 3 && (err != nil || cutOf(t, rig, show).Row.Epoch != 2) { // load.lua: the same again, not a new epoch
					t.Errorf("epoch %d, %v; want 2", cutOf(t, rig, show).Row.Epoch, err)
				}
				if err != nil {
					takenOver(t, rig, show)
				}
				wantOpen(t, rig, show, 7)
				if users := usersOf(t, rig, show); len(users) != 1 || users["7"] != "3" {
					t.Errorf("users hold %v", users)
				}
			})
		}
	}
}

// A load that was not answered and arrives late opens the show under MySQL's epoch or not at all, however long it was under way.
func TestLateLoad(t *testing.T) {
	t.Parallel()
	for name, everyLoad := range map[string]bool{"the next one is answered": false, "none is ever answered": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := systemtest.New(t)
			show := load(t, rig, 10, 0)
			proxy := systemtest.NewProxy(t, rig.RedisServer.Addr())
			client := stock.Connect(stock.Connection{Addrs: []string{proxy.Addr()}, Conns: 20, Timeout: 100 * time.Millisecond})
			t.Cleanup(func() { _ = client.Close() })
			ledger := stock.NewLedger(client, rig.Shards, stock.LedgerOptions{Group: group})
			r := stock.NewResyncer(ledger, rig.DB, parts{calendar: func(context.Context, int64) (stock.SaleTimes, error) { return saleTimes(), nil }},
				booking.NewStore(rig.DB), nil, time.Minute, rig.Observers(prometheus.NewRegistry()))
			release := make(chan struct{})
			var held atomic.Int32
			built := []byte(rig.Shards.Users(show) + ":") // a key that load.lua has, beside what builds it
			proxy.Rule(func(request []byte) systemtest.Fate {
				if bytes.Contains(request, []byte("evalsha")) && bytes.Contains(request, built) && (held.Add(1) == 1 || everyLoad) {
					<-release
				}
				return systemtest.Deliver
			})
			_, err := r.Resync(t.Context(), show, "test")
			if everyLoad != (err != nil) || everyLoad != (hashOf(t, rig, show)["state"] == "paused") {
				t.Errorf("%v, show %v", err, hashOf(t, rig, show))
			}
			close(release)
			inEpoch(t, rig, show, 2)
			wantOpen(t, rig, show, 10)
			if everyLoad && held.Load() < 5 {
				t.Errorf("only %d loads were sent", held.Load())
			}
		})
	}
}

// Units per user that were not built whole are built again.
func TestResyncBuildsUsersAgain(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	for times, works := range map[int]bool{1: true, 100: false} {
		show := rig.Show(t, 10, 4)
		confirm(t, rig, show, 7, 3)
		left := times
		r := newResyncer(rig, func(p *parts) {
			p.confirmed = doubling{booking.NewStore(rig.DB), &left}
		})
		_, err := r.Resync(t.Context(), show, "test")
		if works != (err == nil) {
			t.Errorf("wrong %d times: %v; want it done: %v", times, err, works)
		}
		if !works {
			takenOver(t, rig, show)
		}
		wantOpen(t, rig, show, 7)
	}
}

// doubling tells of every user twice, a few times, so that the hash holds less than was said.
type doubling struct {
	*booking.Store
	times *int
}

func (d doubling) ConfirmedByUser(ctx context.Context, show int64, each func(int64, int) error) error {
	*d.times--
	return d.Store.ConfirmedByUser(ctx, show, func(user int64, units int) error {
		if *d.times >= 0 {
			if err := each(user, units); err != nil {
				return err
			}
		}
		return each(user, units)
	})
}

// A hash whose epoch has overtaken the new one is never loaded with it.
func TestResyncOvertaken(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 4)
	once := true
	r := newResyncer(rig, func(p *parts) {
		p.confirmed = hooked{Store: booking.NewStore(rig.DB), byUser: func() {
			if once {
				set("epoch", 50)(t, rig, show)
			}
			once = false
		}}
	})
	if got, err := r.Resync(t.Context(), show, "test"); err != nil || got.Epoch != 51 {
		t.Errorf("%+v, %v; want epoch 51", got, err)
	}
	wantOpen(t, rig, show, 10)
}

// While its loading fails, a show is not loaded, and whoever asks is told so.
func TestLoadThatFails(t *testing.T) {
	t.Parallel()
	proxy, dsn := systemtest.ProxyMySQL(t, servertest.MySQL(t))
	rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
	rig.Resyncer.SetPatience(10*time.Second, 20*time.Millisecond)
	show := load(t, rig, 10, 0)
	deleteHash(t, rig, show)
	proxy.Cut()
	wish := booking.Booking{User: 7, Show: show, Units: 1, Key: "a"}
	_, _, err := rig.BoxOffice.Reserve(t.Context(), wish)
	wantError(t, err, stock.ErrUnloaded)
	proxy.Mend()
	if _, _, err := rig.BoxOffice.Reserve(t.Context(), wish); err != nil {
		t.Errorf("once MySQL is back: %v", err)
	}
	// Somebody holds the show and is alive.
	crashAfter(t, rig, show, "pause", "alive")
	wish.Key = "b"
	_, _, err = rig.BoxOffice.Reserve(t.Context(), wish)
	wantError(t, err, stock.ErrPaused)
	wantError(t, rig.Loader.Load(t.Context(), show, true), stock.ErrUnloaded) // looked after a moment ago
}
