package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// dryRun asks what a resync would do, and checks that nothing but the given fields of the show's hash changes, and no row.
func (d *deployment) dryRun(t *testing.T, at *process, show int64, but ...string) reply {
	t.Helper()
	look := func() map[string]string {
		hash := d.Redis.HGetAll(t.Context(), d.Shards.Show(show)).Val()
		for _, field := range but {
			delete(hash, field)
		}
		if len(but) == 0 {
			hash["row"] = fmt.Sprint(d.cut(t, show).Row)
		}
		return hash
	}
	before := look()
	r, err := admin(t, at).resync(show, "?dry_run=true")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, look()); diff != "" {
		t.Errorf("a dry run changed something: %s", diff)
	}
	return r
}

// told are the figures of an answer to a resync, with the epoch as it differs from that of before: on a busy machine a load may
// have been done twice.
func told(r reply, before int64) string {
	epoch, _ := r.Body["epoch"].(float64)
	return spaced(r.Status, r.code(), r.Body["before"], r.Body["after"], r.Body["drift"], int64(epoch)-before, r.Body["dry_run"])
}

// TestDryRun tells the difference and changes nothing, or says that it cannot tell.
func TestDryRun(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	redis, mysql, env := d.proxies(t)
	a, b := d.start(t, "api"), d.start(t, "api", env...)
	show := d.Show(t, 10, 4)
	epoch := func() int64 { return d.cut(t, show).Row.Epoch }
	wantTold := func(want string, but ...string) {
		t.Helper()
		if got := told(d.dryRun(t, a, show, but...), epoch()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	wantRefused := func(status int, code string, but ...string) {
		t.Helper()
		if r := d.dryRun(t, a, show, but...); r.Status != status || r.code() != code {
			t.Errorf("got %+v, want %d %s", r, status, code)
		}
	}
	wantTold("200  10 10 0 0 true") // of a show that was never booked
	customer := caller{url: a.url, token: token(t, 1), http: http.DefaultClient}
	if r, err := customer.book(show, 3); err != nil || r.Status != http.StatusAccepted {
		t.Fatalf("book: %+v, %v", r, err)
	}
	wantRefused(503, "not_drained") // no worker lives, so it never stands still
	d.start(t, "worker")
	d.Settled(t, 10*time.Second, show)
	wantTold("200  7 7 0 0 true")
	d.shift(t, show, 5)
	wantTold("200  12 7 5 0 true")
	before := epoch()
	if r, err := admin(t, a).resync(show, ""); err != nil || told(r, epoch()) != "200  12 7 5 0 false" || epoch() <= before {
		t.Errorf("the resync itself: %+v, %v", r, err)
	}
	wantTold("200  7 7 0 0 true")

	h := d.holdAt(t, stepOf(t, "commit"), show, redis, mysql)
	resync := send(func() (reply, error) { return admin(t, b).resync(show, "") })
	h.came(t)
	wantRefused(409, "resync_running", "paused_at")
	h.let(systemtest.Deliver)
	if r := <-resync; r.err != nil || told(r.reply, epoch()) != "200  7 7 0 0 false" {
		t.Errorf("the resync, let go: %+v", r)
	}
	d.sound(t)
}

// TestDryRunInASale: nobody who books notices it.
func TestDryRunInASale(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	a := d.start(t, "api")
	d.start(t, "worker")
	moving := []string{"left", "seq", "settled"}
	show := d.Show(t, 100_000, 6)
	crowd := d.crowd(t, a, show, 4) // all at the same time, every 100 ms
	servertest.Eventually(t, 10*time.Second, "some hold units", func() bool { return crowd.accepted() > 10 })
	for range 5 {
		if r := d.dryRun(t, a, show, moving...); spaced(r.Status, r.Body["drift"], r.Body["dry_run"]) != "200 0 true" {
			t.Errorf("in a sale with pauses: %+v", r)
		}
	}
	crowd.ended(t, d, "limit_reached", "pending")

	busy := d.Show(t, 100_000, 0)
	stop, done := make(chan struct{}), make(chan *rush, 1)
	go func() { done <- d.run(t, busy, 90_000, 32, stop) }()
	servertest.Eventually(t, 10*time.Second, "the sale is on", func() bool { return d.cut(t, busy).Row.Reserved > 100 })
	if r := d.dryRun(t, a, busy, moving...); r.code() != "not_drained" && spaced(r.Status, r.Body["drift"]) != "200 0" {
		t.Errorf("in a sale without pauses: %+v", r)
	}
	close(stop)
	r := <-done
	if r.codes["paused"] > 0 {
		t.Errorf("the dry run stopped the sale: %v", r.codes)
	}
	d.ended(t, busy, r.accepted)
	d.sound(t)
}
