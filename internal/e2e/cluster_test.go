package e2e

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/diagnosis"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// cluster starts a Redis Cluster of two masters without replicas: enough to have every script and every pipeline refused
// that touches keys of two slots, or that is sent to the wrong server.
func cluster(t *testing.T) (first *devserver.Redis, more []*devserver.Redis) {
	t.Helper()
	enabled := func(o *devserver.RedisOptions) {
		o.ExtraArgs = append(o.ExtraArgs, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
	}
	nodes := []*devserver.Redis{servertest.Redis(t, enabled), servertest.Redis(t, enabled)}
	for i, node := range nodes {
		client := servertest.Client(t, node)
		if err := client.ClusterAddSlotsRange(t.Context(), 8192*i, 8192*i+8191).Err(); err != nil {
			t.Fatal(err)
		}
		host, port, _ := net.SplitHostPort(nodes[0].Addr())
		if err := client.ClusterMeet(t.Context(), host, port).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, node := range nodes {
		client := servertest.Client(t, node)
		servertest.Eventually(t, 20*time.Second, "the cluster is whole", func() bool {
			info := client.ClusterInfo(t.Context()).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:2")
		})
	}
	return nodes[0], nodes[1:]
}

// TestCluster sells, cancels, resyncs, audits and watches on a Redis Cluster, and loses the history of one of its masters.
func TestCluster(t *testing.T) {
	t.Parallel()
	const capacity, people = 60, 80
	first, more := cluster(t)
	rig := systemtest.On(t, systemtest.Servers{DSN: servertest.MySQL(t), Redis: first, More: more})
	rig.Work(t, "w1")
	systemtest.Go(t, rig.Healer.Run)
	systemtest.Go(t, rig.NewWatch().Run)
	flusher := stock.NewFlusher(rig.Ledger, rig.Stock, rig.Healer, time.Hour, rig.Observers(rig.Registry))

	// Shows on both masters.
	shows := map[string]int64{}
	for len(shows) < 2 {
		show := rig.Show(t, capacity, 2)
		node, err := rig.Redis.(*redis.ClusterClient).MasterForKey(t.Context(), rig.Shards.Show(show))
		if err != nil {
			t.Fatal(err)
		}
		shows[node.Options().Addr] = show
	}
	sell := func(key string) {
		var buyers sync.WaitGroup
		for addr, show := range shows {
			for user := range int64(people) {
				buyers.Go(func() {
					_, _, err := rig.BoxOffice.Reserve(t.Context(), booking.Booking{User: user + 1, Show: show, Units: 1, Key: key, Wait: 10 * time.Second})
					if err != nil && !strings.Contains(err.Error(), "sold out") && !strings.Contains(err.Error(), "limit") {
						t.Errorf("on %s: %v", addr, err)
					}
				})
			}
		}
		buyers.Wait()
	}
	rest := func(left int) {
		t.Helper()
		for addr, show := range shows {
			rig.Settled(t, 20*time.Second, show)
			servertest.Eventually(t, 10*time.Second, fmt.Sprint("show on ", addr, " is right"), func() bool {
				cuts, err := rig.Auditor.Cuts(t.Context(), show)
				return err == nil && cuts[show].Conclusive && cuts[show].Agrees() && cuts[show].Hash.Left == left
			})
		}
	}
	sell("a")
	rest(0)
	for _, show := range shows {
		cancelled := false
		for user := int64(1); !cancelled && user <= people; user++ { // some were too late to get a unit
			_, err := rig.BoxOffice.Cancel(t.Context(), user, booking.Ref{Show: show, ID: booking.NewID(user, show, "a")}, 10*time.Second)
			cancelled = err == nil
		}
		if !cancelled {
			t.Error("nobody could cancel")
		}
		if _, err := rig.Resyncer.Resync(t.Context(), show, "test"); err != nil {
			t.Error(err)
		}
	}
	rest(1)
	if n, err := flusher.Flush(t.Context()); err != nil || n != 2 {
		t.Errorf("%d snapshots, %v", n, err)
	}

	// The doctor looks at both, and knows when it is shown one alone.
	if found := rig.Examine(t.Context()); found.Count(diagnosis.Fault) > 0 || strings.Count(fmt.Sprint(found), "it is a master") != 2 ||
		!strings.Contains(fmt.Sprint(found), "the cluster has 2 masters") {
		t.Errorf("the doctor found %+v", found)
	}
	if found, _ := stock.ExamineServers(t.Context(), servertest.Client(t, first), 1); !strings.Contains(fmt.Sprint(found), "only one address is given") {
		t.Errorf("of one address, the doctor found %+v", found)
	}

	for _, show := range shows {
		if err := rig.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: rig.Shards.Entries(rig.Shards.Of(show)), Values: []any{"a", "1"}}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	servertest.Eventually(t, 10*time.Second, "dead letters of both masters are on one page", func() bool {
		letters, more, err := rig.Group.Letters(t.Context(), stream.LetterID{}, 10)
		return err == nil && len(letters) == 2 && !more
	})

	// One master forgets everything: its show is sold on by itself, and the other's is not touched.
	if err := servertest.Client(t, more[0]).FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	sell("b")
	rest(0)
	(&deployment{Rig: rig}).sound(t)
}
