package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// metrics reads a process's metrics: value by name and labels, as they are written there.
func (p *process) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	response, err := http.Get(p.ops + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	values := map[string]float64{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			values[name] = value
		}
	}
	return values
}

// healed counts the resyncs that an audit had done.
const healed = `neticket_resyncs_total{cause="drift",result="ok"}`

// wantFound does a damage and waits until an audit shows a drift of that many units in one show, and then until it is healed.
// The audits are a second apart, and the second at the latest has to find it.
func wantFound(t *testing.T, flusher *process, drift float64, damage func()) {
	t.Helper()
	before := flusher.metrics(t)[healed]
	damage()
	servertest.Eventually(t, 4*time.Second, fmt.Sprintf("a drift of %v is found", drift), func() bool {
		now := flusher.metrics(t)
		return now["neticket_stock_drift_units"] == drift && now["neticket_stock_drifting_shows"] == 1
	})
	servertest.Eventually(t, 4*time.Second, "it is healed, and the next audit says so", func() bool {
		now := flusher.metrics(t)
		return now[healed] == before+1 && now["neticket_stock_drift_units"] == 0 && now["neticket_stock_drifting_shows"] == 0
	})
}

// shift changes the units left in Redis by hand.
func (d *deployment) shift(t *testing.T, show int64, units int) {
	t.Helper()
	if err := d.Redis.HIncrBy(t.Context(), d.Shards.Show(show), "left", int64(units)).Err(); err != nil {
		t.Fatal(err)
	}
}

// shifts are mistakes that a person makes with a Redis client.
var shifts = map[string]int{"50 too high": 50, "30 too low": -30}

// TestDriftInASale: somebody changes the units left by hand while people book and cancel, with pauses between. It is found and
// healed, nobody notices, and in the end exactly what is left can be sold.
func TestDriftInASale(t *testing.T) {
	t.Parallel()
	const capacity = 300
	d := deploy(t, "NETICKET_FLUSH_INTERVAL=1s")
	a := d.start(t, "api")
	d.start(t, "worker")
	flusher := d.start(t, "flusher")
	for name, units := range shifts {
		t.Run(name, func(t *testing.T) {
			show := d.Show(t, capacity, 0)
			crowd := d.crowd(t, a, show, 4) // all at the same time, every 100 ms
			servertest.Eventually(t, 10*time.Second, "some hold units", func() bool { return crowd.accepted() > 10 })
			wantFound(t, flusher, max(float64(units), -float64(units)), func() { d.shift(t, show, units) })
			crowd.ended(t, d, "paused", "pending")
			if rest := d.run(t, show, 2*capacity, 16, nil); rest.codes["sold_out"] == 0 {
				t.Errorf("the rest: %v", rest.codes)
			}
			if n := confirmed(d.rows(t, show)); n != capacity {
				t.Errorf("%d of %d units are confirmed", n, capacity)
			}
		})
	}
	d.sound(t)
}

// TestDriftWhileSellingOut: too many units are late rejections, too few are sold a moment later; never one over the capacity.
func TestDriftWhileSellingOut(t *testing.T) {
	t.Parallel()
	const capacity, half = 500, 250
	d := deploy(t, "NETICKET_FLUSH_INTERVAL=1s")
	d.start(t, "api")
	d.start(t, "worker")
	d.start(t, "flusher")
	for name, units := range shifts {
		t.Run(name, func(t *testing.T) {
			show := d.Show(t, capacity, 0)
			d.run(t, show, half, 16, nil)
			d.shift(t, show, units)
			out := d.run(t, show, 2*capacity, 16, nil) // the first half repeat what they sent before
			d.ended(t, show, out.accepted, "sold_out")
			if late := len(out.accepted) - capacity; late > max(units, 0) {
				t.Errorf("%d more were accepted than there are units; left was %s", late, name)
			}
			servertest.Eventually(t, 5*time.Second, "Redis and MySQL agree", func() bool {
				cut := d.cut(t, show)
				return cut.Conclusive && cut.Agrees()
			})
			d.run(t, show, 2*capacity, 16, nil) // who was refused asks again
			if n := confirmed(d.rows(t, show)); n != capacity {
				t.Errorf("%d of %d units are confirmed", n, capacity)
			}
		})
	}
	d.sound(t)
}

// TestAuditFindsMore: a wrong epoch, and entries that are gone, are found like wrong units.
func TestAuditFindsMore(t *testing.T) {
	t.Parallel()
	d := deploy(t, "NETICKET_FLUSH_INTERVAL=1s")
	d.start(t, "api")
	worker := d.start(t, "worker")
	flusher := d.start(t, "flusher")
	customer := d.as(t, 1)
	book := func(show int64, status int, prefer string) reply {
		t.Helper()
		r, err := customer.book(show, 1, prefer)
		if err != nil || r.Status != status {
			t.Fatalf("book: %+v, %v; want %d", r, err, status)
		}
		return r
	}
	for _, by := range []int64{-1, 1} {
		show := d.Show(t, 10, 0)
		book(show, http.StatusCreated, "Prefer: wait=5")
		wantFound(t, flusher, 0, func() { d.Redis.HIncrBy(t.Context(), d.Shards.Show(show), "epoch", by) })
		book(show, http.StatusCreated, "Prefer: wait=5")
	}
	worker.terminate(t)
	show := d.Show(t, 10, 0)
	pending := book(show, http.StatusAccepted, "Prefer: wait=0")
	wantFound(t, flusher, 1, func() { d.Redis.XTrimMaxLen(t.Context(), d.Shards.Entries(d.Shards.Of(show)), 0) })
	if r := customer.must(t, "GET", pending.Header.Get("Location"), ""); r.status() != "rejected" || r.Body["reason"] != "lost" {
		t.Errorf("a reservation whose entry is gone: %+v", r)
	}
	d.start(t, "worker")
	book(show, http.StatusCreated, "Prefer: wait=5")
	d.sound(t)
}
