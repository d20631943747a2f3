package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system"
)

func (t tool) stockResyncCommand() *cobra.Command {
	var dryRun, asJSON bool
	var show int64
	cmd := &cobra.Command{
		Use: "resync SHOW", Short: "Set a show's units left in Redis anew from MySQL", Args: cobra.ExactArgs(1),
		Long: `Sets the units left of the show with this id anew from MySQL, safely in the middle of a sale: the show pauses for a moment,
bookings in flight are recorded first, and nothing is lost or sold twice. Prints the units before and after. The exit status is 1
when another resync of the show is running, or when its bookings could not be recorded in time; then nothing was changed.`,
		Example: `  neticket stock resync 42 --dry-run
  neticket stock resync 42`,
		ValidArgsFunction: t.completeShow,
		PreRunE: func(_ *cobra.Command, args []string) (err error) {
			if show, err = strconv.ParseInt(args[0], 10, 64); err != nil || show < 1 {
				return fmt.Errorf("SHOW must be the id of a show, not %q", args[0])
			}
			return nil
		},
		RunE: doing(func(ctx context.Context) error {
			return t.with(t.environ, func(s *system.System) error { return t.resync(ctx, s, show, dryRun, asJSON) })
		}),
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "tell the difference and change nothing")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

func (t tool) resync(ctx context.Context, s *system.System, show int64, dryRun, asJSON bool) error {
	if err := checkDeployment(ctx, s); err != nil {
		return err
	}
	var result stock.Resynced
	var err error
	if dryRun {
		result, err = s.Resyncer.Preview(ctx, show)
	} else {
		result, err = s.Resync(ctx, auditlog.Actor{}, show)
	}
	switch {
	case errors.Is(err, stock.ErrResyncRunning):
		return fmt.Errorf("%w: try again when it is done; one that died is taken over after %v", err, s.Config.TakeOver)
	case errors.Is(err, stock.ErrNotDrained):
		return fmt.Errorf("%w: nothing was changed; is a worker running, and does MySQL answer?", err)
	case err != nil:
		return err
	}
	if asJSON {
		return t.printJSON(struct {
			Show   int64 `json:"show"`
			Before int   `json:"before"`
			After  int   `json:"after"`
			Drift  int   `json:"drift"`
			Epoch  int64 `json:"epoch"`
			DryRun bool  `json:"dry_run"`
		}{show, result.Before, result.After, result.Drift, result.Epoch, dryRun})
	}
	did := "are set to"
	if dryRun {
		did = "would be set to"
	}
	_, err = fmt.Fprintf(t.out, "show %d: %d units left %s %d (drift %+d), epoch %d\n", show, result.Before, did, result.After, result.Drift, result.Epoch)
	return err
}
