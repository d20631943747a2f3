package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/show/images"
	"github.com/neticket/neticket/internal/stock"
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
		"no image":          {errImageType, 415, "unsupported_media_type", "", 0},
		"large image":       {errImageTooLarge, 413, "too_large", "", 0},
		"many images":       {images.ErrBusy, 503, "busy", "2", 0},
		"no such image":     {images.ErrNotFound, 404, "not_found", "", 0},
		"not logged in":     {errUnauthenticated, 401, "unauthenticated", "", 0},
		"wrong password":    {account.ErrBadCredentials, 401, "bad_credentials", "", 0},
		"forbidden":         {errForbidden, 403, "forbidden", "", 0},
		"other site":        {errOtherSite, 403, "forbidden", "", 0},
		"email taken":       {account.ErrEmailTaken, 409, "email_taken", "", 0},
		"no show":           {show.ErrNotFound, 404, "not_found", "", 0},
		"no accounts":       {fmt.Errorf("read user: %w: %w", account.ErrUnavailable, io.ErrUnexpectedEOF), 503, "unavailable", "1", 1},
		"no user":           {account.ErrNotFound, 404, "not_found", "", 0},
		"too many":          {&tooManyRequestsError{20 * time.Millisecond}, 429, "too_many_requests", "1", 0},
		"too many attempts": {&account.TooManyAttemptsError{RetryAfter: 61100 * time.Millisecond}, 429, "too_many_attempts", "62", 0},
		"shows unavailable": {show.ErrUnavailable, 503, "unavailable", "1", 1},
		"a server away":     {&net.OpError{Op: "dial", Err: errors.New("connection refused")}, 503, "unavailable", "1", 1},
		"out of time":       {context.DeadlineExceeded, 503, "unavailable", "1", 1},
		"not ours":          {errUnavailable, 503, "unavailable", "1", 1},
		"whatever it wraps": {fmt.Errorf("%w: %w", errUnavailable, show.ErrNotFound), 503, "unavailable", "1", 1},

		"sold out":        {&stock.SoldOutError{Left: 1}, 409, "sold_out", "", 0},
		"limit reached":   {&stock.LimitError{Held: 3, Limit: 4}, 409, "limit_reached", "", 0},
		"not open":        {&stock.NotOpenError{Opens: noon}, 409, "not_open", "", 0},
		"closed":          {stock.ErrClosed, 409, "closed", "", 0},
		"key reused":      {stock.ErrConflict, 422, "key_reused", "", 0},
		"busy":            {stock.ErrBusy, 503, "busy", "2", 0},
		"paused":          {stock.ErrPaused, 503, "paused", "1", 0},
		"unloaded":        {stock.ErrUnloaded, 503, "unloaded", "1", 0},
		"garbled":         {stock.ErrGarbled, 503, "unloaded", "1", 0},
		"fenced":          {stock.ErrFenced, 503, "fenced", "1", 0},
		"unknown":         {errors.Join(stock.ErrUnknown, &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}), 503, "unknown", "1", 1},
		"redis refuses":   {errors.Join(stock.ErrUnavailable, errors.New("OOM")), 503, "unavailable", "2", 1},
		"no stock":        {stock.ErrNoShow, 404, "not_found", "", 0},
		"no reservation":  {booking.ErrNotFound, 404, "not_found", "", 0},
		"unreadable":      {fmt.Errorf("%w: %w", booking.ErrUnreadable, context.Canceled), 503, "unavailable", "1", 1},
		"pending":         {booking.ErrPending, 409, "pending", "1", 0},
		"started":         {stock.ErrStarted, 409, "show_started", "", 0},
		"not cancellable": {booking.ErrNotCancellable, 409, "not_cancellable", "", 0},

		"anything else": {errors.New("password of the database is 'secret'"), 500, "internal", "", 1},
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

// What the box office counts an error as is the code that its client gets.
func TestCodesAreThoseOfTheMetrics(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&stock.SoldOutError{}, &stock.LimitError{}, &stock.NotOpenError{}, stock.ErrClosed, stock.ErrConflict, stock.ErrBusy, stock.ErrPaused,
		stock.ErrFenced, stock.ErrUnloaded, stock.ErrGarbled, stock.ErrUnknown, stock.ErrUnavailable, stock.ErrNoShow,
	} {
		if got, want := problemOf(err).Code, booking.ResultOf(err); got != want {
			t.Errorf("%v: got %s, want %s", err, got, want)
		}
	}
}

// The figures of a refused booking, 0 included, and no others.
func TestFiguresOfProblems(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	for want, err := range map[string]error{
		`"left":0}`:                          &stock.SoldOutError{},
		`"held":0,"limit":4}`:                &stock.LimitError{Limit: 4},
		`"opens_at":"2026-05-03T12:00:00Z"}`: &stock.NotOpenError{Opens: noon},
	} {
		f.box.err = err
		w := f.do("POST", bookPath, `{"units":2}`, f.token(7, account.Customer))
		_, got, _ := strings.Cut(strings.TrimSpace(w.Body.String()), w.Header().Get("X-Request-Id")+`",`)
		if got != want || w.Header().Get("Location") != "" || w.Header().Get("Idempotency-Key") == "" {
			t.Errorf("got %s, want %s; header %v", got, want, w.Header())
		}
	}
}

func TestNothingThere(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for _, path := range []string{"/nowhere", "/api/v1", "/api/v1/nowhere", "/api/v2/shows", "/api/v1/shows/1/2", "/api/v1/%2e%2e/shows"} {
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

// One that closed its half of the connection alone must not take nothing for a success.
func TestClientThatLeft(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.echo.GET("/wait", func(c echo.Context) error {
		<-c.Request().Context().Done()
		return fmt.Errorf("read: %w", c.Request().Context().Err())
	})
	conn, err := net.Dial("tcp", f.running(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(conn, "GET /wait HTTP/1.1\r\nHost: example.com\r\n\r\n")
	_ = conn.(*net.TCPConn).CloseWrite()
	if answer, err := io.ReadAll(conn); err != nil || len(answer) > 0 {
		t.Errorf("answered %q, %v", answer, err)
	}
	if got := f.samples(t, "neticket_http_requests_total"); got["499 GET /wait"] != 1 {
		t.Errorf("counted %v", got)
	}
	for _, line := range f.log.lines() {
		if !strings.Contains(line, "http listens") {
			t.Errorf("logged %q", line)
		}
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
