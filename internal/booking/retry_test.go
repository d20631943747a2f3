package booking_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// handling has a worker handle a batch in the background.
func handling(t *testing.T, rig *systemtest.Rig, w worker, show int64, batch []stream.Entry) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	systemtest.Go(t, func(ctx context.Context) error {
		done <- w.Handle(ctx, rig.Shards.Of(show), batch)
		return nil
	})
	return done
}

// retried waits until a worker has begun its transaction anew that many times.
func retried(t *testing.T, w worker, times float64) {
	t.Helper()
	servertest.Eventually(t, 20*time.Second, "the batch is tried again", func() bool {
		return counter(t, w.metrics, "neticket_record_retries_total") >= times
	})
}

func wantHandled(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the batch is not handled within 20 s")
	}
}

// lockShow locks a show's stock in a transaction of somebody else.
func lockShow(t *testing.T, rig *systemtest.Rig, show int64) *sql.Tx {
	t.Helper()
	tx, err := rig.DB.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	if _, err := rig.Stock.Lock(t.Context(), tx, []int64{show}); err != nil {
		t.Fatal(err)
	}
	return tx
}

func TestLockWaitIsRetried(t *testing.T) {
	t.Parallel()
	rig := systemtest.On(t, systemtest.Servers{DSN: servertest.MySQL(t) + "?innodb_lock_wait_timeout=1", Redis: servertest.Redis(t)})
	show, batch := mixedBatch(t, rig)
	tx := lockShow(t, rig, show)
	w := newWorker(rig)
	done := handling(t, rig, w, show, batch)
	retried(t, w, 1)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	wantHandled(t, done)
	if diff := cmp.Diff(mixedOutcomes, w.outcomes(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sound(t, rig, show, 88)
}

func TestDeadlockIsRetried(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	first := load(t, rig, 10, 0)
	second := load(t, rig, 10, 0)
	for rig.Shards.Of(second) != rig.Shards.Of(first) { // so that one batch is about both
		second = load(t, rig, 10, 0)
	}
	book(t, rig, 7, first, 1, "a")
	book(t, rig, 7, second, 1, "a")

	// Somebody holds the second, and has written so much that the recorder is the one to be rolled back.
	tx := lockShow(t, rig, second)
	for i := range 100 {
		if _, err := tx.ExecContext(t.Context(), "INSERT INTO audit_log (at, actor_id, action, object, details, ip, request_id) VALUES (NOW(), ?, '', '', '', '', '')", i); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorker(rig)
	done := handling(t, rig, w, first, take(t, rig, first))
	servertest.Eventually(t, 10*time.Second, "the recorder holds the first", func() bool {
		_, err := rig.DB.ExecContext(t.Context(), "SELECT * FROM stock WHERE show_id = ? FOR UPDATE NOWAIT", first)
		var answered *mysql.MySQLError
		return errors.As(err, &answered)
	})
	if _, err := rig.Stock.Lock(t.Context(), tx, []int64{first}); err != nil {
		t.Fatalf("the other transaction, not the recorder's, was rolled back: %v", err)
	}
	retried(t, w, 1)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	wantHandled(t, done)
	if diff := cmp.Diff(map[string]int{"confirmed": 2}, w.outcomes(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sound(t, rig, first, 9)
	sound(t, rig, second, 9)
}

// While MySQL is away bookings are taken, nothing is rejected or buried, and all are recorded once it is back.
func TestMySQLKilledAndStarted(t *testing.T) {
	t.Parallel()
	server := servertest.MariaDB(t)
	rig := systemtest.On(t, systemtest.Servers{DSN: server.DSN("neticket"), Redis: servertest.Redis(t)})
	show, batch := mixedBatch(t, rig)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	w := newWorker(rig)
	done := handling(t, rig, w, show, batch)
	late := book(t, rig, 20, show, 2, "a")
	if got := find(t, rig, late.User, late.ID); got.Status != booking.Pending || !got.Provisional {
		t.Errorf("what cannot be read is %+v, want it pending and provisional", got)
	}
	retried(t, w, 3)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantHandled(t, done)
	if diff := cmp.Diff(mixedOutcomes, w.outcomes(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	record(t, rig, show)
	wantStatus(t, rig, late, booking.Confirmed, "")
	sound(t, rig, show, 86)
	if n := rig.Redis.Exists(t.Context(), rig.Shards.Dead(rig.Shards.Of(show))).Val(); n != 0 {
		t.Error("entries were buried")
	}
}

// The connection breaks in COMMIT: whether it was done is unknown, and found out.
func TestCutInCommit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fate systemtest.Fate
		want map[string]int
	}{
		"its answer is lost":    {systemtest.LoseAnswer, map[string]int{"delivered_again": 10}},
		"the request gets lost": {systemtest.LoseRequest, mixedOutcomes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, dsn := systemtest.ProxyMySQL(t, servertest.MySQL(t))
			rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
			show, batch := mixedBatch(t, rig)
			var cut atomic.Int32
			proxy.Rule(func(request []byte) systemtest.Fate {
				if bytes.HasSuffix(request, []byte("\x03COMMIT")) && cut.Add(1) <= 2 {
					return test.fate
				}
				return systemtest.Deliver
			})
			w := newWorker(rig)
			if err := w.Handle(t.Context(), rig.Shards.Of(show), batch); err != nil {
				t.Error(err)
			}
			if cut.Load() != 3 {
				t.Errorf("%d commits, want 3: two were cut", cut.Load())
			}
			if diff := cmp.Diff(test.want, w.outcomes(t)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			sound(t, rig, show, 88)
		})
	}
}

// A worker that has to stop while MySQL is away leaves its batch in the stream.
func TestStoppedWhileMySQLIsAway(t *testing.T) {
	t.Parallel()
	proxy, dsn := systemtest.ProxyMySQL(t, servertest.MySQL(t))
	rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
	show, batch := mixedBatch(t, rig)
	proxy.Cut()
	ctx, stop := context.WithCancel(t.Context())
	w := newWorker(rig)
	done := make(chan error, 1)
	go func() { done <- w.Handle(ctx, rig.Shards.Of(show), batch) }()
	retried(t, w, 2)
	stop()
	if err := <-done; err == nil {
		t.Error("a batch that is not recorded is reported as done")
	}
	if n := rig.Redis.XLen(t.Context(), rig.Shards.Entries(rig.Shards.Of(show))).Val(); n != int64(len(batch)) {
		t.Errorf("%d entries are in the stream, want %d", n, len(batch))
	}
	proxy.Mend()
	if err := newWorker(rig).Handle(t.Context(), rig.Shards.Of(show), batch); err != nil {
		t.Fatal(err)
	}
	sound(t, rig, show, 88)
}
