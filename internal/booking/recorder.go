package booking

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
)

// Ledger closes entries in Redis.
type Ledger interface {
	Settle(ctx context.Context, shard int, settlements []stock.Settlement) (int, error)
}

// Undertaker moves entries that cannot be decoded to the dead letters.
type Undertaker interface {
	Bury(ctx context.Context, shard int, entry, reason string) (bool, error)
}

// Alarm is told what the recorder sees to be wrong with shows.
type Alarm interface {
	// Want asks for a resync of a show, of which the stock had this epoch when it was seen to be wrong.
	Want(show int64, cause string, epoch int64)
	// Vanished says that a shard's stream or group is gone.
	Vanished(ctx context.Context, shard int)
}

// Recorder records entries in MySQL and settles them. It is the stream.Handler of the worker.
type Recorder struct {
	db         *sql.DB
	store      *Store
	stock      *stock.Store
	shows      *show.Store
	ledger     Ledger
	undertaker Undertaker
	alarm      Alarm
	waker      *Waker
	log        *slog.Logger
	metrics    *recorderMetrics
}

// NewRecorder returns a recorder.
func NewRecorder(db *sql.DB, ledger Ledger, undertaker Undertaker, alarm Alarm, waker *Waker, o stock.Observers) *Recorder {
	return &Recorder{db: db, store: NewStore(db), stock: stock.NewStore(db), shows: show.NewStore(db), ledger: ledger, undertaker: undertaker,
		alarm: alarm, waker: waker, log: o.Log, metrics: newRecorderMetrics(o.Registry)}
}

// Vanished passes on that a shard's stream or group is gone.
func (r *Recorder) Vanished(ctx context.Context, shard int) { r.alarm.Vanished(ctx, shard) }

// Handle records one batch of a shard, settles it and wakes who waits for it. An error of MySQL, Redis or the network never
// counts against an entry: it keeps trying until the context ends. What is left over then is delivered again.
func (r *Recorder) Handle(ctx context.Context, shard int, batch []stream.Entry) error {
	entries := make([]Entry, 0, len(batch))
	for _, raw := range batch {
		entry, err := stock.ParseEntry(raw)
		if err == nil {
			entries = append(entries, entry)
			continue
		}
		if err := r.bury(ctx, shard, raw.ID, err); err != nil {
			return err
		}
	}
	if len(entries) == 0 {
		return nil
	}
	r.metrics.batch.Observe(float64(len(entries)))
	began := time.Now()
	decisions, failed := r.record(ctx, entries)
	r.metrics.commit.Observe(time.Since(began).Seconds())
	if len(decisions) == 0 {
		return failed
	}
	committed := time.Now()
	if err := r.settle(ctx, shard, decisions); err != nil {
		return errors.Join(failed, err)
	}
	r.metrics.settle.Observe(time.Since(committed).Seconds())
	for _, d := range decisions {
		r.metrics.recorded(d, committed)
	}
	r.waker.Wake(ctx, decisions)
	return failed
}

func (r *Recorder) bury(ctx context.Context, shard int, entry string, reason error) error {
	moved, err := r.undertaker.Bury(ctx, shard, entry, reason.Error())
	if err != nil {
		return err // it is delivered again
	}
	if moved {
		r.metrics.buried.Inc()
		r.log.Error("an entry cannot be decoded and lies in the dead letters now", "shard", shard, "entry", entry, "reason", reason)
	}
	return nil
}

// record commits entries and returns their decisions. It returns an error for those that it could not commit.
func (r *Recorder) record(ctx context.Context, entries []Entry) ([]Decision, error) {
	for try := 1; ; try++ {
		decisions, err := r.commit(ctx, entries, false)
		switch {
		case err == nil:
			return decisions, nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("record %d entries: %w", len(entries), err)
		case !ofData(err):
			if try == 1 || try%20 == 0 {
				r.log.Warn("bookings cannot be recorded; they wait and are tried again until they can", "entries", len(entries), "try", try, "error", err)
			}
			r.metrics.retries.Inc()
			pause(ctx, backOff(try, err))
		case len(entries) > 1:
			r.log.Warn("a batch fails for its data; its entries are tried alone", "entries", len(entries), "error", err)
			return r.recordAlone(ctx, entries)
		default:
			return r.reject(ctx, entries[0], err)
		}
	}
}

func (r *Recorder) recordAlone(ctx context.Context, entries []Entry) ([]Decision, error) {
	var decisions []Decision
	var failed error
	for _, entry := range entries {
		one, err := r.record(ctx, []Entry{entry})
		decisions = append(decisions, one...)
		failed = errors.Join(failed, err)
	}
	return decisions, failed
}

// reject records an entry whose row cannot be stored as rejected. Where not even that can be stored, the entry stays in the
// stream, for an operator to look at, and is tried again every few seconds.
func (r *Recorder) reject(ctx context.Context, entry Entry, cause error) ([]Decision, error) {
	decisions, err := r.commit(ctx, []Entry{entry}, true)
	if err != nil {
		r.log.Error("an entry can be neither recorded nor rejected; mend its data or the schema", "entry", entry.Entry,
			"reservation", entry.ID, "show", entry.Show, "error", cause, "error_rejecting", err)
		return nil, fmt.Errorf("reject entry %s: %w", entry.Entry, err)
	}
	r.log.Error("an entry cannot be stored and was rejected", "entry", entry.Entry, "reservation", entry.ID, "show", entry.Show, "error", cause)
	return decisions, nil
}

