package e2e

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// pair is a master, and a replica that follows it over a link of the test's. The processes know the master by the address of a
// proxy.
type pair struct {
	master, replica *devserver.Redis
	link, address   *systemtest.Proxy
}

func newPair(t *testing.T) pair {
	t.Helper()
	master := servertest.Redis(t, func(o *devserver.RedisOptions) { o.ExtraArgs = []string{"--repl-diskless-sync-delay", "0"} })
	p := pair{master: master, link: systemtest.NewProxy(t, master.Addr()), address: systemtest.NewProxy(t, master.Addr())}
	host, port, err := net.SplitHostPort(p.link.Addr())
	if err != nil {
		t.Fatal(err)
	}
	p.replica = servertest.Redis(t, func(o *devserver.RedisOptions) { o.ExtraArgs = []string{"--replicaof", host + " " + port} })
	client := servertest.Client(t, p.replica)
	servertest.Eventually(t, 10*time.Second, "the replica follows", func() bool {
		return strings.Contains(client.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	return p
}

// failOver makes the replica the master, as it is. Connections stay at the old one, new ones lead to the new one.
func (p pair) failOver(t *testing.T) {
	t.Helper()
	if err := servertest.Client(t, p.replica).ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	p.address.Move(p.replica.Addr())
}

// TestFailOverToAReplicaThatLagged: bookings that the replica has not seen are lost, or confirmed, but nothing is sold twice,
// though the old master is up and written to.
func TestFailOverToAReplicaThatLagged(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		frozen bool // a worker hangs, with bookings that the replica has not seen; it guards the old master, which so sells to whoever reaches it
		cut    bool // connections to the old master are cut in the end; else they are for their owners to give up
	}{
		"connections are cut":                 {cut: true},
		"connections stay":                    {},
		"connections are cut, a worker hangs": {frozen: true, cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis, dsn := newPair(t), servertest.MySQL(t)
			d := deployOn(t, systemtest.Servers{DSN: dsn, Redis: redis.master}, "NETICKET_REDIS_ADDRS="+redis.address.Addr())
			shows := d.shows(t)
			d.start(t, "api")
			worker := d.start(t, "worker")
			s := d.sell(t, shows...)
			redis.link.Cut()
			s.sells(t, "what the replica does not see")
			if test.frozen {
				d.hold(t, worker, shows)
			}
			written := d.written(t)
			redis.failOver(t)
			servertest.Eventually(t, 10*time.Second, "the old master is written to, and fenced where nobody guards it", func() bool {
				fenced, err := d.Ledger.Fenced(t.Context())
				return err == nil && (test.frozen || len(fenced) == d.Shards.Len()) && d.written(t) > written
			})
			if test.cut {
				redis.address.Cut()
				redis.address.Mend()
			}
			if test.frozen {
				worker.thaw(t)
			}
			s.recovers(t)
			after := deployOn(t, systemtest.Servers{DSN: dsn, Redis: redis.replica})
			s.check(t, after, "lost", "404")
			if test.frozen && len(s.faults(t, after)) == 0 {
				t.Error("nothing was forgotten: this finds nothing")
			}
		})
	}
}

// TestTwoMasters: half of the system does not hear of the fail-over and sells on at the old master. Only one of the two can
// confirm; the rest is lost, and nothing is sold twice. It sells as one when the other half has moved, too.
func TestTwoMasters(t *testing.T) {
	t.Parallel()
	redis, dsn := newPair(t), servertest.MySQL(t)
	d := deployOn(t, systemtest.Servers{DSN: dsn, Redis: redis.master})
	shows := d.shows(t)
	d.start(t, "api", "NETICKET_REDIS_ADDRS="+redis.address.Addr())
	d.start(t, "worker", "NETICKET_REDIS_ADDRS="+redis.address.Addr())
	moved := d.sell(t, shows...)
	old := systemtest.NewProxy(t, redis.master.Addr())
	d.start(t, "api", "NETICKET_REDIS_ADDRS="+old.Addr())
	d.start(t, "worker", "NETICKET_REDIS_ADDRS="+old.Addr())
	behind := d.sell(t, shows...)

	redis.link.Cut()
	behind.sells(t, "what the replica does not see")
	redis.failOver(t)
	redis.address.Cut()
	redis.address.Mend()
	moved.sells(t, "at the new master")
	old.Move(redis.replica.Addr())
	old.Cut()
	old.Mend()
	behind.sells(t, "at the new master")
	moved.recovers(t)
	behind.recovers(t)
	moved.end()
	after := deployOn(t, systemtest.Servers{DSN: dsn, Redis: redis.replica})
	behind.check(t, after, "lost", "404")
	moved.check(t, after, "lost", "404")
}

// written is how much was ever written to the server.
func (d *deployment) written(t *testing.T) (bytes int64) {
	t.Helper()
	for line := range strings.Lines(d.Redis.Info(t.Context(), "replication").Val()) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "master_repl_offset:"); ok {
			for _, digit := range value {
				bytes = 10*bytes + int64(digit-'0')
			}
		}
	}
	return bytes
}
