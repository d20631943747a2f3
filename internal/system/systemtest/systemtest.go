// Package systemtest gives tests a whole system of their own, on real servers: one Redis and one database a test.
package systemtest

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/config"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/system"
)

// Rig is a system and its servers.
type Rig struct {
	*system.System
	system.Front
	RedisServer *devserver.Redis
}

// Servers are what a rig runs on.
type Servers struct {
	DSN   string // of a database of its own
	Redis *devserver.Redis
	More  []*devserver.Redis // the other masters, where Redis is one of a cluster
}

// New returns a system on servers of the test's own, with its guardian running.
func New(t testing.TB) *Rig {
	t.Helper()
	return On(t, Servers{DSN: servertest.MySQL(t), Redis: servertest.Redis(t)})
}

// On returns a system on the given servers, with its guardian running; the schema is brought up.
func On(t testing.TB, servers Servers) *Rig {
	t.Helper()
	r := Unguarded(t, servers)
	Go(t, r.Guardian.Run)
	servertest.Eventually(t, 10*time.Second, "the fence opens", func() bool { return r.Ledger.CheckFence(t.Context()) == nil })
	Go(t, func(ctx context.Context) error { return r.Waiters.Run(ctx, r.Redis) })
	return r
}

// Unguarded is On with nothing running: for tests in which real processes, or no one, open the fence.
func Unguarded(t testing.TB, servers Servers) *Rig {
	t.Helper()
	s, err := system.Build(Config(t, servers), Log(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := database.Migrate(t.Context(), s.DB); err != nil {
		t.Fatal(err)
	}
	r := &Rig{System: s, Front: s.OpenFront(), RedisServer: servers.Redis}
	t.Cleanup(r.Loader.Wait)
	return r
}

// Config returns the configuration of a system on the given servers.
func Config(t testing.TB, servers Servers) config.Config {
	t.Helper()
	redis := servers.Redis.Addr()
	for _, more := range servers.More {
		redis += "," + more.Addr()
	}
	env := map[string]string{"NETICKET_MYSQL_DSN": servers.DSN, "NETICKET_REDIS_ADDRS": redis, "NETICKET_MYSQL_CONNS": "8"}
	c, err := config.Load(config.Tool, func(name string) (string, bool) { value, ok := env[name]; return value, ok })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Log returns a logger that is silent unless NETICKET_TEST_LOG is set.
func Log() *slog.Logger {
	out := io.Discard
	if os.Getenv("NETICKET_TEST_LOG") != "" {
		out = os.Stderr
	}
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Go runs a part in the background until the returned function is called or the test ends, and waits for it.
func Go(t testing.TB, part system.Part) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- part(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("a part ended with: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("a part did not end within 30 s")
		}
	})
	t.Cleanup(stop)
	return stop
}

// Work runs a worker of the given name in the background.
func (r *Rig) Work(t testing.TB, name string) (stop func()) {
	t.Helper()
	worker := r.Worker(name)
	return Go(t, func(ctx context.Context) error {
		ended := make(chan struct{})
		defer close(ended)
		context.AfterFunc(ctx, func() { r.unblock(ended) })
		return worker.Run(ctx)
	})
}

// Worker returns one more reader, as another worker process would have.
func (r *Rig) Worker(name string) *stream.Reader {
	return stream.NewReader(r.Group, r.NewRecorder(prometheus.NewRegistry()), stream.Options{Consumer: name, ClaimAfter: time.Second}, r.Log, prometheus.NewRegistry())
}

// Show adds a show that is on sale.
func (r *Rig) Show(t testing.TB, capacity, limit int) int64 {
	t.Helper()
	now := time.Now()
	return r.ShowAt(t, capacity, limit, now.Add(-time.Hour), now.Add(time.Hour), now.Add(2*time.Hour))
}

// ShowAt adds a show with the given times.
func (r *Rig) ShowAt(t testing.TB, capacity, limit int, opens, closes, starts time.Time) int64 {
	t.Helper()
	var id int64
	err := database.Transact(t.Context(), r.DB, func(tx *sql.Tx) error {
		s, err := r.Shows.Insert(t.Context(), tx, show.Draft{Title: "Test", Venue: "Hall", TimeZone: "Asia/Seoul",
			SalesOpenAt: opens, SalesCloseAt: closes, StartsAt: starts})
		if err != nil {
			return err
		}
		id = s.ID
		return r.Stock.Insert(t.Context(), tx, id, capacity, limit)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Settled waits until every entry of the shows is settled.
func (r *Rig) Settled(t testing.TB, within time.Duration, shows ...int64) {
	t.Helper()
	servertest.Eventually(t, within, fmt.Sprint("settled: shows ", shows), func() bool {
		cuts, err := r.Auditor.Cuts(t.Context(), shows...)
		if err != nil {
			return false
		}
		for _, cut := range cuts {
			if cut.Hash.Pending() != 0 {
				return false
			}
		}
		return true
	})
}
