// Command worker records bookings: it reads the streams, writes reservations to MySQL in batches and settles them in Redis. Any
// number may run, apart from the API.
package main

import (
	"context"
	"os"

	"github.com/neticket/neticket/internal/config"
	"github.com/neticket/neticket/internal/ops"
	"github.com/neticket/neticket/internal/system"
)

func main() {
	os.Exit(system.Daemon(config.Worker, "records bookings in MySQL", func(_ context.Context, s *system.System, _ *ops.Health) (system.Stages, error) {
		return system.Stages{
			{s.Reader.Run, s.Healer.Run},
			{s.Guardian.Run},
		}, nil
	}))
}
