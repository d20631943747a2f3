package system

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/web"
)

// BackOffice is what admins do to shows and see of their stock. It joins what packages show and stock own.
type BackOffice struct {
	system    *System
	catalogue *show.Catalogue
}

// OpenBackOffice returns the back office of an API.
func (s *System) OpenBackOffice(catalogue *show.Catalogue) *BackOffice {
	return &BackOffice{s, catalogue}
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
	if err := b.catalogue.Refresh(ctx); err != nil {
		b.system.Log.Warn("a new show is listed a moment later", "show", made.ID, "error", err)
	}
	return made, nil
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
