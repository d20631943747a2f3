package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (t tool) devCommand() *cobra.Command {
	return &cobra.Command{
		Use: "dev", Short: "Run everything on this machine, with demo data", Args: cobra.NoArgs,
		Long: `Runs api, worker and flusher as child processes until Ctrl-C, and starts one again when it dies. It starts Redis and
MySQL too, with their data under ./var, unless NETICKET_REDIS_ADDRS and NETICKET_MYSQL_DSN name some. It brings the
schema up and adds the demo data, then prints where everything is. Requests are not limited per address unless
NETICKET_RATE_PER_ADDRESS is set, as they all come from this machine. Other commands that are called from the same folder,
without NETICKET_MYSQL_DSN and NETICKET_REDIS_ADDRS, find its servers.`,
		RunE: doing(func(ctx context.Context) error { return runDev(ctx, t.out, t.migrate, t.seed) }),
	}
}
