package system

import (
	"context"
	"database/sql"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

// What the audit log tells of shows, their stock and people, under the names that the API has for it.

// draftOf returns what an admin says of a show.
func draftOf(s show.Show, capacity, limit int) map[string]any {
	at := func(t time.Time) string { return t.Format(time.RFC3339Nano) }
	return map[string]any{
		"title": s.Title, "venue": s.Venue, "description": s.Description, "image_alt": s.ImageAlt, "price": s.Price, "time_zone": s.TimeZone,
		"starts_at": at(s.StartsAt), "sales_open_at": at(s.SalesOpenAt), "sales_close_at": at(s.SalesCloseAt),
		"capacity": capacity, "limit_per_user": limit,
	}
}

// Resync has a show's stock set right for somebody, who is written down.
func (s *System) Resync(ctx context.Context, by auditlog.Actor, id int64) (stock.Resynced, error) {
	deed := auditlog.NewDeed(by, auditlog.ResyncStock)
	return s.Resyncer.ResyncNoted(ctx, id, stock.CauseAdmin, func(ctx context.Context, tx *sql.Tx, does stock.Resynced) error {
		return s.AuditLog.Add(ctx, tx, deed, auditlog.Object("show", id),
			map[string]any{"before": does.Before, "after": does.After, "drift": does.Drift, "epoch": does.Epoch})
	})
}

// Distrust has every show loaded anew, which is written down as the tool's. See stock.Store.Distrust.
func (s *System) Distrust(ctx context.Context) (shows int64, err error) {
	deed := auditlog.NewDeed(auditlog.Actor{}, auditlog.DistrustStock)
	return s.Stock.Distrust(ctx, func(ctx context.Context, tx *sql.Tx, shows int64) error {
		return s.AuditLog.Add(ctx, tx, deed, "stock", map[string]any{"shows": shows, "epochs": stock.DistrustEpochs})
	})
}

// NoteUser writes down what the tool does to a user.
func (s *System) NoteUser(action auditlog.Action) account.Note {
	deed := auditlog.NewDeed(auditlog.Actor{}, action)
	return func(ctx context.Context, tx *sql.Tx, u account.User) error {
		return s.AuditLog.Add(ctx, tx, deed, auditlog.Object("user", u.ID), map[string]any{"email": u.Email, "name": u.Name})
	}
}
