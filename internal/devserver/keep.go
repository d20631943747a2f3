package devserver

import (
	"context"
	"log/slog"
)

// Keep starts the server again whenever it dies, on the same port and folder, until ctx is over. It does not stop it:
// whoever uses the server has to end first. Nobody else may start or stop it meanwhile.
func (s *server) Keep(ctx context.Context, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.Done():
		}
		for pause := restartFirst; sleep(ctx, pause); pause = min(2*pause, restartLast) {
			log.Warn("server ended, starting it again", "server", s.name, "log", s.LogFile())
			if err := s.Start(ctx); err != nil {
				log.Error("server does not start", "server", s.name, "error", err)
				continue
			}
			break
		}
	}
}
