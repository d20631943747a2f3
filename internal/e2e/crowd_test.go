package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// crowd is people who book and cancel at one API until they are told to stop, so that units come back and a sale never ends.
// It remembers what they were told.
type crowd struct {
	url  string
	show int64
	http *http.Client
	stop func() // and wait until all have

	mu    sync.Mutex
	told  map[string]string // id -> accepted, asked (to cancel, with no clear answer), cancelling or cancelled
	codes map[string]int    // answers by status, or by the code of the problem
	sold  int               // bookings that were accepted
}

// crowd sends people, who each book or cancel ten times a second.
func (d *deployment) crowd(t *testing.T, at *process, show int64, people int) *crowd {
	t.Helper()
	c := &crowd{url: at.url, show: show, told: map[string]string{}, codes: map[string]int{},
		http: &http.Client{Transport: newTransport(people), Timeout: 20 * time.Second}}
	stopping := make(chan struct{})
	var running sync.WaitGroup
	c.stop = sync.OnceFunc(func() {
		close(stopping)
		running.Wait()
		c.http.CloseIdleConnections()
	})
	t.Cleanup(c.stop)
	for user := range int64(people) {
		me := caller{url: c.url, token: token(t, user+1), http: c.http}
		running.Go(func() { c.person(me, fmt.Sprint("crowd-", user+1), stopping) })
	}
	return c
}

// person books, and cancels some of what was booked.
func (c *crowd) person(me caller, name string, stopping <-chan struct{}) {
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	var held []string
	for n, full := 0, false; ; {
		select {
		case <-stopping:
			return
		case <-pace.C:
		}
		if len(held) > 0 && (full || rand.IntN(2) == 0) {
			i := rand.IntN(len(held))
			if c.cancel(me, held[i]) {
				held = slices.Delete(held, i, i+1)
			}
			full = false
			continue
		}
		// A request that got no answer, or a 503, is repeated with the same key, as clients are told to.
		r, err := me.book(c.show, 1, fmt.Sprint("Idempotency-Key: ", name, "-", n), "Prefer: wait=1")
		c.note(r, err)
		switch {
		case err != nil || r.Status == http.StatusServiceUnavailable:
			continue
		case r.code() != "":
			full = true
		default:
			held = append(held, r.id())
			c.tell(r.id(), "accepted")
		}
		n++
	}
}

// cancel reports whether the reservation is not the person's any more, or may not be.
func (c *crowd) cancel(me caller, id string) bool {
	c.tell(id, "asked")
	r, err := me.do(http.MethodDelete, "/api/v1/reservations/"+id, "", "Prefer: wait=1")
	c.note(r, err)
	switch {
	case err == nil && r.Status < 300:
		c.tell(id, r.status())
	case err == nil && (r.code() == "pending" || r.code() == "paused"): // nothing was done
		c.tell(id, "accepted")
		return false
	}
	return true
}

func (c *crowd) tell(id, what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.told[id]; !known {
		c.sold++
	}
	c.told[id] = what
}

func (c *crowd) note(r reply, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.codes["cut"]++
	case r.code() != "" && r.Header.Get("Location") != "":
		c.codes["rejected "+r.code()]++
	case r.code() != "":
		c.codes[r.code()]++
	default:
		c.codes[fmt.Sprint(r.Status)]++
	}
}

// accepted is how many bookings were, so far.
func (c *crowd) accepted() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sold
}

// ended stops the crowd and checks that it got no answer but 2xx and the given codes, and that every reservation ended as its
// owner was told: none is lost, none is rejected after it was accepted.
func (c *crowd) ended(t *testing.T, d *deployment, codes ...string) {
	t.Helper()
	c.stop()
	t.Logf("the crowd's answers: %v", c.codes)
	for code := range c.codes {
		if code[0] != '2' && !slices.Contains(codes, code) {
			t.Errorf("%d answers %s", c.codes[code], code)
		}
	}
	rows, wrong := d.rows(t, c.show), 0
	for id, told := range c.told {
		is := rows[id]
		switch {
		case told == "accepted" && is.status == "confirmed":
		case told == "asked" && (is.status == "confirmed" || is.status == "cancelled"):
		case (told == "cancelling" || told == "cancelled") && is.status == "cancelled":
		default:
			if wrong++; wrong <= 10 {
				t.Errorf("reservation %s: its owner was told %s, and it is %+v", id, told, is)
			}
		}
	}
	if len(c.told) == 0 || wrong > 10 {
		t.Errorf("%d of %d reservations ended otherwise than their owners were told", wrong, len(c.told))
	}
}
