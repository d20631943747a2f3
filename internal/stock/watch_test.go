package stock_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// watch has a watch look a few times a second until the test ends.
func watch(t *testing.T, rig *systemtest.Rig) {
	t.Helper()
	w := rig.NewWatch()
	w.SetEvery(20 * time.Millisecond)
	systemtest.Go(t, w.Run)
}

func look(t *testing.T, w *stock.Watch) {
	t.Helper()
	if err := w.Look(t.Context()); err != nil {
		t.Error(err)
	}
}

// Nobody asks for a show, and still its pending reservations get their answer: the watch looks after what stays off sale.
func TestStuckShowsAreLookedAfter(t *testing.T) {
	t.Parallel()
	for name, stick := range map[string]func(*testing.T, *systemtest.Rig, int64){
		"group deleted": func(t *testing.T, rig *systemtest.Rig, show int64) {
			rig.Redis.XGroupDestroy(t.Context(), rig.Shards.Entries(rig.Shards.Of(show)), group)
		},
		"its resync died": func(t *testing.T, rig *systemtest.Rig, show int64) {
			crashAfter(t, rig, show, "pause", "dead")
			silent(t, rig, show)
		},
		"its hash was lost, and its resync died": func(t *testing.T, rig *systemtest.Rig, show int64) {
			deleteHash(t, rig, show)
			crashAfter(t, rig, show, "pause", "dead")
			silent(t, rig, show)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := systemtest.New(t)
			rig.Resyncer.SetPatience(20*time.Millisecond, 5*time.Second)
			show := load(t, rig, 10, 0)
			reserve(t, rig, request(show, 7, 2, "a"))
			stick(t, rig, show)
			rig.Work(t, "w1")
			systemtest.Go(t, rig.Healer.Run)
			watch(t, rig)
			inEpoch(t, rig, show, 2)
			rig.Settled(t, 10*time.Second, show)
			wantOpen(t, rig, show, 8)
		})
	}
}

// silent waits until the holder of a show may be taken over.
func silent(t *testing.T, rig *systemtest.Rig, show int64) {
	t.Helper()
	servertest.Eventually(t, 10*time.Second, "the holder is silent for long enough", func() bool {
		var since int64
		if _, err := fmt.Sscan(hashOf(t, rig, show)["paused_at"], &since); err != nil {
			t.Fatal(err)
		}
		return rig.Redis.Time(t.Context()).Val().UnixMilli()-since > 50
	})
}

// No worker lives and nobody asks: the watch itself sees that a stream or a group is gone, and pending reservations get their answer.
func TestWatchSeesLostStreams(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testing.T, *systemtest.Rig, int64){
		"stream": deleteStream,
		"group": func(t *testing.T, rig *systemtest.Rig, show int64) {
			rig.Redis.XGroupDestroy(t.Context(), rig.Shards.Entries(rig.Shards.Of(show)), group)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := systemtest.New(t)
			show := load(t, rig, 10, 0)
			reserve(t, rig, request(show, 7, 2, "a"))
			systemtest.Go(t, rig.Healer.Run)
			w := rig.NewWatch()
			look(t, w)
			if state := hashOf(t, rig, show)["state"]; state != "open" {
				t.Fatalf("a show whose stream is there is %s", state)
			}
			lose(t, rig, show)
			look(t, w) // distrusts
			look(t, w) // sees that it is stuck
			inEpoch(t, rig, show, 2)
		})
	}
}

