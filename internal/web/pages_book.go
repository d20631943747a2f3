package web

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/web/page"
)

const bookRoute = "/shows/:id/book"

// book takes units as a form asks for, and leads to the reservation. What hinders it is told in the show's page, with what was typed:
// the key stays the same while it is not known whether units were taken, so that the next press cannot take them twice.
func (s *Server) book(c echo.Context, me account.Claims) error {
	values, err := browserForm(c)
	if err != nil {
		return err
	}
	detail, err := s.detail(c)
	if err != nil {
		return err
	}
	detail.Units = values.Get("units")
	if key := values.Get("key"); key != "" {
		detail.Key = key
	}
	var bad invalid.Error
	checkKey(detail.Key, &bad)
	units, err := strconv.Atoi(detail.Units)
	if err != nil || units < 1 || units > detail.Most {
		bad.Add("units", "out_of_range", "must be 1 to "+strconv.Itoa(detail.Most))
	}
	if bad.OrNil() != nil {
		detail.Faults, detail.TooMany = []string{s.text(c, "fault.units", "most", detail.Most)}, true
		return s.render(c, http.StatusUnprocessableEntity, "show", detail)
	}
	wish := booking.Booking{User: me.UserID, Show: detail.Show.ID, Units: units, Key: detail.Key}
	r, repeated, err := s.deps.BoxOffice.Reserve(c.Request().Context(), wish)
	switch {
	case err != nil:
		return s.notBooked(c, wish, detail, err)
	case repeated && (r.Status == booking.Cancelled || r.Status == booking.Rejected):
		// The page is an old one, as by the back button: whoever presses there wants tickets, and would come to those that he has not.
		detail.Faults = []string{s.text(c, "booking."+string(r.Status))}
		detail.Earlier, detail.Key = reservationPath(r.Ref()), rand.Text()
		return s.render(c, http.StatusConflict, "show", detail)
	}
	return seeOther(c, reservationPath(r.Ref()))
}

// showOfBooking leads to the show: whoever asks for the address of a form again, as by the address bar, is not to end at a page of a fault.
func (s *Server) showOfBooking(c echo.Context) error {
	show := url.URL{Path: strings.TrimSuffix(c.Request().URL.Path, "/book"), RawQuery: c.Request().URL.RawQuery}
	return seeOther(c, show.String())
}

// notBooked shows a show's page again, with what hinders a booking and what to do.
func (s *Server) notBooked(c echo.Context, wish booking.Booking, detail page.Detail, err error) error {
	key, ok := s.refusal(c, err, "booking.")
	if !ok {
		return err
	}
	if errors.Is(err, booking.ErrUnreadable) { // the key was used before, and it cannot be read what for
		key = "booking.unknown"
	}
	args := []any{"left", detail.Show.Left}
	if soldOut, ok := errors.AsType[*stock.SoldOutError](err); ok {
		args = []any{"left", soldOut.Left}
		detail.Show.Left = soldOut.Left
		if soldOut.Left > 0 {
			key, detail.TooMany = "booking.fewer", true
		} else {
			detail.Show.State = "sold_out"
		}
	}
	if limit, ok := errors.AsType[*stock.LimitError](err); ok {
		args = []any{"held", limit.Held, "limit", limit.Limit}
		detail.TooMany = true
	}
	if errors.Is(err, stock.ErrConflict) { // the form was sent before, with other units
		detail.Earlier = reservationPath(booking.Ref{Show: wish.Show, ID: booking.NewID(wish.User, wish.Show, wish.Key)})
		detail.Key = rand.Text()
	}
	detail.Faults = []string{s.text(c, key, args...)}
	return s.renderRefusal(c, err, "show", detail)
}
