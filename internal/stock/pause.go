package stock

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// hold is what pause.lua knows of a show.
type hold struct {
	epoch        int64 // 0: the hash had none
	seq, settled int64
	lost         bool // the stream or its group is missing
	bumped       bool // a new epoch may be in MySQL: there is no way back
}

// pause calls pause.lua; mode is "", "beat", "make" or "bump".
func (r *Resyncer) pause(ctx context.Context, show int64, token, mode string) (hold, error) {
	keys := []string{r.ledger.shards.Show(show), r.ledger.shards.Entries(r.ledger.shards.Of(show))}
	reply, err := run(ctx, r.ledger.client, r.ledger.scripts.pause, keys, token, r.ledger.options.Group, r.takeOver.Milliseconds(), mode)
	if err != nil {
		return hold{}, fmt.Errorf("pause: %w", err)
	}
	switch reply.word() {
	case "ok":
		return hold{epoch: reply.number(1), seq: reply.number(2), settled: reply.number(3), bumped: reply.text(4) == "1", lost: reply.text(5) == "1"}, nil
	case "running":
		return hold{}, ErrResyncRunning
	}
	return hold{}, errRobbed
}

// beat stays the holder of a pause until the returned function is called. When another took the show over, it calls robbed.
func (r *Resyncer) beat(ctx context.Context, show int64, token string, robbed func(error)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, r.takeOver/10) {
			if _, err := r.pause(ctx, show, token, "beat"); errors.Is(err, errRobbed) {
				robbed(err)
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// resume gives a resync up: the show is again what it was, unless a new epoch may be in MySQL already.
func (r *Resyncer) resume(ctx context.Context, show int64, token string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, err := run(ctx, r.ledger.client, r.ledger.scripts.resume, []string{r.ledger.shards.Show(show)}, token)
	return err
}

// sleep waits and reports whether the context is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
