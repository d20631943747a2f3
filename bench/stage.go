package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	saleTitle    = "Sale minute"
	saleCapacity = 1_000_000 // the most that a show may have
	saleLimit    = 100       // units per user
	drainWithin  = 2 * time.Minute
)

// stage is what bookings need: shows on sale and people who buy.
type stage struct {
	tokens     []string // of the customers
	tokensFile string   // with one a line
	unsold     []int64  // shows on which no run has booked yet
	gone       int64    // a show that is sold out; 0: none yet
	counted    counts   // by APIs that were stopped
	filled     int      // reservations that the bench put into the table itself
}

// prepare makes customers and shows on sale, some of them with few units, and starts the programs.
func (s *system) prepare(ctx context.Context, users, shows int) error {
	progress("preparing %d customers and %d shows%s", users, shows, s.suffix())
	tokens, err := s.neticket(ctx, "tokens", "--count", fmt.Sprint(users))
	if err != nil {
		return err
	}
	s.tokens, s.tokensFile = strings.Fields(tokens), s.file("tokens.txt")
	if len(s.tokens) != users {
		return fmt.Errorf("make customers: %d tokens instead of %d", len(s.tokens), users)
	}
	if err := os.WriteFile(s.tokensFile, []byte(tokens), 0o600); err != nil {
		return fmt.Errorf("write the tokens: %w", err)
	}
	if s.unsold, err = s.addSales(ctx, saleTitle, shows, saleCapacity); err != nil {
		return err
	}
	return s.start(ctx)
}

func (s *system) suffix() string {
	if s.build == "" {
		return ""
	}
	return " (" + s.build + ")"
}

// addSales imports shows that are on sale, as an operator would.
func (s *system) addSales(ctx context.Context, title string, shows, capacity int) ([]int64, error) {
	path := filepath.Join(s.dir, "sales.jsonl")
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("write shows: %w", err)
	}
	defer os.Remove(path)
	out := bufio.NewWriter(file)
	lines, now := json.NewEncoder(out), time.Now()
	for i := range shows {
		err = errors.Join(err, lines.Encode(catalogueShow{
			Title: fmt.Sprintf("%s %d", title, i+1), Venue: "서울 올림픽공원 체조경기장", Description: "A hall of seats, all of them wanted at once.", Price: 99_000,
			StartsAt: now.Add(30 * 24 * time.Hour), SalesOpenAt: now.Add(-time.Hour), SalesCloseAt: now.Add(29 * 24 * time.Hour),
			Capacity: capacity, LimitPerUser: saleLimit,
		}))
	}
	if err := errors.Join(err, out.Flush(), file.Close()); err != nil {
		return nil, fmt.Errorf("write shows: %w", err)
	}
	if _, err := s.neticket(ctx, "shows", "import", path); err != nil {
		return nil, err
	}
	ids, err := s.store.showsNamed(ctx, title)
	if err == nil && len(ids) != shows {
		err = fmt.Errorf("import shows: %d instead of %d", len(ids), shows)
	}
	return ids, err
}

// open takes n shows that nobody has booked yet, and has Redis load them.
func (s *system) open(ctx context.Context, n int) ([]int64, error) {
	if n > len(s.unsold) {
		return nil, fmt.Errorf("open %d shows: only %d are left", n, len(s.unsold))
	}
	shows := s.unsold[:n]
	s.unsold = s.unsold[n:]
	return shows, s.load(ctx, shows)
}

// bookingRequest asks for a unit of a show.
func bookingRequest(show int64) string {
	return fmt.Sprintf(`POST /api/v1/shows/%d/reservations {"units":1}`, show)
}

// backlog returns how many bookings wait in the streams, to be recorded and settled.
func (s *system) backlog(ctx context.Context) (entries int, err error) {
	pipe := s.client.Pipeline()
	for shard := range s.shards.Len() {
		pipe.XLen(ctx, s.shards.Entries(shard))
	}
	replies, err := pipe.Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("count waiting bookings: %w", err)
	}
	for _, reply := range replies {
		entries += int(reply.(interface{ Val() int64 }).Val())
	}
	return entries, nil
}

var errWaiting = errors.New("bookings wait to be recorded")

// drain waits until everything accepted is recorded and settled, and returns when that was so.
func (s *system) drain(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	for {
		waiting, err := s.backlog(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if waiting == 0 {
			return time.Now(), nil
		}
		if wait(ctx, 5*time.Millisecond) != nil {
			return time.Time{}, fmt.Errorf("%d %w", waiting, errWaiting)
		}
	}
}
