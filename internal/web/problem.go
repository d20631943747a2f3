package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

// The errors of this package; those of the domain come from the packages that own them.
var (
	errMediaType       = errors.New("the body is not application/json")
	errTooLarge        = errors.New("the body is too large")
	errUnauthenticated = errors.New("not logged in")
	errForbidden       = errors.New("not allowed")
	errOtherSite       = fmt.Errorf("%w: the request comes from another site", errForbidden)
	errUnavailable     = errors.New("a server behind this one does not answer")
)

// malformedError says that a body is not what the interface describes.
type malformedError struct{ fault invalid.Field }

func (e *malformedError) Error() string {
	return "malformed: " + e.fault.Field + ": " + e.fault.Message
}

func malformed(field, code, message string) error {
	return &malformedError{invalid.Field{Field: field, Code: code, Message: message}}
}

// tooManyRequestsError says after what time the next request is allowed.
type tooManyRequestsError struct{ retryAfter time.Duration }

func (e *tooManyRequestsError) Error() string { return "too many requests" }

// rejectedError says that a booking was rejected while its request waited.
type rejectedError struct{ reason booking.Reason }

func (e *rejectedError) Error() string { return "rejected: " + string(e.reason) }

// Problem is any answer but the one that was asked for (RFC 9457).
type Problem struct {
	Type      string          `json:"type"`
	Title     string          `json:"title"`
	Status    int             `json:"status"`
	Detail    string          `json:"detail"`
	Code      string          `json:"code"` // the word that clients decide on
	RequestID string          `json:"request_id"`
	Errors    []invalid.Field `json:"errors,omitempty"`

	// What a refused booking adds.
	Left    *int       `json:"left,omitempty"`
	Held    *int       `json:"held,omitempty"`
	Limit   *int       `json:"limit,omitempty"`
	OpensAt *time.Time `json:"opens_at,omitempty"`

	retryAfter time.Duration // 0: no Retry-After
}

func problem(status int, code, detail string) Problem {
	title := strings.ReplaceAll(code, "_", " ")
	return Problem{
		Type: "/problems/" + code, Title: strings.ToUpper(title[:1]) + title[1:], Status: status, Detail: detail, Code: code,
	}
}

func (p Problem) retry(after time.Duration) Problem {
	p.retryAfter = max(after, time.Second)
	return p
}

// problemOf turns an error into an answer. It is the one place that knows the HTTP status of an error; whatever it does not
// know is a fault of ours.
func problemOf(err error) Problem {
	if bad, ok := errors.AsType[*invalid.Error](err); ok {
		p := problem(http.StatusUnprocessableEntity, "invalid", "Some fields hold what is not allowed.")
		p.Errors = bad.Fields
		return p
	}
	if bad, ok := errors.AsType[*malformedError](err); ok {
		p := problem(http.StatusBadRequest, "malformed", "The request cannot be understood: "+bad.fault.Message+".")
		if bad.fault.Field != "" {
			p.Errors = []invalid.Field{bad.fault}
		}
		return p
	}
	if many, ok := errors.AsType[*tooManyRequestsError](err); ok {
		return problem(http.StatusTooManyRequests, "too_many_requests", "Too many requests. Please slow down.").retry(many.retryAfter)
	}
	if many, ok := errors.AsType[*account.TooManyAttemptsError](err); ok {
		return problem(http.StatusTooManyRequests, "too_many_attempts", "Too many failed attempts to log in.").retry(many.RetryAfter)
	}
	if p, ok := bookingProblem(err); ok {
		return p
	}
	switch {
	case errors.Is(err, errMediaType):
		return problem(http.StatusUnsupportedMediaType, "unsupported_media_type", "The body must be application/json.")
	case errors.Is(err, errTooLarge):
		return problem(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("The body has more than %d bytes.", maxBody))
	case errors.Is(err, errUnauthenticated):
		return problem(http.StatusUnauthorized, "unauthenticated", "Please log in.")
	case errors.Is(err, account.ErrBadCredentials):
		return problem(http.StatusUnauthorized, "bad_credentials", "Email address or password is wrong.")
	case errors.Is(err, errForbidden):
		return problem(http.StatusForbidden, "forbidden", "You may not do this.")
	case errors.Is(err, account.ErrEmailTaken):
		return problem(http.StatusConflict, "email_taken", "There is an account with this email address.")
	case errors.Is(err, show.ErrNotFound), errors.Is(err, account.ErrNotFound), errors.Is(err, echo.ErrNotFound):
		return problem(http.StatusNotFound, "not_found", "There is nothing here.")
	case errors.Is(err, echo.ErrMethodNotAllowed): // Echo has set Allow
		return problem(http.StatusMethodNotAllowed, "method_not_allowed", "This is not possible here; see the Allow header.")
	case unavailable(err):
		return problem(http.StatusServiceUnavailable, "unavailable", "The service cannot answer now. Please try again.").retry(time.Second)
	}
	return problem(http.StatusInternalServerError, "internal", "Something went wrong on our side.")
}

