package web

import (
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/stock"
)

func stockOf(left int) stock.Level { return stock.Level{Capacity: 100, Left: left, Limit: 4} }

func TestRequestID(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for given, kept := range map[string]bool{
		"":                                     false,
		"a":                                    true,
		"0195f0c1-9f4c-7bb4-8f6c-d0a4b4f3b0a1": true,
		"Root=1-67891233-abcdef012345678912345678": true,
		strings.Repeat("a", 64):                    true,
		strings.Repeat("a", 65):                    false,
		"a b":                                      false,
		"a\"b":                                     false,
		"<script>":                                 false,
		"가":                                        false,
	} {
		got := f.do("GET", "/api/v1/shows", "", "X-Request-ID: "+given).Header().Get("X-Request-Id")
		if kept != (got == given) || !kept && len(got) != 16 {
			t.Errorf("%q: got %q", given, got)
		}
	}
	first, second := f.do("GET", "/", ""), f.do("GET", "/", "")
	if first.Header().Get("X-Request-Id") == second.Header().Get("X-Request-Id") {
		t.Error("two requests got one id")
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.echo.GET("/page", func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "public")
		c.Response().Header().Add("X-Content-Type-Options", "again")
		return c.NoContent(200)
	})
	for _, path := range []string{"/page", "/api/v1/shows", "/api/v1/me", "/nowhere"} {
		h := f.do("GET", path, "").Header()
		want := map[string]string{
			"X-Content-Type-Options":  "nosniff",
			"Cache-Control":           "no-store",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"Referrer-Policy":         "no-referrer",
		}
		if path == "/page" {
			want["Cache-Control"] = "public"
		}
		for name, value := range want {
			if got := h.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", path, name, got, value)
			}
		}
		if n := len(h.Values("X-Content-Type-Options")); path != "/page" && n != 1 {
			t.Errorf("%s: what one answer added shows in another", path)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.shelf.put(1, -1, time.Hour, time.Hour, stockOf(5))
	for range 2 {
		f.do("GET", "/api/v1/shows/1", "")
	}
	f.do("HEAD", "/api/v1/shows/1", "")
	f.do("GET", "/api/v1/shows/2", "")
	f.do("GET", "/api/v1/nowhere/1", "")
	f.do("PATCH", "/api/v1/shows/1", "")
	f.do("BREW", "/api/v1/shows/1", "")
	f.do("STEEP", "/nowhere", "")
	want := map[string]float64{
		"200 GET /api/v1/shows/:id":   2,
		"200 HEAD /api/v1/shows/:id":  1,
		"404 GET /api/v1/shows/:id":   1,
		"404 GET none":                1,
		"405 PATCH /api/v1/shows/:id": 1,
		"405 other /api/v1/shows/:id": 1,
		"404 other none":              1,
	}
	if diff := cmp.Diff(want, f.samples(t, "neticket_http_requests_total")); diff != "" {
		t.Error(diff)
	}
	want = map[string]float64{"/api/v1/shows/:id": 6, "none": 2}
	if diff := cmp.Diff(want, f.samples(t, "neticket_http_request_duration_seconds")); diff != "" {
		t.Error(diff)
	}
	if n := len(*f.metrics.known.Load()); n != 5 {
		t.Errorf("%d series are remembered, want the 5 whose method is none that a client made up", n)
	}
}

// Where a server behind this one has fallen silent, an answer comes while it can still be written.
func TestAnswerInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := withShow(t)
		f.box.silent = true
		began := time.Now()
		wantProblem(t, f.do("GET", ownPath, "", f.token(7, account.Customer)), 503, "unavailable")
		if w := f.page("GET", minePath, "", f.token(7, account.Customer)); w.Code != 503 || !strings.Contains(w.Body.String(), "What was confirmed is safe") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if w := f.postForm(minePath+"/cancel", url.Values{}, f.token(7, account.Customer)); w.Code != 503 {
			t.Errorf("a form: %d", w.Code)
		}
		if took := time.Since(began); took >= 3*writeTimeout {
			t.Errorf("three answers come after %v: they are never written", took)
		}
	})
}
