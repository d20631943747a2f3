// Package rush sends a crowd of buyers at a running system, then checks what became of each one: booked buyers have one row,
// refused buyers have none, nothing is over capacity, nothing is still waiting, and Redis and MySQL agree.
//
// It creates its own show and customers, books over HTTP as customers do, and reads MySQL and Redis only to check. It can also
// break things on purpose: kill a worker, or lose replies. Afterwards the sale is closed; the show and its customers stay.
package rush

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/neticket/neticket/internal/loadgen"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/system"
)

// Options of a rush. All are required but for KillWorker, DropReplies and Live.
type Options struct {
	URL         string        // of the API, such as http://127.0.0.1:8080
	Buyers      int           // each books one ticket
	Capacity    int           // tickets there are
	Over        time.Duration // the buyers arrive spread over this; 0: all at once
	Connections int           // open at the same time, at most
	KillWorker  bool          // kill one worker process of this machine in the middle
	DropReplies int           // percent of the buyers whose first reply is lost

	Live func(line string) // called with the progress, about ten times a second; may be nil
}

// Run creates the show and the customers, sends them, waits until every booking is recorded, and checks. A nil error means that
// the report is complete; the report says whether the invariants hold. Run closes the sale in any case.
func Run(ctx context.Context, s *system.System, o Options) (report Report, err error) {
	if o.Live == nil {
		o.Live = func(string) {}
	}
	api, err := newAPI(o.URL)
	if err != nil {
		return Report{}, err
	}
	killer := &killer{monitor: stream.NewMonitor(s.Group)}
	if o.KillWorker { // better now than in the middle
		if err := killer.check(ctx); err != nil {
			return Report{}, fmt.Errorf("kill a worker: %w", err)
		}
	}
	var stage *stage
	err = during(ctx, o.Live, "making", func() string { return Thousands(o.Buyers) + " buyers and a show" }, func(ctx context.Context) (err error) {
		stage, err = build(ctx, s, o)
		return err
	})
	if err != nil {
		return Report{}, err
	}
	defer func() {
		if closed := stage.close(ctx, s); closed != nil {
			err = errors.Join(err, fmt.Errorf("close the sale of show %d: %w", stage.show.ID, closed))
		}
	}()
	if err := api.wait(ctx, stage.show, stage.buyers[0].token); err != nil {
		return Report{}, err
	}
	crowd, watch := newCrowd(stage, api, o), &watch{system: s, show: stage.show.ID}
	if err := crowd.rush(ctx, o, watch, killer); err != nil {
		return Report{}, err
	}
	var found found
	err = during(ctx, o.Live, "checking", func() string { return "every answer and every row" }, func(ctx context.Context) (err error) {
		found, err = look(ctx, s, stage.show.ID)
		return errors.Join(err, killer.settle(ctx))
	})
	if err != nil {
		return Report{}, err
	}
	return crowd.report(o, found, killer.victim, watch.recordedAfter), nil
}

// rush opens the connections, sends the buyers, and waits until everything is recorded. If recording gets stuck, that is for the
// checks to report.
func (c *crowd) rush(ctx context.Context, o Options, w *watch, k *killer) error {
	g, err := loadgen.New(ctx, loadgen.Options{Addr: c.api.addr, Connections: o.Connections, Keep: true,
		Greeting: loadgen.AppendRequest(nil, "GET", c.api.host, c.api.showPath(c.show.ID), "")})
	if err != nil {
		return err
	}
	defer g.Close()
	opened := func() string {
		return fmt.Sprintf("%s of %s connections", Thousands(g.Progress().Open), Thousands(o.Connections))
	}
	if err := during(ctx, o.Live, "opening", opened, g.Open); err != nil {
		return fmt.Errorf("%w (fewer --connections may be what the API can have open)", err)
	}
	w.began = time.Now()
	how := func() string { return c.progress() + ", " + w.progress() }
	err = during(ctx, o.Live, "rush", how, func(ctx context.Context) error { return c.send(ctx, g, w, k, o.KillWorker) })
	if err == nil {
		err = during(ctx, o.Live, "recording", w.progress, w.drain)
	}
	if errors.Is(err, errStuck) {
		return nil
	}
	return err
}
