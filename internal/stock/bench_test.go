package stock_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/system/systemtest"
)

// BenchmarkFence tells what the fence costs a booking in Redis: the time of reserve.lua as it is, over its time without its
// first question, in rounds that take turns on one server, 64 calls in a pipeline so that nothing but Redis works. The median
// of the rounds' ratios is reported. Run it with -benchtime 100x on an idle machine.
func BenchmarkFence(b *testing.B) {
	source, err := os.ReadFile("scripts/reserve.lua")
	if err != nil {
		b.Fatal(err)
	}
	const question = "if redis.call('PUBSUB', 'NUMSUB', KEYS[2])[2] == 0 then return {'fenced'} end\n"
	if !strings.Contains(string(source), question) {
		b.Fatal("reserve.lua asks for its guardian in another way")
	}
	rig := systemtest.New(b)
	show := rig.Show(b, 1_000_000, 0)
	if _, err := rig.Resyncer.Resync(b.Context(), show, "bench"); err != nil {
		b.Fatal(err)
	}
	const calls, depth = 2048, 64
	user := 0
	round := func(script *redis.Script) float64 {
		if err := script.Load(b.Context(), rig.Redis).Err(); err != nil {
			b.Fatal(err)
		}
		shard := rig.Shards.Of(show)
		began := time.Now()
		for range calls / depth {
			pipe := rig.Redis.Pipeline()
			replies := make([]*redis.Cmd, depth)
			for i := range replies {
				user++
				keys := []string{rig.Shards.Show(show), rig.Shards.Entries(shard), rig.Shards.User(shard, int64(user)), rig.Shards.Users(show)}
				replies[i] = script.EvalSha(b.Context(), pipe, keys, fmt.Sprintf("%036d", user), user, 1, show, 1_000_000, 60, "", "")
			}
			if _, err := pipe.Exec(b.Context()); err != nil {
				b.Fatal(err)
			}
			if answer, _ := replies[0].Slice(); answer[0] != "ok" {
				b.Fatal(answer)
			}
		}
		took := time.Since(began).Seconds()
		// What was sold goes, so that every round finds the same server.
		rig.Redis.XTrimMaxLen(b.Context(), rig.Shards.Entries(shard), 0)
		rig.Redis.HSet(b.Context(), rig.Shards.Show(show), "left", 1_000_000)
		return took
	}
	fenced, open := redis.NewScript(string(source)), redis.NewScript(strings.Replace(string(source), question, "", 1))
	round(fenced)
	round(open)
	var ratios, took []float64
	for b.Loop() {
		with, without := round(fenced), round(open)
		ratios, took = append(ratios, with/without), append(took, with)
	}
	slices.Sort(ratios)
	slices.Sort(took)
	b.ReportMetric(ratios[len(ratios)/2], "with/without")
	b.ReportMetric(took[len(took)/2]/calls*1e9, "ns/booking")
}
