package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/web/page"
)

// A reservation's address names its show, so that one shard knows about it. Until November 2026 it did not: links, bookmarks and
// calendar entries of that time keep working.
const (
	reservationRoute    = "/shows/:show/reservations/:id"
	oldReservationRoute = reservationsPath + "/:id"
)

// reservationPath is the address of a reservation's page; below apiPath, that of its JSON.
func reservationPath(r booking.Ref) string { return page.ReservationPath(r.Show, r.ID.String()) }

// headerProvisional says that MySQL could not be read, so that a status is no more than what the marker tells.
const headerProvisional = "Reservation-Provisional"

// describe says in an answer's headers where a reservation is, and whether its status is provisional.
func describe(h http.Header, r booking.Reservation) {
	h[echo.HeaderLocation] = []string{apiPath + reservationPath(r.Ref())}
	markProvisional(h, r)
}

func markProvisional(h http.Header, r booking.Reservation) {
	if r.Provisional {
		h[headerProvisional] = []string{"true"}
	}
}

// isReservationRoute reports whether a route is the list of reservations, or is about one of them.
func isReservationRoute(route string) bool {
	return strings.HasPrefix(route, reservationsPath) || strings.HasPrefix(route, reservationRoute)
}

// reservationRef returns the reservation that a path names, or booking.ErrNotFound where show or id is not written as we write it.
func reservationRef(c echo.Context) (booking.Ref, error) {
	id, err := uuid.Parse(c.Param("id"))
	if err != nil || id.String() != c.Param("id") {
		return booking.Ref{}, booking.ErrNotFound
	}
	ref := booking.Ref{ID: id}
	if slices.Contains(c.ParamNames(), "show") {
		if ref.Show, err = showIn(c, "show"); err != nil {
			return booking.Ref{}, booking.ErrNotFound
		}
	}
	return ref, nil
}
