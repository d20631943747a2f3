package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"
)

// person does one thing after the other in a sale: books with a new key, looks, or cancels, whether or not it waits for the
// outcome. Whatever is not answered, or answered 503, is sent again, with the same key, as clients are told to.
type person struct {
	*sale
	t    *testing.T
	stop <-chan struct{}
	pace *time.Ticker // so that all sales of a machine fit on it

	as   []caller
	own  []*claim
	full map[int64]int // how much to give back of a show that was found full
	keys int
}

func (p *person) live() {
	defer p.pace.Stop()
	for p.rest() {
		show := p.shows[rand.N(len(p.shows))]
		p.own = slices.DeleteFunc(p.own, func(c *claim) bool { return c.overAndOut })
		held := slices.DeleteFunc(slices.Clone(p.own), func(c *claim) bool { return c.show != show })
		switch {
		case len(held) > 0 && (p.full[show] > 0 || roll(8)):
			p.full[show]--
			p.cancel(held[rand.N(len(held))])
		case len(held) > 0 && roll(3):
			p.look(held[rand.N(len(held))])
		default:
			p.keys++
			p.book(&claim{show: show, owner: p.as[rand.N(len(p.as))], key: fmt.Sprint(p.began.UnixNano(), "-", p.keys), units: 1 + rand.N(2), asked: time.Now()})
		}
	}
}

// rest is false when the sale is over.
func (p *person) rest() bool {
	select {
	case <-p.stop:
		return false
	case <-p.pace.C:
		return true
	}
}

// ask sends a request until it is answered; ok is false when the sale ended first.
func (p *person) ask(as caller, method, path, body string, headers ...string) (r reply, ok bool) {
	if roll(4) {
		headers = append(headers, "Prefer: wait=1")
	}
	for {
		r, err := as.do(method, path, body, headers...)
		p.mu.Lock()
		p.codes[word(r, err)]++
		p.mu.Unlock()
		if err == nil && r.Status != http.StatusServiceUnavailable {
			return r, true
		}
		if !p.rest() {
			return reply{}, false
		}
	}
}

func (p *person) book(c *claim) {
	r, ok := p.ask(c.owner, "POST", fmt.Sprintf("/api/v1/shows/%d/reservations", c.show), fmt.Sprintf(`{"units":%d}`, c.units), "Idempotency-Key: "+c.key)
	switch {
	case !ok, r.code() == "lost":
	case r.code() == "sold_out", r.code() == "limit_reached":
		p.full[c.show] = 4
	case r.id() == "":
		p.t.Errorf("book: %+v", r)
	default:
		p.mu.Lock()
		if c.accepted = time.Now(); c.id == "" {
			p.claims = append(p.claims, c)
			p.own = append(p.own, c)
		}
		c.id = r.id()
		p.mu.Unlock()
		p.hearReply(c, r)
	}
}

func (p *person) look(c *claim) {
	r, ok := p.ask(c.owner, "GET", c.path(), "")
	switch {
	case !ok:
	case r.Status == http.StatusNotFound:
		p.forgotten(c)
	case r.Status != http.StatusOK:
		p.t.Errorf("look at %s: %+v", c.id, r)
	default:
		p.hearReply(c, r)
	}
}

func (p *person) cancel(c *claim) {
	p.mu.Lock()
	c.givenUp = true
	p.mu.Unlock()
	r, ok := p.ask(c.owner, "DELETE", c.path(), "")
	switch {
	case !ok, r.code() == "pending":
	case r.Status == http.StatusNotFound:
		p.forgotten(c)
	case r.code() == "not_cancellable":
		p.hear(c, "rejected")
	case r.Status != http.StatusOK && r.Status != http.StatusAccepted:
		p.t.Errorf("cancel %s: %+v", c.id, r)
	default:
		p.hearReply(c, r)
	}
}

// hearReply is hear for an answer, unless its status is provisional: that is no news of the outcome.
func (p *person) hearReply(c *claim, r reply) {
	if r.Header.Get("Reservation-Provisional") == "" {
		p.hear(c, r.status())
	}
}

// forgotten is what a person does about a reservation that is not there: some send the same key again.
func (p *person) forgotten(c *claim) {
	if p.hear(c, "404"); roll(2) {
		p.book(c)
	} else {
		c.overAndOut = true
	}
}

// hear notes what a person was told of a reservation: what was confirmed stays so until it is cancelled, which is for good.
func (p *person) hear(c *claim, status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case status == "confirmed" && !c.cancelled:
		c.confirmed = true
	case status == "cancelling" && c.givenUp && !c.cancelled:
		c.confirmed = true // only those are cancelled
	case status == "cancelled" && c.givenUp:
		c.confirmed, c.cancelled, c.overAndOut = true, true, true
	case status == "pending" && !c.confirmed, status == "404" && !c.confirmed:
	case status == "rejected" && !c.confirmed:
		c.overAndOut = true
	default:
		p.t.Errorf("called %s: %v", status, c)
	}
}
