package stock_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// inEpoch waits until a show is sold under an epoch.
func inEpoch(t *testing.T, rig *systemtest.Rig, show, epoch int64) {
	t.Helper()
	servertest.Eventually(t, 15*time.Second, fmt.Sprintf("show %d is in epoch %d", show, epoch), func() bool {
		hash := hashOf(t, rig, show)
		return hash["epoch"] == fmt.Sprint(epoch) && hash["state"] == "open"
	})
}

// healed waits until the healer has seen to all that was wanted before: one more show, wanted last, is healed last.
func healed(t *testing.T, rig *systemtest.Rig) {
	t.Helper()
	for range 2 { // what is wanted at once is healed in no order
		last := load(t, rig, 10, 0)
		rig.Healer.Want(last, stock.CauseSoldOut, 1)
		inEpoch(t, rig, last, 2)
	}
}

func TestHealerResyncsAShowOnceAMinute(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	systemtest.Go(t, rig.Healer.Run)
	show := load(t, rig, 10, 0)
	set("left", 3)(t, rig, show)
	rig.Healer.Want(show, stock.CauseSoldOut, 1)
	inEpoch(t, rig, show, 2)
	wantOpen(t, rig, show, 10)
	for range 3 {
		rig.Healer.Want(show, stock.CauseSoldOut, 2)
		healed(t, rig)
	}
	inEpoch(t, rig, show, 2)
	if n := counter(t, rig.Registry, "neticket_resyncs_total", "sold_out"); n != 7 {
		t.Errorf("%v resyncs, want one for each of 7 shows", n)
	}
}

// What somebody saw is looked at once more before a show is taken off sale for it.
func TestHealerLooksFirst(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	systemtest.Go(t, rig.Healer.Run)
	for name, test := range map[string]struct {
		cause  string
		change func(*testing.T, *systemtest.Rig, int64)
		epoch  int64
	}{
		"not stuck":  {stock.CauseStuck, set("left", 10), 1},
		"unloaded":   {stock.CauseStuck, set("state", "unloaded", "seq", 1), 2},
		"at rest":    {stock.CauseStuck, set("state", "unloaded"), 1}, // the next request loads it
		"drifting":   {stock.CauseDrift, set("left", 12), 2},
		"no drift":   {stock.CauseDrift, set("left", 10), 1},
		"no hash":    {stock.CauseStuck, deleteHash, 0},
		"not behind": {stock.CauseEpoch, set("left", 10), 1},
		"behind":     {stock.CauseEpoch, raiseEpoch, 3},
		"ahead":      {stock.CauseEpoch, set("epoch", 7), 7},
		"behind, paused": {stock.CauseEpoch, func(t *testing.T, rig *systemtest.Rig, show int64) {
			raiseEpoch(t, rig, show)
			set("state", "paused")(t, rig, show)
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			show := load(t, rig, 10, 0)
			test.change(t, rig, show)
			rig.Healer.Want(show, test.cause, 1)
			healed(t, rig)
			if got := cutOf(t, rig, show).Hash.Epoch; got != test.epoch {
				t.Errorf("epoch %d, want %d", got, test.epoch)
			}
		})
	}
	rig.Healer.Want(12345, stock.CauseStuck, 0) // no such show
	healed(t, rig)
}

func raiseEpoch(t *testing.T, rig *systemtest.Rig, show int64) {
	exec(t, rig.DB, "UPDATE stock SET epoch = epoch + 1 WHERE show_id = ?", show)
}

// Each of many workers meets some of what was sold too much. One resync mends all of it: the others leave the show alone.
func TestHealersMendAFaultOnce(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	systemtest.Go(t, rig.Healer.Run)
	for _, cause := range []string{stock.CauseSoldOut, stock.CauseDrift} {
		show := load(t, rig, 10, 0)
		set("left", 13)(t, rig, show)
		resync(t, rig, show) // by the healer of another process
		reserve(t, rig, request(show, 7, 1, "a"))
		rig.Healer.Want(show, cause, 1)
		healed(t, rig)
		if epoch := hashOf(t, rig, show)["epoch"]; epoch != "2" {
			t.Errorf("%s: a show that was right again is in epoch %s", cause, epoch)
		}
	}
}
