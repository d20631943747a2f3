package rush

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/neticket/neticket/internal/invariant"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system"
)

const (
	looks     = 10
	lookAgain = 200 * time.Millisecond
)

// found is what both servers hold of the show in the end.
type found struct {
	rows    []row
	cut     stock.Cut
	broken  map[string][]string // invariant -> what is wrong with the show
	settled bool                // the show stood still, so that Redis and MySQL could be compared
	others  int                 // faults of other shows, which this rush has nothing to do with
}

// look reads what both servers hold. A show that moves, since a cancel or a resync by somebody else is under way, is looked at again.
func look(ctx context.Context, s *system.System, show int64) (f found, err error) {
	for try := range looks {
		if try > 0 {
			select {
			case <-ctx.Done():
				return found{}, ctx.Err()
			case <-time.After(lookAgain):
			}
		}
		if f, err = lookOnce(ctx, s, show); err != nil || f.settled {
			return f, err
		}
	}
	return f, nil
}

func lookOnce(ctx context.Context, s *system.System, show int64) (found, error) {
	report, err := invariant.Check(ctx, invariant.Sources{DB: s.DB, Redis: s.Redis, Shards: s.Shards, Ledger: s.Ledger})
	if err != nil {
		return found{}, err
	}
	f := found{broken: map[string][]string{}}
	for _, v := range report.Violations {
		if v.Show != show && v.Show != 0 {
			f.others++
			continue
		}
		what := v.Detail
		if len(v.IDs) > 0 {
			what += fmt.Sprintf(" (%s and %d more)", v.IDs[0], len(v.IDs)-1)
		}
		f.broken[v.Invariant] = append(f.broken[v.Invariant], what)
	}
	cuts, err := s.Auditor.Cuts(ctx, show)
	if err != nil {
		return found{}, err
	}
	f.cut = cuts[show]
	f.settled = f.cut.Conclusive && !slices.Contains(report.Inconclusive, show)
	f.rows, err = readRows(ctx, s.DB, show)
	return f, err
}
