package web

import (
	"context"
	"fmt"
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
	ByStart() ([]*show.Show, error)
}

// Levels tells the units left of shows, in their order and without those that have no stock, and Redis's time.
type Levels interface {
	Levels(ctx context.Context, shows []int64) ([]stock.Level, time.Time, error)
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

func imageURL(name string) *string {
	if name == "" {
		return nil
	}
	return new("/images/" + name)
}

func (s *Server) getShow(c echo.Context) error {
	id, err := showID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	found, err := s.deps.Shows.Get(ctx, id)
	if err != nil {
		return err
	}
	levels, now, err := s.levels(ctx, []int64{id})
	if err != nil {
		return err
	}
	if len(levels) == 0 {
		return fmt.Errorf("show %d has no stock", id)
	}
	return answer(c, http.StatusOK, newShowJSON(&found, levels[0], now))
}

// showID returns the id in the path, or show.ErrNotFound for what is none.
func showID(c echo.Context) (int64, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil || strconv.FormatInt(id, 10) != c.Param("id") {
		return 0, show.ErrNotFound
	}
	return id, nil
}

// levels asks for units left. Whatever hinders that is an outage: the request was right.
func (s *Server) levels(ctx context.Context, shows []int64) ([]stock.Level, time.Time, error) {
	levels, now, err := s.deps.Levels.Levels(ctx, shows)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return levels, now, nil
}
