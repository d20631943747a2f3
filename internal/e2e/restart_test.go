package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func always(o *devserver.RedisOptions) { o.AppendFsync = "always" }

// TestRedisKilledDuringASale: what Redis has answered it still knows after a crash, so every booking is recorded.
func TestRedisKilledDuringASale(t *testing.T) {
	t.Parallel()
	d := deployOn(t, systemtest.Servers{DSN: servertest.MySQL(t), Redis: servertest.Redis(t, always)})
	shows := d.shows(t)
	d.start(t, "api")
	worker := d.start(t, "worker")
	s := d.sell(t, shows...)
	for range 2 {
		d.hold(t, worker, shows)
		if err := d.RedisServer.Kill(); err != nil {
			t.Fatal(err)
		}
		worker.thaw(t) // with entries in hand, perhaps
		if err := d.RedisServer.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.recovers(t)
	}
	s.check(t, d)
}

// TestRedisForgetsTheEnd: a server that comes back without the end of its log looks healthy. Nothing is sold until somebody has
// verified it, and then under a new epoch.
func TestRedisForgetsTheEnd(t *testing.T) {
	t.Parallel()
	for name, bytes := range map[string]int64{
		"of some bookings":              8_000,
		"of bookings that were settled": 100_000, // their entries come back, and units that were confirmed are for sale
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deployOn(t, systemtest.Servers{DSN: servertest.MySQL(t), Redis: servertest.Redis(t, always)})
			shows := d.shows(t)
			api, worker := d.start(t, "api"), d.start(t, "worker")
			s := d.sell(t, shows...)
			d.hold(t, worker, shows)
			api.freeze(t)
			before := d.epochs(t, shows)
			restartWithout(t, d.RedisServer, bytes)
			servertest.Eventually(t, 10*time.Second, "the shards are fenced", func() bool {
				err := each(shows, func(show int64) error {
					_, err := d.Ledger.Reserve(t.Context(), stock.Request{ID: "00000000-0000-8000-8000-000000000001", User: 1000, Show: show, Units: 1})
					if err == nil {
						t.Fatal("an unverified server sold a unit")
					}
					if errors.Is(err, stock.ErrFenced) {
						return nil
					}
					return err
				})
				return err == nil
			})
			worker.thaw(t)
			api.thaw(t)
			s.recovers(t)
			for show, epoch := range d.epochs(t, shows) {
				if epoch <= before[show] {
					t.Errorf("show %d sells under epoch %d, after %d", show, epoch, before[show])
				}
			}
			s.check(t, d, "lost", "404")
			if len(s.faults(t, d)) == 0 {
				t.Error("nothing was forgotten: this finds nothing")
			}
		})
	}
}

// TestBrokenTwinSellsWhatIsSold shows that the test before could fail: a guardian that subscribes again without a look at the
// server. MySQL keeps the show from being sold twice, but people are told too late.
func TestBrokenTwinSellsWhatIsSold(t *testing.T) {
	t.Parallel()
	const capacity = 20
	rig := systemtest.Unguarded(t, systemtest.Servers{DSN: servertest.MySQL(t), Redis: servertest.Redis(t, always)})
	show := rig.Show(t, capacity, 0)
	channel := rig.Shards.Entries(rig.Shards.Of(show))
	twin := rig.Redis.Subscribe(t.Context(), channel)
	defer twin.Close()
	twin.Channel() // subscribes anew after every lost connection
	verified := func() bool { return rig.Redis.PubSubNumSub(t.Context(), channel).Val()[channel] > 0 }
	rig.Work(t, "worker")

	sold := 0
	sellOut := func() {
		servertest.Eventually(t, 10*time.Second, "the twin subscribes", verified)
		for try := range 2 * capacity {
			_, repeated, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: 1, Show: show, Units: 1, Key: fmt.Sprint(sold, try)})
			if err == nil && !repeated {
				sold++
			}
		}
		rig.Settled(t, 10*time.Second, show)
	}
	if _, err := rig.Resyncer.Resync(t.Context(), show, "test"); err != nil {
		t.Fatal(err)
	}
	_, loaded := logOf(t, rig.RedisServer)
	sellOut()
	_, soldOut := logOf(t, rig.RedisServer)
	restartWithout(t, rig.RedisServer, soldOut-loaded) // all that was sold
	sellOut()
	var confirmed int
	if err := rig.DB.QueryRow("SELECT SUM(units) FROM reservations WHERE show_id = ? AND status = 'confirmed'", show).Scan(&confirmed); err != nil || confirmed != capacity {
		t.Errorf("%d units confirmed of %d, %v", confirmed, capacity, err)
	}
	if sold <= capacity {
		t.Errorf("the twin sold %d of %d: this cut finds nothing", sold, capacity)
	}
}

// restartWithout crashes a server and starts it without the last bytes of its log.
func restartWithout(t *testing.T, server *devserver.Redis, bytes int64) {
	t.Helper()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	path, size := logOf(t, server)
	if err := os.Truncate(path, max(0, size-bytes)); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// logOf returns the part of a server's log that grows, and its size.
func logOf(t *testing.T, server *devserver.Redis) (path string, size int64) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(server.Dir(), "appendonlydir", "*.incr.aof"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("the log of Redis: %v, %v", logs, err)
	}
	log, err := os.Stat(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	return logs[0], log.Size()
}

// epochs returns the shows' epochs in MySQL.
func (d *deployment) epochs(t *testing.T, shows []int64) map[int64]int64 {
	t.Helper()
	rows, err := d.Stock.Rows(t.Context(), shows...)
	if err != nil {
		t.Fatal(err)
	}
	epochs := map[int64]int64{}
	for show, r := range rows {
		epochs[show] = r.Epoch
	}
	return epochs
}
