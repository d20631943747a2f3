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
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
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

// unavailable tells whether err says that MySQL or Redis cannot be reached, or not in time.
func unavailable(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, errUnavailable) || errors.Is(err, show.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}
