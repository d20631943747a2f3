// Command api answers customers and admins over HTTP. It takes units in Redis and never waits for MySQL to accept a booking.
// Any number may run.
package main

import (
	"context"
	"fmt"
	"os"
	_ "time/tzdata" // shows have time zones; the host may have none installed

	"github.com/neticket/neticket/internal/config"
	"github.com/neticket/neticket/internal/ops"
	"github.com/neticket/neticket/internal/show/images/bucket"
	"github.com/neticket/neticket/internal/system"
)

func main() {
	os.Exit(system.Daemon(config.API, "answers customers and admins over HTTP", func(ctx context.Context, s *system.System, health *ops.Health) (system.Stages, error) {
		files, err := bucket.Open(ctx, s.Config.ImagesURL)
		if err != nil {
			return nil, fmt.Errorf("NETICKET_IMAGES_URL: %w", err)
		}
		server, stages, err := s.OpenWeb(ctx, files, health.SetStopping)
		if err != nil {
			return nil, err
		}
		if _, err := server.Listen(ctx, s.Config.HTTPAddr); err != nil {
			return nil, err
		}
		health.AddCheck("fence", true, s.Ledger.CheckFence)
		return append(stages, []system.Part{func(ctx context.Context) error { <-ctx.Done(); return files.Close() }}), nil
	}))
}
