package web

import (
	"cmp"
	"hash/crc32"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
)

const (
	defaultPage = 20
	maxPage     = 100
	// maxChunk is how many levels are looked up at once; the first chunk is a page, and they double.
	maxChunk = 500
	// clockSlack is how far the clock of this host may be wrong without a show missing from the list.
	clockSlack = 24 * time.Hour
)

// listing is what a client wants to see, in its order: rank by rank, in each by start, then id. A show whose rank changes while
// a client goes from page to page may be seen twice or not at all; nothing else moves.
type listing struct {
	words show.Words
	ranks []func(show.State) bool // which states each rank holds
	limit int
	after place
	mark  uint32 // tells the cursors of one query from those of others
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
	page, next, err := s.page(want)
	if err != nil {
		return err
	}
	body, list := takeBuffer(), listJSON{page, next}
	body.bytes = s.texts.appendList(body.bytes, &list)
	c.Response().Header()[echo.HeaderContentLength] = []string{strconv.Itoa(len(body.bytes) + len("\n"))}
	return s.sendBuffer(c, http.StatusOK, typeJSON, body)
}

// parameters returns those of the URL, unlike c.QueryParams not without those that it cannot read. None is given twice: whoever
// does so may mean the other one.
func parameters(c echo.Context) (url.Values, error) {
	raw := c.Request().URL.RawQuery
	query, err := url.ParseQuery(raw)
	for name, values := range query {
		if len(values) > 1 {
			return nil, malformed(name[:min(len(name), 100)], "repeated", "must be given once")
		}
	}
	if err == nil {
		return query, nil
	}
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		if _, err := url.QueryUnescape(value); err != nil {
			return nil, malformed(name[:min(len(name), 100)], "syntax", "what stands after a % must be two digits of base 16; a % itself is %25")
		}
	}
	return nil, malformed("", "syntax", "the query is not written as names and values")
}

// parseListing reads what is wanted: the shows of one state, on_sale unless it is named; of a search those of all states, but what
// can be booked first.
func parseListing(query url.Values) (listing, error) {
	var bad invalid.Error
	want := listing{limit: pageLimit(query.Get("limit"), &bad)}
	state := show.State(query.Get("state"))
	if state != "" && !slices.Contains(show.States(), state) {
		bad.Add("state", "unknown", "must be a state of a show, such as on_sale")
	}
	q := query.Get("q")
	if q != "" {
		want.words = show.ReadWords(q, &bad)
	}
	if q == "" || state != "" {
		only := cmp.Or(state, show.OnSale)
		want.ranks = []func(show.State) bool{func(s show.State) bool { return s == only }}
	} else {
		want.ranks = []func(show.State) bool{
			func(s show.State) bool { return s == show.OnSale },
			func(s show.State) bool { return s != show.OnSale },
		}
	}
	want.mark = crc32.ChecksumIEEE([]byte(string(state) + "\n" + strings.Join(want.words, "\n")))
	want.after = readCursor(query, placeParser(want.mark, byte(len(want.ranks))), &bad)
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

// page returns the page that is wanted, and the cursor of the next one where there is one. Nobody is asked for it: shows and levels
// are in memory. The levels of what it shows are followed, so that somebody who looks again sees them move.
func (s *Server) page(want listing) (page []showJSON, next *string, err error) {
	page = []showJSON{}
	last := want.after
	for rank := last.rank; int(rank) < len(want.ranks) && next == nil; rank++ {
		from := place{}
		if rank == want.after.rank {
			from = want.after
		}
		for found, err := range s.ranked(want, want.ranks[rank], from) {
			if err != nil {
				return nil, nil, err
			}
			if len(page) == want.limit {
				next = new(last.cursor(want.mark))
				break
			}
			if cap(page) == 0 {
				page = make([]showJSON, 0, want.limit)
			}
			page = append(page, found)
			last = place{rank, found.StartsAt, found.ID}
		}
	}
	ids := make([]int64, len(page))
	for i := range page {
		ids[i] = page[i].ID
	}
	s.deps.Levels.Follow(ids...)
	return page, next, nil
}

// ranked yields the shows of a rank from a place on. Levels are looked up in chunks, as states depend on them.
func (s *Server) ranked(want listing, holds func(show.State) bool, after place) iter.Seq2[showJSON, error] {
	return func(yield func(showJSON, error) bool) {
		// Unless shows that are over are wanted, there is no need to look at the past, which grows for ever.
		if past := s.options.Now().Add(-clockSlack); !holds(show.Ended) && past.After(after.startsAt) {
			after = place{startsAt: past}
		}
		_, now, err := s.last(nil)
		if err != nil {
			yield(showJSON{}, err)
			return
		}
		shows, err := s.deps.Shows.Find(show.Search{Words: want.words, States: holds, Now: now, StartsAt: after.startsAt, ID: after.id})
		if err != nil {
			yield(showJSON{}, err)
			return
		}
		for chunk := range chunks(shows, want.limit+1, maxChunk) {
			levels, now, err := s.last(chunk)
			if err != nil {
				yield(showJSON{}, err)
				return
			}
			for _, candidate := range chunk {
				if len(levels) == 0 || levels[0].ShowID != candidate.ID {
					continue // it has no stock
				}
				level := levels[0]
				levels = levels[1:]
				if holds(show.StateOf(*candidate, now, level.Paused, level.Left)) && !yield(newShowJSON(candidate, level, now), nil) {
					return
				}
			}
		}
	}
}

// chunks yields the shows in parts, each twice as long as the one before. A part is valid until the next.
func chunks(shows iter.Seq[*show.Show], first, most int) iter.Seq[[]*show.Show] {
	return func(yield func([]*show.Show) bool) {
		var chunk []*show.Show
		size := first
		for s := range shows {
			if chunk = append(chunk, s); len(chunk) == size {
				if !yield(chunk) {
					return
				}
				chunk, size = chunk[:0], min(2*size, most)
			}
		}
		if len(chunk) > 0 {
			yield(chunk)
		}
	}
}
