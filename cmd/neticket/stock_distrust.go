package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system"
)

func (t tool) stockDistrustCommand() *cobra.Command {
	return &cobra.Command{
		Use: "distrust", Short: "After MySQL was restored from a backup: trust nothing that Redis holds", Args: cobra.NoArgs,
		Long: `A restored MySQL repeats epochs that Redis has seen, so what Redis holds may pass for current though it is not. This raises the
epoch of every show and forgets which Redis servers were verified: every show is then loaded anew at its next request, and
bookings that were not recorded when the backup was made end as lost.

Run it after the restore and before anything else starts: it refuses while an api, a worker or a flusher is running.`,
		RunE: doing(func(ctx context.Context) error {
			return t.with(t.environ, func(s *system.System) error { return t.distrust(ctx, s) })
		}),
	}
}

func (t tool) distrust(ctx context.Context, s *system.System) error {
	if err := checkDeployment(ctx, s); err != nil {
		return err
	}
	switch fenced, err := s.Ledger.Fenced(ctx); {
	case err != nil:
		s.Log.Warn("Redis cannot be asked whether an api, a worker or a flusher is running; make sure that none is", "error", err)
	case len(fenced) < s.Shards.Len():
		return errors.New("an api, a worker or a flusher is running: stop all of them first")
	}
	shows, err := s.Distrust(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "%d shows are loaded anew, %d epochs on; api and worker may start now\n", shows, stock.DistrustEpochs)
	return err
}
