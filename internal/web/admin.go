package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

// maxCapacity is the most units that a show may have.
const maxCapacity = 1_000_000

// BackOffice is what admins do.
type BackOffice interface {
	// CreateShow adds a show and its stock, both or neither.
	CreateShow(ctx context.Context, d show.Draft, capacity, limit int) (show.Show, error)
	// Stock tells both sides of every show's stock, by id of the show.
	Stock(ctx context.Context) ([]StockLine, error)
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

// createShow adds a show.
func (s *Server) createShow(c echo.Context, _ account.Claims) error {
	var body struct {
		Title        string     `json:"title"`
		Venue        string     `json:"venue"`
		Description  string     `json:"description"`
		Price        int64      `json:"price"`
		TimeZone     string     `json:"time_zone"`
		StartsAt     time.Time  `json:"starts_at"`
		SalesOpenAt  time.Time  `json:"sales_open_at"`
		SalesCloseAt *time.Time `json:"sales_close_at"`
		Capacity     int        `json:"capacity"`
		LimitPerUser int        `json:"limit_per_user"`
		ImageAlt     string     `json:"image_alt"`
	}
	if err := readBody(c, &body); err != nil {
		return err
	}
	draft := show.Draft{
		Title: body.Title, Venue: body.Venue, Description: body.Description, ImageAlt: body.ImageAlt,
		Price: body.Price, TimeZone: body.TimeZone, StartsAt: body.StartsAt, SalesOpenAt: body.SalesOpenAt,
	}
	if body.SalesCloseAt != nil {
		draft.SalesCloseAt = *body.SalesCloseAt
	}
	var bad invalid.Error
	draft.Check(&bad)
	if body.Capacity < 1 || body.Capacity > maxCapacity {
		bad.Add("capacity", "out_of_range", "must be 1 to "+strconv.Itoa(maxCapacity))
	}
	if body.LimitPerUser < 0 || body.LimitPerUser > maxCapacity {
		bad.Add("limit_per_user", "out_of_range", "must be 0, for none, to "+strconv.Itoa(maxCapacity))
	}
	if err := bad.OrNil(); err != nil {
		return err
	}
	ctx := c.Request().Context()
	made, err := s.deps.BackOffice.CreateShow(ctx, draft, body.Capacity, body.LimitPerUser)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnavailable, err)
	}
	// The show is made: not to know Redis's time, or not to find what was just written, is no reason to have it made again.
	level := stock.Level{ShowID: made.ID, Capacity: body.Capacity, Limit: body.LimitPerUser, Left: body.Capacity}
	_, now, err := s.levels(ctx, []int64{made.ID})
	if err != nil {
		now = s.options.Now().UTC()
	}
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/shows/"+strconv.FormatInt(made.ID, 10))
	return answer(c, http.StatusCreated, newShowJSON(&made, level, now))
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
