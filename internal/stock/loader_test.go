package stock_test

import (
	"bytes"
	"context"
	"errors"
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

func TestLoadOnceForAll(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	crowd := func(load func(ctx context.Context, show int64) error) {
		show := rig.Show(t, 10, 0)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if err := load(t.Context(), show); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		wantOpen(t, rig, show, 10)
	}
	crowd(func(ctx context.Context, show int64) error { return rig.Loader.Load(ctx, show, false) })
	if n := counter(t, rig.Registry, "neticket_resyncs_total", "unloaded"); n != 1 {
		t.Errorf("a resync was tried %v times for one show", n)
	}
	// The broken twin: whoever finds a show unloaded loads it.
	crowd(func(ctx context.Context, show int64) error {
		_, err := rig.Resyncer.Resync(ctx, show, "twin")
		if errors.Is(err, stock.ErrResyncRunning) {
			return nil
		}
		return err
	})
	if n := counter(t, rig.Registry, "neticket_resyncs_total", "twin"); n <= 1 {
		t.Error("the test does not see a crowd that loads")
	}
}

// Two processes load at once: both callers find the show open, whoever did it.
func TestLoadByTwoProcesses(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	other := stock.NewLoader(sibling(t, rig, rig.RedisServer.Addr()).Resyncer)
	t.Cleanup(other.Wait)
	for range 20 {
		show := rig.Show(t, 10, 0)
		var all sync.WaitGroup
		for _, loader := range []*stock.Loader{rig.Loader, other} {
			all.Go(func() {
				if err := loader.Load(t.Context(), show, false); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		wantOpen(t, rig, show, 10)
	}
}

func TestLoadOfNoShow(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	wantError(t, rig.Loader.Load(t.Context(), 12345, false), stock.ErrNoShow)
}

// Who waits no longer is told so; the loading goes on.
func TestLoadGoesOnWithoutItsCaller(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := rig.Show(t, 10, 0)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := rig.Loader.Load(gone, show, false); err != nil && !errors.Is(err, stock.ErrUnloaded) {
		t.Error(err)
	}
	servertest.Eventually(t, 10*time.Second, "the show is loaded", func() bool { return hashOf(t, rig, show)["state"] == "open" })
}

// A process that ends does not wait for a MySQL that never answers: a show is put back while that is possible, and is taken over else.
func TestLoadEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ statement, state string }{
		"before the bump": {"FROM shows", "unloaded"},
		"after it":        {"FOR UPDATE", "paused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := systemtest.New(t)
			show := rig.Show(t, 10, 0)
			proxy, dsn := systemtest.ProxyMySQL(t, rig.Config.MySQLDSN)
			c := rig.Config
			c.MySQLDSN = dsn
			s, err := system.Build(c, systemtest.Log(), prometheus.NewRegistry())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			hangs, mend := make(chan struct{}), make(chan struct{})
			t.Cleanup(func() { close(mend) })
			proxy.Rule(func(request []byte) systemtest.Fate {
				if bytes.Contains(request, []byte(test.statement)) {
					select {
					case hangs <- struct{}{}:
					case <-mend:
					}
					<-mend
				}
				return systemtest.Deliver
			})
			loader := stock.NewLoader(s.Resyncer)
			gone, leave := context.WithCancel(t.Context())
			left := make(chan error)
			go func() { left <- loader.Load(gone, show, false) }()
			<-hangs
			leave()
			wantError(t, <-left, stock.ErrUnloaded)
			began := time.Now()
			loader.Wait()
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("it took %v to end", took)
			}
			if state := hashOf(t, rig, show)["state"]; state != test.state {
				t.Errorf("the show is %q, want %q", state, test.state)
			}
		})
	}
}

// A show found paused, whose holder is dead, is taken over.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	rig.Resyncer.SetPatience(20*time.Millisecond, time.Second)
	show := load(t, rig, 10, 0)
	crashAfter(t, rig, show, "bump", "dead")
	servertest.Eventually(t, 15*time.Second, "a booking gets through", func() bool {
		_, _, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: 7, Show: show, Units: 1, Key: "a"})
		if err != nil && !errors.Is(err, stock.ErrPaused) {
			t.Fatal(err)
		}
		return err == nil
	})
}

// A booking that meets a hash that cannot be read has the show loaded anew, and succeeds.
func TestGarbledShowIsLoadedAnew(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	rig.Resyncer.SetPatience(10*time.Second, 50*time.Millisecond)
	for name, garble := range map[string]func(*testing.T, *systemtest.Rig, int64){
		"no epoch":        unset("epoch"),
		"no left":         unset("left"),
		"no seq":          unset("seq"),
		"no settled":      unset("settled"),
		"no limit":        unset("limit"),
		"left no number":  set("left", "many"),
		"seq no number":   set("seq", "x"),
		"limit no number": set("limit", "x"),
		"users no number": func(t *testing.T, rig *systemtest.Rig, show int64) {
			rig.Redis.HSet(t.Context(), rig.Shards.Users(show), 7, "x")
		},
		"no hash":   deleteHash,
		"no stream": deleteStream,
	} {
		t.Run(name, func(t *testing.T) {
			show := load(t, rig, 10, 4)
			garble(t, rig, show)
			r, _, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: 7, Show: show, Units: 2, Key: "a"})
			if err != nil || r.Status != booking.Pending {
				t.Fatalf("%+v, %v; want it taken", r, err)
			}
			hash := hashOf(t, rig, show)
			if hash["epoch"] != "2" || hash["left"] != "8" || usersOf(t, rig, show)["7"] != "2" {
				t.Errorf("afterwards %v, users %v; want epoch 2, 8 left, 2 held", hash, usersOf(t, rig, show))
			}
		})
	}
}
