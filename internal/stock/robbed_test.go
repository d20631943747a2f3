package stock_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// hooked calls before each of its methods does its work.
type hooked struct {
	*booking.Store
	units, byUser func()
}

func (h hooked) ConfirmedUnits(ctx context.Context, tx *sql.Tx, show int64) (int, error) {
	if h.units != nil {
		h.units()
	}
	return h.Store.ConfirmedUnits(ctx, tx, show)
}

func (h hooked) ConfirmedByUser(ctx context.Context, show int64, each func(int64, int) error) error {
	if h.byUser != nil {
		h.byUser()
	}
	return h.Store.ConfirmedByUser(ctx, show, each)
}

// A resync that is frozen at some step is taken for dead and robbed of its show. When it wakes, it changes nothing: the
// show ends open, in the robber's epoch or a later one, the same on both sides.
func TestRobbedResync(t *testing.T) {
	t.Parallel()
	for name, freeze := range map[string]func(p *parts, frozen func()){
		"before the bump": func(p *parts, frozen func()) {
			p.calendar = func(context.Context, int64) (stock.SaleTimes, error) { frozen(); return saleTimes(), nil }
		},
		"before the load": func(p *parts, frozen func()) {
			p.confirmed = hooked{Store: p.confirmed.(*booking.Store), byUser: frozen}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := systemtest.New(t)
			show := rig.Show(t, 10, 4)
			confirm(t, rig, show, 7, 3)
			resync(t, rig, show)
			inside, goOn := make(chan struct{}), make(chan struct{})
			var once sync.Once
			victim := newResyncer(rig, func(p *parts) {
				freeze(p, func() { once.Do(func() { close(inside); <-goOn }) })
			})
			victim.SetPatience(time.Hour, time.Second) // it says too seldom that it lives
			done := make(chan error, 1)
			go func() { _, err := victim.Resync(t.Context(), show, "test"); done <- err }()
			<-inside

			robber := newResyncer(rig, nil)
			robber.SetPatience(0, time.Second)
			if _, err := robber.Resync(t.Context(), show, "test"); err != nil {
				t.Fatal("the robber:", err)
			}
			reserve(t, rig, request(show, 8, 2, "a")) // sold under the robber's epoch
			unchanged(t, rig, show, func() {
				close(goOn)
				if err := <-done; err == nil {
					t.Error("the robbed resync reports success")
				}
			})
			cut := cutOf(t, rig, show)
			if cut.Hash.State != "open" || cut.Hash.Epoch != cut.Row.Epoch || cut.Hash.Left != 5 {
				t.Errorf("afterwards: %+v; want it open with 5 left, in one epoch", cut)
			}
		})
	}
}

// Robbed while its transaction is open: the robber waits for the lock, finds another epoch than it read, and begins again.
func TestRobbedInItsTransaction(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	inside, goOn := make(chan struct{}), make(chan struct{})
	victim := newResyncer(rig, func(p *parts) {
		p.confirmed = hooked{Store: booking.NewStore(rig.DB), units: func() { close(inside); <-goOn }}
	})
	victim.SetPatience(time.Hour, time.Second)
	robber := newResyncer(rig, func(p *parts) {
		read := p.calendar
		p.calendar = func(ctx context.Context, show int64) (stock.SaleTimes, error) { // it has read MySQL's epoch and holds the show
			select {
			case <-goOn:
			default:
				close(goOn)
			}
			return read(ctx, show)
		}
	})
	robber.SetPatience(0, time.Second)
	done := make(chan error, 2)
	go func() { _, err := victim.Resync(t.Context(), show, "test"); done <- err }()
	<-inside
	go func() { _, err := robber.Resync(t.Context(), show, "test"); done <- err }()
	first, second := <-done, <-done
	if (first == nil) == (second == nil) {
		t.Errorf("got %v and %v; want one to win", first, second)
	}
	wantOpen(t, rig, show, 10)
}

// A change that was stored before its resync was robbed is not one of which nothing was done.
func TestRobbedAfterTheChange(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 4)
	confirm(t, rig, show, 7, 3)
	victim := newResyncer(rig, func(p *parts) {
		p.confirmed = hooked{Store: p.confirmed.(*booking.Store), byUser: func() {
			robber := newResyncer(rig, nil)
			robber.SetPatience(0, time.Second)
			if _, err := robber.Resync(t.Context(), show, "test"); err != nil {
				t.Error("the robber:", err)
			}
		}}
	})
	victim.SetPatience(time.Hour, time.Second) // it says too seldom that it lives
	_, err := victim.Change(t.Context(), show, stock.Change{Capacity: 20, Limit: 4})
	wantOpen(t, rig, show, 17)
	if err == nil || errors.Is(err, stock.ErrResyncRunning) {
		t.Errorf("%v; want an error that does not say that nothing was done", err)
	}
}
