package e2e

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// TestSellOut is 20,000 people over 256 connections for 1,000 units.
func TestSellOut(t *testing.T) {
	t.Parallel()
	const buyers, conns, capacity = 20_000, 256, 1_000
	d := deploy(t)
	show := d.Show(t, capacity, 0)
	d.start(t, "api")
	d.start(t, "worker")

	r := d.run(t, show, buyers, conns, nil)
	if len(r.accepted) != capacity || r.codes["sold_out"] != buyers-capacity {
		t.Errorf("answers %v; want %d accepted, %d sold_out", r.codes, capacity, buyers-capacity)
	}
	if confirmed := d.ended(t, show, r.accepted); confirmed != capacity {
		t.Errorf("%d units confirmed in MySQL, want %d", confirmed, capacity)
	}
	d.sound(t)
}

// TestBrokenTwinOversells shows that TestSellOut could fail: a ledger that checks, then decrements, in two steps.
func TestBrokenTwinOversells(t *testing.T) {
	t.Parallel()
	const buyers, conns, capacity = 20_000, 256, 1_000
	server := servertest.Redis(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), PoolSize: conns, MaxRetries: -1})
	defer client.Close()
	client.Set(t.Context(), "left", capacity, 0)
	var sold, next atomic.Int64
	var callers sync.WaitGroup
	for range conns {
		callers.Go(func() {
			for next.Add(1) <= buyers {
				if left, err := client.Get(t.Context(), "left").Int(); err == nil && left > 0 {
					client.Decr(t.Context(), "left")
					sold.Add(1)
				}
			}
		})
	}
	callers.Wait()
	if sold.Load() <= capacity {
		t.Errorf("the broken twin sold %d of %d: this load finds nothing", sold.Load(), capacity)
	}
}

// TestWorkerKilledInARush kills the worker five times at random moments of a rush.
func TestWorkerKilledInARush(t *testing.T) {
	t.Parallel()
	const buyers, conns, capacity, kills = 12_000, 32, 8_000, 5
	d := deploy(t)
	show := d.Show(t, capacity, 0)
	d.start(t, "api")

	done := make(chan *rush, 1)
	go func() { done <- d.run(t, show, buyers, conns, nil) }()
	for range kills {
		worker := d.start(t, "worker")
		at := rand.Int64N(400) // any moment will do
		moment := time.NewTimer(time.Duration(at) * time.Millisecond)
		<-moment.C
		if err := worker.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	d.start(t, "worker")
	r := <-done
	if len(r.accepted) != capacity {
		t.Errorf("answers %v; want %d accepted", r.codes, capacity)
	}
	if confirmed := d.ended(t, show, r.accepted); confirmed != capacity {
		t.Errorf("%d units confirmed, want %d", confirmed, capacity)
	}
	d.sound(t)
}

// TestCancelsAtOnce cancels each of 100 reservations four times at the same time.
func TestCancelsAtOnce(t *testing.T) {
	t.Parallel()
	const people, times, units = 100, 4, 3
	d := deploy(t)
	show := d.Show(t, people*units, 0)
	d.start(t, "api")
	d.start(t, "worker")

	var callers sync.WaitGroup
	for user := range int64(people) {
		callers.Go(func() {
			customer := d.as(t, user+1)
			booked, err := customer.book(show, units, "Prefer: wait=10")
			if err != nil || booked.Status != http.StatusCreated {
				t.Errorf("book: %+v, %v", booked, err)
				return
			}
			var cancels sync.WaitGroup
			for range times {
				cancels.Go(func() {
					r, err := customer.do("DELETE", "/api/v1/reservations/"+booked.id(), "", "Prefer: wait=10")
					if err != nil || r.Status != http.StatusOK || r.status() != "cancelled" {
						t.Errorf("cancel: %+v, %v", r, err)
					}
				})
			}
			cancels.Wait()
		})
	}
	callers.Wait()
	d.Settled(t, 20*time.Second, show)
	d.wantLeft(t, show, people*units)
	d.sound(t)
}

// TestNoCancelAfterTheStart: Redis's clock decides.
func TestNoCancelAfterTheStart(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.start(t, "api")
	d.start(t, "worker")
	now := time.Now()
	starts := now.Add(5 * time.Second) // time enough to book, on a busy machine too
	show := d.ShowAt(t, 10, 0, now.Add(-time.Hour), starts, starts)
	customer := d.as(t, 1)
	booked, err := customer.book(show, 2, "Prefer: wait=3")
	if err != nil || booked.Status != http.StatusCreated || booked.Body["cancellable"] != true {
		t.Fatalf("book: %+v, %v", booked, err)
	}
	path := "/api/v1" + bookedAt(show) + booked.id()
	servertest.Eventually(t, 20*time.Second, "the show starts", func() bool {
		return customer.must(t, "GET", path, "").Body["cancellable"] == false
	})
	if r := customer.must(t, "DELETE", path, ""); r.Status != http.StatusConflict || r.code() != "show_started" {
		t.Errorf("cancel after the start: %+v", r)
	}
	if r, err := customer.book(show, 1); err != nil || r.code() != "closed" {
		t.Errorf("book after the start: %+v, %v", r, err)
	}
}
