package web

import (
	"errors"
	"hash/crc32"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/web/page"
)

// adminPage is how many things a page of an admin's list has.
const adminPage = 20

// routeAdminPages says what the admins' pages are; guardAdmin keeps all others out.
func (s *Server) routeAdminPages(pages *echo.Group) {
	admin := pages.Group(adminPages)
	get(admin, "", func(c echo.Context) error { return seeOther(c, adminPages+"/shows") })
	get(admin, "/shows", s.signedIn(s.adminShowsPage))
	get(admin, "/shows/new", s.signedIn(s.newShowPage))
	admin.POST("/shows", s.signedIn(s.addShow))
	get(admin, "/shows/:id", s.signedIn(s.editShowPage))
	admin.POST("/shows/:id", s.signedIn(s.editShow))
	get(admin, "/shows/:id/image", func(c echo.Context) error { return seeOther(c, adminPages+"/shows/"+url.PathEscape(c.Param("id"))) })
	admin.POST("/shows/:id/image", s.signedIn(s.uploadImage))
	get(admin, "/stock", s.signedIn(s.adminStockPage))
	get(admin, "/stock/:id/resync", s.signedIn(s.resyncPage))
	admin.POST("/stock/:id/resync", s.signedIn(s.resync))
	get(admin, "/queue", s.signedIn(s.queuePage))
	get(admin, "/dead-letters/:id/drop", s.signedIn(s.dropLetterPage))
	admin.POST("/dead-letters/:id/drop", s.signedIn(s.dropLetter))
	get(admin, "/audit", s.signedIn(s.auditPage))
}

// adminPath is the page of a show in a list of admins, such as /admin/shows/42.
func adminPath(list string, id int64) string {
	return adminPages + "/" + list + "/" + strconv.FormatInt(id, 10)
}

// adminShowsPage lists all shows.
func (s *Server) adminShowsPage(c echo.Context, _ account.Claims) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	content := page.AdminShows{AdminList: adminListOf(query)}
	list, next, err := s.adminList(query)
	if bad, ok := errors.AsType[*invalid.Error](err); ok {
		content.Faults = s.faultTexts(c, bad)
		return s.render(c, http.StatusUnprocessableEntity, "admin_shows", content)
	}
	if err != nil {
		return err
	}
	content.Shows, content.Next = pageShows(list), next
	return s.render(c, http.StatusOK, "admin_shows", content)
}

// adminList returns a page of the shows that hold the words, of all states or of one: those that are still to come first.
func (s *Server) adminList(query url.Values) (list []showJSON, next string, err error) {
	want := listing{limit: adminPage, ranks: []func(show.State) bool{
		func(s show.State) bool { return s != show.Ended },
		func(s show.State) bool { return s == show.Ended },
	}}
	var bad invalid.Error
	if q := strings.TrimSpace(query.Get("q")); q != "" {
		want.words = show.ReadWords(q, &bad)
	}
	if state := show.State(query.Get("state")); state != "" {
		if !slices.Contains(show.States(), state) {
			bad.Add("state", "unknown", "must be a state of a show, such as on_sale")
		}
		want.ranks = []func(show.State) bool{func(s show.State) bool { return s == state }}
	}
	want.mark = crc32.ChecksumIEEE([]byte("admin\n" + query.Get("state") + "\n" + strings.Join(want.words, "\n")))
	want.after = readCursor(query, placeParser(want.mark, byte(len(want.ranks))), &bad)
	if err := bad.OrNil(); err != nil {
		return nil, "", err
	}
	list, cursor, err := s.page(want)
	if cursor != nil {
		next = *cursor
	}
	return list, next, err
}

// adminListOf returns what was asked of an admin's list, for the form to show it again.
func adminListOf(query url.Values) page.AdminList {
	return page.AdminList{Words: shortened(query.Get("q")), State: query.Get("state"), Later: query.Get("cursor") != ""}
}
