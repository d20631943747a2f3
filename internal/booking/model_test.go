package booking

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/stock"
)

// run lives through many steps, then delivers until the stream is empty, and returns the first fault.
func (w *world) run(steps int) error {
	for step := range steps {
		var err error
		switch n := w.random.IntN(20); {
		case n < 8:
			w.book()
		case n < 11:
			w.cancel()
		case n < 18:
			err = w.deliver()
		case n < 19:
			w.settle()
		case w.random.IntN(3) > 0:
			w.resync()
		default:
			w.meddle()
		}
		if err = errors.Join(err, w.check()); err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
	}
	for range 1000 {
		if len(w.stream) == 0 {
			return nil
		}
		if err := errors.Join(w.deliver(), w.check()); err != nil {
			return fmt.Errorf("in the end: %w", err)
		}
	}
	return errors.New("I9: the stream is never empty")
}

// What the recorder decides keeps the invariants in many worlds in which batches are delivered twice, reordered, half settled and
// by workers thought dead, shows are resynced, and somebody meddles with the units left.
func TestPlanKeepsTheInvariants(t *testing.T) {
	t.Parallel()
	first := rand.Uint64()
	for i := range uint64(200) {
		if err := newWorld(first+i, Plan).run(150); err != nil {
			t.Fatalf("seed %d: %v", first+i, err)
		}
	}
}

// Each twin makes one mistake that the model must find within as many worlds.
func TestModelSeesMistakes(t *testing.T) {
	t.Parallel()
	first := rand.Uint64()
	change := func(d Decided, change func(*Decision)) Decided {
		for i := range d.Decisions {
			change(&d.Decisions[i])
		}
		return d
	}
	for name, broken := range map[string]func([]Entry, Facts) Decided{
		"a delivered cancel gives back nothing": func(entries []Entry, f Facts) Decided {
			return change(Plan(entries, f), func(d *Decision) {
				if d.Outcome == outcomeAgain {
					d.UnitsBack = 0
				}
			})
		},
		"every cancel gives back": func(entries []Entry, f Facts) Decided {
			return change(Plan(entries, f), func(d *Decision) {
				if d.Outcome == outcomeVoid {
					d.UnitsBack = d.Entry.Units
				}
			})
		},
		"a repeat keeps its units": func(entries []Entry, f Facts) Decided {
			return change(Plan(entries, f), func(d *Decision) {
				if d.Outcome == outcomeTwice {
					d.UnitsBack = 0
				}
			})
		},
		"the epoch is not looked at": func(entries []Entry, f Facts) Decided {
			for i := range entries {
				entries[i].Epoch = f.Stock[1].Epoch
			}
			return Plan(entries, f)
		},
		"capacity is not looked at": func(entries []Entry, f Facts) Decided {
			row := f.Stock[1]
			row.Capacity = 1 << 30
			return Plan(entries, Facts{Stock: map[int64]stock.Row{1: row}, Rows: f.Rows, Held: f.Held})
		},
		"what a user holds is not read": func(entries []Entry, f Facts) Decided {
			clear(f.Held)
			return Plan(entries, f)
		},
		"a cancelled row is forgotten": func(entries []Entry, f Facts) Decided {
			maps.DeleteFunc(f.Rows, func(_ uuid.UUID, row *Row) bool { return row.Status == Cancelled })
			return Plan(entries, f)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range uint64(200) {
				if newWorld(first+i, broken).run(150) != nil {
					return
				}
			}
			t.Errorf("not seen, from seed %d on", first)
		})
	}
}
