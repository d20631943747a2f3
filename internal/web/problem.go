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
	"github.com/neticket/neticket/internal/show/images"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
)

// The errors of this package; those of the domain come from the packages that own them.
var (
	errMediaType       = errors.New("the body is not application/json")
	errIncomplete      = malformed("", "incomplete", "the body could not be read to its end")
	errTooLarge        = errors.New("the body is too large")
	errFormType        = errors.New("the body is not a form")
	errImageType       = errors.New("the body is not an image")
	errImageTooLarge   = errors.New("the image is too large")
	errUnauthenticated = errors.New("not logged in")
	errForbidden       = errors.New("not allowed")
	errOtherSite       = fmt.Errorf("%w: the request comes from another site", errForbidden)
	errUnavailable     = errors.New("a server behind this one does not answer")
)

func malformed(field, code, message string) error { return invalid.NewMalformed(field, code, message) }

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

	Reserved *int `json:"reserved,omitempty"` // confirmed units, more than a new capacity

	retryAfter time.Duration // 0: no Retry-After
	onPage     string        // which text a page has for it; empty: that of the code
}

func problem(status int, code, detail string) Problem {
	title := strings.ReplaceAll(code, "_", " ")
	return Problem{
		Type: "/problems/" + code, Title: strings.ToUpper(title[:1]) + title[1:], Status: status, Detail: detail, Code: code,
	}
}

// naming adds the fault of a field.
func (p Problem) naming(field, code, message string) Problem {
	p.Errors = []invalid.Field{{Field: field, Code: code, Message: message}}
	return p
}

// onPageAs has a page tell another text than that of the code.
func (p Problem) onPageAs(text string) Problem {
	p.onPage = text
	return p
}

func (p Problem) retry(after time.Duration) Problem {
	p.retryAfter = max(after, time.Second)
	return p
}

// refusals are the answers to errors without figures: the first that an error is counts. What a detail says has to be true of
// every request that can meet the error. A test compares the codes with booking.ResultOf.
var refusals = []struct {
	err     error
	problem Problem
}{
	{errUnavailable, unavailable}, // whatever it wraps
	{show.ErrUnavailable, unavailable},
	{account.ErrUnavailable, unavailable},
	{booking.ErrUnreadable, unavailable},
	{errMediaType, problem(http.StatusUnsupportedMediaType, "unsupported_media_type", "The body must be application/json, and not compressed.")},
	{errFormType, problem(http.StatusUnsupportedMediaType, "unsupported_media_type", "The body must be application/x-www-form-urlencoded.")},
	{errTooLarge, problem(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("The body has more than %d bytes.", maxBody))},
	{errImageType, problem(http.StatusUnsupportedMediaType, "unsupported_media_type", "The body must be image/jpeg, image/png or image/webp, or a multipart/form-data with one of these in the field image, and not compressed.").
		naming(imageField, "unknown_format", "must be a JPEG, a PNG or a WebP")},
	{errImageTooLarge, problem(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("The image has more than %d bytes.", images.MaxUpload)).
		naming(imageField, "too_large", fmt.Sprintf("must have at most %d bytes", images.MaxUpload))},
	{errUnauthenticated, problem(http.StatusUnauthorized, "unauthenticated", "Please log in.")},
	{errTooManyStreams, problem(http.StatusServiceUnavailable, "too_many_streams", "Too many streams are open here. Please ask for the show itself now and then, or try again.").retry(5 * time.Second)},
	{errOtherSite, problem(http.StatusForbidden, "forbidden", "A browser has sent this for another site. Nothing was done.").onPageAs("other_site")},
	{errForbidden, problem(http.StatusForbidden, "forbidden", "You may not do this.")},

	{account.ErrBadCredentials, problem(http.StatusUnauthorized, "bad_credentials", "Email address or password is wrong.")},
	{account.ErrBusy, problem(http.StatusServiceUnavailable, "busy", "Too many people log in or sign up just now. Nothing was done; please try again.").retry(2 * time.Second)},
	{account.ErrEmailTaken, problem(http.StatusConflict, "email_taken", "There is an account with this email address.")},

	{stock.ErrClosed, problem(http.StatusConflict, "closed", "The sale is over.")},
	{stock.ErrStarted, problem(http.StatusConflict, "show_started", "The show has started, so nothing of it can be cancelled.")},
	{stock.ErrConflict, problem(http.StatusUnprocessableEntity, "key_reused", "This Idempotency-Key was used for another booking.")},
	{stock.ErrBusy, problem(http.StatusServiceUnavailable, "busy", "Too many bookings are under way. Nothing was done; please try again.").retry(2 * time.Second)},
	{stock.ErrPaused, settingRight("paused")},
	{stock.ErrUnloaded, settingRight("unloaded")},
	{stock.ErrFenced, settingRight("fenced")},
	{stock.ErrUnknown, problem(http.StatusServiceUnavailable, "unknown", "It is not known whether this was done. Please send the same request again, a booking with the same Idempotency-Key: it is never done twice.").retry(time.Second)},
	{stock.ErrUnavailable, problem(http.StatusServiceUnavailable, "unavailable", "Nothing can be booked or cancelled now. Nothing was done; please try again.").retry(2 * time.Second)},

	{stock.ErrResyncRunning, problem(http.StatusConflict, "resync_running", "The stock of this show is being set right by somebody else. Nothing was done; please try again.").retry(time.Second)},
	{stock.ErrNotDrained, problem(http.StatusServiceUnavailable, "not_drained", "Bookings of this show are still being recorded, so its stock was left as it is; please try again.").retry(2 * time.Second)},

	{booking.ErrPending, problem(http.StatusConflict, "pending", "The reservation is not confirmed yet; please try again.").retry(time.Second)},
	{booking.ErrNotCancellable, problem(http.StatusConflict, "not_cancellable", "The booking was rejected, so there is nothing to cancel.")},

	{images.ErrBusy, problem(http.StatusServiceUnavailable, "busy", "Too many images are being stored. Nothing was done; please try again.").retry(2 * time.Second)},

	{images.ErrNotFound, notFound},
	{show.ErrNotFound, notFound},
	{stock.ErrNoShow, notFound},
	{booking.ErrNotFound, notFound},
	{account.ErrNotFound, notFound},
	{stream.ErrNoLetter, notFound},
	{echo.ErrNotFound, notFound},
	{echo.ErrMethodNotAllowed, problem(http.StatusMethodNotAllowed, "method_not_allowed", "This is not possible here; see the Allow header.")}, // Echo sets it
	{context.DeadlineExceeded, unavailable},
}

