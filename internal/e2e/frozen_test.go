package e2e

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// frozen is how long a worker is frozen at least: `go test ./internal/e2e -run FrozenWorker -frozen 60s`.
var frozen = flag.Duration("frozen", 0, "how long the worker of TestFrozenWorker is frozen, at least")

// TestFrozenWorker freezes a worker with entries in hand. Another takes them over, its show is loaded anew, and what it does when
// it wakes changes nothing.
func TestFrozenWorker(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		inMySQL, inRedis string // what the request holds that it is frozen in
		meanwhile        func(t *testing.T, d *deployment, other *process, show int64)
		may              []string
	}{
		"before its transaction":                    {inMySQL: "FOR UPDATE", meanwhile: resync},
		"before its transaction, and Redis forgets": {inMySQL: "FOR UPDATE", meanwhile: forget, may: []string{"lost", "404"}},
		"in its transaction":                        {inMySQL: "INSERT INTO reservations", meanwhile: lateResync},
		"after its commit, before it has settled":   {inRedis: "evalsha", meanwhile: resync},
		"after its commit, and Redis forgets":       {inRedis: "evalsha", meanwhile: forget, may: []string{"lost", "404"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t)
			shows := d.shows(t)[:2] // of one shard: all of its entries wait for those in hand
			mysql, dsn := systemtest.ProxyMySQL(t, d.servers.DSN)
			redis := systemtest.NewProxy(t, d.servers.Redis.Addr())
			d.start(t, "api")
			sleeper := d.start(t, "worker", "NETICKET_MYSQL_DSN="+dsn, "NETICKET_REDIS_ADDRS="+redis.Addr())
			s := d.sell(t, shows...)

			proxy, text := mysql, test.inMySQL
			if test.inRedis != "" {
				proxy, text = redis, test.inRedis
			}
			held, release := holdBack(t, proxy, text)
			select {
			case <-held:
			case <-time.After(10 * time.Second):
				t.Fatalf("no request of the worker holds %q", text)
			}
			sleeper.freeze(t)
			over := time.After(*frozen)
			other := d.start(t, "worker")
			test.meanwhile(t, d, other, shows[0])
			<-over
			sleeper.thaw(t)
			release()
			s.recovers(t)
			s.check(t, d, test.may...)
		})
	}
}

// holdBack has a proxy keep back every request with a text in it, until it is released; held is closed at the first.
func holdBack(t *testing.T, p *systemtest.Proxy, text string) (held <-chan struct{}, release func()) {
	first, over := make(chan struct{}), make(chan struct{})
	hold := sync.OnceFunc(func() { close(first) })
	p.Rule(func(request []byte) systemtest.Fate {
		if bytes.Contains(request, []byte(text)) {
			hold()
			<-over
		}
		return systemtest.Deliver
	})
	release = sync.OnceFunc(func() { p.Rule(nil); close(over) })
	t.Cleanup(release)
	return first, release
}

// takesOver waits until the other worker has recorded, or found recorded, what the frozen one has in hand.
func takesOver(t *testing.T, other *process) {
	t.Helper()
	servertest.Eventually(t, 15*time.Second, "another worker takes the entries over", func() bool {
		return strings.Contains(other.log.String(), "took over entries")
	})
}

func resync(t *testing.T, d *deployment, other *process, show int64) {
	t.Helper()
	takesOver(t, other)
	servertest.Eventually(t, 15*time.Second, "the show is loaded anew", func() bool {
		_, err := d.Resyncer.Resync(t.Context(), show, "admin")
		return err == nil
	})
}

// forget has Redis forget the entries before anyone else has seen them, and returns when the show is loaded anew.
func forget(t *testing.T, d *deployment, _ *process, show int64) {
	t.Helper()
	before := d.epochs(t, []int64{show})
	if err := d.Redis.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	servertest.Eventually(t, 15*time.Second, "the show is loaded anew", func() bool {
		return d.epochs(t, []int64{show})[show] > before[show]
	})
}

// lateResync: whoever needs a lock that the frozen worker holds gives up in time, and the show sells on as it was. Before long MySQL
// takes the lock away.
func lateResync(t *testing.T, d *deployment, other *process, show int64) {
	t.Helper()
	began := time.Now()
	_, err := d.Resyncer.Resync(t.Context(), show, "admin")
	if took := time.Since(began); !errors.Is(err, stock.ErrNotDrained) || took > 10*time.Second {
		t.Errorf("a resync in the meantime: %v, after %v", err, took)
	}
	resync(t, d, other, show)
}
