package ops

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// CatchRedisLog sends what go-redis prints by itself, such as failed dials of its pool, to the log at debug level: whoever made
// the call is told by an error and says what it means. It is a setting of the whole process.
func CatchRedisLog(log *slog.Logger) { redis.SetLogger(redisLog{log}) }

type redisLog struct{ log *slog.Logger }

// Printf implements go-redis's logger.
func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	if l.log.Enabled(ctx, slog.LevelDebug) {
		l.log.DebugContext(ctx, "go-redis says: "+fmt.Sprintf(format, args...))
	}
}
