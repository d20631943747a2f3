package stock_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// A server that is killed while it writes down what a script did keeps a part of it in its log. At whichever write that is, the
// restarted server has done all of the script, or nothing: for a call that several requests share, and for a settled batch.
func TestServerKilledAtEachWrite(t *testing.T) {
	t.Parallel()
	server := servertest.Redis(t, func(o *devserver.RedisOptions) { o.AppendFsync = "always" })
	rig := systemtest.On(t, systemtest.Servers{DSN: servertest.MySQL(t), Redis: server})
	j := newJoiner(t, rig)
	show := load(t, rig, 10, 4)
	_ = j.join(t, show, nil, request(show, 1, 1, "warm up"))
	client := servertest.Client(t, server)

	for _, call := range []struct {
		name   string
		writes int // the fewest that this is about
		do     func()
	}{
		{"requests", 4*3 + 2, func() {
			for _, got := range j.join(t, show, nil, request(show, 2, 2, "a"), request(show, 3, 1, "a"), request(show, 4, 1, "a"), cancelOf(show, 5, "a")) {
				wantError(t, got.err, nil)
			}
		}},
		{"settle", 4, func() {
			list := settlements(t, take(t, rig, show), 1, 1)
			if n, err := rig.Ledger.Settle(t.Context(), rig.Shards.Of(show), list); n != len(list) || err != nil {
				t.Error(n, err)
			}
		}},
	} {
		call.do()
		after := dataOf(t, client)
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		path, log := appendOnlyLog(t, server)
		begins, writes := lastTransaction(t, log)
		if len(writes) < call.writes {
			t.Fatalf("%s: %d writes in %q", call.name, len(writes), log[begins:])
		}
		var before map[string]string
		for i, end := range append([]int{begins}, slices.Concat(writes, []int{len(log) - 1})...) {
			restartWith(t, server, path, log[:end])
			data := dataOf(t, client)
			if i == 0 {
				before = data // nothing of the transaction was written
			} else if diff := cmp.Diff(before, data); diff != "" {
				t.Errorf("%s, killed at write %d: (-before +after the restart)\n%s", call.name, i, diff)
			}
			if err := server.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		restartWith(t, server, path, log)
		if data := dataOf(t, client); !maps.Equal(after, data) {
			t.Errorf("%s, killed after its last write:\n%s", call.name, cmp.Diff(after, data))
		} else if maps.Equal(before, after) {
			t.Errorf("%s changed nothing: the test proves nothing", call.name)
		}
		servertest.Eventually(t, 10*1e9, "the fence opens", func() bool { return rig.Ledger.CheckFence(t.Context()) == nil })
		resync(t, rig, show) // the guardians do not trust a server that restarted
	}
}

// appendOnlyLog returns the part of a server's log that grows.
func appendOnlyLog(t *testing.T, server *devserver.Redis) (path string, log []byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(server.Dir(), "appendonlydir", "*.incr.aof"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("the log of Redis: %v, %v", paths, err)
	}
	if log, err = os.ReadFile(paths[0]); err != nil {
		t.Fatal(err)
	}
	return paths[0], log
}

func restartWith(t *testing.T, server *devserver.Redis, path string, log []byte) {
	t.Helper()
	if err := os.WriteFile(path, log, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// lastTransaction returns where the last MULTI of a log begins, and where each of its writes ends, MULTI included.
func lastTransaction(t *testing.T, log []byte) (begins int, ends []int) {
	t.Helper()
	begins = bytes.LastIndex(log, []byte("*1\r\n$5\r\nMULTI\r\n"))
	if begins < 0 {
		t.Fatal("the log has no transaction")
	}
	line := func(at int) (number, next int) {
		end := at + bytes.IndexByte(log[at:], '\n') + 1
		n, err := strconv.Atoi(string(bytes.TrimSpace(log[at+1 : end])))
		if err != nil {
			t.Fatalf("the log at %d: %v", at, err)
		}
		return n, end
	}
	for at := begins; at < len(log); {
		words, next := line(at)
		for range words {
			length, begin := line(next)
			next = begin + length + len("\r\n")
		}
		if at = next; at < len(log) {
			ends = append(ends, at)
		}
	}
	return begins, ends
}

// dataOf is every key of a server as text.
func dataOf(t *testing.T, client *redis.Client) map[string]string {
	t.Helper()
	data := map[string]string{}
	for _, key := range client.Keys(t.Context(), "*").Val() {
		switch client.Type(t.Context(), key).Val() {
		case "hash":
			data[key] = fmt.Sprint(client.HGetAll(t.Context(), key).Val())
		case "stream":
			pending := client.XPendingExt(t.Context(), &redis.XPendingExtArgs{Stream: key, Group: group, Start: "-", End: "+", Count: 100}).Val()
			ids := []string{}
			for _, p := range pending {
				ids = append(ids, p.ID)
			}
			data[key] = fmt.Sprint(client.XRange(t.Context(), key, "-", "+").Val(), ids)
		}
	}
	if len(data) == 0 {
		t.Fatal("the server is empty")
	}
	return data
}
