package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/web/page"
)

const (
	reservationsPath = "/reservations"
	minePerPage      = 50              // reservations on a page: of most people all
	cancelWait       = 3 * time.Second // for a cancel to be recorded, before the person is shown that it is under way
)

func (s *Server) routeReservations(pages *echo.Group) {
	get(pages, reservationsPath, s.signedIn(s.minePage))
	get(pages, reservationRoute, s.signedIn(s.reservationPage))
	get(pages, reservationRoute+"/calendar.ics", s.signedIn(s.calendar))
	get(pages, reservationRoute+"/cancel", s.signedIn(s.cancelPage))
	pages.POST(reservationRoute+"/cancel", s.signedIn(s.cancelByForm))
	for _, part := range []string{"", "/calendar.ics", "/cancel"} {
		get(pages, oldReservationRoute+part, s.signedIn(s.movedReservation))
	}
	pages.POST(oldReservationRoute+"/cancel", s.signedIn(s.cancelByForm))
}

// pageReservation is a reservation as pages tell of it.
func pageReservation(r booking.Reservation, of show.Show) page.Reservation {
	j := newReservationJSON(r, of)
	p := page.Reservation{
		ID: r.ID.String(), Number: j.Number, Units: r.Units, Total: j.PriceTotal, Status: string(r.Status), Reason: string(r.Reason),
		BookedAt: r.BookedAt, Cancellable: j.Cancellable, Started: !r.AsOf.Before(of.StartsAt), Provisional: r.Provisional,
		Show: page.Show{
			ID: of.ID, Title: of.Title, Venue: of.Venue, Price: of.Price, Alt: of.ImageAlt, Zone: of.TimeZone, Starts: of.StartsAt,
		},
	}
	if j.Show.ImageURL != nil {
		p.Show.Image = *j.Show.ImageURL
	}
	return p
}

// own returns the reservation in the path, which is the person's, and its show.
func (s *Server) own(c echo.Context, me account.Claims) (booking.Reservation, show.Show, error) {
	ref, err := reservationRef(c)
	if err != nil {
		return booking.Reservation{}, show.Show{}, err
	}
	ctx := c.Request().Context()
	r, err := s.deps.BoxOffice.Await(ctx, me.UserID, ref, 0)
	if err != nil {
		return booking.Reservation{}, show.Show{}, err
	}
	of, err := s.deps.Shows.Get(ctx, r.Show)
	return r, of, err
}

// movedReservation leads from the old address of a page to the one with the show, once that is known.
func (s *Server) movedReservation(c echo.Context, me account.Claims) error {
	ref, err := reservationRef(c)
	if err != nil {
		return err
	}
	r, err := s.deps.BoxOffice.Await(c.Request().Context(), me.UserID, ref, 0)
	if err != nil {
		return err
	}
	part := strings.TrimPrefix(c.Path(), oldReservationRoute)
	to := url.URL{Path: reservationPath(r.Ref()) + part, RawQuery: c.Request().URL.RawQuery}
	return seeOther(c, to.String())
}

// reservationPage tells what became of a booking so far. It does not wait: a pending one says that its units are taken, and follows.
func (s *Server) reservationPage(c echo.Context, me account.Claims) error {
	r, of, err := s.own(c, me)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "reservation", pageReservation(r, of))
}

// calendar sends the show of a reservation for the person's calendar. What is not confirmed is no appointment.
func (s *Server) calendar(c echo.Context, me account.Claims) error {
	r, of, err := s.own(c, me)
	switch {
	case err != nil:
		return err
	case r.Provisional:
		return booking.ErrUnreadable
	case r.Status == booking.Pending:
		return booking.ErrPending
	case r.Status != booking.Confirmed:
		return booking.ErrNotFound
	}
	number := booking.Number(r.ID)
	event := page.Event{
		UID: r.ID.String(), Stamp: r.ConfirmedAt, Start: of.StartsAt, Summary: of.Title, Location: of.Venue,
		Description: s.text(c, "calendar.number", "number", number) + "\n" + s.text(c, "calendar.units", "n", r.Units),
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="neticket-`+number+`.ics"`)
	return c.Blob(http.StatusOK, "text/calendar; charset=utf-8", event.Calendar())
}

// minePage shows the person's reservations, those booked last on the first page. While MySQL cannot be read it shows what markers tell.
func (s *Server) minePage(c echo.Context, me account.Claims) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	var bad invalid.Error
	after := readCursor(query, parsePosition, &bad)
	if err := bad.OrNil(); err != nil {
		return err
	}
	ctx := c.Request().Context()
	found, err := s.deps.Reservations.List(ctx, me.UserID, after, minePerPage)
	if err != nil {
		return err
	}
	mine := &page.Mine{Later: !after.BookedAt.IsZero(), Partial: found.Partial != nil}
	if !mine.Partial { // else nobody can tell whose it is
		user, err := s.user(c, me)
		if err != nil {
			return err
		}
		mine.Email = user.Email
	}
	if mine.Partial { // a show that memory does not hold is not waited for, either
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Second)
		defer cancel()
	}
	for _, r := range found.Reservations {
		of, err := s.deps.Shows.Get(ctx, r.Show)
		switch {
		case err == nil:
			mine.Add(pageReservation(r, of))
		case !mine.Partial || !errors.Is(err, show.ErrUnavailable):
			return err
		}
	}
	if !found.Next.BookedAt.IsZero() {
		mine.Next = positionCursor(found.Next)
	}
	return s.render(c, http.StatusOK, "reservations", mine)
}

// cancelPage says what a cancel does, and has the button for it. Of what cannot be cancelled its own page tells why.
func (s *Server) cancelPage(c echo.Context, me account.Claims) error {
	r, of, err := s.own(c, me)
	if err != nil {
		return err
	}
	cancel := page.Cancel{Reservation: pageReservation(r, of)}
	if !cancel.Cancellable {
		return seeOther(c, reservationPath(r.Ref()))
	}
	return s.render(c, http.StatusOK, "cancel", cancel)
}

// cancelByForm cancels a reservation, and leads to its page, which follows a cancel that is not recorded yet. To send it again is
// harmless.
func (s *Server) cancelByForm(c echo.Context, me account.Claims) error {
	ref, err := reservationRef(c)
	if err != nil {
		return err
	}
	r, err := s.deps.BoxOffice.Cancel(c.Request().Context(), me.UserID, ref, cancelWait)
	if err != nil {
		return s.notCancelled(c, me, err)
	}
	return seeOther(c, reservationPath(r.Ref()))
}

// notCancelled shows what hinders a cancel, and what to do.
func (s *Server) notCancelled(c echo.Context, me account.Claims, err error) error {
	r, of, readErr := s.own(c, me)
	if readErr != nil {
		return err // an outage: its page says so
	}
	key, ok := s.refusal(c, err, "cancel.")
	if !ok {
		return err
	}
	return s.renderRefusal(c, err, "cancel",
		page.Cancel{Reservation: pageReservation(r, of), Fault: s.text(c, key), Again: seconds(problemOf(err).retryAfter)})
}
