package system

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/showlist"
	"github.com/neticket/neticket/internal/stock"
)

// ImportShows adds all of a list that was read, with the stock of each, or nothing, and returns the ids in the list's order. It is
// written down as the tool's, in one record. The catalogues of running APIs have the shows within about a second.
func (s *System) ImportShows(ctx context.Context, list []showlist.Show) (ids []int64, err error) {
	drafts, terms := make([]show.Draft, len(list)), make([]stock.Terms, len(list))
	for i, l := range list {
		drafts[i], terms[i] = l.Draft, l.Terms
	}
	deed := auditlog.NewDeed(auditlog.Actor{}, auditlog.ImportShows)
	inserted := false
	err = database.Transact(ctx, s.DB, func(tx *sql.Tx) (err error) {
		if ids, err = s.Shows.InsertAll(ctx, tx, drafts); err != nil {
			return err
		}
		if err = s.Stock.InsertAll(ctx, tx, ids, terms); err != nil {
			return err
		}
		details := map[string]any{"shows": len(ids), "first_id": ids[0], "last_id": ids[len(ids)-1]}
		if err = s.AuditLog.Add(ctx, tx, deed, "shows", details); err != nil {
			return err
		}
		inserted = true
		return nil
	})
	switch {
	case err != nil && inserted:
		return nil, fmt.Errorf("it is not known whether the shows were added: see if there is a show %d before you try again: %w", ids[0], err)
	case err != nil:
		return nil, fmt.Errorf("nothing was added: %w", err)
	}
	if err := s.Shows.Announce(ctx, ids); err != nil {
		s.Log.Warn("the shows were added; running APIs may see some of them as late as in five minutes", "error", err)
	}
	return ids, nil
}
