package booking

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/stock"
)

// world is a model of one show: Redis with its stream, MySQL, and workers that die, sleep and repeat themselves. Plan decides
// in it; all else is as simple as the words of the design. Its user n is user n+1.
type world struct {
	random *rand.Rand
	decide func([]Entry, Facts) Decided

	// Redis
	left, taken int // units left; entries made, in all epochs
	extra       int // units that somebody added by hand and nobody was refused yet
	hashEpoch   int64
	seq         int64
	stream      map[int]Entry // what is not settled, by when it was made
	// MySQL
	stock stock.Row
	rows  map[uuid.UUID]*Row
	// What workers have in hand: committed, not settled yet; and what was delivered before and may come again.
	unsettled []Decision
	seen      []Entry

	transitions, givenBack int // units of confirmed -> cancelled, and of cancels given back, in this epoch
}

const modelUsers = 6

func newWorld(seed uint64, decide func([]Entry, Facts) Decided) *world {
	random := rand.New(rand.NewPCG(seed, 1))
	capacity := 5 + random.IntN(20)
	return &world{random: random, decide: decide, left: capacity, hashEpoch: 1, stream: map[int]Entry{},
		stock: stock.Row{Show: 1, Capacity: capacity, Limit: random.IntN(3) * 4, Epoch: 1}, rows: map[uuid.UUID]*Row{}}
}

// append is what both scripts do.
func (w *world) append(e Entry) {
	w.seq++
	w.taken++
	e.Show, e.Epoch, e.Seq, e.Entry = 1, w.hashEpoch, w.seq, fmt.Sprint(w.taken)
	w.stream[w.taken] = e
}

// book is a reservation of requests.lua after its checks; its marker may be gone, so the same id comes again. The units per user are a hint
// that is often wrong, so this Redis does not count them.
func (w *world) book() {
	user, units := w.random.Int64N(modelUsers)+1, 1+w.random.IntN(4)
	if w.left < units {
		return
	}
	w.left -= units
	w.append(Entry{Kind: Reserve, ID: NewID(user, 1, fmt.Sprint(w.random.IntN(12))), User: user, Units: units})
}

