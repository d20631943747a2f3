// Package servertest gives tests real servers: a redis-server of the test's own, which starts in milliseconds, and an
// empty database of its own on a MariaDB that all tests of the process share. Tests need no TestMain and may run in
// parallel. Everything is gone at the end, when the test binary is killed, too.
package servertest

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/neticket/neticket/internal/devserver"
)

// Redis starts a redis-server for this test alone, in a temporary folder, which ends with the test. Options are changed
// before the start; with AppendFsync "always", what was answered survives Kill and even a power cut.
func Redis(t testing.TB, options ...func(*devserver.RedisOptions)) *devserver.Redis {
	t.Helper()
	var all devserver.RedisOptions
	for _, option := range options {
		option(&all)
	}
	server, err := devserver.StartRedis(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, server)
	return server
}

// Client connects to the server. It never sends a command twice by itself, answers time out after 5 seconds, contexts
// are obeyed, and it is closed when the test ends.
func Client(t testing.TB, server *devserver.Redis) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{
		Addr:                     server.Addr(),
		MaxRetries:               -1,
		ReadTimeout:              5 * time.Second,
		ContextTimeoutEnabled:    true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	closeAtEnd(t, client)
	return client
}

func closeAtEnd(t testing.TB, closer interface{ Close() error }) {
	t.Helper()
	t.Cleanup(func() {
		if err := closer.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}
