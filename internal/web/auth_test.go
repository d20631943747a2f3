package web

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
)

func TestLoginIsRequired(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	good := strings.TrimPrefix(f.token(7, account.Customer), "Authorization: ")
	raw := strings.TrimPrefix(good, "Bearer ")
	for name, test := range map[string]struct {
		header string
		status int
	}{
		"bearer":                   {"Authorization: " + good, 200},
		"scheme in another case":   {"Authorization: bearer " + raw, 200},
		"cookie":                   {"Cookie: neticket_token=" + raw, 200},
		"nothing":                  {"", 401},
		"no token":                 {"Authorization: Bearer", 401},
		"changed":                  {"Authorization: Bearer " + raw[1:] + raw[:1], 401},
		"another scheme":           {"Authorization: Basic " + raw, 401},
		"another cookie":           {"Cookie: token=" + raw, 401},
		"a broken token in cookie": {"Cookie: neticket_token=x", 401},
	} {
		w := f.do("GET", "/api/v1/me", "", test.header)
		if w.Code != test.status {
			t.Errorf("%s: got %d, want %d", name, w.Code, test.status)
		}
		if w.Code == 401 {
			wantProblem(t, w, 401, "unauthenticated")
		}
	}

	// A bad bearer token is not made good by a cookie.
	if w := f.do("GET", "/api/v1/me", "", "Authorization: Bearer x", "Cookie: neticket_token="+raw); w.Code != 401 {
		t.Errorf("bad token and good cookie: got %d", w.Code)
	}
}

func TestAdminPathIsClosed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	reached := 0
	f.echo.PUT("/api/v1/admin/shows/:id", func(c echo.Context) error { reached++; return c.NoContent(204) })
	f.echo.GET("/api/v1/administrators", func(c echo.Context) error { return c.NoContent(204) })
	customer, admin := f.token(7, account.Customer), f.token(1, account.Admin)
	for _, test := range []struct {
		method, path, header string
		status               int
	}{
		{"PUT", "/api/v1/admin/shows/1", "", 401},
		{"PUT", "/api/v1/admin/shows/1", customer, 403},
		{"PUT", "/api/v1/admin/shows/1", admin, 204},
		{"GET", "/api/v1/admin/shows/1", "", 401},
		{"GET", "/api/v1/admin/shows/1", customer, 403},
		{"GET", "/api/v1/admin/shows/1", admin, 405},
		{"OPTIONS", "/api/v1/admin/shows/1", "", 401},
		{"GET", "/api/v1/admin/nowhere", "", 401},
		{"GET", "/api/v1/admin/nowhere", customer, 403},
		{"GET", "/api/v1/admin/nowhere", admin, 404},
		{"GET", "/api/v1/admin", "", 401},
		{"GET", "/api/v1/admin/", customer, 403},
		{"PUT", "/api/v1/%61dmin/shows/1", customer, 403},
		{"PUT", "/api/v1/admin/shows/1%2f2", customer, 403},
		{"GET", "/api/v1/administrators", "", 204},
	} {
		if w := f.do(test.method, test.path, "", test.header); w.Code != test.status {
			t.Errorf("%s %s %.22s: got %d, want %d", test.method, test.path, test.header, w.Code, test.status)
		}
	}
	if reached != 1 {
		t.Errorf("the handler was reached %d times", reached)
	}
}

