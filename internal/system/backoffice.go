package system

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/web"
)

// BackOffice is what admins do to shows and see of their stock. It joins what packages show and stock own.
type BackOffice struct {
	system    *System
	catalogue *show.Catalogue
	levels    *stock.Levels
	monitor   *stream.Monitor
}

// OpenBackOffice returns the back office of an API.
func (s *System) OpenBackOffice(f Front) *BackOffice {
	return &BackOffice{s, f.Catalogue, f.Levels, stream.NewMonitor(s.Group)}
}

// errMade ends a transaction that would make a show a second time.
var errMade = errors.New("this show is made already")

// CreateShow implements web.BackOffice. The show is loaded into Redis at its first booking.
func (b *BackOffice) CreateShow(ctx context.Context, by auditlog.Actor, once string, d show.Draft, capacity, limit int) (show.Show, error) {
	var made show.Show
	var object string
	deed := auditlog.NewDeed(by, auditlog.CreateShow)
	if once != "" {
		deed = deed.Repeatable(once)
	}
	err := database.Transact(ctx, b.system.DB, func(tx *sql.Tx) (err error) {
		if made, err = b.system.Shows.Insert(ctx, tx, d); err != nil {
			return err
		}
		if err := b.system.Stock.Insert(ctx, tx, made.ID, capacity, limit); err != nil {
			return err
		}
		mine := auditlog.Object("show", made.ID)
		if err := b.system.AuditLog.Add(ctx, tx, deed, mine, draftOf(made, capacity, limit)); err != nil {
			return err
		}
		if object, err = b.system.AuditLog.ObjectOf(ctx, tx, deed); err == nil && object != mine {
			return errMade
		}
		return err
	})
	if errors.Is(err, errMade) {
		var id int64
		if _, err := fmt.Sscanf(object, auditlog.Object("show", "%d"), &id); err != nil {
			return show.Show{}, fmt.Errorf("read which show was made: %q: %w", object, err)
		}
		made, err = b.system.Shows.Get(ctx, id)
	}
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
func (b *BackOffice) UpdateShow(ctx context.Context, by auditlog.Actor, id int64, d show.Draft, capacity, limit int) (show.Show, error) {
	edit := edit{b, auditlog.NewDeed(by, auditlog.UpdateShow), id, d, capacity, limit}
	changed, done, err := edit.alone(ctx)
	if err != nil {
		return show.Show{}, err
	}
	if !done {
		_, err = b.system.Resyncer.Change(ctx, id, stock.Change{Capacity: capacity, Limit: limit,
			Also: func(ctx context.Context, tx *sql.Tx, was stock.Row) (times stock.SaleTimes, err error) {
				changed, err = edit.store(ctx, tx, was)
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

// Resync implements web.BackOffice.
func (b *BackOffice) Resync(ctx context.Context, by auditlog.Actor, id int64, dryRun bool) (stock.Resynced, error) {
	if dryRun {
		return b.system.Resyncer.Preview(ctx, id)
	}
	return b.system.Resync(ctx, by, id)
}

// Stock implements web.BackOffice.
func (b *BackOffice) Stock(ctx context.Context, shows ...int64) ([]web.StockLine, error) {
	cuts, err := b.system.Auditor.Cuts(ctx, shows...)
	if err != nil {
		return nil, err
	}
	snapshots, err := b.system.Stock.Snapshots(ctx, shows...)
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

// Queue implements web.BackOffice.
func (b *BackOffice) Queue(ctx context.Context) (stream.Queue, error) { return b.monitor.Look(ctx) }
