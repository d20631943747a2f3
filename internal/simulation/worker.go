package simulation

import (
	"slices"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/protocol"
)

// Of package stream's reader and package booking's recorder.
const (
	batch      = 8
	claimAfter = 5000 // ms
)

// worker is a consumer of the shard: it reads a batch, records it in one transaction, or its entries alone, and settles each.
type worker struct {
	w    *World
	name string
	conn conn

	batch     []booking.Entry // in hand, not recorded yet
	ids       []protocol.ID   // what it keeps its hands on
	decisions []booking.Decision
	next      int  // of the decisions, to be settled
	failed    bool // a settlement was not answered: all are sent again
	settled   bool // the broken one settles first
	orphans   []protocol.ID
	asleep    int // until that step
}

func (k *worker) idle() bool { return len(k.batch) == 0 && len(k.decisions) == 0 }

// step goes on with what is in hand, or looks for more.
func (k *worker) step() {
	switch {
	case k.w.mistakes.SettleFirst && !k.settled && len(k.batch) > 0 && len(k.decisions) == 0:
		f := k.w.judge.facts(k.batch)
		k.decisions = booking.Plan(k.batch, f).Decisions
	case k.w.mistakes.SettleFirst && k.next < len(k.decisions):
		k.settle()
	case k.w.mistakes.SettleFirst && len(k.batch) > 0:
		k.settled = true
		k.transact(len(k.batch))
		if len(k.batch) == 0 {
			k.settled, k.decisions, k.next = false, nil, 0
		}
	case len(k.batch) > 0 && k.w.chance(6):
		k.transact(1)
	case len(k.batch) > 0:
		k.transact(len(k.batch))
	case len(k.decisions) > 0 && k.w.chance(8):
		k.keep()
	case len(k.decisions) > 0:
		k.settle()
	default:
		switch k.w.random.IntN(6) {
		case 0, 1:
			k.claim()
		case 2:
			k.sweep()
		default:
			k.read()
		}
	}
}

// transact records the first n entries in hand. After an error they are tried again.
func (k *worker) transact(n int) {
	w := k.w
	entries := k.batch[:n]
	if !w.judge.free(entries) {
		return // waits for a lock
	}
	f := w.judge.facts(entries)
	f.Unstorable = n == 1 && w.luck.unstorable && w.chance(3)
	decided := w.plan(entries, f)
	fate := w.judge.commit(k.name+" commits", showsOf(entries), func() bool { return w.judge.write(f, decided) })
	if w.tracing {
		w.say(k.name, "transaction: %s%s", describe(decided), fate)
	}
	if fate != answered {
		return
	}
	for show := range w.shows {
		if _, suspect := decided.Suspects[show+1]; suspect {
			w.want(show + 1)
		}
	}
	for _, d := range decided.Decisions {
		w.seen["recorded: "+string(d.Outcome)]++
	}
	k.batch = k.batch[n:]
	k.decisions = append(k.decisions, decided.Decisions...)
}

// plan is the product's, unless a mistake is asked for.
func (w *World) plan(entries []booking.Entry, f booking.Facts) booking.Decided {
	if !w.mistakes.StaleCancel && !w.mistakes.StaleReserve {
		return booking.Plan(entries, f)
	}
	changed := slices.Clone(entries)
	for i, e := range entries {
		if now := f.Stock[e.Show].Epoch; e.Kind == booking.Cancel && w.mistakes.StaleCancel || e.Kind == booking.Reserve && w.mistakes.StaleReserve {
			if row := f.Rows[e.ID]; e.Kind == booking.Cancel && row != nil && row.Status == booking.Confirmed || row == nil {
				changed[i].Epoch = now
			}
		}
	}
	d := booking.Plan(changed, f)
	for i := range d.Decisions {
		if row := f.Rows[entries[i].ID]; row != nil && row.Status == booking.Cancelled && changed[i] != entries[i] {
			row.CancelEpoch = entries[i].Epoch
		}
		d.Decisions[i].Entry = entries[i]
	}
	return d
}

// settle closes the next entries, in one call; when a call was not answered, all are sent again.
func (k *worker) settle() {
	w := k.w
	part := k.decisions[k.next:]
	part = part[:1+w.random.IntN(len(part))]
	list := make([]protocol.Settlement, len(part))
	for i, d := range part {
		list[i] = protocol.Settlement{Entry: protocol.ParseID(d.Entry.Entry), Show: d.Entry.Show, User: d.Entry.User, Epoch: d.Entry.Epoch,
			Seq: d.Entry.Seq, UnitsBack: int64(d.UnitsBack), CountBack: int64(d.CountBack)}
		if d.Void {
			list[i].Void = d.Entry.ID.String()
		}
	}
	var settled int64
	fate := w.send(&k.conn, "settle "+part[0].Entry.Entry+" ...", func(n *node) {
		before := slices.Clone(n.server.Entries())
		settled = n.server.Settle(list...)
		for _, e := range before {
			if n.server.Entry(e.ID) == nil {
				w.checkRemoved(w.entry(e))
			}
		}
	})
	if w.tracing {
		for _, d := range part {
			w.say(k.name, "settle %s of show %d (epoch %d seq %d), %d back -> %s%s", d.Entry.Entry, d.Entry.Show, d.Entry.Epoch, d.Entry.Seq,
				d.UnitsBack, k.where(), fate)
		}
	}
	if fate == answered && settled < int64(len(part)) {
		w.seen["settle: not all"]++
	}
	k.failed = k.failed || fate != answered
	if k.next += len(part); k.next < len(k.decisions) {
		return
	}
	if k.next = 0; k.failed {
		k.failed = false
		return
	}
	if !w.mistakes.SettleFirst {
		k.decisions, k.ids = nil, nil
		return
	}
	k.next = len(k.decisions)
}

func (k *worker) where() string {
	if k.conn.node == nil {
		return "nowhere"
	}
	return k.conn.node.name
}

func showsOf(entries []booking.Entry) []int64 {
	var shows []int64
	for _, e := range entries {
		if !slices.Contains(shows, e.Show) {
			shows = append(shows, e.Show)
		}
	}
	return shows
}
