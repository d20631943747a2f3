package booking

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var errBroken = errors.New("the connection broke")

func answers(context.Context) error { return nil }
func breaks(context.Context) error  { return errBroken }
func hangs(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// wantRead has a gate read, and checks with what error and after what time it comes back.
func wantRead(t *testing.T, g *gate, do func(context.Context) error, want error, after time.Duration) {
	t.Helper()
	began := time.Now()
	if err := g.read(t.Context(), markedWithin, do); !errors.Is(err, want) || time.Since(began) != after {
		t.Errorf("%v after %v, want %v after %v", err, time.Since(began), want, after)
	}
}

// Once MySQL has let a read wait in vain, the others are turned away at once, and one at a time probes whether it is back.
func TestGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gate
		wantRead(t, &g, answers, nil, 0)
		wantRead(t, &g, breaks, errBroken, 0)
		wantRead(t, &g, answers, nil, 0) // what breaks takes no time, so it closes nothing
		wantRead(t, &g, hangs, context.DeadlineExceeded, markedWithin)
		wantRead(t, &g, answers, errSilent, 0)

		time.Sleep(probeEvery)
		probed := make(chan error, 1)
		go func() { probed <- g.read(t.Context(), markedWithin, hangs) }()
		synctest.Wait()
		wantRead(t, &g, answers, errSilent, 0) // while another probes
		if err := <-probed; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the probe: %v", err)
		}
		wantRead(t, &g, answers, errSilent, 0)

		time.Sleep(probeEvery)
		wantRead(t, &g, answers, nil, 0)
		wantRead(t, &g, answers, nil, 0)
	})
}

// A caller that breaks off says nothing about MySQL: it neither closes the gate nor keeps the next one from probing.
func TestGateAndBrokenOffReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gate
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.read(impatient, markedWithin, hangs); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the first who broke off: %v", err)
		}
		wantRead(t, &g, answers, nil, 0)

		wantRead(t, &g, hangs, context.DeadlineExceeded, markedWithin)
		time.Sleep(probeEvery)
		if err := g.read(impatient, markedWithin, hangs); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the probe that broke off: %v", err)
		}
		wantRead(t, &g, answers, nil, 0)
	})
}

// A read that was late while others were answered closes nothing.
func TestGateAndOneLateRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gate
		late := make(chan error, 1)
		go func() { late <- g.read(t.Context(), markedWithin, hangs) }()
		time.Sleep(time.Second)
		wantRead(t, &g, answers, nil, 0)
		if err := <-late; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the late one: %v", err)
		}
		wantRead(t, &g, answers, nil, 0)
	})
}
