package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
)

func TestProblems(t *testing.T) {
	t.Parallel()
	bad := &invalid.Error{}
	bad.Add("units", "out_of_range", "must be 1 to 100")
	for name, test := range map[string]struct {
		err        error
		status     int
		code       string
		retryAfter string
		logLines   int
	}{
		"invalid":           {bad, 422, "invalid", "", 0},
		"malformed":         {malformed("units", "type", "must be a whole number"), 400, "malformed", "", 0},
		"media type":        {errMediaType, 415, "unsupported_media_type", "", 0},
		"too large":         {errTooLarge, 413, "too_large", "", 0},
		"not logged in":     {errUnauthenticated, 401, "unauthenticated", "", 0},
		"wrong password":    {account.ErrBadCredentials, 401, "bad_credentials", "", 0},
		"forbidden":         {errForbidden, 403, "forbidden", "", 0},
		"other site":        {errOtherSite, 403, "forbidden", "", 0},
		"email taken":       {account.ErrEmailTaken, 409, "email_taken", "", 0},
		"no show":           {show.ErrNotFound, 404, "not_found", "", 0},
		"no user":           {account.ErrNotFound, 404, "not_found", "", 0},
		"too many":          {&tooManyRequestsError{20 * time.Millisecond}, 429, "too_many_requests", "1", 0},
		"too many attempts": {&account.TooManyAttemptsError{RetryAfter: 61100 * time.Millisecond}, 429, "too_many_attempts", "62", 0},
		"shows unavailable": {show.ErrUnavailable, 503, "unavailable", "1", 1},
		"a server away":     {&net.OpError{Op: "dial", Err: errors.New("connection refused")}, 503, "unavailable", "1", 1},
		"out of time":       {context.DeadlineExceeded, 503, "unavailable", "1", 1},
		"anything else":     {errors.New("password of the database is 'secret'"), 500, "internal", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{})
			f.echo.GET("/fail", func(echo.Context) error { return fmt.Errorf("do it: %w", test.err) })
			w := f.do("GET", "/fail", "")
			if strings.Contains(w.Body.String(), "secret") {
				t.Error("the answer quotes the error")
			}
			if test.status == 401 != (w.Header().Get("WWW-Authenticate") != "") {
				t.Errorf("WWW-Authenticate: %q", w.Header().Get("WWW-Authenticate"))
			}
			if got := w.Header().Get("Retry-After"); got != test.retryAfter {
				t.Errorf("Retry-After: got %q, want %q", got, test.retryAfter)
			}
			p := wantProblem(t, w, test.status, test.code)
			if test.err == error(bad) && !cmp.Equal(p.Errors, bad.Fields) {
				t.Errorf("got %v, want %v", p.Errors, bad.Fields)
			}
			lines := f.log.lines()
			if len(lines) != test.logLines || len(lines) == 1 && !strings.Contains(lines[0], p.RequestID) {
				t.Errorf("logged %q, want %d lines with the request's id", lines, test.logLines)
			}
		})
	}
}

func TestNothingThere(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for _, path := range []string{"/", "/nowhere", "/api/v1", "/api/v1/nowhere", "/api/v2/shows", "/api/v1/shows/1/2", "/api/v1/%2e%2e/shows"} {
		wantProblem(t, f.do("GET", path, ""), 404, "not_found")
	}
	for path, allow := range map[string]string{
		"/api/v1/login":   "POST",
		"/api/v1/shows":   "GET",
		"/api/v1/shows/1": "GET",
		"/api/v1/me":      "GET",
	} {
		w := f.do("PATCH", path, "{}")
		wantProblem(t, w, 405, "method_not_allowed")
		if got := w.Header().Get("Allow"); !strings.Contains(got, allow) {
			t.Errorf("%s: Allow is %q, want %s in it", path, got, allow)
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.shelf.panics = true
	p := wantProblem(t, f.do("GET", "/api/v1/shows/1", ""), 500, "internal")
	lines := f.log.lines()
	if len(lines) != 1 || !strings.Contains(lines[0], "web_test.go") || !strings.Contains(lines[0], p.RequestID) ||
		!strings.Contains(lines[0], "fell over") {
		t.Errorf("want one line with what, where and the id: %q", lines)
	}
	if got := f.samples(t, "neticket_http_requests_total"); got["500 GET /api/v1/shows/:id"] != 1 {
		t.Errorf("counted %v", got)
	}
}

// Who gets half an answer must not take it for a whole one.
func TestPanicInAnAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.echo.GET("/half", func(c echo.Context) error {
		c.Response().WriteHeader(http.StatusOK)
		panic("half way")
	})
	server := httptest.NewServer(f)
	defer server.Close()
	if response, err := http.Get(server.URL + "/half"); err == nil {
		response.Body.Close()
		t.Errorf("got %s, want a connection that breaks off", response.Status)
	}
	if lines := f.log.lines(); len(lines) != 1 {
		t.Errorf("logged %q", lines)
	}
}

func TestClientThatLeft(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.echo.GET("/wait", func(c echo.Context) error {
		<-c.Request().Context().Done()
		return fmt.Errorf("read: %w", c.Request().Context().Err())
	})
	ctx, leave := context.WithCancel(t.Context())
	leave()
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest("GET", "/wait", nil).WithContext(ctx))
	if w.Body.Len() > 0 || len(f.log.lines()) > 0 {
		t.Errorf("answered %q, logged %q", w.Body, f.log.lines())
	}
	if got := f.samples(t, "neticket_http_requests_total"); got["499 GET /wait"] != 1 {
		t.Errorf("counted %v", got)
	}
}

func TestOutageIsLoggedSparingly(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.shelf.put(1, -1, time.Hour, time.Hour, stockOf(5))
	f.shelf.levelsErr = errors.New("LOADING Redis is loading the dataset in memory")
	for range 50 {
		wantProblem(t, f.do("GET", "/api/v1/shows/1", ""), 503, "unavailable")
	}
	// 50 requests take less than a second, or else a line per second.
	if n := len(f.log.lines()); n == 0 || n > 10 {
		t.Errorf("%d lines", n)
	}
}
