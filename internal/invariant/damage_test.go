package invariant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/invariant"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// scene is a system at rest in which nothing is wrong, and what there is to damage.
type scene struct {
	*systemtest.Rig
	show            int64     // capacity 20, limit 5 per person
	held, other     uuid.UUID // confirmed, of users 1 and 2, 2 units each
	cancelled, more uuid.UUID // cancelled, of user 3
}

func newScene(t *testing.T) scene {
	s := scene{Rig: systemtest.New(t)}
	s.show = s.Show(t, 20, 5)
	s.held, s.other = reserve(t, s.Rig, 1, s.show, 2, "a"), reserve(t, s.Rig, 2, s.show, 2, "a")
	s.cancelled, s.more = reserve(t, s.Rig, 3, s.show, 1, "a"), reserve(t, s.Rig, 3, s.show, 2, "b")
	drain(t, s.Rig, s.show)
	for _, id := range []uuid.UUID{s.cancelled, s.more} {
		if _, err := s.BoxOffice.Cancel(t.Context(), 3, booking.Ref{ID: id}, 0); err != nil {
			t.Fatal(err)
		}
	}
	drain(t, s.Rig, s.show)
	return s
}

// TestDamageIsFoundAndNamed does by hand what no script or transaction does.
func TestDamageIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	type want struct{ invariant, detail, id string }
	tests := map[string]func(t *testing.T, s scene) []want{
		"left too high": func(t *testing.T, s scene) []want {
			s.Redis.HIncrBy(t.Context(), s.Shards.Show(s.show), "left", 50)
			return []want{{"I6", "left 66 + reserved 4 + queued 0 + owed 0 is +50 off the capacity of 20", ""}}
		},
		"left too low while an entry waits": func(t *testing.T, s scene) []want {
			reserve(t, s.Rig, 4, s.show, 3, "a")
			s.Redis.HIncrBy(t.Context(), s.Shards.Show(s.show), "left", -1)
			return []want{{"I2", "left 12 + reserved 4 + queued 3 + owed 0 is -1 off", ""}}
		},
		"hash garbled": func(t *testing.T, s scene) []want {
			set(t, s.Rig, s.show, "left", "many")
			return []want{{"I2", `left is "many"`, ""}}
		},
		"another epoch in MySQL": func(t *testing.T, s scene) []want {
			execute(t, s.Rig, "UPDATE stock SET epoch = 7 WHERE show_id = ?", s.show)
			return []want{{"I2", "epoch 1, MySQL is in epoch 7", ""}}
		},
		"reserved changed": func(t *testing.T, s scene) []want {
			execute(t, s.Rig, "UPDATE stock SET reserved = 5 WHERE show_id = ?", s.show)
			return []want{{"I1", "reserved is 5, but the confirmed units are 4", ""}, {"I6", "+1 off", ""}}
		},
		"stock deleted": func(t *testing.T, s scene) []want {
			execute(t, s.Rig, "DELETE FROM stock WHERE show_id = ?", s.show)
			return []want{{"I1", "4 units are confirmed, but the show has no stock", ""}}
		},
		"row deleted": func(t *testing.T, s scene) []want {
			execute(t, s.Rig, "DELETE FROM reservations WHERE id = ?", s.held[:])
			return []want{{"I1", "confirmed units are 2", ""}, {"I2", "users", "1"}, {"I5", "pending for ever", s.held.String()}}
		},
		"row changed": func(t *testing.T, s scene) []want {
			execute(t, s.Rig, "UPDATE reservations SET units = 3 WHERE id = ?", s.held[:])
			return []want{{"I1", "confirmed units are 5", ""}, {"I2", "users", "1"}, {"I3", "differ in user, show or units", s.held.String()}}
		},
		"row given to somebody else": func(t *testing.T, s scene) []want {
			execute(t, s.Rig, "UPDATE reservations SET user_id = 2 WHERE id = ?", s.held[:])
			return []want{{"I2", "users", "1"}, {"I2", "users", "2"}, {"I3", "differ in user, show or units", s.held.String()}}
		},
		"two rows of one entry": func(t *testing.T, s scene) []want {
			execute(t, s.Rig, "UPDATE reservations SET seq = 1 WHERE id = ?", s.other[:])
			return []want{{"I3", "made by one entry", s.held.String()}, {"I3", "made by one entry", s.other.String()}}
		},
		"entry deleted": func(t *testing.T, s scene) []want {
			id := reserve(t, s.Rig, 4, s.show, 3, "a")
			s.Redis.XDel(t.Context(), s.Shards.Entries(s.Shards.Of(s.show)), marker(t, s, 4, stock.ReserveField(id.String())).Entry)
			return []want{{"I2", "-3 off", ""}, {"I5", "pending for ever", id.String()}, {"I9", "1 entries wait to be settled, but the stream holds 0", ""}}
		},
		"cancel entry deleted": func(t *testing.T, s scene) []want {
			if _, err := s.BoxOffice.Cancel(t.Context(), 1, booking.Ref{ID: s.held}, 0); err != nil {
				t.Fatal(err)
			}
			s.Redis.XDel(t.Context(), s.Shards.Entries(s.Shards.Of(s.show)), marker(t, s, 1, stock.CancelField(s.held.String())).Entry)
			return []want{{"I9", "stays cancelling", s.held.String()}, {"I9", "1 entries wait", ""}}
		},
		"settled before its commit": func(t *testing.T, s scene) []want {
			id := reserve(t, s.Rig, 4, s.show, 3, "a")
			shard := s.Shards.Of(s.show)
			m := marker(t, s, 4, stock.ReserveField(id.String()))
			s.Redis.XReadGroup(t.Context(), readAll(s.Shards.Entries(shard)))
			n, err := s.Ledger.Settle(t.Context(), shard, []stock.Settlement{{Entry: m.Entry, Show: s.show, User: 4, Epoch: m.Epoch, Seq: m.Seq}})
			if n != 1 || err != nil {
				t.Fatalf("settled %d, %v", n, err)
			}
			return []want{{"I2", "users", "4"}, {"I5", "pending for ever", id.String()}, {"I6", "-3 off", ""}}
		},
		"units given back twice": func(t *testing.T, s scene) []want {
			s.Redis.HIncrBy(t.Context(), s.Shards.Show(s.show), "left", 2)
			return []want{{"I6", "+2 off", ""}}
		},
		"entry copied": func(t *testing.T, s scene) []want {
			reserve(t, s.Rig, 4, s.show, 3, "a")
			stream := s.Shards.Entries(s.Shards.Of(s.show))
			raw := s.Redis.XRange(t.Context(), stream, "-", "+").Val()
			s.Redis.XAdd(t.Context(), add(stream, raw[0].Values))
			return []want{{"I2", "+3 off", ""}, {"I9", "1 entries wait to be settled, but the stream holds 2", ""}}
		},
		"two rows cancelled by one entry": func(t *testing.T, s scene) []want {
			execute(t, s.Rig, "UPDATE reservations SET cancel_seq = 5 WHERE status = 'cancelled'")
			return []want{{"I7", "cancelled by one entry", s.cancelled.String()}, {"I7", "cancelled by one entry", s.more.String()}}
		},
		"cancelled without an entry": func(t *testing.T, s scene) []want {
			execute(t, s.Rig, "UPDATE reservations SET cancel_seq = NULL WHERE id = ?", s.cancelled[:])
			return []want{{"I7", "status does not fit", s.cancelled.String()}}
		},
		"confirmed again": func(t *testing.T, s scene) []want {
			execute(t, s.Rig, "UPDATE reservations SET status = 'confirmed' WHERE id = ?", s.cancelled[:])
			return []want{{"I1", "confirmed units are 5", ""}, {"I2", "users", "3"}, {"I7", "status does not fit", s.cancelled.String()},
				{"I9", "stays cancelling", s.cancelled.String()}}
		},
		"row of a later epoch": func(t *testing.T, s scene) []want {
			execute(t, s.Rig, "UPDATE reservations SET epoch = 2 WHERE id = ?", s.held[:])
			return []want{{"I12", "stock has not reached", s.held.String()}}
		},
		"user's count lost": func(t *testing.T, s scene) []want {
			s.Redis.HDel(t.Context(), s.Shards.Users(s.show), "2")
			return []want{{"I2", "users", "2"}}
		},
		"user's count of nothing": func(t *testing.T, s scene) []want {
			s.Redis.HSet(t.Context(), s.Shards.Users(s.show), "9", 1)
			return []want{{"I2", "users", "9"}}
		},
		"marker garbled": func(t *testing.T, s scene) []want {
			s.Redis.HSet(t.Context(), s.Shards.User(s.Shards.Of(s.show), 1), stock.ReserveField(s.held.String()), "2|x")
			return []want{{"I3", "garbled", "1 r:" + s.held.String()}}
		},
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			mustHold(t, s.Rig, "before", 1)
			wants := damage(t, s)
			report := check(t, s.Rig)
			for _, w := range wants {
				if !slices.ContainsFunc(report.Violations, func(v invariant.Violation) bool {
					return v.Invariant == w.invariant && strings.Contains(v.Detail, w.detail) && (w.id == "" || slices.Contains(v.IDs, w.id))
				}) {
					t.Errorf("not reported: %+v", w)
				}
			}
			found := 0
			for _, v := range report.Violations {
				found += max(1, len(v.IDs))
			}
			if found != len(wants) || report.OK() {
				t.Errorf("want %d faults, got %+v", len(wants), report)
			}
		})
	}
}

