package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

func TestGetShow(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.shelf.put(1, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
	w := f.do("GET", "/api/v1/shows/1", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s %s", w.Code, w.Header(), w.Body)
	}
	want := `{"id":1,"title":"Swan Lake","venue":"Seoul Arts Center","description":"","price":50000,"image_url":null,"image_alt":"",` +
		`"time_zone":"Asia/Seoul","starts_at":"2026-05-03T14:00:00Z","sales_open_at":"2026-05-03T11:00:00Z",` +
		`"sales_close_at":"2026-05-03T13:00:00Z","capacity":100,"left":5,"limit_per_user":4,"state":"on_sale",` +
		`"server_time":"2026-05-03T12:00:00Z"}` + "\n"
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Error(diff)
	}
	f.shelf.shows[0].Image = "a"
	if got := decode[showJSON](t, f.do("GET", "/api/v1/shows/1", "")); *got.ImageURL != "/images/a-800.jpg" {
		t.Errorf("got %s", *got.ImageURL)
	}
	for _, id := range []string{"2", "0", "-1", "+1", "01", "1.0", "abc", "99999999999999999999", "1%20", "%31%00", "1 OR 1=1"} {
		wantProblem(t, f.do("GET", "/api/v1/shows/"+url.PathEscape(id), ""), 404, "not_found")
	}
}

func TestGetShowInAnOutage(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(*shelf){
		"shows":  func(s *shelf) { s.showsErr = fmt.Errorf("%w: connection refused", show.ErrUnavailable) },
		"levels": func(s *shelf) { s.levelsErr = errors.New("connection refused") },
	} {
		f := newFixture(t, Options{})
		f.shelf.put(1, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
		breakIt(f.shelf)
		for _, path := range []string{"/api/v1/shows/1", "/api/v1/shows"} {
			w := f.do("GET", path, "")
			wantProblem(t, w, 503, "unavailable")
			if w.Header().Get("Retry-After") != "1" {
				t.Errorf("%s: no Retry-After", name)
			}
		}
	}
	f := newFixture(t, Options{})
	f.shelf.put(1, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
	delete(f.shelf.levels, 1)
	wantProblem(t, f.do("GET", "/api/v1/shows/1", ""), 500, "internal")
}

// list returns the ids of a page, and its cursor or "".
func (f *fixture) list(t *testing.T, query url.Values) (ids []int64, next string) {
	t.Helper()
	w := f.do("GET", "/api/v1/shows?"+query.Encode(), "")
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	page := decode[listJSON](t, w)
	for _, s := range page.Shows {
		ids = append(ids, s.ID)
	}
	if page.NextCursor != nil {
		next = *page.NextCursor
	}
	return ids, next
}

// all goes through the pages of a list and returns every id and the number of pages.
func (f *fixture) all(t *testing.T, state, limit string) (ids []int64, pages int) {
	t.Helper()
	query := url.Values{}
	for name, value := range map[string]string{"state": state, "limit": limit} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return f.allOf(t, query)
}

func (f *fixture) allOf(t *testing.T, query url.Values) (ids []int64, pages int) {
	t.Helper()
	for {
		page, next := f.list(t, query)
		ids = append(ids, page...)
		if pages++; next == "" {
			return ids, pages
		}
		query.Set("cursor", next)
	}
}

func TestListByState(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return noon.Add(23 * time.Hour) }}) // our clock is wrong
	const h = time.Hour
	f.shelf.put(11, -9*h, -8*h, -2*h, stockOf(5)) // ended
	f.shelf.put(12, -9*h, -8*h, -3*h, stockOf(5)) // ended, sooner
	f.shelf.put(21, -9*h, -8*h, 1*h, stockOf(5))  // closed
	f.shelf.put(31, 1*h, 2*h, 3*h, stockOf(5))    // upcoming
	f.shelf.put(41, -1*h, 2*h, 4*h, stock.Level{Capacity: 100, Paused: true})
	f.shelf.put(51, -1*h, 2*h, 5*h, stockOf(0))
	f.shelf.put(61, -1*h, 2*h, 7*h, stockOf(1))
	f.shelf.put(62, -1*h, 2*h, 6*h, stockOf(1))
	f.shelf.put(64, -1*h, 2*h, 6*h, stockOf(1)) // at the same time: by id
	f.shelf.put(63, -1*h, 2*h, 6*h, stockOf(1))
	f.shelf.put(65, -1*h, 2*h, 9*h, stockOf(1))
	delete(f.shelf.levels, 65) // without stock: nothing to show
	for state, want := range map[string][]int64{
		"":         {62, 63, 64, 61},
		"on_sale":  {62, 63, 64, 61},
		"ended":    {12, 11},
		"closed":   {21},
		"upcoming": {31},
		"paused":   {41},
		"sold_out": {51},
	} {
		for limit, pages := range map[string]int{"": 1, "100": 1, "3": (len(want) + 2) / 3, "1": len(want)} {
			got, n := f.all(t, state, limit)
			if !cmp.Equal(got, want) || n != pages {
				t.Errorf("state %q, limit %q: got %v in %d pages, want %v in %d", state, limit, got, n, want, pages)
			}
		}
	}
}