// commit decides entries and writes what follows, in one transaction. After an error its outcome is unknown; doing it again
// recognises what was done.
func (r *Recorder) commit(ctx context.Context, entries []Entry, unstorable bool) ([]Decision, error) {
	// Bookings have no row yet, unless they are delivered again: rather than look for each of them, let the table's key find out.
	decisions, err := r.decide(ctx, entries, cancelsOf(entries), unstorable)
	if ofData(err) {
		decisions, err = r.decide(ctx, entries, entries, unstorable)
	}
	return decisions, err
}

// decide is commit that looks for the rows of some of the entries alone. Where another has a row too, nothing is committed and the
// error is one of data.
func (r *Recorder) decide(ctx context.Context, entries, known []Entry, unstorable bool) ([]Decision, error) {
	var result Decided
	var locked map[int64]stock.Row
	err := database.Transact(ctx, r.db, func(tx *sql.Tx) error {
		f := Facts{Unstorable: unstorable, Rows: make(map[uuid.UUID]*Row, len(entries)), Held: make(map[Holder]int, len(entries))}
		var err error
		if f.Stock, err = r.stock.Lock(ctx, tx, showsOf(entries)); err != nil {
			return err
		}
		locked = f.Stock
		if err := r.store.byRef(ctx, tx, refsOf(known), f.Rows); err != nil {
			return err
		}
		if err := r.store.held(ctx, tx, limited(entries, f.Stock), f.Held); err != nil {
			return err
		}
		result = Plan(entries, f)
		if err := r.price(ctx, tx, result.Inserts); err != nil {
			return err
		}
		if err := r.store.insert(ctx, tx, result.Inserts); err != nil {
			return err
		}
		if err := r.store.cancel(ctx, tx, result.Cancels); err != nil {
			return err
		}
		return r.stock.AddReserved(ctx, tx, f.Stock, result.Reserved)
	})
	if err != nil {
		return nil, err
	}
	for show, cause := range result.Suspects {
		r.alarm.Want(show, cause, locked[show].Epoch)
	}
	return result.Decisions, nil
}

// price keeps with new rows what their shows cost now: a show may cost something else later.
func (r *Recorder) price(ctx context.Context, tx *sql.Tx, rows []*Row) error {
	of := map[int64]*int64{}
	for _, row := range rows {
		of[row.Show] = nil
	}
	if len(of) == 0 {
		return nil
	}
	if err := r.shows.Prices(ctx, tx, of); err != nil {
		return err
	}
	for _, row := range rows {
		row.Price = of[row.Show]
	}
	return nil
}

// settle closes entries whose rows are committed, until it is done or the context ends.
func (r *Recorder) settle(ctx context.Context, shard int, decisions []Decision) error {
	settlements := make([]stock.Settlement, len(decisions))
	for i, d := range decisions {
		settlements[i] = stock.Settlement{Entry: d.Entry.Entry, Show: d.Entry.Show, User: d.Entry.User,
			Epoch: d.Entry.Epoch, Seq: d.Entry.Seq, UnitsBack: d.UnitsBack, CountBack: d.CountBack}
		if d.Void {
			settlements[i].Void = d.Entry.ID.String()
		}
	}
	for try := 1; ; try++ {
		_, err := r.ledger.Settle(ctx, shard, settlements)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if try == 1 || try%20 == 0 {
			r.log.Warn("recorded bookings cannot be settled in Redis; tried again until they can", "entries", len(settlements), "try", try, "error", err)
		}
		pause(ctx, backOff(try, err))
	}
}

// showsOf returns the shows that entries are about, each once.
func showsOf(entries []Entry) []int64 {
	var shows []int64
	for _, e := range entries {
		if len(shows) == 0 || shows[len(shows)-1] != e.Show {
			shows = append(shows, e.Show)
		}
	}
	slices.Sort(shows)
	return slices.Compact(shows)
}

// refsOf returns the reservations that entries are about.
func refsOf(entries []Entry) []Ref {
	refs := make([]Ref, len(entries))
	for i, e := range entries {
		refs[i] = Ref{Show: e.Show, ID: e.ID}
	}
	return refs
}

// cancelsOf returns those entries that cancel.
func cancelsOf(entries []Entry) []Entry {
	var cancels []Entry
	for _, e := range entries {
		if e.Kind == Cancel {
			cancels = append(cancels, e)
		}
	}
	return cancels
}

// limited returns the users of the entries' shows that have a limit, each once and in order.
func limited(entries []Entry, rows map[int64]stock.Row) []Holder {
	var holders []Holder
	for _, e := range entries {
		if rows[e.Show].Limit > 0 {
			holders = append(holders, Holder{e.Show, e.User})
		}
	}
	slices.SortFunc(holders, func(a, b Holder) int {
		return cmp.Or(cmp.Compare(a.Show, b.Show), cmp.Compare(a.User, b.User))
	})
	return slices.Compact(holders)
}
