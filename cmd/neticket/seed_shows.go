package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/system"
)

// demoShow is a show as the demo has it. Its times are told from the day of the first seed.
type demoShow struct {
	title, venue, description string
	price                     int64 // won
	day                       int   // that it is on, counted from today
	clock                     string
	capacity, limit           int
	sold                      int           // units, all to demo buyers
	opensIn                   time.Duration // 0: its sale opened two weeks before the show, or before today
	closed                    bool          // its sale was over an hour ago
}

// draft returns the show for a seed at now.
func (d demoShow) draft(now time.Time, seoul *time.Location) (show.Draft, error) {
	clock, err := time.Parse("15:04", d.clock)
	if err != nil {
		return show.Draft{}, err
	}
	year, month, day := now.In(seoul).Date()
	starts := time.Date(year, month, day+d.day, clock.Hour(), clock.Minute(), 0, 0, seoul)
	draft := show.Draft{
		Title: d.title, Venue: d.venue, Description: d.description, Price: d.price, TimeZone: seoul.String(),
		StartsAt: starts, SalesOpenAt: starts.AddDate(0, 0, -14),
	}
	switch {
	case d.opensIn > 0:
		draft.SalesOpenAt = now.Add(d.opensIn)
	case d.day > 0 && draft.SalesOpenAt.After(now):
		draft.SalesOpenAt = now.Add(-24 * time.Hour)
	}
	if d.closed {
		draft.SalesCloseAt = now.Add(-time.Hour)
	}
	var bad invalid.Error
	draft.Check(&bad)
	return draft, bad.OrNil()
}

// ensureDemoShows adds all demo shows, unless one of them is there, and returns the ids of those that are, by title: an admin
// may have renamed others.
func ensureDemoShows(ctx context.Context, s *system.System, now time.Time) (map[string]int64, error) {
	ids, err := findDemoShows(ctx, s)
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		return nil, fmt.Errorf("make the demo shows: %w", err)
	}
	err = database.Transact(ctx, s.DB, func(tx *sql.Tx) error {
		for _, d := range demoShows() {
			draft, err := d.draft(now, seoul)
			if err != nil {
				return fmt.Errorf("make the demo show %s: %w", d.title, err)
			}
			made, err := s.Shows.Insert(ctx, tx, draft)
			if err != nil {
				return err
			}
			if err := s.Stock.Insert(ctx, tx, made.ID, d.capacity, d.limit); err != nil {
				return err
			}
			ids[d.title] = made.ID
		}
		return nil
	})
	return ids, err
}

func findDemoShows(ctx context.Context, s *system.System) (map[string]int64, error) {
	all, _, err := s.Shows.ChangedSince(ctx, time.Unix(0, 0))
	if err != nil {
		return nil, err
	}
	demo := map[string]bool{}
	for _, d := range demoShows() {
		demo[d.title] = true
	}
	ids := map[string]int64{}
	for _, found := range all {
		if demo[found.Title] {
			ids[found.Title] = found.ID
		}
	}
	return ids, nil
}
