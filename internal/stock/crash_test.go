package stock_test

import (
	"errors"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// crashes are the steps after which a resync dies. Each does all before it, too.
var crashes = []string{"pause", "beat", "bump", "raise", "build"}

// crashAfter runs the steps of a resync under a token, up to one.
func crashAfter(t *testing.T, rig *systemtest.Rig, show int64, last, token string) {
	t.Helper()
	r := newResyncer(rig, nil)
	read, err := rig.Stock.Row(t.Context(), show)
	if err != nil {
		t.Fatal(err)
	}
	epoch := int64(0)
	var fresh *stock.Row
	pause := func(mode string) func() error {
		return func() (err error) { epoch, err = r.StepPause(t.Context(), show, token, mode); return err }
	}
	for i, step := range []func() error{
		pause(""), pause("beat"), pause("bump"),
		func() (err error) { fresh, err = r.StepRaise(t.Context(), read, epoch); return err },
		func() (err error) { _, err = r.StepBuild(t.Context(), *fresh, token); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(crashes[i], err)
		}
		if crashes[i] == last {
			return
		}
	}
}

// A resync that died at any step leaves the show paused; whoever comes after it is refused while it may be alive, then takes over.
func TestResyncTakesOverFromTheDead(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	for name, prepare := range map[string]func() int64{
		"fresh": func() int64 { return rig.Show(t, 10, 4) },
		"on sale": func() int64 {
			show := rig.Show(t, 10, 4)
			confirm(t, rig, show, 7, 3)
			resync(t, rig, show)
			return show
		},
	} {
		for _, step := range crashes {
			t.Run(name+"/"+step, func(t *testing.T) {
				show := prepare()
				left := 10 - cutOf(t, rig, show).Row.Reserved
				crashAfter(t, rig, show, step, "dead")
				unchanged(t, rig, show, func() {
					_, err := rig.Ledger.Reserve(t.Context(), request(show, 8, 1, "a"))
					wantError(t, err, stock.ErrPaused)
					_, err = newResyncer(rig, nil).Resync(t.Context(), show, "test")
					wantError(t, err, stock.ErrResyncRunning)
				})

				heir := newResyncer(rig, nil)
				heir.SetPatience(50*time.Millisecond, 5*time.Second)
				servertest.Eventually(t, 10*time.Second, "the show is taken over", func() bool {
					_, err := heir.Resync(t.Context(), show, "test")
					if err != nil && !errors.Is(err, stock.ErrResyncRunning) {
						t.Fatal(err)
					}
					return err == nil
				})
				wantOpen(t, rig, show, left)

				// The dead one was only asleep: nothing that it does now counts.
				unchanged(t, rig, show, func() {
					sleeper := newResyncer(rig, nil)
					for _, mode := range []string{"beat", "bump"} {
						if _, err := sleeper.StepPause(t.Context(), show, "dead", mode); err == nil {
							t.Errorf("%s: the old token still holds the show", mode)
						}
					}
					late := cutOf(t, rig, show).Row
					late.Epoch += 5
					if err := sleeper.StepLoad(t.Context(), late, saleTimes(), "dead"); err == nil {
						t.Error("the old token could still load the show")
					}
				})
				reserve(t, rig, request(show, 8, 1, "a"))
			})
		}
	}
}

// Once a new epoch may be in MySQL, the show cannot be put back to what it was.
func TestNoWayBackAfterTheBump(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	reserve(t, rig, request(show, 7, 1, "a")) // stays: nobody drains
	crashAfter(t, rig, show, "raise", "dead")

	heir := newResyncer(rig, nil) // it does not wait for entries: they cannot be confirmed any more
	heir.SetPatience(time.Millisecond, 10*time.Millisecond)
	servertest.Eventually(t, 10*time.Second, "the show is taken over", func() bool {
		_, err := heir.Resync(t.Context(), show, "test")
		return err == nil
	})
	wantOpen(t, rig, show, 10)
	if row := cutOf(t, rig, show).Row; row.Epoch != 3 {
		t.Errorf("epoch %d, want 3: one that died and one that did not", row.Epoch)
	}
}
