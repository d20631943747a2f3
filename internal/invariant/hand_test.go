package invariant_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func execute(t *testing.T, rig *systemtest.Rig, statement string, args ...any) {
	t.Helper()
	if _, err := rig.DB.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func set(t *testing.T, rig *systemtest.Rig, show int64, fields ...any) {
	t.Helper()
	if err := rig.Redis.HSet(t.Context(), rig.Shards.Show(show), fields...).Err(); err != nil {
		t.Fatal(err)
	}
}

func marker(t *testing.T, s scene, user int64, field string) stock.Marker {
	t.Helper()
	text, err := s.Redis.HGet(t.Context(), s.Shards.User(s.Shards.Of(s.show), user), field).Result()
	m, ok := stock.ParseMarker(text)
	if err != nil || !ok {
		t.Fatalf("marker %s: %q, %v", field, text, err)
	}
	return m
}

// readAll makes the entries of a stream those of a consumer, as they must be to be settled.
func readAll(stream string) *redis.XReadGroupArgs {
	return &redis.XReadGroupArgs{Group: "recorders", Consumer: "hand", Streams: []string{stream, ">"}, Block: -1}
}

func add(stream string, values map[string]any) *redis.XAddArgs {
	return &redis.XAddArgs{Stream: stream, Values: values}
}
