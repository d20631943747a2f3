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

// BenchmarkRequests tells what a booking costs in Redis, alone and where it shares a call, with the fence's question and without it:
// in rounds that take turns on one server, with nothing else to do. The median of the rounds is reported, and its ratio to that of
// bookings that share a call of 64. Run it with -benchtime 100x on an idle machine.
func BenchmarkRequests(b *testing.B) {
	source, err := os.ReadFile("scripts/requests.lua")
	if err != nil {
		b.Fatal(err)
	}
	const question = "if call('PUBSUB', 'NUMSUB', KEYS[1])[2] == 0 then"
	if !strings.Contains(string(source), question) {
		b.Fatal("requests.lua asks for its guardian in another way")
	}
	rig := systemtest.New(b)
	show := rig.Show(b, 1_000_000, 4)
	if _, err := rig.Resyncer.Resync(b.Context(), show, "bench"); err != nil {
		b.Fatal(err)
	}
	const bookings = 512
	shard, user := rig.Shards.Of(show), 0
	round := func(script *redis.Script, joined int) float64 {
		if err := script.Load(b.Context(), rig.Redis).Err(); err != nil {
			b.Fatal(err)
		}
		pipe := rig.Redis.Pipeline()
		var replies []*redis.Cmd
		for range bookings / joined {
			keys, args := []string{rig.Shards.Entries(shard)}, []any{1_000_000, 60}
			for range joined {
				user++
				keys = append(keys, rig.Shards.Show(show), rig.Shards.User(shard, int64(user)), rig.Shards.Users(show))
				args = append(args, "reserve", fmt.Sprintf("%036d", user), user, 1, show, "api-host-12345-abcdefgh|")
			}
			replies = append(replies, script.EvalSha(b.Context(), pipe, keys, args...))
		}
		began := time.Now()
		if _, err := pipe.Exec(b.Context()); err != nil {
			b.Fatal(err)
		}
		took := time.Since(began).Seconds() / bookings
		if answers, _ := replies[0].StringSlice(); !strings.HasPrefix(answers[0], "ok|") {
			b.Fatal(answers)
		}
		// What was sold goes, so that every round finds the same server.
		rig.Redis.XTrimMaxLen(b.Context(), rig.Shards.Entries(shard), 0)
		rig.Redis.HSet(b.Context(), rig.Shards.Show(show), "left", 1_000_000)
		rig.Redis.Del(b.Context(), rig.Shards.Users(show))
		return took
	}
	fenced, open := redis.NewScript(string(source)), redis.NewScript(strings.Replace(string(source), question, "if false then", 1))
	ways := map[string]func() float64{
		"alone": func() float64 { return round(fenced, 1) }, "alone-unfenced": func() float64 { return round(open, 1) },
		"joined": func() float64 { return round(fenced, 64) }, "joined-128": func() float64 { return round(fenced, 128) },
	}
	took := map[string][]float64{}
	for b.Loop() {
		for name, way := range ways {
			took[name] = append(took[name], way())
		}
	}
	median := func(name string) float64 {
		slices.Sort(took[name])
		return took[name][len(took[name])/2]
	}
	for name := range ways {
		b.ReportMetric(median(name)*1e9, name+"-ns/booking")
		b.ReportMetric(median(name)/median("joined"), name+"/joined")
	}
	b.ReportMetric(0, "ns/op")
}
