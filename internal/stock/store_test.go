package stock_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/stock"
)

func TestRows(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	store := stock.NewStore(db)
	err := database.Transact(t.Context(), db, func(tx *sql.Tx) error { return store.Insert(t.Context(), tx, 5, 100, 4) })
	if err != nil {
		t.Fatal(err)
	}
	insertStock(t, db, stock.Row{Show: 6, Capacity: 20, Reserved: 7, Epoch: 3})
	five, six := stock.Row{Show: 5, Capacity: 100, Limit: 4}, stock.Row{Show: 6, Capacity: 20, Reserved: 7, Epoch: 3}
	for _, test := range []struct {
		shows []int64
		want  map[int64]stock.Row
	}{
		{nil, map[int64]stock.Row{5: five, 6: six}},
		{[]int64{6, 7}, map[int64]stock.Row{6: six}},
		{[]int64{7}, map[int64]stock.Row{}},
	} {
		got, err := store.Rows(t.Context(), test.shows...)
		if err != nil || !cmp.Equal(got, test.want) {
			t.Errorf("rows %v: %v, %v; want %v", test.shows, got, err, test.want)
		}
	}
	if row, err := store.Row(t.Context(), 6); err != nil || row != six {
		t.Errorf("row 6: %+v, %v", row, err)
	}
	if _, err := store.Row(t.Context(), 7); !errors.Is(err, stock.ErrNoShow) {
		t.Errorf("row 7: %v, want %v", err, stock.ErrNoShow)
	}
}

func TestAddReservedGuard(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	store := stock.NewStore(db)
	insertStock(t, db, stock.Row{Show: 1, Capacity: 10, Reserved: 4, Epoch: 2}, stock.Row{Show: 2, Capacity: 10, Reserved: 4, Epoch: 2})
	for name, test := range map[string]struct {
		epoch int64 // that the caller read
		delta map[int64]int
		want  error
		after [2]int // reserved of shows 1 and 2
	}{
		"none":                {2, nil, nil, [2]int{4, 4}},
		"up":                  {2, map[int64]int{1: 3}, nil, [2]int{7, 4}},
		"to the brim":         {2, map[int64]int{1: 6}, nil, [2]int{10, 4}},
		"to nothing":          {2, map[int64]int{1: -4}, nil, [2]int{0, 4}},
		"both":                {2, map[int64]int{1: 1, 2: -1}, nil, [2]int{5, 3}},
		"over capacity":       {2, map[int64]int{1: 7}, stock.ErrGuard, [2]int{4, 4}},
		"below 0":             {2, map[int64]int{1: -5}, stock.ErrGuard, [2]int{4, 4}},
		"one of two over":     {2, map[int64]int{1: 1, 2: 7}, stock.ErrGuard, [2]int{4, 4}},
		"an older epoch":      {1, map[int64]int{1: 1}, stock.ErrGuard, [2]int{4, 4}},
		"a newer epoch":       {3, map[int64]int{1: -1}, stock.ErrGuard, [2]int{4, 4}},
		"a show that is gone": {2, map[int64]int{1: 1, 3: 1}, stock.ErrGuard, [2]int{4, 4}},
		// Matched, not changed: go-sql-driver reports 0 rows without ClientFoundRows.
		"by nothing": {2, map[int64]int{1: 0}, nil, [2]int{4, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			rolledBack := errors.New("rolled back")
			err := database.Transact(t.Context(), db, func(tx *sql.Tx) error {
				rows, err := store.Lock(t.Context(), tx, []int64{1, 2})
				if err != nil {
					return err
				}
				for show, row := range rows {
					row.Epoch = test.epoch
					rows[show] = row
				}
				if err := store.AddReserved(t.Context(), tx, rows, test.delta); err != nil {
					return err
				}
				if rows, err = store.Lock(t.Context(), tx, []int64{1, 2}); err != nil {
					return err
				}
				if got := [2]int{rows[1].Reserved, rows[2].Reserved}; got != test.after {
					t.Errorf("reserved %v, want %v", got, test.after)
				}
				return rolledBack
			})
			if test.want == nil {
				test.want = rolledBack
			}
			wantError(t, err, test.want)
		})
	}
	rows, err := store.Rows(t.Context())
	if err != nil || rows[1].Reserved != 4 || rows[2].Reserved != 4 {
		t.Errorf("in the end: %v, %v", rows, err)
	}
}

// lockRace has two transactions lock both shows, each naming them in another order, and counts deadlocks.
func lockRace(t *testing.T, db *sql.DB, rounds int, lock func(ctx context.Context, tx *sql.Tx, shows []int64) error) (deadlocks int) {
	t.Helper()
	var mu sync.Mutex
	for range rounds {
		var both sync.WaitGroup
		for _, shows := range [][]int64{{1, 2}, {2, 1}} {
			both.Go(func() {
				err := database.Transact(t.Context(), db, func(tx *sql.Tx) error { return lock(t.Context(), tx, shows) })
				var answered *mysql.MySQLError
				if errors.As(err, &answered) && answered.Number == 1213 {
					mu.Lock()
					defer mu.Unlock()
					deadlocks++
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
	}
	return deadlocks
}

func TestLockOrder(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	store := stock.NewStore(db)
	insertStock(t, db, stock.Row{Show: 1, Capacity: 1}, stock.Row{Show: 2, Capacity: 1})
	deadlocks := lockRace(t, db, 100, func(ctx context.Context, tx *sql.Tx, shows []int64) error {
		rows, err := store.Lock(ctx, tx, shows)
		if err == nil && len(rows) != 2 {
			err = fmt.Errorf("%d rows", len(rows))
		}
		return err
	})
	if deadlocks > 0 {
		t.Errorf("%d deadlocks", deadlocks)
	}
	var first sync.WaitGroup
	first.Add(2)
	broken := func(ctx context.Context, tx *sql.Tx, shows []int64) error { // locks in the order given
		for i, show := range shows {
			if _, err := store.Lock(ctx, tx, []int64{show}); err != nil {
				return err
			}
			if i == 0 {
				first.Done()
				first.Wait()
			}
		}
		return nil
	}
	if lockRace(t, db, 1, broken) == 0 {
		t.Error("the test does not see locks taken in the wrong order")
	}
}

func TestFixShards(t *testing.T) {
	t.Parallel()
	store := stock.NewStore(newDB(t))
	var all sync.WaitGroup
	for range 4 { // processes that start at once
		all.Go(func() {
			if err := store.FixShards(t.Context(), 16); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, n := range []int{1, 15, 17} {
		if err := store.FixShards(t.Context(), n); !errors.Is(err, stock.ErrShards) {
			t.Errorf("%d shards: %v, want %v", n, err, stock.ErrShards)
		}
	}
	if err := store.FixShards(t.Context(), 16); err != nil {
		t.Errorf("16 shards again: %v", err)
	}
}

func shuffled[T any](list []T, random *rand.Rand) []T {
	list = append([]T(nil), list...)
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}
