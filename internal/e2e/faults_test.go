package e2e

import (
	"flag"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// outage is how long MySQL stays away at least: `go test ./internal/e2e -run MySQLKilled -outage 40s`.
var outage = flag.Duration("outage", 0, "how long MySQL stays away in TestMySQLKilledDuringASale, at least")

// TestMySQLKilledDuringASale: bookings are still accepted, until the backlog is full, and all of them are recorded later.
func TestMySQLKilledDuringASale(t *testing.T) {
	t.Parallel()
	const backlog = 300
	mariadb := servertest.MariaDB(t)
	d := deployOn(t, systemtest.Servers{DSN: mariadb.DSN("neticket"), Redis: servertest.Redis(t)}, fmt.Sprint("NETICKET_MAX_BACKLOG=", backlog))
	show := d.Show(t, 10_000, 0)
	api := d.start(t, "api")
	d.start(t, "worker")
	customer := d.as(t, 1)
	if r, err := customer.book(show, 1, "Prefer: wait=5"); err != nil || r.Status != http.StatusCreated {
		t.Fatalf("before: %+v, %v", r, err)
	}
	stop, done := make(chan struct{}), make(chan *rush, 1)
	go func() { done <- d.run(t, show, 1_000_000, 8, stop) }()
	if err := mariadb.Kill(); err != nil {
		t.Fatal(err)
	}
	over := time.After(*outage)
	var own []string
	servertest.Eventually(t, 20*time.Second, "the backlog is full", func() bool {
		r, err := customer.book(show, 1)
		if err == nil && r.Status == http.StatusAccepted {
			own = append(own, r.id())
		}
		return err == nil && r.Status == http.StatusServiceUnavailable && r.code() == "busy" && r.Header.Get("Retry-After") != ""
	})
	if code := status(t, api.ops+"/readyz"); code != http.StatusOK {
		t.Errorf("the API's readyz is %d while MySQL is away, want 200", code)
	}
	<-over
	close(stop)
	r := <-done
	if err := mariadb.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	accepted := append(own, r.accepted...)
	if len(accepted) < backlog {
		t.Errorf("only %d were accepted: %v", len(accepted), r.codes)
	}
	d.ended(t, show, accepted) // confirmed, all of them
	var buried int64
	for shard := range d.Shards.Len() {
		buried += d.Redis.XLen(t.Context(), d.Shards.Dead(shard)).Val()
	}
	if buried > 0 {
		t.Errorf("%d entries were buried", buried)
	}
	d.sound(t)
}

// TestFlushers: two flushers write the units left back, and one more time when they end.
func TestFlushers(t *testing.T) {
	t.Parallel()
	d := deploy(t, "NETICKET_FLUSH_INTERVAL=1s")
	show := d.Show(t, 10, 0)
	d.start(t, "api")
	d.start(t, "worker")
	one, two := d.start(t, "flusher"), d.start(t, "flusher")
	written := func() int {
		snapshots, err := d.Stock.Snapshots(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := snapshots[show]; !ok {
			return -1
		}
		return snapshots[show].Left
	}
	for sold := 1; sold <= 3; sold++ {
		if r, err := d.as(t, 1).book(show, 1); err != nil || r.Status != http.StatusAccepted {
			t.Fatalf("book: %+v, %v", r, err)
		}
		servertest.Eventually(t, 10*time.Second, fmt.Sprint("the snapshot follows to ", 10-sold), func() bool { return written() == 10-sold })
	}
	one.terminate(t)
	if r, err := d.as(t, 1).book(show, 1); err != nil || r.Status != http.StatusAccepted {
		t.Fatalf("book: %+v, %v", r, err)
	}
	two.terminate(t)
	if got := written(); got != 6 {
		t.Errorf("after the last flush the snapshot says %d left, want 6", got)
	}
}

// TestTermination ends API and worker under load: nothing that was sent is cut, nothing is lost.
func TestTermination(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 100_000, 0)
	api := d.start(t, "api")
	worker := d.start(t, "worker")

	stop, done := make(chan struct{}), make(chan *rush, 1)
	go func() { done <- d.run(t, show, 1_000_000, 16, stop) }()
	servertest.Eventually(t, 10*time.Second, "the rush is on", func() bool {
		cuts, err := d.Auditor.Cuts(t.Context(), show)
		return err == nil && cuts[show].Row.Reserved > 500
	})
	worker.terminate(t)
	go func() {
		// The API takes no new connections at its end; until then every answer is whole.
		servertest.Eventually(t, 15*time.Second, "the API is gone", func() bool { return status(t, d.url+"/api/v1/shows/1") == 0 })
		close(stop)
	}()
	api.terminate(t)
	r := <-done
	for code := range r.codes {
		if code != "202" && code != "200" && code != "refused" {
			t.Errorf("answers %v; want none cut", r.codes)
		}
	}
	d.start(t, "worker")
	d.ended(t, show, r.accepted)
	d.sound(t)
}

// TestServersAbsentAtStart: processes wait, say for what, and give up in time.
func TestServersAbsentAtStart(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	for _, name := range []string{"api", "worker", "flusher"} {
		p := d.launch(t, name, "NETICKET_REDIS_ADDRS="+freeAddr(t), "NETICKET_START_TIMEOUT=2s")
		servertest.Eventually(t, 10*time.Second, name+" says that it waits", func() bool {
			return status(t, p.ops+"/readyz") == http.StatusServiceUnavailable && strings.Contains(p.log.String(), "waiting for redis")
		})
		servertest.Eventually(t, 10*time.Second, name+" gives up", func() bool {
			return strings.Contains(p.log.String(), "NETICKET_START_TIMEOUT") && status(t, p.ops+"/livez") == 0
		})
	}
}

// TestUnsafeRedis: a server that could lose sales is refused, with both reasons, unless that is overridden.
func TestUnsafeRedis(t *testing.T) {
	t.Parallel()
	unsafe := servertest.Redis(t, func(o *devserver.RedisOptions) {
		o.ExtraArgs = append(o.ExtraArgs, "--appendonly", "no", "--maxmemory-policy", "allkeys-lru")
	})
	d := deployOn(t, systemtest.Servers{DSN: servertest.MySQL(t), Redis: unsafe})
	refused := d.launch(t, "worker")
	servertest.Eventually(t, 20*time.Second, "the worker refuses to start", func() bool {
		said := refused.log.String()
		return strings.Contains(said, "noeviction") && strings.Contains(said, "appendonly") && status(t, refused.ops+"/livez") == 0
	})
	d.start(t, "worker", "NETICKET_REDIS_UNSAFE=true")
}
