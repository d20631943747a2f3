package stock_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// Where no worker lives, what lies in the stream is recorded by the resync itself.
func TestResyncDrainsWithoutAWorker(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 20, 4)
	for i, key := range []string{"a", "b"} { // the second time it must not take itself for a worker
		for user := range int64(3) {
			reserve(t, rig, request(show, user+1, 2, key))
		}
		left := 14 - 6*i
		if got := resync(t, rig, show); got.Before != left || got.After != left {
			t.Errorf("%+v; want %d left before and after", got, left)
		}
		wantOpen(t, rig, show, left)
	}
	if users := usersOf(t, rig, show); len(users) != 3 || users["1"] != "4" {
		t.Errorf("users hold %v; want 3 with 4 each", users)
	}
}

// A stream that could not be read has not been drained.
func TestResyncDoesNotTakeAnErrorForDrained(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	proxy := systemtest.NewProxy(t, rig.RedisServer.Addr())
	other := sibling(t, rig, proxy.Addr())
	other.Resyncer.SetPatience(10*time.Second, 100*time.Millisecond)
	show := load(t, rig, 10, 0)
	reserve(t, rig, request(show, 7, 2, "a"))
	deleteHash(t, rig, show) // so that only the stream tells
	proxy.Rule(func(request []byte) systemtest.Fate {
		if bytes.Contains(request, []byte("xrange")) {
			return systemtest.LoseAnswer
		}
		return systemtest.Deliver
	})
	if _, err := other.Resyncer.Resync(t.Context(), show, "test"); err == nil {
		t.Errorf("resynced under epoch %d: the pending booking is lost now", cutOf(t, rig, show).Row.Epoch)
	}
}

func TestResyncWaitsForTheWorker(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	reserve(t, rig, request(show, 7, 2, "a"))
	r := newResyncer(rig, func(p *parts) { // it finds the show paused and its entry there; then a worker starts
		p.drain = func(context.Context, int) error { rig.Work(t, "w1"); return nil }
	})
	if got, err := r.Resync(t.Context(), show, "test"); err != nil || got.After != 8 {
		t.Errorf("%+v, %v; want 8 left", got, err)
	}
	wantOpen(t, rig, show, 8)
}

// What cannot be drained stops a resync before anything has changed.
func TestResyncNotDrained(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	r := newResyncer(rig, nil) // nobody drains
	r.SetPatience(10*time.Second, 200*time.Millisecond)
	for name, test := range map[string]struct {
		change func(*testing.T, *systemtest.Rig, int64)
		state  string
	}{
		"on sale":            {nil, "open"},
		"distrusted":         {set("state", "unloaded", "distrust", "1"), "unloaded"},
		"a key deleted":      {deleteHash, ""},
		"counts that differ": {set("settled", 9), "open"},
	} {
		t.Run(name, func(t *testing.T) {
			show := load(t, rig, 10, 4)
			reserve(t, rig, request(show, 7, 2, "a"))
			if test.change != nil {
				test.change(t, rig, show)
			}
			before := hashOf(t, rig, show)
			_, err := r.Resync(t.Context(), show, "test")
			wantError(t, err, stock.ErrNotDrained)
			after := hashOf(t, rig, show)
			for _, field := range []string{"state", "epoch", "left", "seq", "settled", "limit", "bump"} {
				if after[field] != before[field] {
					t.Errorf("%s is %q, was %q", field, after[field], before[field])
				}
			}
			if after["state"] != test.state {
				t.Errorf("state %q, want %q", after["state"], test.state)
			}
			if row := cutOf(t, rig, show).Row; row.Epoch != 1 {
				t.Errorf("MySQL's epoch is %d, was 1", row.Epoch)
			}
			if test.state == "open" {
				reserve(t, rig, request(show, 8, 1, "a"))
			}
		})
	}
}

// Counts that will never agree do not block a show whose entries are all gone.
func TestResyncOfCountsThatNeverAgree(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	set("seq", 5, "left", 3)(t, rig, show)
	r := newResyncer(rig, nil)
	r.SetPatience(10*time.Second, 50*time.Millisecond)
	if _, err := r.Resync(t.Context(), show, "test"); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, rig, show, 10)
}