func TestEmptyListIsAnArray(t *testing.T) {
	t.Parallel()
	w := newFixture(t, Options{}).do("GET", "/api/v1/shows", "")
	if got := strings.TrimSpace(w.Body.String()); got != `{"shows":[],"next_cursor":null}` {
		t.Errorf("got %s", got)
	}
}

func TestListRefusesNonsense(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for id := range int64(3) {
		f.shelf.put(id+1, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
	}
	_, good := f.list(t, url.Values{"limit": {"1"}})
	_, other := f.list(t, url.Values{"limit": {"1"}, "q": {"swan"}})
	for query, field := range map[string]string{
		"limit=0":                              "limit",
		"limit=101":                            "limit",
		"limit=-1":                             "limit",
		"limit=many":                           "limit",
		"limit=1.5":                            "limit",
		"state=open":                           "state",
		"state=ON_SALE":                        "state",
		"cursor=x":                             "cursor",
		"cursor=" + good[1:]:                   "cursor",
		"cursor=" + good + "AA":                "cursor",
		"cursor=" + good + "%0A":               "cursor",
		"cursor=%00":                           "cursor",
		"cursor=1%3B+DROP+TABLE":               "cursor",
		"cursor=" + good[:27] + "_":            "cursor",
		"cursor=" + other:                      "cursor", // of another query
		"q=swan&cursor=" + good:                "cursor",
		"q=lake&cursor=" + other:               "cursor",
		"state=ended&cursor=" + good:           "cursor",
		"q=swan&state=on_sale&cursor=" + other: "cursor",
		"q=+%20%09%E3%80%80":                   "q", // spaces only
		"q=%FF":                                "q",
		"q=" + strings.Repeat("a", 201):        "q",
		"q=" + strings.Repeat("word+", 10_000): "q",
	} {
		w := f.do("GET", "/api/v1/shows?"+query, "")
		if w.Code != 422 {
			t.Errorf("%s: got %d", query, w.Code)
		} else if p := wantProblem(t, w, 422, "invalid"); len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%s: got %v, want a fault of %s", query, p.Errors, field)
		}
	}
	if p := wantProblem(t, f.do("GET", "/api/v1/shows?limit=0&state=x&cursor=y", ""), 422, "invalid"); len(p.Errors) != 3 {
		t.Errorf("not every fault is named: %v", p.Errors)
	}
	for _, query := range []string{
		"cursor=" + good, "limit=&state=&cursor=&q=", "limit=100", "colour=red", "q=%25_%5C", "q=%F0%9F%A6%A2", "q=" + strings.Repeat("%ED%95%9C", 200),
		"q=SWAN&cursor=" + other, // the same words
	} {
		if w := f.do("GET", "/api/v1/shows?"+query, ""); w.Code != 200 {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	for query, field := range map[string]string{"q=%_\\": "q", "limit=5&cursor=%zz": "cursor", "limit=1&limit=100": "limit", "state=&q=a&state=ended": "state"} {
		if p := wantProblem(t, f.do("GET", "/api/v1/shows?"+query, ""), 400, "malformed"); len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%s: got %v, want a fault of %s", query, p.Errors, field)
		}
	}
}

// A page stays where it was while shows are added, also before it.
func TestCursorWhileShowsAreAdded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for id := range int64(6) {
		f.shelf.put(id+1, -time.Hour, time.Hour, time.Duration(id+1)*time.Hour, stockOf(1))
	}
	first, next := f.list(t, url.Values{"limit": {"3"}})
	f.shelf.put(100, -time.Hour, time.Hour, time.Minute, stockOf(1))
	f.shelf.shows = append(f.shelf.shows[:1], f.shelf.shows[2:]...) // and one of the first page goes
	second, _ := f.list(t, url.Values{"limit": {"3"}, "cursor": {next}})
	if diff := cmp.Diff([]int64{1, 2, 3, 4, 5, 6}, append(first, second...)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkShow(b *testing.B) {
	f := newFixture(b, Options{RatePerAddress: 1 << 30})
	f.shelf.put(1, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
	found, level := f.shelf.shows[0], f.shelf.levels[1]
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = json.Marshal(newShowJSON(found, level, noon))
		}
	})
	b.Run("request", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f.do("GET", "/api/v1/shows/1", "")
		}
	})
}
