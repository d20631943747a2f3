package rush

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// liveEvery is how often what is going on is shown.
const liveEvery = 100 * time.Millisecond

// during calls do, and meanwhile shows, ten times a second, how far a phase is.
func during(ctx context.Context, show func(string), phase string, how func() string, do func(context.Context) error) error {
	began := time.Now()
	line := func() { show(fmt.Sprintf("%s %.1f s  %s", phase, time.Since(began).Seconds(), how())) }
	done, end := context.WithCancel(ctx)
	defer end()
	var group errgroup.Group
	group.Go(func() error {
		defer end()
		return do(ctx)
	})
	group.Go(func() error {
		tick := time.NewTicker(liveEvery)
		defer tick.Stop()
		for {
			line()
			select {
			case <-done.Done():
				line()
				return nil
			case <-tick.C:
			}
		}
	})
	return group.Wait()
}
