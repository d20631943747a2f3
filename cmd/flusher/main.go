// Command flusher writes the units left back to MySQL, audits the stock, looks after what is stuck and measures the streams. One
// is enough, two do no harm.
package main

import (
	"context"
	"os"

	"github.com/neticket/neticket/internal/config"
	"github.com/neticket/neticket/internal/ops"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/system"
)

func main() {
	os.Exit(system.Daemon(config.Flusher, "writes the units left back to MySQL", func(_ context.Context, s *system.System, _ *ops.Health) (system.Stages, error) {
		s.Registry.MustRegister(stream.NewCollector(s.Group, s.Log))
		flusher := stock.NewFlusher(s.Ledger, s.Stock, s.Healer, s.Config.FlushInterval, s.Observers(s.Registry))
		// The guardian has it leave a server that the address leads to no more.
		return system.Stages{{flusher.Run, s.NewWatch().Run, s.Healer.Run}, {s.Guardian.Run}}, nil
	}))
}
