package stock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func TestResyncLoadsAFreshShow(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := rig.Show(t, 10, 4)
	confirm(t, rig, show, 7, 3)
	if got, want := resync(t, rig, show), (stock.Resynced{Before: 7, After: 7, Epoch: 1}); got != want {
		t.Errorf("first load: %+v, want %+v", got, want)
	}
	wantOpen(t, rig, show, 7)
	if diff := cmp.Diff(map[string]string{"7": "3"}, usersOf(t, rig, show)); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}

	set("left", 2)(t, rig, show) // by hand
	if got, want := resync(t, rig, show), (stock.Resynced{Before: 2, After: 7, Drift: -5, Epoch: 2}); got != want {
		t.Errorf("second load: %+v, want %+v", got, want)
	}
	wantOpen(t, rig, show, 7)
	if n := counter(t, rig.Registry, "neticket_resyncs_total", "test", "ok"); n != 2 {
		t.Errorf("%v resyncs counted, want 2", n)
	}
}

// MySQL's sum of confirmed units is the truth, also where stock.reserved is not it.
func TestResyncMendsReserved(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	confirm(t, rig, show, 7, 3)
	exec(t, rig.DB, "UPDATE stock SET reserved = 9 WHERE show_id = ?", show)
	resync(t, rig, show)
	wantOpen(t, rig, show, 7)
}

// The epoch is above both the hash's and MySQL's.
func TestResyncEpoch(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	for _, test := range []struct{ hash, mysql, want int64 }{{1, 1, 2}, {5, 1, 6}, {1, 5, 6}, {0, 5, 6}} {
		show := load(t, rig, 10, 0)
		exec(t, rig.DB, "UPDATE stock SET epoch = ? WHERE show_id = ?", test.mysql, show)
		if test.hash == 0 {
			deleteHash(t, rig, show)
		} else {
			set("epoch", test.hash)(t, rig, show)
		}
		if got := resync(t, rig, show).Epoch; got != test.want {
			t.Errorf("epoch %d in Redis, %d in MySQL: then %d, want %d", test.hash, test.mysql, got, test.want)
		}
		wantOpen(t, rig, show, 10)
	}
}

func TestResyncOfNoShow(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	_, err := rig.Resyncer.Resync(t.Context(), 12345, "test")
	wantError(t, err, stock.ErrNoShow)
	if hash := hashOf(t, rig, 12345); len(hash) > 0 {
		t.Errorf("it left %v", hash)
	}
}

// While a resync runs, another is refused, and the show ends open under one epoch on both sides.
func TestTwoResyncsAtOnce(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	inside, goOn := make(chan struct{}), make(chan struct{})
	first := newResyncer(rig, func(p *parts) {
		p.calendar = func(context.Context, int64) (stock.SaleTimes, error) {
			close(inside)
			<-goOn
			return saleTimes(), nil
		}
	})
	done := make(chan error, 1)
	go func() { _, err := first.Resync(t.Context(), show, "test"); done <- err }()
	<-inside
	_, err := rig.Resyncer.Resync(t.Context(), show, "test")
	wantError(t, err, stock.ErrResyncRunning)
	_, err = rig.Ledger.Reserve(t.Context(), request(show, 7, 1, "a"))
	wantError(t, err, stock.ErrPaused)
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	wantOpen(t, rig, show, 10)
	if row := cutOf(t, rig, show).Row; row.Epoch != 2 {
		t.Errorf("epoch %d, want 2", row.Epoch)
	}
}

func TestManyResyncsAtOnce(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := rig.Show(t, 10, 2)
	confirm(t, rig, show, 7, 2)
	for range 10 {
		var all sync.WaitGroup
		results := make(chan error, 4)
		for range cap(results) {
			all.Go(func() {
				_, err := newResyncer(rig, nil).Resync(t.Context(), show, "test")
				results <- err
			})
		}
		all.Wait()
		won := 0
		for range cap(results) {
			switch err := <-results; {
			case err == nil:
				won++
			case !errors.Is(err, stock.ErrResyncRunning):
				t.Error(err)
			}
		}
		if won == 0 {
			t.Error("no resync won")
		}
		wantOpen(t, rig, show, 8)
	}
}

func TestResyncRebuildsUsers(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	for _, users := range []int{0, 1, 999, 1000, 2001} { // 1000 a round trip
		show := rig.Show(t, 10000, 4)
		want, values := map[string]string{}, make([]string, users)
		for i := range values {
			user, units := int64(i+1), 1+i%4
			id := booking.NewID(user, show, "a")
			values[i] = fmt.Sprintf("(x'%x', %d, %d, %d, 'confirmed', 1, 1, NOW(3))", id[:], show, user, units)
			want[fmt.Sprint(user)] = fmt.Sprint(units)
		}
		if users > 0 {
			exec(t, rig.DB, "INSERT INTO reservations (id, show_id, user_id, units, status, epoch, seq, booked_at) VALUES "+strings.Join(values, ","))
		}
		// What was there before goes.
		rig.Redis.HSet(t.Context(), rig.Shards.Users(show), 99999, 4)
		resync(t, rig, show)
		if diff := cmp.Diff(want, usersOf(t, rig, show)); diff != "" {
			t.Fatalf("%d users (-want +got):\n%s", users, diff)
		}
		if users == 0 {
			continue
		}
		if ttl := rig.Redis.TTL(t.Context(), rig.Shards.Users(show)).Val(); ttl != -1 {
			t.Errorf("the units per user go in %v", ttl)
		}
		_, err := rig.Ledger.Reserve(t.Context(), request(show, 1, 4, "b"))
		wantError(t, err, &stock.LimitError{Held: 1, Limit: 4})

		exec(t, rig.DB, "UPDATE stock SET limit_per_user = 0 WHERE show_id = ?", show)
		resync(t, rig, show)
		if left := usersOf(t, rig, show); len(left) != 0 {
			t.Errorf("%d users are counted in a show without a limit", len(left))
		}
		reserve(t, rig, request(show, 1, 4, "b"))
	}
}
