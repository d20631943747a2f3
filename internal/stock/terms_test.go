package stock_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// change has a show's terms changed, or fails the test.
func change(t *testing.T, rig *systemtest.Rig, show int64, c stock.Change) stock.Resynced {
	t.Helper()
	result, err := rig.Resyncer.Change(t.Context(), show, c)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// A show that was never loaded, one on sale, and one whose hash was lost all take a change.
func TestChangeOfTerms(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	for name, prepare := range map[string]func(t *testing.T) int64{
		"never loaded": func(t *testing.T) int64 { return rig.Show(t, 10, 0) },
		"on sale":      func(t *testing.T) int64 { return load(t, rig, 10, 0) },
		"hash lost": func(t *testing.T) int64 {
			show := load(t, rig, 10, 0)
			deleteHash(t, rig, show)
			return show
		},
	} {
		t.Run(name, func(t *testing.T) {
			show := prepare(t)
			confirm(t, rig, show, 7, 3)
			change(t, rig, show, stock.Change{Capacity: 12, Limit: 4})
			wantOpen(t, rig, show, 9)
			if row := cutOf(t, rig, show).Row; row.Capacity != 12 || row.Limit != 4 {
				t.Errorf("row %+v, want 12 and 4", row)
			}
			// What people hold already counts.
			_, err := rig.Ledger.Reserve(t.Context(), request(show, 7, 2, "a"))
			wantError(t, err, &stock.LimitError{Held: 3, Limit: 4})
			change(t, rig, show, stock.Change{Capacity: 3, Limit: 0})
			wantOpen(t, rig, show, 0)
			if users := usersOf(t, rig, show); len(users) > 0 {
				t.Errorf("users are counted without a limit: %v", users)
			}
		})
	}
}

// A capacity below what is confirmed is refused, and the show sells on as if nothing had been asked.
func TestCapacityBelowReserved(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	confirm(t, rig, show, 7, 6)
	resync(t, rig, show)
	unchangedBut(t, rig, show, []string{"token", "paused_at"}, func() {
		_, err := rig.Resyncer.Change(t.Context(), show, stock.Change{Capacity: 5})
		wantError(t, err, &stock.CapacityError{Capacity: 5, Reserved: 6})
	})
	wantOpen(t, rig, show, 4)
	if n := counter(t, rig.Registry, "neticket_resyncs_total", "terms", "refused"); n != 1 {
		t.Errorf("%v refusals counted, want 1", n)
	}

	// Reserved itself is wrong: only the sum under the lock tells, when there is no way back. The show is loaded all the same.
	exec(t, rig.DB, "UPDATE stock SET reserved = 2 WHERE show_id = ?", show)
	_, err := rig.Resyncer.Change(t.Context(), show, stock.Change{Capacity: 5})
	wantError(t, err, &stock.CapacityError{Capacity: 5, Reserved: 6})
	wantOpen(t, rig, show, 4)
}

// unchangedBut is unchanged for all but some fields of the hash.
func unchangedBut(t *testing.T, rig *systemtest.Rig, show int64, but []string, do func()) {
	t.Helper()
	before := hashOf(t, rig, show)
	do()
	after := hashOf(t, rig, show)
	for _, field := range but {
		delete(before, field)
		delete(after, field)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the show's hash was changed:\n%s", diff)
	}
}

// What belongs to a change is stored with it or not at all, and a change that cannot be stored leaves the show on sale.
func TestChangeCarriesMore(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	times := saleTimes()
	times.Version, times.Closes = 7, times.Closes.Add(time.Minute).Truncate(time.Millisecond)
	also := func(fail error) func(context.Context, *sql.Tx, stock.Row) (stock.SaleTimes, error) {
		return func(ctx context.Context, tx *sql.Tx, was stock.Row) (stock.SaleTimes, error) {
			_, err := tx.ExecContext(ctx, "UPDATE shows SET title = 'Changed', version = 7 WHERE id = ?", show)
			return times, errors.Join(err, fail)
		}
	}
	title := func() (title string) {
		if err := rig.DB.QueryRow("SELECT title FROM shows WHERE id = ?", show).Scan(&title); err != nil {
			t.Fatal(err)
		}
		return title
	}
	refused := errors.New("no")
	_, err := rig.Resyncer.Change(t.Context(), show, stock.Change{Capacity: 20, Also: also(refused)})
	wantError(t, err, refused)
	wantOpen(t, rig, show, 10)
	if title() != "Test" {
		t.Error("half of the change was stored")
	}

	change(t, rig, show, stock.Change{Capacity: 20, Also: also(nil)})
	wantOpen(t, rig, show, 20)
	if title() != "Changed" {
		t.Error("only half of the change was stored")
	}
	if hash := hashOf(t, rig, show); hash["version"] != "7" || hash["closes"] != fmtMilli(times.Closes) {
		t.Errorf("Redis sells by other times: %v", hash)
	}
}

// The caller goes away in the midst of a resync: before the bump the show is put back, after it, it is loaded.
func TestCallerGoesAway(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	for name, test := range map[string]struct {
		leave func(cancel func()) (r *stock.Resyncer, c stock.Change)
		want  int64
	}{
		"before the bump": {func(cancel func()) (*stock.Resyncer, stock.Change) {
			return newResyncer(rig, func(p *parts) {
				p.calendar = func(ctx context.Context, _ int64) (stock.SaleTimes, error) {
					cancel()
					<-ctx.Done()
					return stock.SaleTimes{}, ctx.Err()
				}
			}), stock.Change{Capacity: 20}
		}, 1},
		"after the bump": {func(cancel func()) (*stock.Resyncer, stock.Change) {
			return newResyncer(rig, nil), stock.Change{Capacity: 20, Also: func(context.Context, *sql.Tx, stock.Row) (stock.SaleTimes, error) {
				cancel()
				return saleTimes(), nil
			}}
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			show := load(t, rig, 10, 0)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, c := test.leave(cancel)
			if _, err := r.Change(ctx, show, c); (err == nil) != (test.want == 2) {
				t.Errorf("error %v", err)
			}
			wantOpen(t, rig, show, 10*int(test.want))
			if got := cutOf(t, rig, show).Row.Epoch; got != test.want {
				t.Errorf("epoch %d, want %d", got, test.want)
			}
		})
	}
}
