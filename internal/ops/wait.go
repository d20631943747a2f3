package ops

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 2 * time.Second
	logEvery   = 5 * time.Second
)

// WaitFor waits at start until check succeeds for the dependency called name: it tries at once, then with growing pauses
// (100 ms to 2 s, spread by half so that processes do not come together), and says in the log and in health what it waits
// for. It gives up after timeout, which is NETICKET_START_TIMEOUT, with the last error of check, or when ctx ends. Each try
// is given 2 s. Errors of check are logged: see AddCheck for what they must not hold.
func WaitFor(
	ctx context.Context, log *slog.Logger, timeout time.Duration, name string, check func(context.Context) error, health *Health,
) error {
	health.SetStarting("waiting for " + name)
	begin := time.Now()
	var logged time.Time
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := try(ctx, check)
		if err == nil {
			return nil
		}
		waited := time.Since(begin)
		if waited >= timeout {
			return fmt.Errorf("wait for %s: gave up after %v (NETICKET_START_TIMEOUT): %w", name, timeout, err)
		}
		if time.Since(logged) >= logEvery {
			logged = time.Now()
			log.WarnContext(ctx, "waiting for "+name, "waited", waited.Round(time.Millisecond).String(), "error", short(err))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", name, context.Cause(ctx))
		case <-time.After(min(pause/2+rand.N(pause), timeout-waited)): //nolint:gosec // jitter needs no secret randomness
		}
	}
}

func try(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return check(ctx)
}
