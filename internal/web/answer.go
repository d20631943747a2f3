package web

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

const mimeProblem = "application/problem+json"

// statusClientGone is nginx's word for a client that did not wait; it is counted, never sent.
const statusClientGone = 499

// answer sends v as JSON. Unlike c.JSON it does not parse the query in search of "pretty".
func answer(c echo.Context, status int, v any) error { return c.JSONPretty(status, v, "") }

// serializer is through which all JSON goes out.
type serializer struct{ server *Server }

// Serialize writes v, whole or, if it cannot be encoded, not at all.
func (s serializer) Serialize(c echo.Context, v any, _ string) error {
	s.server.closeIfDue(c.Response().Header())
	return json.NewEncoder(c.Response()).Encode(v)
}

// Deserialize is refused: bodies are read by readBody, which is stricter.
func (serializer) Deserialize(echo.Context, any) error {
	return errors.New("bodies are read by readBody")
}

// answerError sends the problem that err is, and logs it where it is a fault of ours. It is Echo's HTTPErrorHandler.
func (s *Server) answerError(err error, c echo.Context) {
	r, w := c.Request(), c.Response()
	_, crashed := errors.AsType[*panicError](err)
	if w.Committed && !crashed {
		return // the answer is out, or the client went while it was sent
	}
	if r.Context().Err() != nil && !crashed {
		w.Status = statusClientGone
		panic(http.ErrAbortHandler) // else net/http would send 200, and a client may have closed its half of the connection alone
	}
	p := s.toldOf(c, err)
	if w.Committed {
		panic(http.ErrAbortHandler) // so that half an answer is not taken for a whole one
	}
	s.sendProblem(c, p)
}

// toldOf returns the problem that an error is, once the error is counted and logged where that is due, and the headers are set.
func (s *Server) toldOf(c echo.Context, err error) Problem {
	r, h := c.Request(), c.Response().Header()
	s.metrics.countShed(err)
	p := problemOf(err)
	p.RequestID = h.Get(echo.HeaderXRequestID)
	report := func(level slog.Level, message string, more ...any) {
		s.log.Log(r.Context(), level, message,
			append(more, "error", err, "request_id", p.RequestID, "method", r.Method, "route", c.Path())...)
	}
	crash, crashed := errors.AsType[*panicError](err)
	switch {
	case crashed:
		report(slog.LevelError, "request failed", "stack", string(crash.stack))
	case p.Status == http.StatusInternalServerError:
		report(slog.LevelError, "request failed")
	case p.Code == "unavailable" || p.Code == "unknown": // as most requests are now: one line a second
		s.unavailable.Do(func() { report(slog.LevelWarn, "requests cannot be answered") })
	}
	if p.Status == http.StatusUnauthorized {
		h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="neticket"`)
	}
	if p.retryAfter > 0 {
		h.Set(echo.HeaderRetryAfter, retrySeconds(p.retryAfter))
	}
	return p
}

func (s *Server) sendProblem(c echo.Context, p Problem) {
	if wantsPage(c.Request()) {
		err := s.problemPage(c, p)
		if err == nil {
			return
		}
		s.log.ErrorContext(c.Request().Context(), "the page of a problem cannot be written", "error", err, "request_id", p.RequestID)
	}
	body := takeBuffer()
	body.bytes = p.appendJSON(body.bytes)
	_ = s.sendBuffer(c, p.Status, typeProblem, body) // fails only when the client is gone
}

// retrySeconds is how Retry-After tells a time.
func retrySeconds(after time.Duration) string { return strconv.Itoa(seconds(after)) }

// seconds is a time to wait in whole seconds, never too few.
func seconds(after time.Duration) int { return int(math.Ceil(after.Seconds())) }