var (
	// The refusals of the sale minute are made once: their figures alone differ.
	soldOut      = problem(http.StatusConflict, "sold_out", "Fewer units are left than you asked for.")
	limitReached = problem(http.StatusConflict, "limit_reached", "You would have more units of this show than one person may.")

	notFound    = problem(http.StatusNotFound, "not_found", "There is nothing here.")
	unavailable = problem(http.StatusServiceUnavailable, "unavailable", "The service cannot answer now. Please try again.").retry(time.Second)
)

// codeInternal is the code of what nobody knows an answer to.
const codeInternal = "internal"

func settingRight(code string) Problem {
	return problem(http.StatusServiceUnavailable, code, "The stock of this show is being set right. Nothing was done; please try again.").retry(time.Second)
}

// problemOf turns an error into an answer; whatever it does not know is a fault of ours.
func problemOf(err error) Problem {
	if p, ok := withFigures(err); ok {
		return p
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.problem
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok { // MySQL or Redis cannot be reached, or not in time
		return unavailable
	}
	return problem(http.StatusInternalServerError, codeInternal, "Something went wrong on our side.")
}

// withFigures is problemOf for the errors that carry more than their name.
func withFigures(err error) (p Problem, ok bool) {
	if out, ok := errors.AsType[*stock.SoldOutError](err); ok {
		p = soldOut
		p.Left = &out.Left
		return p, true
	}
	if limit, ok := errors.AsType[*stock.LimitError](err); ok {
		p = limitReached
		p.Held, p.Limit = &limit.Held, &limit.Limit
		return p, true
	}
	if early, ok := errors.AsType[*stock.NotOpenError](err); ok {
		p = problem(http.StatusConflict, "not_open", "The sale has not opened yet.")
		p.OpensAt = &early.Opens
		return p, true
	}
	if below, ok := errors.AsType[*stock.CapacityError](err); ok {
		p = problem(http.StatusConflict, "capacity_below_reserved", "More units are reserved than the new capacity. Nothing was changed.")
		p.Reserved = &below.Reserved
		return p, true
	}
	if rejected, ok := errors.AsType[*rejectedError](err); ok {
		return problem(http.StatusConflict, string(rejected.reason), "The booking was rejected; no units were kept."), true
	}
	if many, ok := errors.AsType[*tooManyRequestsError](err); ok {
		return problem(http.StatusTooManyRequests, "too_many_requests", "Too many requests. Please slow down.").retry(many.retryAfter), true
	}
	if many, ok := errors.AsType[*account.TooManyAttemptsError](err); ok {
		return problem(http.StatusTooManyRequests, "too_many_attempts", "Too many failed attempts to log in.").retry(many.RetryAfter), true
	}
	if bad, ok := errors.AsType[*invalid.Error](err); ok {
		p = problem(http.StatusUnprocessableEntity, "invalid", "Some fields hold what is not allowed.")
		p.Errors = bad.Fields
		return p, true
	}
	if bad, ok := errors.AsType[*invalid.Malformed](err); ok {
		p = problem(http.StatusBadRequest, "malformed", "The request cannot be understood: "+bad.Message+".")
		if bad.Field != "" {
			p.Errors = []invalid.Field{bad.Fault()}
		}
		return p, true
	}
	return Problem{}, false
}
