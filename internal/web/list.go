package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
)

const (
	defaultPage = 20
	maxPage     = 100
	// maxWalk is how many shows one request may look at. A page that it leaves short has a cursor to go on with.
	maxWalk = 5000
	// maxChunk is how many levels are asked for at once; the first chunk is a page, and they double.
	maxChunk = 500
	// clockSlack is how far the clock of this host may be wrong without a show missing from the list.
	clockSlack = 24 * time.Hour
)

// listing is what a client wants to see: the shows of one state, by start.
type listing struct {
	state show.State
	limit int
	after place
}

func (s *Server) listShows(c echo.Context) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	want, err := parseListing(query)
	if err != nil {
		return err
	}
	all, err := s.deps.Shows.ByStart()
	if err != nil {
		return err
	}
	page, next, err := s.walk(c.Request().Context(), all, want)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, struct {
		Shows      []showJSON `json:"shows"`
		NextCursor *string    `json:"next_cursor"`
	}{page, next})
}

// parameters returns those of the URL, unlike c.QueryParams not without those that it cannot read.
func parameters(c echo.Context) (url.Values, error) {
	query, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, malformed("", "syntax", "the query is not written as names and values")
	}
	return query, nil
}

func parseListing(query url.Values) (listing, error) {
	var bad invalid.Error
	want := listing{state: show.OnSale, limit: pageLimit(query.Get("limit"), &bad), after: readCursor(query, parsePlace, &bad)}
	if state := query.Get("state"); state != "" {
		want.state = show.State(state)
		if !slices.Contains(show.States(), want.state) {
			bad.Add("state", "unknown", "must be a state of a show, such as on_sale")
		}
	}
	return want, bad.OrNil()
}

// pageLimit reads how many things a page may have; nothing asked for is the default.
func pageLimit(text string, bad *invalid.Error) int {
	if text == "" {
		return defaultPage
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxPage {
		bad.Add("limit", "out_of_range", "must be 1 to "+strconv.Itoa(maxPage))
	}
	return limit
}

// walk goes through the shows by start until it has the page that is wanted, and one more show to know that there is a next
// page. Shows are asked for their levels in chunks, as states depend on them.
func (s *Server) walk(ctx context.Context, all []*show.Show, want listing) (page []showJSON, next *string, err error) {
	page = []showJSON{}
	at := want.first(all, s.options.Now())
	end := min(len(all), at+maxWalk)
	var now time.Time // Redis's, once known
	for size := want.limit + 1; at < end; size = min(2*size, maxChunk) {
		var chunk []*show.Show
		for ; at < end && len(chunk) < size; at++ {
			if now.IsZero() || want.possible(all[at], now) {
				chunk = append(chunk, all[at])
			}
		}
		if len(chunk) == 0 {
			break
		}
		levels, redisNow, err := s.levels(ctx, ids(chunk))
		if err != nil {
			return nil, nil, err
		}
		now = redisNow
		for _, candidate := range chunk {
			if len(levels) == 0 || levels[0].ShowID != candidate.ID {
				continue // it has no stock
			}
			found := newShowJSON(candidate, levels[0], now)
			levels = levels[1:]
			if found.State != want.state {
				continue
			}
			if len(page) == want.limit {
				last := page[len(page)-1]
				return page, new(place{last.StartsAt, last.ID}.String()), nil
			}
			page = append(page, found)
		}
	}
	if end < len(all) {
		next = new(place{all[end-1].StartsAt, all[end-1].ID}.String())
	}
	return page, next, nil
}

// first returns the index of the first show to look at: behind the cursor, and, unless shows that are over are wanted, not
// in the past, which grows for ever.
func (l listing) first(all []*show.Show, now time.Time) int {
	after := l.after
	if past := (place{startsAt: now.Add(-clockSlack)}); l.state != show.Ended && past.startsAt.After(after.startsAt) {
		after = past
	}
	return sort.Search(len(all), func(i int) bool { return show.Compare(all[i], after.startsAt, after.id) > 0 })
}

// possible tells whether s can be in the state wanted, as far as the time tells.
func (l listing) possible(s *show.Show, now time.Time) bool {
	switch byTime := show.StateOf(*s, now, false, 1); l.state {
	case show.Paused, show.SoldOut, show.OnSale:
		return byTime == show.OnSale
	default:
		return byTime == l.state
	}
}

func ids(shows []*show.Show) []int64 {
	ids := make([]int64, len(shows))
	for i, s := range shows {
		ids[i] = s.ID
	}
	return ids
}
