package system

import (
	"context"
	"database/sql"

	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

// edit is one change of a show.
type edit struct {
	*BackOffice
	deed            auditlog.Deed
	show            int64
	draft           show.Draft
	capacity, limit int
}

// alone changes a show whose capacity and limit stay as they are; of another, nothing is done.
func (e edit) alone(ctx context.Context) (changed show.Show, done bool, err error) {
	err = database.Transact(ctx, e.system.DB, func(tx *sql.Tx) error {
		rows, err := e.system.Stock.Lock(ctx, tx, []int64{e.show})
		if err != nil {
			return err
		}
		row, ok := rows[e.show]
		if !ok {
			return show.ErrNotFound
		}
		if row.Capacity != e.capacity || row.Limit != e.limit {
			return nil
		}
		done = true
		changed, err = e.store(ctx, tx, row)
		return err
	})
	return changed, done, err
}

// store changes the show's row and writes down what differs, in a transaction that has locked the stock's row, which was as given.
func (e edit) store(ctx context.Context, tx *sql.Tx, was stock.Row) (show.Show, error) {
	before, err := e.system.Shows.Lock(ctx, tx, e.show)
	if err != nil {
		return show.Show{}, err
	}
	changed, err := e.system.Shows.Update(ctx, tx, e.show, e.draft)
	if err != nil {
		return show.Show{}, err
	}
	differ := auditlog.Changes(draftOf(before, was.Capacity, was.Limit), draftOf(changed, e.capacity, e.limit))
	return changed, e.system.AuditLog.Add(ctx, tx, e.deed, auditlog.Object("show", e.show), differ)
}
