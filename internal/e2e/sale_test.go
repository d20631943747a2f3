package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// sale is people who book, look and cancel, until it is ended. It keeps what they were told.
type sale struct {
	shows []int64
	began time.Time
	end   func() // ends it, and returns when everyone has left

	mu     sync.Mutex
	claims []*claim
	codes  map[string]int // answers by word
	fault  time.Time      // what was asked for later may not be lost
}

// claim is a reservation that was accepted, and what its owner was told of it.
type claim struct {
	id         string
	show       int64
	owner      caller
	key        string
	units      int
	asked      time.Time // when it was asked for first
	accepted   time.Time // when it was accepted last: where it was forgotten, it is asked for again
	confirmed  bool      // it was called confirmed
	givenUp    bool      // its owner asked for it to be cancelled
	cancelled  bool      // it was called cancelled
	overAndOut bool      // its owner asks for it no more
}

// shows adds three shows to sell: a small one, one of the same shard that never sells out, so that there is always something
// pending, and a small one with a limit per person.
func (d *deployment) shows(t *testing.T) []int64 {
	t.Helper()
	small := d.Show(t, 40, 0)
	neighbour := d.Show(t, 100_000, 0)
	for d.Shards.Of(neighbour) != d.Shards.Of(small) {
		neighbour = d.Show(t, 100_000, 0)
	}
	return []int64{small, neighbour, d.Show(t, 40, 3)}
}

// sell begins a sale. Small shows are nearly sold out after a moment and stay so: who finds one full gives something back.
func (d *deployment) sell(t *testing.T, shows ...int64) *sale {
	t.Helper()
	const people = 12
	s := &sale{shows: shows, began: time.Now(), codes: map[string]int{}}
	stop := make(chan struct{})
	client := &http.Client{Transport: newTransport(people), Timeout: 20 * time.Second}
	var all sync.WaitGroup
	for n := range people {
		p := &person{sale: s, t: t, stop: stop, pace: time.NewTicker(20 * time.Millisecond), full: map[int64]int{}}
		for i := range 5 { // one person's accounts: who has reached a limit goes on with the next
			p.as = append(p.as, caller{url: d.url, token: token(t, int64(1+n*5+i)), http: client})
		}
		all.Go(p.live)
	}
	all.Go(func() { d.oversee(t, shows, stop) })
	s.end = sync.OnceFunc(func() { close(stop); all.Wait(); client.CloseIdleConnections() })
	t.Cleanup(s.end)
	s.sells(t, "at all")
	servertest.Eventually(t, 10*time.Second, "a small show is full", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.codes["sold_out"] > 0
	})
	return s
}

// oversee checks, until stop is closed, that no show has more units confirmed than there are, or counted.
func (d *deployment) oversee(t *testing.T, shows []int64, stop <-chan struct{}) {
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		for _, show := range shows {
			var capacity, reserved, confirmed int
			err := d.DB.QueryRow(`SELECT capacity, reserved, (SELECT COALESCE(SUM(units), 0) FROM reservations
				WHERE show_id = s.show_id AND status = 'confirmed') FROM stock s WHERE show_id = ?`, show).Scan(&capacity, &reserved, &confirmed)
			if err != nil || reserved > capacity || confirmed != reserved {
				t.Errorf("show %d: capacity %d, reserved %d, confirmed %d, %v", show, capacity, reserved, confirmed, err)
			}
		}
		select {
		case <-stop:
			return
		case <-look.C:
		}
	}
}

// sells waits until every show has confirmed a booking that was asked for after this moment.
func (s *sale) sells(t *testing.T, when string) {
	t.Helper()
	began := time.Now()
	servertest.Eventually(t, 15*time.Second, "the shows sell "+when, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		selling := map[int64]bool{}
		for _, c := range s.claims {
			if c.confirmed && c.asked.After(began) {
				selling[c.show] = true
			}
		}
		return len(selling) == len(s.shows)
	})
}

// recovers says that a fault is over by now, and waits until every show sells again.
func (s *sale) recovers(t *testing.T) {
	t.Helper()
	s.fault = time.Now()
	s.sells(t, "again")
}

// check ends the sale and looks at what became of everyone: see faults. All invariants hold, and selling was never away for more
// than 15 s.
func (s *sale) check(t *testing.T, d *deployment, may ...string) {
	t.Helper()
	s.end()
	d.Settled(t, 30*time.Second, s.shows...)
	for _, fault := range s.faults(t, d, may...) {
		t.Error(fault)
	}
	d.sound(t)
}

// faults names every claim that did not end as it has to. Whoever was told "confirmed" has it still, but for those who gave it
// back; whoever was accepted is confirmed, or has cancelled, or, asked for before the fault was over, ended in a way that may be:
// "lost", or "404" where there is not even a marker.
func (s *sale) faults(t *testing.T, d *deployment, may ...string) (faults []string) {
	t.Helper()
	rows := map[string]row{}
	for _, show := range s.shows {
		for id, r := range d.reservations(t, show) {
			rows[id] = r
			if r.status == "rejected" && !slices.Contains(may, r.reason) { // of those who waited for their answer, too
				faults = append(faults, fmt.Sprintf("show %d: reservation %s is rejected as %s", show, id, r.reason))
			}
		}
	}
	ends, sold := map[string]int{}, map[int64][]time.Time{}
	for _, c := range s.claims {
		end := c.end(t, rows)
		ends[end]++
		switch {
		case end == "confirmed" && !c.cancelled, end == "cancelled" && c.givenUp:
			sold[c.show] = append(sold[c.show], c.accepted)
		case !c.confirmed && slices.Contains(may, end) && c.asked.Before(s.fault):
		default:
			faults = append(faults, fmt.Sprintf("ended as %s: %v", end, c))
		}
	}
	for _, show := range s.shows {
		away := longest(s.began, sold[show])
		t.Logf("show %d: selling was away for %v at most", show, away.Round(time.Millisecond))
		if away > 15*time.Second {
			faults = append(faults, fmt.Sprintf("show %d: selling was away for %v", show, away))
		}
	}
	t.Logf("answers %v; accepted ones ended as %v", s.codes, ends)
	return faults
}

// end is what MySQL, or without a row the API, says of a claim: its status, or the reason of its rejection.
func (c *claim) end(t *testing.T, rows map[string]row) string {
	t.Helper()
	if r, ok := rows[c.id]; ok {
		if r.status == "rejected" {
			return r.reason
		}
		return r.status
	}
	r := c.owner.must(t, "GET", c.path(), "")
	if reason, ok := r.Body["reason"].(string); ok {
		return reason
	}
	if r.Status == http.StatusNotFound {
		return "404"
	}
	return word(r, nil) + r.status()
}

func (c *claim) String() string {
	return fmt.Sprintf("%s of show %d: asked for at %s, accepted at %s, confirmed %t, given up %t, cancelled %t", c.id, c.show,
		c.asked.Format(time.StampMicro), c.accepted.Format(time.StampMicro), c.confirmed, c.givenUp, c.cancelled)
}

func (c *claim) path() string { return "/api/v1" + bookedAt(c.show) + c.id }

// longest returns the longest time without a sale.
func longest(began time.Time, sold []time.Time) time.Duration {
	slices.SortFunc(sold, time.Time.Compare)
	var most time.Duration
	for _, at := range sold {
		most = max(most, at.Sub(began))
		began = at
	}
	return most
}

// roll is true once in n times.
func roll(n int) bool { return rand.N(n) == 0 }
