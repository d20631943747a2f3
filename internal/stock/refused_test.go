package stock_test

import (
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func TestFencedWithoutGuardian(t *testing.T) {
	t.Parallel()
	rig := systemtest.Unguarded(t, systemtest.Servers{DSN: servertest.MySQL(t), Redis: servertest.Redis(t)})
	show := load(t, rig, 10, 0)
	unchanged(t, rig, show, func() {
		_, err := rig.Ledger.Reserve(t.Context(), request(show, 7, 1, "a"))
		wantError(t, err, stock.ErrFenced)
		_, err = rig.Ledger.Cancel(t.Context(), request(show, 7, 1, "a"))
		wantError(t, err, stock.ErrFenced)
	})
	wantError(t, rig.Ledger.CheckFence(t.Context()), stock.ErrFenced)
	systemtest.Go(t, rig.Guardian.Run)
	servertest.Eventually(t, 10*time.Second, "the fence opens", func() bool { return rig.Ledger.CheckFence(t.Context()) == nil })
	_, err := rig.Ledger.Reserve(t.Context(), request(show, 7, 1, "a"))
	wantError(t, err, stock.ErrUnloaded) // what was loaded while nobody watched is not trusted
	resync(t, rig, show)
	reserve(t, rig, request(show, 7, 1, "a"))
}

// A server that refuses writes refuses a script as a whole; settling goes on where it is memory that is short.
func TestRefusedScriptsDoNothing(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	for name, test := range map[string]struct {
		setting, bad, good string
		settles            bool
	}{
		"out of memory": {"maxmemory", "1", "0", true},
		"NOREPLICAS":    {"min-replicas-to-write", "1", "0", false},
	} {
		t.Run(name, func(t *testing.T) {
			show := load(t, rig, 10, 4)
			reserve(t, rig, request(show, 7, 2, "a"))
			entries := take(t, rig, show)
			config := func(value string) {
				if err := rig.Redis.ConfigSet(t.Context(), test.setting, value).Err(); err != nil {
					t.Fatal(err)
				}
			}
			config(test.bad)
			unchanged(t, rig, show, func() {
				_, err := rig.Ledger.Reserve(t.Context(), request(show, 7, 1, "b"))
				wantError(t, err, stock.ErrUnavailable)
				_, err = rig.Ledger.Cancel(t.Context(), request(show, 7, 1, "b"))
				wantError(t, err, stock.ErrUnavailable)
			})
			shard := rig.Shards.Of(show)
			n, err := rig.Ledger.Settle(t.Context(), shard, settlements(t, entries, 2, 2))
			if test.settles != (n == 1 && err == nil) {
				t.Errorf("settle: %d, %v; want it done: %v", n, err, test.settles)
			}
			if cuts, err := rig.Auditor.Cuts(t.Context(), show); err != nil || cuts[show].Conclusive != test.settles {
				t.Errorf("a look at the stock: %+v, %v", cuts[show], err)
			}
			config(test.good)
			if !test.settles {
				if n, err := rig.Ledger.Settle(t.Context(), shard, settlements(t, entries, 2, 2)); n != 1 || err != nil {
					t.Errorf("settle afterwards: %d, %v", n, err)
				}
			}
			wantOpen(t, rig, show, 10)
		})
	}
}

func TestEditKeepsTheNewestTimes(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	at := func(version, hour int64) stock.SaleTimes {
		base := time.UnixMilli(hour * 3600000)
		return stock.SaleTimes{Version: version, Opens: base, Closes: base.Add(time.Minute), Starts: base.Add(time.Hour)}
	}
	for _, step := range []struct {
		times stock.SaleTimes
		want  string // version and opens afterwards
	}{{at(3, 30), "3 108000000"}, {at(2, 20), "3 108000000"}, {at(3, 31), "3 108000000"}, {at(4, 40), "4 144000000"}} {
		if err := rig.Ledger.Edit(t.Context(), show, step.times); err != nil {
			t.Fatal(err)
		}
		hash := hashOf(t, rig, show)
		if got := strings.Join([]string{hash["version"], hash["opens"]}, " "); got != step.want {
			t.Errorf("after version %d: %s, want %s", step.times.Version, got, step.want)
		}
	}
	if err := rig.Ledger.Edit(t.Context(), show+1, at(5, 50)); err != nil || len(hashOf(t, rig, show+1)) != 0 {
		t.Errorf("edit of a show that is not loaded: %v, %v; want nothing done", err, hashOf(t, rig, show+1))
	}
}
