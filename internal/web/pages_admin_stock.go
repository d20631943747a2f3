package web

import (
	"errors"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/web/page"
)

// adminStockPage shows both sides of the stock of a page of shows.
func (s *Server) adminStockPage(c echo.Context, _ account.Claims) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	content := page.AdminStock{AdminList: adminListOf(query)}
	list, next, err := s.adminList(query)
	if bad, ok := errors.AsType[*invalid.Error](err); ok {
		content.Faults = s.faultTexts(c, bad)
		return s.render(c, http.StatusUnprocessableEntity, "admin_stock", content)
	}
	if err != nil {
		return err
	}
	content.Next = next
	if len(list) == 0 {
		return s.render(c, http.StatusOK, "admin_stock", content)
	}
	ids := make([]int64, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	lines, err := s.deps.BackOffice.Stock(c.Request().Context(), ids...)
	if err != nil {
		return unlessKnown(err)
	}
	for _, of := range list { // in its order
		if at := slices.IndexFunc(lines, func(line StockLine) bool { return line.Show.ID == of.ID }); at >= 0 {
			content.Lines = append(content.Lines, pageStockLine(of, newStockJSON(lines[at])))
		}
	}
	return s.render(c, http.StatusOK, "admin_stock", content)
}

func pageStockLine(of showJSON, j stockJSON) page.StockLine {
	line := page.StockLine{
		Show: pageShow(of), State: j.State, Capacity: j.Capacity, Confirmed: j.Reserved, Pending: j.Pending, Left: j.Left,
	}
	if j.Drift != nil {
		line.Told, line.Drift, line.Audited = true, *j.Drift, *j.AuditedAt
	}
	if j.Snapshot != nil {
		line.WrittenBack, line.Snapshot, line.SnapshotAge = true, j.Snapshot.Left, max(0, of.ServerTime.Sub(j.Snapshot.AsOf))
	}
	return line
}

// resyncPage shows what a resync would do, before it is done.
func (s *Server) resyncPage(c echo.Context, me account.Claims) error {
	content, err := s.resyncOf(c)
	if err != nil {
		return err
	}
	does, err := s.resyncShow(c, me, content.Show.ID, true)
	if err != nil {
		return s.notResynced(c, content, err)
	}
	content.Known, content.Possible = true, true
	content.Before, content.After, content.Drift = does.Before, does.After, does.Drift
	return s.render(c, http.StatusOK, "admin_resync", content)
}

// resync sets a show's units left anew from MySQL.
func (s *Server) resync(c echo.Context, me account.Claims) error {
	content, err := s.resyncOf(c)
	if err != nil {
		return err
	}
	if _, err := s.resyncShow(c, me, content.Show.ID, false); err != nil {
		return s.notResynced(c, content, err)
	}
	return seeOther(c, adminPages+"/stock?done=resynced")
}

func (s *Server) resyncOf(c echo.Context) (page.Resync, error) {
	id, err := showID(c)
	if err != nil {
		return page.Resync{}, err
	}
	of, err := s.deps.Shows.Get(c.Request().Context(), id)
	if err != nil {
		return page.Resync{}, err
	}
	return page.Resync{Show: page.Show{ID: of.ID, Title: of.Title, Venue: of.Venue}}, nil
}

// notResynced tells why a resync was not done, or what it would do is not known. Where bookings are under way it can be tried all the
// same: unlike the look before, it has them wait.
func (s *Server) notResynced(c echo.Context, content page.Resync, err error) error {
	key, ok := s.refusal(c, err, "admin.resync.")
	if !ok {
		return err
	}
	content.Fault = s.text(c, key)
	content.Possible = !errors.Is(err, stock.ErrResyncRunning)
	return s.renderRefusal(c, err, "admin_resync", content)
}
