package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
)

const (
	maxUnits  = 100 // of one booking
	maxKey    = 255 // characters of an Idempotency-Key
	headerKey = "Idempotency-Key"
)

// BoxOffice takes bookings and cancels.
type BoxOffice interface {
	Reserve(ctx context.Context, wish booking.Booking) (r booking.Reservation, repeated bool, err error)
	Cancel(ctx context.Context, user int64, ref booking.Ref, wait time.Duration) (booking.Reservation, error)
	Await(ctx context.Context, user int64, ref booking.Ref, wait time.Duration) (booking.Reservation, error)
}

// Reservations looks up what a customer has booked.
type Reservations interface {
	List(ctx context.Context, user int64, after booking.Position, limit int) (booking.Page, error)
}

type reservationJSON struct {
	ID          uuid.UUID       `json:"id"`
	Number      string          `json:"number"`
	Show        bookedShow      `json:"show"`
	Units       int             `json:"units"`
	PriceTotal  int64           `json:"price_total"` // won
	Status      booking.Status  `json:"status"`
	Reason      *booking.Reason `json:"reason"` // null: it was not rejected
	BookedAt    time.Time       `json:"booked_at"`
	ConfirmedAt *time.Time      `json:"confirmed_at"` // null: never
	CancelledAt *time.Time      `json:"cancelled_at"` // null: never
	Cancellable bool            `json:"cancellable"`
}

type bookedShow struct {
	ID       int64     `json:"id"`
	Title    string    `json:"title"`
	Venue    string    `json:"venue"`
	StartsAt time.Time `json:"starts_at"`
	ImageURL *string   `json:"image_url"`
}

func newReservationJSON(r booking.Reservation, of show.Show) reservationJSON {
	j := reservationJSON{
		ID: r.ID, Number: booking.Number(r.ID), Units: r.Units, PriceTotal: of.Price * int64(r.Units), Status: r.Status,
		Show:     bookedShow{ID: of.ID, Title: of.Title, Venue: of.Venue, StartsAt: of.StartsAt, ImageURL: imageURL(of.Image)},
		BookedAt: r.BookedAt, ConfirmedAt: orNull(r.ConfirmedAt), CancelledAt: orNull(r.CancelledAt),
		Cancellable: r.Status == booking.Confirmed && r.AsOf.Before(of.StartsAt),
	}
	if r.Price != nil { // else it is not recorded yet, and costs what the show costs now
		j.PriceTotal = *r.Price * int64(r.Units)
	}
	if r.Reason != "" {
		j.Reason = new(r.Reason)
	}
	return j
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t)
}

// reserve takes units of a show for the customer. Nothing here waits for MySQL longer than the parts that it asks allow, so the
// request has no deadline of its own.
func (s *Server) reserve(c echo.Context, me account.Claims) error {
	id, err := showID(c)
	if err != nil {
		return err
	}
	units, err := readUnits(c)
	if err != nil {
		return err
	}
	var bad invalid.Error
	if units < 1 || units > maxUnits {
		bad.Add("units", "out_of_range", "must be 1 to "+strconv.Itoa(maxUnits))
	}
	key := requestKey(c, &bad)
	wait := preferredWait(c, &bad)
	if err := bad.OrNil(); err != nil {
		return err
	}
	ctx := c.Request().Context()
	of, err := s.deps.Shows.Get(ctx, id)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h[headerKey] = []string{key}
	r, repeated, err := s.deps.BoxOffice.Reserve(ctx, booking.Booking{User: me.UserID, Show: id, Units: units, Key: key, Wait: wait})
	if err != nil {
		return err
	}
	describe(h, r)
	status := http.StatusCreated
	switch {
	case repeated:
		status = http.StatusOK
	case r.Status == booking.Rejected:
		return &rejectedError{r.Reason}
	case r.Status == booking.Pending:
		status = http.StatusAccepted
	}
	body := takeBuffer()
	answered := newReservationJSON(r, of)
	body.bytes = answered.appendJSON(body.bytes)
	return s.sendBuffer(c, status, typeJSON, body)
}

