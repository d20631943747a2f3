package stock_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// BenchmarkLevels is 100,000 shows that are in MySQL and Redis: to read them all, a poll, and a look at 500 of them.
func BenchmarkLevels(b *testing.B) {
	const shows, batch = 100_000, 1000
	rig := systemtest.New(b)
	for first := 1; first <= shows; first += batch {
		values := make([]string, batch)
		pipe := rig.Redis.Pipeline()
		for i := range values {
			id := first + i
			values[i] = fmt.Sprintf("(%d, 100, 4, 0, 1)", id)
			pipe.HSet(b.Context(), rig.Shards.Show(int64(id)), "state", "open", "epoch", 1, "left", id%100, "seq", 0, "settled", 0)
		}
		if _, err := pipe.Exec(b.Context()); err != nil {
			b.Fatal(err)
		}
		_, err := rig.DB.ExecContext(b.Context(), "INSERT INTO stock (show_id, capacity, limit_per_user, reserved, epoch) VALUES "+strings.Join(values, ","))
		if err != nil {
			b.Fatal(err)
		}
	}
	ids := make([]int64, 500)
	for i := range ids {
		ids[i] = int64(i*199 + 1)
	}
	began := time.Now()
	stop := systemtest.Go(b, rig.Levels.Run)
	servertest.Eventually(b, time.Minute, "all were read", func() bool { levels, _, err := rig.Levels.Last(ids); return err == nil && len(levels) == len(ids) })
	b.Logf("all of %d shows were read after %v", shows, time.Since(began))
	b.Run("last", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := rig.Levels.Last(ids); err != nil {
				b.Fatal(err)
			}
		}
	})
	stop()
	b.Run("poll", func(b *testing.B) {
		for b.Loop() {
			if err := rig.Levels.Poll(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("level", func(b *testing.B) {
		systemtest.Go(b, rig.Levels.Run)
		for b.Loop() {
			if _, _, err := rig.Levels.Level(b.Context(), 7); err != nil {
				b.Fatal(err)
			}
		}
	})
}
