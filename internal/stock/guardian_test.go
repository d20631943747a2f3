package stock_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// listener is a logger that remembers what it was told.
type listener struct {
	mu    sync.Mutex
	lines []string
}

func (l *listener) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(line))
	return len(line), nil
}

// heard counts the lines that hold a text.
func (l *listener) heard(text string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// fenceOpens waits until every shard has a guardian.
func fenceOpens(t *testing.T, rig *systemtest.Rig) {
	t.Helper()
	servertest.Eventually(t, 15*time.Second, "the fence opens", func() bool { return rig.Ledger.CheckFence(t.Context()) == nil })
}

func unguarded(t *testing.T) *systemtest.Rig {
	t.Helper()
	return systemtest.Unguarded(t, systemtest.Servers{DSN: servertest.MySQL(t), Redis: servertest.Redis(t)})
}

func TestFenceFollowsItsGuardians(t *testing.T) {
	t.Parallel()
	rig := unguarded(t)
	if fenced, err := rig.Ledger.Fenced(t.Context()); err != nil || len(fenced) != rig.Shards.Len() {
		t.Errorf("without a guardian %d shards are fenced, %v; want all", len(fenced), err)
	}
	// A guardian that finds its server verified distrusts nothing, two at once neither.
	for round := range 2 {
		second := sibling(t, rig, rig.RedisServer.Addr())
		stopFirst := systemtest.Go(t, rig.Guardian.Run)
		stopSecond := systemtest.Go(t, second.Guardian.Run)
		servertest.Eventually(t, 15*time.Second, "both guard every shard", func() bool {
			for shard := range rig.Shards.Len() {
				channel := rig.Shards.Entries(shard)
				if rig.Redis.PubSubNumSub(t.Context(), channel).Val()[channel] != 2 {
					return false
				}
			}
			return true
		})
		show := load(t, rig, 10, 0)
		stopFirst()
		if err := rig.Ledger.CheckFence(t.Context()); err != nil {
			t.Errorf("round %d: with the second guardian alone: %v", round, err)
		}
		wantOpen(t, rig, show, 10)
		stopSecond()
		servertest.Eventually(t, 5*time.Second, "the fence closes", func() bool {
			fenced, err := rig.Ledger.Fenced(t.Context())
			return err == nil && len(fenced) == rig.Shards.Len()
		})
		if hash := hashOf(t, rig, show); hash["state"] != "open" || hash["distrust"] != "" {
			t.Errorf("round %d: a show of a server that is still the same is distrusted: %v", round, hash)
		}
	}
}

// A restarted server sells nothing until it is verified, and then only shows that are loaded anew.
func TestGuardianDistrustsARestartedServer(t *testing.T) {
	t.Parallel()
	rig := systemtest.On(t, systemtest.Servers{DSN: servertest.MySQL(t),
		Redis: servertest.Redis(t, func(o *devserver.RedisOptions) { o.AppendFsync = "always" })})
	systemtest.Go(t, sibling(t, rig, rig.RedisServer.Addr()).Guardian.Run) // and a second one
	shows := []int64{load(t, rig, 10, 0), load(t, rig, 10, 0), load(t, rig, 10, 0)}
	for round := int64(1); round <= 2; round++ {
		if err := rig.RedisServer.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := rig.RedisServer.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		fenceOpens(t, rig)
		for _, show := range shows {
			if hash := hashOf(t, rig, show); hash["state"] != "unloaded" || hash["distrust"] != "1" || hash["epoch"] != fmt.Sprint(round) {
				t.Errorf("round %d: %v; want it unloaded, its counts kept", round, hash)
			}
			_, err := rig.Ledger.Reserve(t.Context(), request(show, 7, 1, "a"))
			wantError(t, err, stock.ErrUnloaded)
			if got := resync(t, rig, show).Epoch; got != round+1 {
				t.Errorf("round %d: epoch %d", round, got)
			}
			wantOpen(t, rig, show, 10)
		}
	}
}

// A replica is nobody's judge: it may lag behind what was sold.
func TestGuardianKeepsOffAReplica(t *testing.T) {
	t.Parallel()
	rig := unguarded(t)
	master := servertest.Redis(t)
	if err := rig.Redis.SlaveOf(t.Context(), "127.0.0.1", fmt.Sprint(master.Port())).Err(); err != nil {
		t.Fatal(err)
	}
	var heard listener
	guardian := stock.NewGuardian(rig.Ledger, rig.Stock, slog.New(slog.NewTextHandler(&heard, nil)))
	guardian.SetPoll(5 * time.Millisecond)
	systemtest.Go(t, guardian.Run)
	servertest.Eventually(t, 10*time.Second, "the guardian has looked more than once", func() bool { return heard.heard("its role is") >= 2 })
	if fenced, err := rig.Ledger.Fenced(t.Context()); err != nil || len(fenced) != rig.Shards.Len() {
		t.Errorf("%d shards are fenced, %v; want all", len(fenced), err)
	}
	if err := rig.Redis.SlaveOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	fenceOpens(t, rig)
}

// A master that becomes a replica loses its guardian, without any connection breaking.
func TestGuardianLeavesAServerThatIsDemoted(t *testing.T) {
	t.Parallel()
	rig := unguarded(t)
	rig.Guardian.SetPoll(20 * time.Millisecond)
	systemtest.Go(t, rig.Guardian.Run)
	fenceOpens(t, rig)
	show := load(t, rig, 10, 0)
	if err := rig.Redis.SlaveOf(t.Context(), "127.0.0.1", fmt.Sprint(servertest.Redis(t).Port())).Err(); err != nil {
		t.Fatal(err)
	}
	servertest.Eventually(t, 10*time.Second, "the fence closes", func() bool {
		fenced, err := rig.Ledger.Fenced(t.Context())
		return err == nil && len(fenced) == rig.Shards.Len()
	})
	if err := rig.Redis.SlaveOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	fenceOpens(t, rig)
	_, err := rig.Ledger.Reserve(t.Context(), request(show, 7, 1, "a")) // the master's data came, the show's is gone or distrusted
	wantError(t, err, stock.ErrUnloaded)
}

// While MySQL is away nothing is verified: a new server stays fenced, and the one that was verified sells on.
func TestGuardianWithoutMySQL(t *testing.T) {
	t.Parallel()
	proxy, dsn := systemtest.ProxyMySQL(t, servertest.MySQL(t))
	rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
	show := load(t, rig, 10, 0)
	proxy.Cut()
	reserve(t, rig, request(show, 7, 1, "a"))
	if err := rig.RedisServer.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := rig.RedisServer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var heard listener
	guardian := stock.NewGuardian(rig.Ledger, rig.Stock, slog.New(slog.NewTextHandler(&heard, nil)))
	guardian.SetPoll(5 * time.Millisecond)
	systemtest.Go(t, guardian.Run)
	servertest.Eventually(t, 10*time.Second, "the guardian has asked MySQL more than once", func() bool {
		return heard.heard("read the verified servers") >= 2
	})
	if fenced, err := rig.Ledger.Fenced(t.Context()); err != nil || len(fenced) != rig.Shards.Len() {
		t.Errorf("%d shards are fenced, %v; want all", len(fenced), err)
	}
	proxy.Mend()
	fenceOpens(t, rig)
}

func TestGuardianOfAServerThatIsAway(t *testing.T) {
	t.Parallel()
	rig := unguarded(t)
	if err := rig.RedisServer.Kill(); err != nil {
		t.Fatal(err)
	}
	var heard listener
	guardian := stock.NewGuardian(rig.Ledger, rig.Stock, slog.New(slog.NewTextHandler(&heard, nil)))
	guardian.SetPoll(5 * time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- guardian.Run(ctx) }()
	servertest.Eventually(t, 10*time.Second, "the guardian has tried", func() bool { return heard.heard("sell nothing") >= 2 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