// getReservation answers with a reservation of the customer's own, once it is settled or the wait is over.
func (s *Server) getReservation(c echo.Context, me account.Claims) error {
	ref, wait, err := ownReservation(c)
	if err != nil {
		return err
	}
	r, err := s.deps.BoxOffice.Await(c.Request().Context(), me.UserID, ref, wait)
	if err != nil {
		return err
	}
	return s.answerReservation(c, http.StatusOK, r)
}

// cancelReservation asks for a reservation of the customer's own to be cancelled.
func (s *Server) cancelReservation(c echo.Context, me account.Claims) error {
	ref, wait, err := ownReservation(c)
	if err != nil {
		return err
	}
	r, err := s.deps.BoxOffice.Cancel(c.Request().Context(), me.UserID, ref, wait)
	if err != nil {
		return err
	}
	status := http.StatusAccepted
	if r.Status == booking.Cancelled {
		status = http.StatusOK
	}
	return s.answerReservation(c, status, r)
}

// listReservations answers with the customer's own, newest first, pending ones too.
func (s *Server) listReservations(c echo.Context, me account.Claims) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	var bad invalid.Error
	limit := pageLimit(query.Get("limit"), &bad)
	after := readCursor(query, parsePosition, &bad)
	if err := bad.OrNil(); err != nil {
		return err
	}
	ctx := c.Request().Context()
	page, err := s.deps.Reservations.List(ctx, me.UserID, after, limit)
	if err = cmp.Or(err, page.Partial); err != nil { // half a list would be taken for all of it
		return err
	}
	list := make([]reservationJSON, 0, len(page.Reservations))
	for _, r := range page.Reservations {
		of, err := s.deps.Shows.Get(ctx, r.Show)
		if err != nil {
			return err
		}
		list = append(list, newReservationJSON(r, of))
	}
	var next *string
	if !page.Next.BookedAt.IsZero() {
		next = new(positionCursor(page.Next))
	}
	return answer(c, http.StatusOK, struct {
		Reservations []reservationJSON `json:"reservations"`
		NextCursor   *string           `json:"next_cursor"`
	}{list, next})
}

func (s *Server) answerReservation(c echo.Context, status int, r booking.Reservation) error {
	of, err := s.deps.Shows.Get(c.Request().Context(), r.Show)
	if err != nil {
		return err
	}
	markProvisional(c.Response().Header(), r)
	return answer(c, status, newReservationJSON(r, of))
}

// ownReservation reads the path and the wait of a request for one reservation.
func ownReservation(c echo.Context) (booking.Ref, time.Duration, error) {
	ref, err := reservationRef(c)
	if err != nil {
		return booking.Ref{}, 0, err
	}
	var bad invalid.Error
	wait := preferredWait(c, &bad)
	return ref, wait, bad.OrNil()
}

// requestKey returns the request's key, or makes one for this request alone.
func requestKey(c echo.Context, bad *invalid.Error) string {
	keys := c.Request().Header.Values(headerKey)
	if len(keys) == 0 {
		return rand.Text()
	}
	if len(keys) > 1 {
		bad.Add(headerKey, "repeated", "must be given once")
		return keys[0]
	}
	checkKey(keys[0], bad)
	return keys[0]
}

// checkKey notes what is wrong with a request key.
func checkKey(key string, bad *invalid.Error) {
	switch n := utf8.RuneCountInString(key); {
	case n == 0:
		bad.Add(headerKey, "required", "must not be empty")
	case n > maxKey:
		bad.Add(headerKey, "too_long", "must have at most "+strconv.Itoa(maxKey)+" characters")
	case !utf8.ValidString(key) || strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }):
		bad.Add(headerKey, "characters", "must have printable characters only")
	}
}