// cancel is a cancel of requests.lua, asked for any row, in whatever state, by its owner or somebody else.
func (w *world) cancel() {
	if len(w.rows) == 0 {
		return
	}
	ids := slices.SortedFunc(maps.Keys(w.rows), func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	row := w.rows[ids[w.random.IntN(len(ids))]]
	user := row.User
	if w.random.IntN(10) == 0 {
		user++
	}
	w.append(Entry{Kind: Cancel, ID: row.ID, User: user, Units: row.Units})
}

// deliver hands a batch to a worker: entries of the stream and some that were delivered before, shuffled, some twice. Its
// transaction commits or not; then it settles some of them, or dies.
func (w *world) deliver() error {
	var batch []Entry
	for _, key := range slices.Sorted(maps.Keys(w.stream)) {
		if w.random.IntN(2) == 0 {
			batch = append(batch, w.stream[key])
		}
	}
	for range w.random.IntN(4) {
		if len(w.seen) > 0 {
			batch = append(batch, w.seen[w.random.IntN(len(w.seen))])
		}
		if len(batch) > 0 {
			batch = append(batch, batch[w.random.IntN(len(batch))])
		}
	}
	w.random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	if len(batch) == 0 {
		return nil
	}
	w.seen = append(w.seen, batch...)

	f := Facts{Stock: map[int64]stock.Row{1: w.stock}, Rows: map[uuid.UUID]*Row{}, Held: map[Holder]int{},
		Unstorable: len(batch) == 1 && w.random.IntN(8) == 0}
	before := map[uuid.UUID]Row{}
	for id, row := range w.rows {
		mine := *row
		f.Rows[id], before[id] = &mine, mine
		if row.Status == Confirmed && w.stock.Limit > 0 {
			f.Held[Holder{1, row.User}] += row.Units
		}
	}
	d := w.decide(batch, f)
	if w.random.IntN(5) == 0 { // the transaction is rolled back
		return nil
	}
	w.stock.Reserved += d.Reserved[1]
	for _, row := range d.Inserts {
		if _, there := before[row.ID]; there {
			return fmt.Errorf("inserts a row that is there: %+v", row)
		}
		if row.Status != Rejected && row.Epoch != w.stock.Epoch {
			return fmt.Errorf("I12: confirmed under epoch %d, the stock's is %d", row.Epoch, w.stock.Epoch)
		}
		w.rows[row.ID] = row
		if row.Reason == SoldOut && row.Epoch == w.hashEpoch {
			w.extra -= row.Units
		}
	}
	for _, row := range d.Cancels {
		if before[row.ID].Status != Confirmed {
			return fmt.Errorf("cancels a row that is %s", before[row.ID].Status)
		}
		w.rows[row.ID] = row
	}
	for _, row := range slices.Concat(d.Inserts, d.Cancels) {
		if row.Status == Cancelled {
			w.transitions += row.Units
		}
	}
	w.unsettled = append(w.unsettled, d.Decisions...)
	w.settle()
	return nil
}

// settle is settle.lua for some of what is committed, by whichever worker has it in hand, in any order.
func (w *world) settle() {
	w.random.Shuffle(len(w.unsettled), func(i, j int) { w.unsettled[i], w.unsettled[j] = w.unsettled[j], w.unsettled[i] })
	n := w.random.IntN(len(w.unsettled) + 1)
	for _, d := range w.unsettled[:n] {
		var key int
		_, _ = fmt.Sscan(d.Entry.Entry, &key)
		if e, there := w.stream[key]; !there || e.Epoch != d.Entry.Epoch || e.Seq != d.Entry.Seq {
			continue
		}
		delete(w.stream, key)
		if d.Entry.Epoch == w.hashEpoch {
			w.left += d.UnitsBack
			if d.Entry.Kind == Cancel {
				w.givenBack += d.UnitsBack
			}
		}
	}
	w.unsettled = slices.Clone(w.unsettled[n:])
	if w.random.IntN(3) == 0 { // the worker dies: what it had committed stays in the stream
		w.unsettled = nil
	}
}

// resync is one without draining: what is in the stream is of an old epoch from now on.
func (w *world) resync() {
	w.stock.Epoch++
	w.hashEpoch, w.seq = w.stock.Epoch, 0
	w.left = w.stock.Capacity - w.stock.Reserved
	w.transitions, w.givenBack, w.extra = 0, 0, 0
}

// meddle sets the units left too high or too low by hand.
func (w *world) meddle() {
	by := max(w.random.IntN(11)-5, -w.left)
	w.left += by
	w.extra += by
}

// check returns the invariant that does not hold.
func (w *world) check() error {
	confirmed, held := 0, map[int64]int{}
	for _, row := range w.rows {
		if row.Status == Confirmed {
			confirmed += row.Units
			held[row.User] += row.Units
		}
	}
	for user, units := range held {
		if w.stock.Limit > 0 && units > w.stock.Limit {
			return fmt.Errorf("I8: user %d holds %d, the limit is %d", user, units, w.stock.Limit)
		}
	}
	queued, owed := 0, 0
	for _, e := range w.stream {
		row := w.rows[e.ID]
		switch {
		case e.Epoch != w.hashEpoch:
		case e.Kind == Cancel:
			if row.Status == Cancelled && row.CancelEpoch == e.Epoch && row.CancelSeq == e.Seq {
				owed += row.Units
			}
		case row == nil:
			queued += e.Units
		case row.Epoch != e.Epoch || row.Seq != e.Seq:
			owed += e.Units
		case row.Reason == LimitReached || row.Reason == Failed:
			owed += e.Units
		}
	}
	switch {
	case w.stock.Reserved < 0 || w.stock.Reserved > w.stock.Capacity || w.stock.Reserved != confirmed:
		return fmt.Errorf("I1: reserved %d, confirmed %d, capacity %d", w.stock.Reserved, confirmed, w.stock.Capacity)
	case w.left+w.stock.Reserved+queued+owed != w.stock.Capacity+w.extra:
		return fmt.Errorf("I2: left %d + reserved %d + queued %d + owed %d is not %d%+d", w.left, w.stock.Reserved, queued, owed, w.stock.Capacity, w.extra)
	case w.givenBack > w.transitions:
		return fmt.Errorf("I7: %d units given back for %d cancelled", w.givenBack, w.transitions)
	case len(w.stream) == 0 && w.givenBack != w.transitions:
		return fmt.Errorf("I7 at rest: %d units given back for %d cancelled", w.givenBack, w.transitions)
	}
	return nil
}
