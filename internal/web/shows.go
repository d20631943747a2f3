package web

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

// Shows is what is on sale.
type Shows interface {
	Get(ctx context.Context, id int64) (show.Show, error)
	// Find yields the shows that a search asks for, by start, then id.
	Find(q show.Search) (iter.Seq[*show.Show], error)
}

// Levels tells the units left of shows, and Redis's time.
type Levels interface {
	// Level returns the level of one show as it was half a second ago at most, or stock.ErrNoShow.
	Level(ctx context.Context, show int64) (stock.Level, time.Time, error)
	// Last returns what memory holds of shows, in their order and without those that it does not hold.
	Last(shows []int64) ([]stock.Level, time.Time, error)
	// Follow has memory keep these shows up to date for a while.
	Follow(shows ...int64)
	// Polled returns a channel that is closed when memory was brought up to date.
	Polled() <-chan struct{}
}

type showJSON struct {
	ID           int64      `json:"id"`
	Title        string     `json:"title"`
	Venue        string     `json:"venue"`
	Description  string     `json:"description"`
	Price        int64      `json:"price"`
	ImageURL     *string    `json:"image_url"` // null: it has none
	ImageAlt     string     `json:"image_alt"`
	TimeZone     string     `json:"time_zone"`
	StartsAt     time.Time  `json:"starts_at"`
	SalesOpenAt  time.Time  `json:"sales_open_at"`
	SalesCloseAt time.Time  `json:"sales_close_at"`
	Capacity     int        `json:"capacity"`
	Left         int        `json:"left"`
	LimitPerUser int        `json:"limit_per_user"`
	State        show.State `json:"state"`
	ServerTime   time.Time  `json:"server_time"`
}

func newShowJSON(s *show.Show, level stock.Level, now time.Time) showJSON {
	return showJSON{
		ID: s.ID, Title: s.Title, Venue: s.Venue, Description: s.Description, Price: s.Price,
		ImageURL: imageURL(s.Image), ImageAlt: s.ImageAlt, TimeZone: s.TimeZone,
		StartsAt: s.StartsAt, SalesOpenAt: s.SalesOpenAt, SalesCloseAt: s.SalesCloseAt,
		Capacity: level.Capacity, Left: level.Left, LimitPerUser: level.Limit,
		State: show.StateOf(*s, now, level.Paused, level.Left), ServerTime: now,
	}
}

func (s *Server) getShow(c echo.Context) error {
	found, err := s.showInPath(c)
	if err != nil {
		return err
	}
	body := takeBuffer()
	body.bytes = found.appendJSON(body.bytes)
	return s.sendBuffer(c, http.StatusOK, typeJSON, body)
}

// showInPath returns the show whose id is in the path, as it is now.
func (s *Server) showInPath(c echo.Context) (showJSON, error) {
	id, err := showID(c)
	if err != nil {
		return showJSON{}, err
	}
	ctx := c.Request().Context()
	found, err := s.deps.Shows.Get(ctx, id)
	if err != nil {
		return showJSON{}, err
	}
	level, now, err := s.level(ctx, id)
	if err != nil {
		return showJSON{}, err
	}
	return newShowJSON(&found, level, now), nil
}

// showID returns the id in the path, or show.ErrNotFound for what is none.
func showID(c echo.Context) (int64, error) { return showIn(c, "id") }

// showIn is showID for a path that calls it otherwise.
func showIn(c echo.Context, name string) (int64, error) {
	text := c.Param(name)
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 || text[0] == '+' || text[0] == '0' { // a show has one address
		return 0, show.ErrNotFound
	}
	return id, nil
}

// level tells the units left of a show that there is. Whatever hinders that is an outage: the request was right.
func (s *Server) level(ctx context.Context, id int64) (stock.Level, time.Time, error) {
	level, now, err := s.deps.Levels.Level(ctx, id)
	if errors.Is(err, stock.ErrNoShow) {
		return stock.Level{}, time.Time{}, fmt.Errorf("show %d has no stock", id)
	}
	if err != nil {
		return stock.Level{}, time.Time{}, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return level, now, nil
}

// last is level for what memory holds of many shows.
func (s *Server) last(shows []*show.Show) ([]stock.Level, time.Time, error) {
	ids := make([]int64, len(shows))
	for i, of := range shows {
		ids[i] = of.ID
	}
	levels, now, err := s.deps.Levels.Last(ids)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return levels, now, nil
}
