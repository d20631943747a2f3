package stock_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/stock"
)

// older reports whether a was taken before b.
func older(a, b stock.Snapshot) bool {
	return a.Epoch < b.Epoch || a.Epoch == b.Epoch && a.AsOf.Before(b.AsOf)
}

// writersRace has two writers write the same snapshots, each in an order of its own and one at a time, while a reader
// looks. It reports whether the reader saw time go back, and what was stored last.
func writersRace(t *testing.T, store *stock.Store, write func(context.Context, []stock.Snapshot) error, random *rand.Rand) (back bool, last stock.Snapshot) {
	t.Helper()
	base := time.Date(2026, 5, 3, 12, 0, 0, 0, time.UTC)
	var snapshots []stock.Snapshot
	for i := range 60 { // 3 epochs; within one the figures of as_of repeat
		snapshots = append(snapshots, stock.Snapshot{Show: 1, Epoch: int64(1 + i/20), Left: i, AsOf: base.Add(time.Duration(i%20) * time.Microsecond)})
	}
	var writers sync.WaitGroup
	for range 2 {
		mine := shuffled(snapshots, random)
		writers.Go(func() {
			for _, snapshot := range mine {
				if err := write(t.Context(), []stock.Snapshot{snapshot}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		stored, err := store.Snapshots(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		back = back || older(stored[1], last)
		last = stored[1]
	}
	return back, last
}

func TestSnapshotsNeverGoBack(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	db := newDB(t)
	store := stock.NewStore(db)
	if back, last := writersRace(t, store, store.WriteSnapshots, random); back || last.Epoch != 3 || last.Left != 59 {
		t.Errorf("went back: %v; stored last %+v, want the newest: epoch 3, 59 left", back, last)
	}
	broken := func(ctx context.Context, snapshots []stock.Snapshot) error { // whoever comes last wins
		for _, s := range snapshots {
			if _, err := db.ExecContext(ctx, "REPLACE INTO stock_snapshots (show_id, epoch, `left`, as_of) VALUES (?, ?, ?, ?)",
				s.Show, s.Epoch, s.Left, s.AsOf); err != nil {
				return err
			}
		}
		return nil
	}
	if back, last := writersRace(t, store, broken, random); !back && last.Left == 59 {
		t.Error("the test does not see a writer that goes back")
	}
}

// Whatever the order of two snapshots, in one statement or two, the newer one is stored whole.
func TestWriteSnapshots(t *testing.T) {
	t.Parallel()
	store := stock.NewStore(newDB(t))
	at := time.Date(2026, 5, 3, 12, 0, 0, 1000, time.UTC)
	pairs := [][2]stock.Snapshot{ // older, newer
		{{Epoch: 1, Left: 5, AsOf: at}, {Epoch: 1, Left: 9, AsOf: at.Add(time.Microsecond)}},
		{{Epoch: 1, Left: 5, AsOf: at}, {Epoch: 2, Left: 9, AsOf: at}},
		{{Epoch: 1, Left: 5, AsOf: at.Add(time.Hour)}, {Epoch: 2, Left: 9, AsOf: at}},
		{{Epoch: 9, Left: 5, AsOf: at}, {Epoch: 10, Left: -1, AsOf: at}},
	}
	show := int64(0)
	for i, pair := range pairs {
		for name, batches := range map[string][][]int{
			"in order": {{0}, {1}}, "late": {{1}, {0}}, "one statement": {{0, 1}}, "one statement, late": {{1, 0}},
			"doubled": {{0}, {1}, {1}, {0}},
		} {
			show++
			for _, batch := range batches {
				var snapshots []stock.Snapshot
				for _, which := range batch {
					snapshot := pair[which]
					snapshot.Show = show
					snapshots = append(snapshots, snapshot)
				}
				if err := store.WriteSnapshots(t.Context(), snapshots); err != nil {
					t.Fatal(err)
				}
			}
			stored, err := store.Snapshots(t.Context())
			want := pair[1]
			want.Show = show
			if err != nil || stored[show] != want {
				t.Errorf("pair %d, %s: stored %+v, %v; want %+v", i, name, stored[show], err, want)
			}
		}
	}
	if err := store.WriteSnapshots(t.Context(), nil); err != nil {
		t.Errorf("no snapshots: %v", err)
	}
}
