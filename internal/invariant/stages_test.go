package invariant_test

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// TestEveryStageOfAnEntryIsExplained stops between each of an entry's steps: nothing is missing or doubled there.
func TestEveryStageOfAnEntryIsExplained(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		limit  int
		happen func(t *testing.T, rig *systemtest.Rig, show int64) // appends the entries to look at
	}{
		"reserve": {happen: func(t *testing.T, rig *systemtest.Rig, show int64) {
			reserve(t, rig, 1, show, 2, "a")
		}},
		"cancel": {limit: 4, happen: func(t *testing.T, rig *systemtest.Rig, show int64) {
			id := reserve(t, rig, 1, show, 2, "a")
			drain(t, rig, show)
			if _, err := rig.BoxOffice.Cancel(t.Context(), 1, booking.Ref{ID: id}, 0); err != nil {
				t.Fatal(err)
			}
		}},
		"reserve and cancel in one batch": {happen: func(t *testing.T, rig *systemtest.Rig, show int64) {
			id := reserve(t, rig, 1, show, 2, "a")
			commit(t, rig, show)
			if _, err := rig.BoxOffice.Cancel(t.Context(), 1, booking.Ref{ID: id}, 0); err != nil {
				t.Fatal(err)
			}
		}},
		"the same twice": {limit: 4, happen: func(t *testing.T, rig *systemtest.Rig, show int64) {
			reserve(t, rig, 1, show, 2, "a")
			forget(t, rig, 1, show)
			reserve(t, rig, 1, show, 1, "a")
		}},
		"over the limit": {limit: 2, happen: func(t *testing.T, rig *systemtest.Rig, show int64) {
			reserve(t, rig, 1, show, 2, "a")
			drain(t, rig, show)
			if err := rig.Redis.HSet(t.Context(), rig.Shards.Users(show), "1", 0).Err(); err != nil {
				t.Fatal(err)
			}
			reserve(t, rig, 1, show, 2, "b") // Redis lets it pass, MySQL does not
			if err := rig.Redis.HSet(t.Context(), rig.Shards.Users(show), "1", 4).Err(); err != nil {
				t.Fatal(err)
			}
		}},
		"of an older epoch": {happen: func(t *testing.T, rig *systemtest.Rig, show int64) {
			reserve(t, rig, 1, show, 2, "a")
			execute(t, rig, "UPDATE stock SET epoch = epoch + 1 WHERE show_id = ?", show)
			set(t, rig, show, "epoch", 2, "left", 10, "seq", 0, "settled", 0)
			reserve(t, rig, 2, show, 3, "b")
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := systemtest.New(t)
			show := rig.Show(t, 10, test.limit)
			test.happen(t, rig, show)
			if report := mustHold(t, rig, "appended", 1); report.OldestEntry <= 0 {
				t.Errorf("the oldest entry is %v s old", report.OldestEntry)
			}
			commit(t, rig, show)
			mustHold(t, rig, "committed", 1)
			drain(t, rig, show) // delivered again, and settled
			mustHold(t, rig, "settled", 1)
		})
	}
}

// commit records what lies in a show's stream and settles nothing, as a worker that dies after its commit.
func commit(t *testing.T, rig *systemtest.Rig, show int64) {
	t.Helper()
	var batch []redis.XMessage
	err := rig.Ledger.EachEntry(t.Context(), rig.Shards.Of(show), func(raw redis.XMessage) bool {
		batch = append(batch, raw)
		return true
	})
	if err != nil || len(batch) == 0 {
		t.Fatalf("%d entries, %v", len(batch), err)
	}
	recorder := booking.NewRecorder(rig.DB, deaf{}, rig.Group, deaf{}, booking.NewWaker(rig.Redis, rig.Log), rig.Observers(prometheus.NewRegistry()))
	if err := recorder.Handle(t.Context(), rig.Shards.Of(show), batch); err != nil {
		t.Fatal(err)
	}
}

// deaf settles nothing and hears no alarm.
type deaf struct{}

func (deaf) Settle(context.Context, int, []stock.Settlement) (int, error) { return 0, nil }
func (deaf) Want(int64, string, int64)                                    {}
func (deaf) Vanished(context.Context, int)                                {}

// forget removes a user's markers, as their time-out does.
func forget(t *testing.T, rig *systemtest.Rig, user, show int64) {
	t.Helper()
	if err := rig.Redis.Del(t.Context(), rig.Shards.User(rig.Shards.Of(show), user)).Err(); err != nil {
		t.Fatal(err)
	}
}
