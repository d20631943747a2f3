package stock_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system"
	"github.com/neticket/neticket/internal/system/systemtest"
)

const group = "recorders"

// request wishes for units; the same user, show and key make the same reservation.
func request(show, user int64, units int, key string) stock.Request {
	return stock.Request{ID: booking.NewID(user, show, key).String(), User: user, Show: show, Units: units}
}

// load adds a show and puts it on sale.
func load(t *testing.T, rig *systemtest.Rig, capacity, limit int) int64 {
	t.Helper()
	show := rig.Show(t, capacity, limit)
	resync(t, rig, show)
	return show
}

func resync(t *testing.T, rig *systemtest.Rig, show int64) stock.Resynced {
	t.Helper()
	result, err := rig.Resyncer.Resync(t.Context(), show, "test")
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// reserve takes units or ends the test.
func reserve(t *testing.T, rig *systemtest.Rig, r stock.Request) stock.Receipt {
	t.Helper()
	receipt, err := rig.Ledger.Reserve(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// take reads what is new in a show's shard, as a worker would.
func take(t *testing.T, rig *systemtest.Rig, show int64) []redis.XMessage {
	t.Helper()
	streams, err := rig.Redis.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: group, Consumer: "by-hand",
		Streams: []string{rig.Shards.Entries(rig.Shards.Of(show)), ">"}, Block: -1}).Result()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return streams[0].Messages
}

// hashOf returns all that Redis holds of a show.
func hashOf(t *testing.T, rig *systemtest.Rig, show int64) map[string]string {
	t.Helper()
	return fields(t, rig, rig.Shards.Show(show))
}

// usersOf returns the units that Redis counts per user of a show.
func usersOf(t *testing.T, rig *systemtest.Rig, show int64) map[string]string {
	t.Helper()
	return fields(t, rig, rig.Shards.Users(show))
}

func fields(t *testing.T, rig *systemtest.Rig, key string) map[string]string {
	t.Helper()
	all, err := rig.Redis.HGetAll(t.Context(), key).Result()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// cutOf looks at both sides of a show's stock.
func cutOf(t *testing.T, rig *systemtest.Rig, show int64) stock.Cut {
	t.Helper()
	cuts, err := rig.Auditor.Cuts(t.Context(), show)
	if err != nil {
		t.Fatal(err)
	}
	return cuts[show]
}

// wantOpen checks that a show sells, at rest, with the same epoch on both sides and that many units left.
func wantOpen(t *testing.T, rig *systemtest.Rig, show int64, left int) {
	t.Helper()
	cut := cutOf(t, rig, show)
	if !cut.Conclusive || !cut.Agrees() || cut.Hash.Left != left {
		t.Errorf("show %d: %+v; want it open, at rest, in agreement, %d left", show, cut, left)
	}
}

// wantError compares by value what carries figures, and with errors.Is what does not.
func wantError(t *testing.T, got, want error) {
	t.Helper()
	if errors.Is(got, want) {
		return
	}
	if want != nil {
		found := reflect.New(reflect.TypeOf(want))
		if errors.As(got, found.Interface()) && reflect.DeepEqual(found.Elem().Interface(), want) {
			return
		}
	}
	t.Errorf("got error %v, want %v", got, want)
}

// unchanged runs do and checks that it left a show's hash and its shard's stream as they were.
func unchanged(t *testing.T, rig *systemtest.Rig, show int64, do func()) {
	t.Helper()
	stream := rig.Shards.Entries(rig.Shards.Of(show))
	before, entries := hashOf(t, rig, show), rig.Redis.XLen(t.Context(), stream).Val()
	do()
	if after := hashOf(t, rig, show); !maps.Equal(before, after) {
		t.Errorf("the show's hash was changed:\n%s", cmp.Diff(before, after))
	}
	if now := rig.Redis.XLen(t.Context(), stream).Val(); now != entries {
		t.Errorf("the stream has %d entries, had %d", now, entries)
	}
}

// newDB returns a database of the test's own with the schema in it.
func newDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := database.Open(servertest.MySQL(t), 8)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

// insertStock adds stock rows with the epoch and reserved units given.
func insertStock(t *testing.T, db *sql.DB, rows ...stock.Row) {
	t.Helper()
	for _, row := range rows {
		exec(t, db, "INSERT INTO stock (show_id, capacity, limit_per_user, reserved, epoch) VALUES (?, ?, ?, ?, ?)",
			row.Show, row.Capacity, row.Limit, row.Reserved, row.Epoch)
	}
}

func exec(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// sibling is one more process on the rig's servers, which reaches Redis at another address.
func sibling(t *testing.T, rig *systemtest.Rig, redisAddr string) *system.System {
	t.Helper()
	c := rig.Config
	c.RedisAddrs = []string{redisAddr}
	s, err := system.Build(c, systemtest.Log(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// parts are what a resyncer asks; a test puts its own in place of one of them.
type parts struct {
	calendar  func(ctx context.Context, show int64) (stock.SaleTimes, error)
	confirmed stock.Confirmed
	drain     func(ctx context.Context, shard int) error
}

func (p parts) SaleTimes(ctx context.Context, show int64) (stock.SaleTimes, error) {
	return p.calendar(ctx, show)
}

func (p parts) Drain(ctx context.Context, shard int) error { return p.drain(ctx, shard) }

// newResyncer returns a resyncer of another process, with parts that change may replace.
func newResyncer(rig *systemtest.Rig, change func(*parts)) *stock.Resyncer {
	p := parts{
		calendar:  func(context.Context, int64) (stock.SaleTimes, error) { return saleTimes(), nil },
		confirmed: booking.NewStore(rig.DB),
		drain:     func(context.Context, int) error { return nil },
	}
	if change != nil {
		change(&p)
	}
	return stock.NewResyncer(rig.Ledger, rig.DB, p, p.confirmed, p, 10*time.Second, rig.Observers(prometheus.NewRegistry()))
}

// saleTimes are such that everything is allowed.
func saleTimes() stock.SaleTimes {
	now := time.Now()
	return stock.SaleTimes{Version: 1, Opens: now.Add(-time.Hour), Closes: now.Add(time.Hour), Starts: now.Add(2 * time.Hour)}
}

// confirm adds a confirmed reservation to MySQL alone, as if it had been recorded long ago.
func confirm(t *testing.T, rig *systemtest.Rig, show, user int64, units int) {
	t.Helper()
	id := booking.NewID(user, show, rand.Text())
	exec(t, rig.DB, `INSERT INTO reservations (id, show_id, user_id, units, status, epoch, seq, booked_at, confirmed_at)
		VALUES (?, ?, ?, ?, 'confirmed', 1, 1, NOW(3), NOW(3))`, id[:], show, user, units)
	exec(t, rig.DB, "UPDATE stock SET reserved = reserved + ? WHERE show_id = ?", units, show)
}

// counter sums up a counter's values over the series that have all the label values given.
func counter(t *testing.T, from prometheus.Gatherer, name string, values ...string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			has := map[string]bool{}
			for _, label := range metric.GetLabel() {
				has[label.GetValue()] = true
			}
			if !slices.ContainsFunc(values, func(value string) bool { return !has[value] }) {
				sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
	}
	return sum
}