// What an API stored and could not tell Redis is told by the watch, once.
func TestWatchTellsSaleTimes(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	id := load(t, rig, 10, 0)
	w := rig.NewWatch()
	look(t, w)
	closes := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	err := database.Transact(t.Context(), rig.DB, func(tx *sql.Tx) error {
		_, err := rig.Shows.Update(t.Context(), tx, id, show.Draft{Title: "Test", Venue: "Hall", TimeZone: "Asia/Seoul",
			SalesOpenAt: closes.Add(-time.Hour), SalesCloseAt: closes, StartsAt: closes.Add(time.Hour)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	reserve(t, rig, request(id, 7, 1, "a"))
	look(t, w)
	_, err = rig.Ledger.Reserve(t.Context(), request(id, 7, 1, "b"))
	wantError(t, err, stock.ErrClosed)
	if hash := hashOf(t, rig, id); hash["version"] != "2" || hash["closes"] != fmtMilli(closes) {
		t.Errorf("Redis was told %v", hash)
	}
	set("version", 1)(t, rig, id)
	look(t, w)
	if version := hashOf(t, rig, id)["version"]; version != "1" {
		t.Error("it was told again")
	}
}

// However many shows there are, a stuck one is found, and no look reads all of them.
func TestWatchGoesThroughAllShows(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	const shows = 4500
	values := make([]string, shows)
	for i := range values {
		values[i] = fmt.Sprintf("(%d, 10, 0, 0, 0)", 1000+i)
	}
	exec(t, rig.DB, "INSERT INTO stock (show_id, capacity, limit_per_user, reserved, epoch) VALUES "+strings.Join(values, ","))
	last := rig.Show(t, 10, 0)
	exec(t, rig.DB, "UPDATE shows SET id = 9000 WHERE id = ?", last)
	exec(t, rig.DB, "UPDATE stock SET show_id = 9000 WHERE show_id = ?", last)
	resync(t, rig, 9000)
	set("state", "paused", "paused_at", 1)(t, rig, 9000)
	systemtest.Go(t, rig.Healer.Run)
	w := rig.NewWatch()
	for range 2 {
		look(t, w)
	}
	healed(t, rig)
	if state := hashOf(t, rig, 9000)["state"]; state != "paused" {
		t.Errorf("all shows were read at once: the last is %s", state)
	}
	look(t, w)
	inEpoch(t, rig, 9000, 2)
}

// Whoever tells that a stream is gone may be late: a show that was loaded anew since then stays on sale.
func TestLateNewsOfALostStream(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	recorder := rig.NewRecorder(prometheus.NewRegistry())
	recorder.Vanished(t.Context(), rig.Shards.Of(show))
	wantOpen(t, rig, show, 10)

	deleteStream(t, rig, show)
	recorder.Vanished(t.Context(), rig.Shards.Of(show)) // the control
	if state := hashOf(t, rig, show)["state"]; state != "unloaded" {
		t.Errorf("a show whose stream is gone is %s", state)
	}
	if n, err := rig.Ledger.DistrustLost(t.Context(), rig.Stock, rig.Shards.Of(show)); n != 0 || err != nil {
		t.Errorf("%d shows are distrusted again, %v", n, err)
	}
}

// edits note since when changes are asked for.
type edits struct{ since []time.Time }

func (e *edits) ChangedSince(_ context.Context, t time.Time) (map[int64]stock.SaleTimes, time.Time, error) {
	e.since = append(e.since, t)
	return nil, time.Now(), nil
}

// MySQL 8, unlike MariaDB, refuses to compare with the date that Go's zero time is sent as, so nobody may send that: neither the watch
// nor the catalogue, whose first reads ask for all that there is.
func TestNobodySendsTheZeroDate(t *testing.T) {
	t.Parallel()
	proxy, dsn := systemtest.ProxyMySQL(t, servertest.MySQL(t))
	rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
	id := load(t, rig, 10, 0)
	var asked, zero atomic.Int32
	proxy.Rule(func(request []byte) systemtest.Fate {
		if bytes.Contains(request, []byte("updated_at >= ")) {
			asked.Add(1)
		}
		if bytes.Contains(request, []byte("0000-00-00")) {
			zero.Add(1)
		}
		return systemtest.Deliver
	})
	look(t, rig.NewWatch())
	if err := rig.Catalogue.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := rig.Catalogue.Get(t.Context(), id); err != nil {
		t.Error(err)
	}
	if asked.Load() != 2 || zero.Load() != 0 {
		t.Errorf("%d times asked for changes, %d times since the year 0", asked.Load(), zero.Load())
	}
}

// A stream that is gone when a watch looks may be there again before the watch has distrusted the shows, and they loaded: as when
// MySQL is slow to tell which shows there are.
func TestWatchIsLate(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	proxy, dsn := systemtest.ProxyMySQL(t, rig.Config.MySQLDSN)
	db, err := database.Open(dsn, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	deleteStream(t, rig, show)
	proxy.Rule(func(request []byte) systemtest.Fate {
		if bytes.HasSuffix(request, []byte("epoch FROM stock")) { // all shows
			resync(t, rig, show)
		}
		return systemtest.Deliver
	})
	look(t, stock.NewWatch(rig.Ledger, stock.NewStore(db), rig.Healer, &edits{}, rig.Log))
	inEpoch(t, rig, show, 2)
	wantOpen(t, rig, show, 10)
}

// A pause whose holder gave a sign of life just now is none of the watch's business: its holder may be done by the time that somebody
// takes it over, and a show on sale would be resynced for nothing.
func TestLivingPauseIsLeftAlone(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	set("state", "paused", "paused_at", rig.Redis.Time(t.Context()).Val().UnixMilli())(t, rig, show)
	systemtest.Go(t, rig.Healer.Run)
	look(t, rig.NewWatch())
	rig.Healer.Want(show, stock.CauseStuck, 0)
	healed(t, rig)
	if n := counter(t, rig.Registry, "neticket_resyncs_total", stock.CauseStuck); n != 0 {
		t.Errorf("%v resyncs were tried", n)
	}
}
