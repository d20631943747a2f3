package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// profileLength is short enough that a profile stays below 100 KB.
const profileLength = 10 * time.Second

// profileBooking takes CPU profiles of API and worker while they book, in a run that does not count, and writes where their time goes: the
// profiles, for `go tool pprof`, and a list of the functions that take the most.
func (b *bench) profileBooking(ctx context.Context, s *system) error {
	if !b.profile {
		return nil
	}
	progress("profiling API and worker")
	shows, err := s.open(ctx, 1)
	if err != nil {
		return err
	}
	folder := b.out
	if b.store {
		folder = b.stored
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // for everyone to read
		return fmt.Errorf("make the folder for profiles: %w", err)
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for _, p := range []*program{s.api, s.worker} {
		group.Go(func() error {
			return p.profile(groupCtx, profileLength, filepath.Join(folder, p.name+".pprof"))
		})
	}
	group.Go(func() error {
		_, err := b.wrk.send(groupCtx, s.bookings("profiled", shows, 64), profileLength+2*time.Second)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	for _, name := range []string{"api", "worker"} {
		top := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-cum", "-nodecount", "60", //nolint:gosec // our own files
			filepath.Join(s.bin, name), filepath.Join(folder, name+".pprof"))
		text, err := top.Output()
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name+".txt"), text, 0o644) //nolint:gosec // for everyone to read
		}
		if err != nil {
			return fmt.Errorf("list where the time of %s goes: %w", name, err)
		}
	}
	return b.verify(ctx, s, "the profiled run")
}
