package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
)

// BackOffice is what admins do. What is changed is written down, with who did it, in the audit log.
type BackOffice interface {
	// CreateShow adds a show and its stock, both or neither. Where once is not empty, the same person's same text is the same show, however
	// often it is asked for.
	CreateShow(ctx context.Context, by auditlog.Actor, once string, d show.Draft, capacity, limit int) (show.Show, error)
	// UpdateShow changes a show and its stock, both or neither. Besides errors of MySQL and Redis it returns show.ErrNotFound, and
	// those of a resync where capacity or limit change: a *stock.CapacityError, stock.ErrResyncRunning, stock.ErrNotDrained.
	UpdateShow(ctx context.Context, by auditlog.Actor, id int64, d show.Draft, capacity, limit int) (show.Show, error)
	// Resync sets a show's units left anew from MySQL, or tells what that would do. It returns the errors of a resync.
	Resync(ctx context.Context, by auditlog.Actor, id int64, dryRun bool) (stock.Resynced, error)
	// Stock tells both sides of the stock of these shows, or of every show where none is named, by id of the show.
	Stock(ctx context.Context, shows ...int64) ([]StockLine, error)
	// Queue tells what waits to be recorded, and who records it.
	Queue(ctx context.Context) (stream.Queue, error)
}

// StockLine is a show's stock as admins see it.
type StockLine struct {
	Show     show.Show
	Cut      stock.Cut
	Snapshot *stock.Snapshot // nil: none was written yet
}

type stockJSON struct {
	ShowID    int64         `json:"show_id"`
	Title     string        `json:"title"`
	State     string        `json:"state"` // of the hash in Redis: open, paused or unloaded
	Capacity  int           `json:"capacity"`
	Reserved  int           `json:"reserved"`
	Pending   int64         `json:"pending"`
	Left      int           `json:"left"`
	Drift     *int          `json:"drift"` // null: it cannot be told while something moves
	Epoch     int64         `json:"epoch"`
	Snapshot  *snapshotJSON `json:"snapshot"`   // null: none yet
	AuditedAt *time.Time    `json:"audited_at"` // null: this look was not conclusive
}

type snapshotJSON struct {
	Left int       `json:"left"`
	AsOf time.Time `json:"as_of"`
}

func newStockJSON(line StockLine) stockJSON {
	cut := line.Cut
	j := stockJSON{
		ShowID: line.Show.ID, Title: line.Show.Title, State: cut.Hash.State, Capacity: cut.Row.Capacity, Reserved: cut.Row.Reserved,
		Pending: cut.Hash.Pending(), Left: cut.Hash.Left, Epoch: cut.Row.Epoch,
	}
	if j.State == "" || j.State == "unloaded" { // what Redis says of the units, if anything, is not trusted
		j.State, j.Left = "unloaded", cut.Row.Capacity-cut.Row.Reserved
	}
	if cut.Conclusive {
		j.Drift, j.AuditedAt = new(cut.Drift()), &cut.At
	}
	if line.Snapshot != nil {
		j.Snapshot = &snapshotJSON{Left: line.Snapshot.Left, AsOf: line.Snapshot.AsOf}
	}
	return j
}

// readShow reads the body that makes or changes a show.
func readShow(c echo.Context) (show.Draft, stock.Terms, error) {
	var body struct {
		show.Draft
		stock.Terms
	}
	if err := readBody(c, &body); err != nil {
		return show.Draft{}, stock.Terms{}, err
	}
	var bad invalid.Error
	body.Draft.Check(&bad)
	body.Terms.Check(&bad)
	return body.Draft, body.Terms, bad.OrNil()
}

// createShow adds a show.
func (s *Server) createShow(c echo.Context, me account.Claims) error {
	draft, terms, err := readShow(c)
	if err != nil {
		return err
	}
	made, err := s.deps.BackOffice.CreateShow(c.Request().Context(), s.actor(c, me), "", draft, terms.Capacity, terms.Limit)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnavailable, err)
	}
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/shows/"+strconv.FormatInt(made.ID, 10))
	return s.answerStored(c, http.StatusCreated, made, terms.Capacity, terms.Limit)
}

// updateShow changes a show: what the body does not name takes its default, as in a new one.
func (s *Server) updateShow(c echo.Context, me account.Claims) error {
	id, err := showID(c)
	if err != nil {
		return err
	}
	draft, terms, err := readShow(c)
	if err != nil {
		return err
	}
	changed, err := s.deps.BackOffice.UpdateShow(c.Request().Context(), s.actor(c, me), id, draft, terms.Capacity, terms.Limit)
	if err != nil {
		return unlessKnown(err)
	}
	return s.answerStored(c, http.StatusOK, changed, terms.Capacity, terms.Limit)
}

// answerStored answers with a show that was just stored: not to know Redis's time, or not to find what was written, is no reason
// to have it stored again.
func (s *Server) answerStored(c echo.Context, status int, stored show.Show, capacity, limit int) error {
	level, now := stock.Level{ShowID: stored.ID, Left: capacity}, s.options.Now().UTC()
	if known, at, err := s.level(c.Request().Context(), stored.ID); err == nil {
		level, now = known, at
	}
	level.Capacity, level.Limit = capacity, limit // what is remembered of them may be older
	return answer(c, status, newShowJSON(&stored, level, now))
}

// unlessKnown takes an error of the back office that has no answer of its own for an outage: the request was right.
func unlessKnown(err error) error {
	if problemOf(err).Code == codeInternal {
		return fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return err
}

// resyncStock sets a show's units left anew from MySQL, or with dry_run=true tells what that would do.
func (s *Server) resyncStock(c echo.Context, claims account.Claims) error {
	id, err := showID(c)
	if err != nil {
		return err
	}
	query, err := parameters(c)
	if err != nil {
		return err
	}
	if err := readNothing(c); err != nil {
		return err
	}
	dryRun := false
	var bad invalid.Error
	for name := range query { // a misspelt dry run would be a real one
		if name != "dry_run" {
			bad.Add(name, "unknown", "there is no such parameter")
		} else if dryRun, err = strconv.ParseBool(query.Get(name)); err != nil {
			bad.Add(name, "type", "must be true or false")
		}
	}
	if err := bad.OrNil(); err != nil {
		return err
	}
	result, err := s.resyncShow(c, claims, id, dryRun)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, struct {
		Before int   `json:"before"`
		After  int   `json:"after"`
		Drift  int   `json:"drift"`
		Epoch  int64 `json:"epoch"`
		DryRun bool  `json:"dry_run"`
	}{result.Before, result.After, result.Drift, result.Epoch, dryRun})
}

func (s *Server) resyncShow(c echo.Context, me account.Claims, id int64, dryRun bool) (stock.Resynced, error) {
	by := s.actor(c, me)
	result, err := s.deps.BackOffice.Resync(c.Request().Context(), by, id, dryRun)
	if err != nil {
		return stock.Resynced{}, unlessKnown(err)
	}
	if !dryRun {
		s.log.Info("an admin had a show resynced", "show", id, "admin", me.UserID, "request_id", by.RequestID)
	}
	return result, nil
}

// listStock answers with every show's stock.
func (s *Server) listStock(c echo.Context, _ account.Claims) error {
	lines, err := s.deps.BackOffice.Stock(c.Request().Context())
	if err != nil {
		return fmt.Errorf("%w: %w", errUnavailable, err)
	}
	list := make([]stockJSON, 0, len(lines))
	for _, line := range lines {
		list = append(list, newStockJSON(line))
	}
	return answer(c, http.StatusOK, struct {
		Stock []stockJSON `json:"stock"`
	}{list})
}
