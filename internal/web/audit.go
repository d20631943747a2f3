package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/invalid"
)

// AuditLog is what people did.
type AuditLog interface {
	// Page returns records older than the one with the id before, 0 for the newest, newest first, and whether there are more.
	Page(ctx context.Context, before int64, limit int) (records []auditlog.Record, more bool, err error)
}

type recordJSON struct {
	ID        int64           `json:"id"`
	At        time.Time       `json:"at"`
	Actor     *actorJSON      `json:"actor"` // null: the operator's tool
	Action    auditlog.Action `json:"action"`
	Object    string          `json:"object"`
	Details   json.RawMessage `json:"details"`
	IP        string          `json:"ip"`         // empty: the operator's tool
	RequestID string          `json:"request_id"` // empty: the operator's tool
}

// actorJSON has email and name as they are now; empty: there is no such user any more.
type actorJSON struct {
	ID    int64  `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

// actor returns who sends a request, as the audit log knows him.
func (s *Server) actor(c echo.Context, me account.Claims) auditlog.Actor {
	by := auditlog.Actor{UserID: me.UserID, RequestID: c.Response().Header().Get(echo.HeaderXRequestID)}
	if address := s.proxies.client(c.Request()); address.IsValid() {
		by.IP = address.String()
	}
	return by
}

// listAudit answers with what people did.
func (s *Server) listAudit(c echo.Context, _ account.Claims) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	var bad invalid.Error
	limit := pageLimit(query.Get("limit"), &bad)
	before := readCursor(query, parseRecord, &bad)
	if err := bad.OrNil(); err != nil {
		return err
	}
	ctx := c.Request().Context()
	records, more, err := s.deps.AuditLog.Page(ctx, before, limit)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnavailable, err)
	}
	ids := make([]int64, 0, len(records))
	for _, r := range records {
		ids = append(ids, r.By.UserID)
	}
	users, err := s.deps.Accounts.Users(ctx, ids)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnavailable, err)
	}
	list := make([]recordJSON, 0, len(records))
	for _, r := range records {
		j := recordJSON{ID: r.ID, At: r.At, Action: r.Action, Object: r.Object, Details: r.Details, IP: r.By.IP, RequestID: r.By.RequestID}
		if id := r.By.UserID; id != 0 {
			j.Actor = &actorJSON{id, users[id].Email, users[id].Name}
		}
		list = append(list, j)
	}
	var next *string
	if more {
		next = new(recordCursor(records[len(records)-1]))
	}
	return answer(c, http.StatusOK, struct {
		Records    []recordJSON `json:"records"`
		NextCursor *string      `json:"next_cursor"`
	}{list, next})
}
