package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// TestMemoryFull: while Redis has no room, nothing is sold, but what was is recorded and settled. Selling resumes with the room.
func TestMemoryFull(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	shows := d.shows(t)
	d.start(t, "api")
	worker := d.start(t, "worker")
	s := d.sell(t, shows...)
	d.hold(t, worker, shows)
	var used int
	for line := range strings.Lines(d.Redis.Info(t.Context(), "memory").Val()) {
		_, _ = fmt.Sscanf(line, "used_memory:%d", &used)
	}
	// The ballast is more than fits, so that what settling frees is not room enough.
	const ballast, room = 32 << 20, 8 << 20
	if err := d.Redis.Set(t.Context(), "ballast", strings.Repeat("x", ballast), 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := d.Redis.ConfigSet(t.Context(), "maxmemory", fmt.Sprint(used+room)).Err(); err != nil {
		t.Fatal(err)
	}
	customer := d.as(t, 1_000)
	refused := func() bool {
		r, err := customer.book(shows[1], 1)
		return err == nil && r.Status == 503 && r.code() == "unavailable" && r.Header.Get("Retry-After") != ""
	}
	servertest.Eventually(t, 10*time.Second, "bookings are refused", refused)
	worker.thaw(t)
	d.Settled(t, 10*time.Second, shows...)
	if !refused() {
		t.Error("there is room, so this was no test of settling without")
	}
	if err := d.Redis.Del(t.Context(), "ballast").Err(); err != nil {
		t.Fatal(err)
	}
	s.recovers(t)
	s.check(t, d)
}
