package system

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/web"
)

// BackOffice is what admins do to shows and see of their stock. It joins what packages show and stock own.
type BackOffice struct {
	system    *System
	catalogue *show.Catalogue
	levels    *stock.Levels
}

// OpenBackOffice returns the back office of an API.
func (s *System) OpenBackOffice(f Front) *BackOffice {
	return &BackOffice{s, f.Catalogue, f.Levels}
}

// CreateShow implements web.BackOffice. The show is loaded into Redis at its first booking.
func (b *BackOffice) CreateShow(ctx context.Context, d show.Draft, capacity, limit int) (show.Show, error) {
	var made show.Show
	err := database.Transact(ctx, b.system.DB, func(tx *sql.Tx) (err error) {
		if made, err = b.system.Shows.Insert(ctx, tx, d); err != nil {
			return err
		}
		return b.system.Stock.Insert(ctx, tx, made.ID, capacity, limit)
	})
	if err != nil {
		return show.Show{}, err
	}
	b.refresh(ctx, made.ID)
	return made, nil
}

// refresh has this process know at once what others will know in a moment.
func (b *BackOffice) refresh(ctx context.Context, id int64) {
	b.levels.Forget(id)
	if err := b.catalogue.Refresh(ctx); err != nil {
		b.system.Log.Warn("a change to a show is seen a moment later", "show", id, "error", err)
	}
}

// UpdateShow implements web.BackOffice. A change of capacity or limit is a resync; sale times alone go straight to the hash.
func (b *BackOffice) UpdateShow(ctx context.Context, id int64, d show.Draft, capacity, limit int) (show.Show, error) {
	changed, done, err := b.updateAlone(ctx, id, d, capacity, limit)
	if err != nil {
		return show.Show{}, err
	}
	if !done {
		_, err = b.system.Resyncer.Change(ctx, id, stock.Change{Capacity: capacity, Limit: limit,
			Also: func(ctx context.Context, tx *sql.Tx) (times stock.SaleTimes, err error) {
				changed, err = b.system.Shows.Update(ctx, tx, id, d)
				return saleTimes(changed), err
			}})
	} else if err := b.system.Ledger.Edit(ctx, id, saleTimes(changed)); err != nil {
		b.system.Log.Warn("Redis could not be told the new sale times of a show; the flusher tells it within seconds", "show", id, "error", err)
	}
	if err != nil {
		return show.Show{}, err
	}
	b.refresh(ctx, id)
	return changed, nil
}

// updateAlone changes a show whose capacity and limit stay as they are; of another, nothing is done.
func (b *BackOffice) updateAlone(ctx context.Context, id int64, d show.Draft, capacity, limit int) (changed show.Show, done bool, err error) {
	err = database.Transact(ctx, b.system.DB, func(tx *sql.Tx) error {
		rows, err := b.system.Stock.Lock(ctx, tx, []int64{id})
		if err != nil {
			return err
		}
		row, ok := rows[id]
		if !ok {
			return show.ErrNotFound
		}
		if row.Capacity != capacity || row.Limit != limit {
			return nil
		}
		done = true
		changed, err = b.system.Shows.Update(ctx, tx, id, d)
		return err
	})
	return changed, done, err
}

// Resync implements web.BackOffice.
func (b *BackOffice) Resync(ctx context.Context, id int64, dryRun bool) (stock.Resynced, error) {
	if dryRun {
		return b.system.Resyncer.Preview(ctx, id)
	}
	return b.system.Resyncer.Resync(ctx, id, stock.CauseAdmin)
}

// Stock implements web.BackOffice.
func (b *BackOffice) Stock(ctx context.Context) ([]web.StockLine, error) {
	cuts, err := b.system.Auditor.Cuts(ctx)
	if err != nil {
		return nil, err
	}
	snapshots, err := b.system.Stock.Snapshots(ctx)
	if err != nil {
		return nil, err
	}
	lines := make([]web.StockLine, 0, len(cuts))
	for id, cut := range cuts {
		of, err := b.catalogue.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		line := web.StockLine{Show: of, Cut: cut}
		if snapshot, ok := snapshots[id]; ok {
			line.Snapshot = &snapshot
		}
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(a, b web.StockLine) int { return cmp.Compare(a.Show.ID, b.Show.ID) })
	return lines, nil
}
