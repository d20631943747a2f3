package web

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// check is passed by every request, whether a route matches it or not, before its handler; an error is the answer.
type check func(c echo.Context) error

// panicError is a panic of a handler.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// ServeHTTP answers one request. It does what Echo's ServeHTTP does, with front as the only middleware: Echo would build the
// chain of middlewares for each request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.echo.AcquireContext()
	c.Reset(r, w)
	s.echo.Router().Find(r.Method, echo.GetPath(r), c)
	s.front(c)
	s.echo.ReleaseContext(c) // not after a panic: it goes with its connection
}

// front is around every request: it gives it an id and a safe answer's headers, lets it pass the checks, turns an error or
// panic into a problem, and counts the answer.
func (s *Server) front(c echo.Context) {
	started := s.options.Now()
	h := c.Response().Header()
	setAPIHeaders(h)
	h[echo.HeaderXRequestID] = []string{requestID(c.Request())}
	s.closeIfDue(h)
	defer func() {
		s.metrics.observe(c.Path(), c.Request().Method, c.Response().Status, s.options.Now().Sub(started))
	}()
	if err := s.pass(c); err != nil {
		s.answerError(err, c)
	}
}

func (s *Server) pass(c echo.Context) (err error) {
	defer func() {
		if value := recover(); value != nil {
			if value == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(value)
			}
			err = &panicError{value, debug.Stack()}
		}
	}()
	for _, check := range s.checks {
		if err := check(c); err != nil {
			return err
		}
	}
	return c.Handler()(c)
}

// answerWithin is how long a request may wait for the servers behind this one. What is written after writeTimeout never arrives, and a
// MySQL that has fallen silent is waited for longer: its client would get nothing at all.
const answerWithin = writeTimeout - 5*time.Second

// inTime is around what asks MySQL. Its deadline is the handler's alone: whoever answers an error takes an end of the request's own
// context for a client that went.
func inTime(handle echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		whole := c.Request().Context()
		ctx, cancel := context.WithTimeout(whole, answerWithin)
		defer cancel()
		c.SetRequest(c.Request().WithContext(ctx))
		defer func() { c.SetRequest(c.Request().WithContext(whole)) }() // with what the handler has read of the form
		return handle(c)
	}
}

// The values of apiHeaders. Requests share them: nothing changes them in place.
var (
	nosniff    = []string{"nosniff"}
	noStore    = []string{"no-store"}
	noContent  = []string{"default-src 'none'; frame-ancestors 'none'"}
	noReferrer = []string{"no-referrer"}
)

// setAPIHeaders sets those of every answer, unless its handler sets others: JSON is no document, and may be personal.
func setAPIHeaders(h http.Header) {
	h[echo.HeaderXContentTypeOptions] = nosniff
	h[echo.HeaderCacheControl] = noStore
	h[echo.HeaderContentSecurityPolicy] = noContent
	h[echo.HeaderReferrerPolicy] = noReferrer
}

// requestID returns the id that the client, or a proxy, gave the request, if it is harmless in a log; else a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get(echo.HeaderXRequestID)
	if len(id) >= 1 && len(id) <= 64 && strings.IndexFunc(id, unsafe) < 0 {
		return id
	}
	return newRequestID()
}

func newRequestID() string {
	return strconv.FormatUint(rand.Uint64()|1<<63, 16) //nolint:gosec // it is no secret; the bit makes it 16 digits
}

func unsafe(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.:=+/", r)
}