// bookingProblem is problemOf for what the box office and the ledger say. The codes are those of booking.ResultOf.
func bookingProblem(err error) (Problem, bool) {
	code := booking.ResultOf(err)
	if rejected, ok := errors.AsType[*rejectedError](err); ok {
		return problem(http.StatusConflict, string(rejected.reason), "The booking was rejected; no units were kept."), true
	}
	if soldOut, ok := errors.AsType[*stock.SoldOutError](err); ok {
		p := problem(http.StatusConflict, code, "Fewer units are left than you asked for.")
		p.Left = &soldOut.Left
		return p, true
	}
	if limit, ok := errors.AsType[*stock.LimitError](err); ok {
		p := problem(http.StatusConflict, code, "You would have more units of this show than one person may.")
		p.Held, p.Limit = &limit.Held, &limit.Limit
		return p, true
	}
	if early, ok := errors.AsType[*stock.NotOpenError](err); ok {
		p := problem(http.StatusConflict, code, "The sale has not opened yet.")
		p.OpensAt = &early.Opens
		return p, true
	}
	switch {
	case errors.Is(err, stock.ErrClosed):
		return problem(http.StatusConflict, code, "The sale is over."), true
	case errors.Is(err, stock.ErrConflict):
		return problem(http.StatusUnprocessableEntity, code, "This Idempotency-Key was used for another booking."), true
	case errors.Is(err, stock.ErrBusy):
		return problem(http.StatusServiceUnavailable, code, "Too many bookings are under way. No units were taken; please try again.").retry(2 * time.Second), true
	case errors.Is(err, stock.ErrPaused), errors.Is(err, stock.ErrUnloaded), errors.Is(err, stock.ErrFenced):
		return problem(http.StatusServiceUnavailable, code, "The stock of this show is being set right. No units were taken; please try again.").retry(time.Second), true
	case errors.Is(err, stock.ErrUnknown):
		return problem(http.StatusServiceUnavailable, code, "It is not known whether the request was carried out. Send it again with the same key: it is never carried out twice.").retry(time.Second), true
	case errors.Is(err, stock.ErrUnavailable):
		return problem(http.StatusServiceUnavailable, code, "The service cannot take bookings now. No units were taken; please try again.").retry(2 * time.Second), true
	case errors.Is(err, stock.ErrNoShow), errors.Is(err, booking.ErrNotFound):
		return problem(http.StatusNotFound, "not_found", "There is nothing here."), true
	case errors.Is(err, booking.ErrPending):
		return problem(http.StatusConflict, "pending", "The reservation is not confirmed yet; please try again.").retry(time.Second), true
	case errors.Is(err, stock.ErrStarted):
		return problem(http.StatusConflict, "show_started", "The show has started, so nothing of it can be cancelled."), true
	case errors.Is(err, booking.ErrNotCancellable):
		return problem(http.StatusConflict, "not_cancellable", "The booking was rejected, so there is nothing to cancel."), true
	}
	return Problem{}, false
}

// unavailable tells whether err says that MySQL or Redis cannot be reached, or not in time.
func unavailable(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, errUnavailable) || errors.Is(err, booking.ErrUnreadable) || errors.Is(err, show.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}
