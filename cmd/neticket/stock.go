package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/system"
)

func (t tool) stockCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "stock", Short: "Look after the units left", Args: cobra.NoArgs,
		Long: `Looks after the units left: whether Redis and MySQL agree, how a show's are set right, and what has to be done when MySQL was
restored from a backup.`,
		RunE: help,
	}
	cmd.AddCommand(t.stockCheckCommand(), t.stockResyncCommand(), t.stockDistrustCommand())
	return cmd
}

// checkDeployment returns an error where the schema is not there, or where this process is configured with another number of
// shards: it would look at other keys.
func checkDeployment(ctx context.Context, s *system.System) error {
	if err := database.CheckSchema(ctx, s.DB); err != nil {
		return err
	}
	return s.Stock.FixShards(ctx, s.Config.Shards)
}
