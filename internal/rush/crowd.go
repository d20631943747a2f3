package rush

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/neticket/neticket/internal/loadgen"
)

// crowd is the buyers on their way.
type crowd struct {
	*stage
	api  api
	over time.Duration
	drop int // percent

	arrived, booked, refused, retrying atomic.Int64 // buyers
}

func newCrowd(st *stage, a api, o Options) *crowd {
	return &crowd{stage: st, api: a, over: o.Over, drop: o.DropReplies}
}

// send sends everybody and returns when each has a last answer. Meanwhile the watch watches, and the killer strikes if it is to.
func (c *crowd) send(ctx context.Context, g *loadgen.Generator, w *watch, k *killer, kill bool) error {
	// All buyers give up in time; this is for a generator that does not.
	ctx, cancel := context.WithTimeout(ctx, c.over+2*patience)
	defer cancel()
	all, ctx := errgroup.WithContext(ctx)
	sent, done := context.WithCancel(ctx)
	defer done()
	all.Go(func() error { return w.look(sent) })
	if kill {
		all.Go(func() error { return k.strike(ctx, w.began, sent.Done(), c.halfway) })
	}
	all.Go(func() error {
		defer done()
		return g.Run(ctx, loadgen.Load{Requests: len(c.buyers), Over: c.over, Request: c.request, Answered: c.answered})
	})
	if err := all.Wait(); err != nil {
		return fmt.Errorf("send the buyers: %w", err)
	}
	return nil
}

// request is the booking of a buyer. It is the same at every try.
func (c *crowd) request(b []byte, i, try int) loadgen.Request {
	r := loadgen.Request{Bytes: loadgen.AppendRequest(b, "POST", c.api.host, c.api.showPath(c.show.ID)+"/reservations", `{"units":1}`,
		"Authorization: Bearer "+c.buyers[i].token, "Idempotency-Key: "+key)}
	if n := i * c.drop / 100; try == 0 && (i+1)*c.drop/100 > n { // evenly, and of every 100 exactly as many as wanted
		c.buyers[i].dropped = true
		r.Drop = loadgen.Unread
		if n%2 == 1 {
			r.Drop = loadgen.OnAnswer
		}
	}
	return r
}

func (c *crowd) answered(i, try int, a loadgen.Answer) loadgen.Again {
	b := &c.buyers[i]
	again := b.answered(a)
	if try == 0 {
		c.arrived.Add(1)
	}
	if again.Send && try == 0 {
		c.retrying.Add(1)
	} else if !again.Send && try > 0 {
		c.retrying.Add(-1)
	}
	switch {
	case again.Send:
	case b.booked():
		c.booked.Add(1)
	case b.refused():
		c.refused.Add(1)
	}
	return again
}

// halfway reports whether half of what can be sold is sold, or half of the buyers have been answered.
func (c *crowd) halfway() bool {
	return 2*c.booked.Load() >= int64(min(c.terms.Capacity, len(c.buyers))) || 2*c.arrived.Load() >= int64(len(c.buyers))
}

// progress is for people.
func (c *crowd) progress() string {
	text := Thousands(int(c.booked.Load())) + " booked, " + Thousands(int(c.refused.Load())) + " sold out"
	if n := c.retrying.Load(); n > 0 {
		text += ", " + Thousands(int(n)) + " retry"
	}
	return text
}
