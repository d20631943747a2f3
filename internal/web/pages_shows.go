package web

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/web/page"
)

const (
	homeShows   = 4  // on a page of the home page
	searchShows = 12 // on a page of a search
	soonShows   = 4
	// refreshWithin is how near an opening must be for a browser without scripts to come back by itself.
	refreshWithin = 15 * time.Minute
)

// pageShow is a show as pages tell of it.
func pageShow(j showJSON) page.Show {
	s := page.Show{
		ID: j.ID, Title: j.Title, Venue: j.Venue, Description: j.Description, Price: j.Price, Alt: j.ImageAlt, Zone: j.TimeZone,
		Starts: j.StartsAt, Opens: j.SalesOpenAt, Closes: j.SalesCloseAt, Capacity: j.Capacity, Left: j.Left, Limit: j.LimitPerUser,
		State: string(j.State),
	}
	if j.ImageURL != nil {
		s.Image = *j.ImageURL
	}
	return s
}

func pageShows(list []showJSON) []page.Show {
	shows := make([]page.Show, len(list))
	for i, j := range list {
		shows[i] = pageShow(j)
	}
	return shows
}

// homePage shows what can be booked, nearest first, and what opens soon.
func (s *Server) homePage(c echo.Context) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	want, err := parseListing(url.Values{"cursor": query["cursor"]})
	if err != nil {
		return err
	}
	want.limit = homeShows
	list, next, err := s.page(want)
	if err != nil {
		return err
	}
	home := page.Home{Shows: pageShows(list), Later: query.Get("cursor") != ""}
	if next != nil {
		home.Next = *next
	}
	if home.Soon, err = s.openingSoon(); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "home", home)
}

// openings are the shows whose sales open next, as they were found last.
type openings struct {
	mu    sync.Mutex
	at    time.Time
	shows []page.Show
}

const openingsFor = time.Second

// openingSoon returns the shows whose sales open next. All that is not on sale yet is looked through for them, so the answer is kept for
// a while.
func (s *Server) openingSoon() ([]page.Show, error) {
	s.soon.mu.Lock()
	defer s.soon.mu.Unlock()
	if now := s.options.Now(); now.Sub(s.soon.at) > openingsFor {
		shows, err := s.findOpening()
		if err != nil {
			return nil, err
		}
		s.soon.at, s.soon.shows = now, shows
	}
	return s.soon.shows, nil
}

func (s *Server) findOpening() ([]page.Show, error) {
	_, now, err := s.last(nil)
	if err != nil {
		return nil, err
	}
	all, err := s.deps.Shows.Find(show.Search{States: func(state show.State) bool { return state == show.Upcoming }, Now: now})
	if err != nil {
		return nil, err
	}
	var next []*show.Show // by opening
	for of := range all {
		if len(next) == soonShows && !of.SalesOpenAt.Before(next[soonShows-1].SalesOpenAt) {
			continue
		}
		at, _ := slices.BinarySearchFunc(next, of, func(a, b *show.Show) int {
			return cmp.Or(a.SalesOpenAt.Compare(b.SalesOpenAt), cmp.Compare(a.ID, b.ID))
		})
		next = slices.Insert(next, at, of)[:min(len(next)+1, soonShows)]
	}
	levels, now, err := s.last(next)
	if err != nil {
		return nil, err
	}
	var found []page.Show
	for _, level := range levels {
		of := next[slices.IndexFunc(next, func(of *show.Show) bool { return of.ID == level.ShowID })]
		found = append(found, pageShow(newShowJSON(of, level, now)))
	}
	return found, nil
}

// searchPage shows what holds all the words.
func (s *Server) searchPage(c echo.Context) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	content := page.Search{Words: query.Get("q")}
	if strings.TrimSpace(content.Words) == "" {
		content.Words = ""
	}
	if content.Words == "" {
		return s.render(c, http.StatusOK, "search", content)
	}
	want, err := parseListing(url.Values{"q": query["q"], "cursor": query["cursor"]})
	if bad, ok := faultsOf(err); ok {
		content.Faults = s.faultTexts(c, bad)
		content.Words = shortened(content.Words)
		return s.render(c, http.StatusUnprocessableEntity, "search", content)
	}
	want.limit = searchShows
	list, next, err := s.page(want)
	if err != nil {
		return err
	}
	content.Shows = pageShows(list)
	if next != nil {
		content.Next = *next
	}
	all, err := s.deps.Shows.Find(show.Search{Words: want.words})
	if err != nil {
		return err
	}
	for range all {
		content.Found++
	}
	return s.render(c, http.StatusOK, "search", content)
}

// shortened is what a page shows again of words that may be far too many.
func shortened(words string) string { return strings.ToValidUTF8(words[:min(len(words), 1000)], "") }

// showPage shows one show, with a form that books it.
func (s *Server) showPage(c echo.Context) error {
	detail, err := s.detail(c)
	if err != nil {
		return err
	}
	query := c.Request().URL.Query()
	if units := query.Get("units"); units != "" { // as it was before a login
		detail.Units = units
	}
	if key := query.Get("key"); key != "" {
		var bad invalid.Error
		if checkKey(key, &bad); bad.OrNil() == nil {
			detail.Key = key
		}
	}
	return s.render(c, http.StatusOK, "show", detail)
}

// detail is the page of the show in the path, with a new key.
func (s *Server) detail(c echo.Context) (page.Detail, error) {
	found, err := s.showInPath(c)
	if err != nil {
		return page.Detail{}, err
	}
	detail := page.Detail{Show: pageShow(found), Key: rand.Text(), Units: "1", Most: maxUnits}
	if found.LimitPerUser > 0 {
		detail.Most = min(found.LimitPerUser, maxUnits)
	}
	if opens := found.SalesOpenAt.Sub(found.ServerTime); opens > 0 && opens < refreshWithin {
		detail.Refresh = int(opens.Seconds()) + 1
	}
	return detail, nil
}
