package stock_test

import (
	"testing"
	"time"

	"github.com/neticket/neticket/internal/system/systemtest"
)

// The server's clock was set back, as after a fail-over to another machine: who was paused by a holder in its future is taken over.
func TestTakeOverAfterTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	crashAfter(t, rig, show, "pause", "dead")
	set("paused_at", time.Now().Add(time.Hour).UnixMilli())(t, rig, show)
	resync(t, rig, show)
	wantOpen(t, rig, show, 10)
}

// A garbled version of one show's sale times does not keep those of the others from being told.
func TestWatchPassesAGarbledVersion(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	set("version", "x")(t, rig, show)
	w := rig.NewWatch()
	look(t, w)
	if version := hashOf(t, rig, show)["version"]; version != "1" {
		t.Errorf("version %q, want what MySQL has", version)
	}
}