// TestALossThatIsDealtWithIsNoViolation loses the stream: what was pending is lost, and the show is loaded anew.
func TestALossThatIsDealtWithIsNoViolation(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	reserve(t, s.Rig, 4, s.show, 3, "a")
	if err := s.Redis.Del(t.Context(), s.Shards.Entries(s.Shards.Of(s.show))).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ledger.Distrust(t.Context(), s.Stock, s.Shards.Of(s.show)); err != nil {
		t.Fatal(err)
	}
	if report := mustHold(t, s.Rig, "distrusted", 0); report.Loaded != 0 {
		t.Errorf("a distrusted show counts as loaded: %+v", report)
	}
	if err := s.Redis.Del(t.Context(), s.Shards.Show(s.show)).Err(); err != nil { // else its resync waits for what is lost
		t.Fatal(err)
	}
	id := reserve(t, s.Rig, 5, s.show, 1, "a")
	mustHold(t, s.Rig, "loaded", 1)
	drain(t, s.Rig, s.show)
	mustHold(t, s.Rig, "recorded", 1)
	if r, err := s.Lookup.Find(t.Context(), 5, booking.Ref{ID: id}); err != nil || r.Status != booking.Confirmed {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestPausedIsInconclusive: during a resync Redis may say anything.
func TestPausedIsInconclusive(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	set(t, s.Rig, s.show, "state", "paused", "left", 1000)
	if report := mustHold(t, s.Rig, "paused", 0); !slices.Equal(report.Inconclusive, []int64{s.show}) || report.Loaded != 1 {
		t.Errorf("%+v", report)
	}
}