func TestOtherSites(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	bearer := f.token(7, account.Customer)
	cookie := strings.Replace(bearer, "Authorization: Bearer ", "Cookie: neticket_token=", 1)
	for name, test := range map[string]struct {
		method, path string
		headers      []string
		status       int
	}{
		"same site":                      {"POST", "/api/v1/logout", []string{cookie, "Sec-Fetch-Site: same-origin"}, 204},
		"not a browser":                  {"POST", "/api/v1/logout", []string{cookie}, 204},
		"another site":                   {"POST", "/api/v1/logout", []string{cookie, "Sec-Fetch-Site: cross-site"}, 403},
		"another host of the site":       {"POST", "/api/v1/logout", []string{cookie, "Sec-Fetch-Site: same-site"}, 403},
		"an old browser":                 {"POST", "/api/v1/logout", []string{cookie, "Origin: https://evil.test"}, 403},
		"an old browser, same site":      {"POST", "/api/v1/logout", []string{cookie, "Origin: http://example.com"}, 204},
		"a bearer token of another site": {"POST", "/api/v1/logout", []string{bearer, "Sec-Fetch-Site: cross-site"}, 204},
		"cookie and another scheme":      {"POST", "/api/v1/logout", []string{cookie, "Authorization: Basic x", "Sec-Fetch-Site: cross-site"}, 403},
		"logging somebody in":            {"POST", "/api/v1/login", []string{"Sec-Fetch-Site: cross-site"}, 403},
		"reading":                        {"GET", "/api/v1/shows", []string{cookie, "Sec-Fetch-Site: cross-site"}, 200},
		"no such path":                   {"DELETE", "/api/v1/nowhere", []string{cookie, "Sec-Fetch-Site: cross-site"}, 403},
	} {
		if w := f.do(test.method, test.path, "", test.headers...); w.Code != test.status {
			t.Errorf("%s: got %d, want %d", name, w.Code, test.status)
		}
	}
}

func TestLogInAndOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}) // httptest's peer
	f.people.user = account.User{ID: 7, Email: "a@example.com", Name: "A", Role: account.Customer, CreatedAt: noon}
	body := `{"email":"a@example.com","password":"long enough"}`
	w := f.do("POST", "/api/v1/login", body, "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if f.people.address != "203.0.113.9" {
		t.Errorf("the attempt counts for %s", f.people.address)
	}
	cookie := w.Result().Cookies()[0]
	got := decode[struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
		User      userJSON  `json:"user"`
	}](t, w)
	if want := (userJSON{7, "a@example.com", "A", account.Customer, noon}); got.User != want {
		t.Errorf("got %+v, want %+v", got.User, want)
	}
	if cookie.Name != "neticket_token" || cookie.Value != got.Token || !cookie.HttpOnly || !cookie.Secure || cookie.Path != "/" ||
		!strings.Contains(cookie.Raw, "SameSite=Lax") || cookie.Expires.Sub(got.ExpiresAt).Abs() > time.Second || time.Duration(cookie.MaxAge)*time.Second < time.Hour-time.Minute {
		t.Errorf("cookie %s", cookie.Raw)
	}
	if me, err := f.signer.Verify(got.Token); err != nil || me.UserID != 7 {
		t.Errorf("the token says %+v, %v", me, err)
	}
	if w := f.do("GET", "/api/v1/me", "", "Cookie: neticket_token="+cookie.Value); decode[userJSON](t, w) != got.User {
		t.Error("me is not who logged in")
	}
	if cookie := f.do("POST", "/api/v1/login", body).Result().Cookies()[0]; cookie.Secure {
		t.Error("a cookie for TLS alone on a plain connection: the browser would not keep it")
	}

	w = f.do("POST", "/api/v1/logout", "")
	if cookie := w.Result().Cookies()[0]; w.Code != 204 || cookie.MaxAge >= 0 || cookie.Value != "" {
		t.Errorf("logout: %d, cookie %s", w.Code, cookie.Raw)
	}

	f.people.err = account.ErrNotFound
	wantProblem(t, f.do("GET", "/api/v1/me", "", f.token(7, account.Customer)), 401, "unauthenticated")
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	body := `{"email":"a@example.com","password":"long enough","name":"A"}`
	w := f.do("POST", "/api/v1/signup", body)
	if want := (userJSON{7, "a@example.com", "A", account.Customer, noon}); w.Code != 201 || decode[userJSON](t, w) != want {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	f.people.err = account.ErrEmailTaken
	wantProblem(t, f.do("POST", "/api/v1/signup", body), 409, "email_taken")
	for _, path := range []string{"/api/v1/signup", "/api/v1/login"} {
		wantProblem(t, f.do("POST", path, `{"email":1}`), 400, "malformed")
		wantProblem(t, f.do("POST", path, ``), 415, "unsupported_media_type")
		wantProblem(t, f.do("POST", path, strings.Repeat(" ", maxBody+1)), 413, "too_large")
	}
}
