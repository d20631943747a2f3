package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/ops"
	"github.com/neticket/neticket/internal/system"
)

func (t tool) migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the database schema up to this version", Args: cobra.NoArgs,
		Long: `Waits for MySQL (NETICKET_START_TIMEOUT), then brings its schema up to the version of this program. It is safe to run
it again, or twice at once.`,
		RunE: doing(func(ctx context.Context) error {
			if err := t.migrate(ctx, t.environ); err != nil {
				return err
			}
			_, err := fmt.Fprintln(t.out, "The schema is up to date.")
			return err
		}),
	}
}

func (t tool) migrate(ctx context.Context, env environ) error {
	return t.with(env, func(s *system.System) error {
		if err := ops.WaitFor(ctx, s.Log, s.Config.StartTimeout, "mysql", s.DB.PingContext, ops.NewHealth()); err != nil {
			return err
		}
		db, err := database.OpenForMigrations(s.Config.MySQLDSN)
		if err != nil {
			return err
		}
		defer db.Close()
		return database.Migrate(ctx, db)
	})
}
