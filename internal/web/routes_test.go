package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
)

// visitor is somebody who tries a route.
type visitor struct {
	headers   []string
	loggedIn  bool
	admin     bool
	otherSite bool // a browser sends the request for another site, with the cookie
}

func visitors(f *fixture) map[string]visitor {
	const site = "Sec-Fetch-Site: cross-site"
	customer, admin := f.token(7, account.Customer), f.token(1, account.Admin)
	f.people.revoked = map[int64]int64{9: 1}
	revoked := f.token(9, account.Admin)
	cookie := func(bearer string) string {
		return strings.Replace(bearer, "Authorization: Bearer ", "Cookie: neticket_token=", 1)
	}
	return map[string]visitor{
		"nobody":                          {},
		"a forger":                        {headers: []string{admin[:len(admin)-1] + "!"}},
		"an admin whose login was ended":  {headers: []string{revoked}},
		"the same, with the cookie":       {headers: []string{cookie(revoked)}},
		"a customer":                      {headers: []string{customer}, loggedIn: true},
		"a customer with the cookie":      {headers: []string{cookie(customer)}, loggedIn: true},
		"an admin":                        {headers: []string{admin}, loggedIn: true, admin: true},
		"an admin with the cookie":        {headers: []string{cookie(admin), "Sec-Fetch-Site: same-origin"}, loggedIn: true, admin: true},
		"a customer's cookie, other site": {headers: []string{cookie(customer), site}, loggedIn: true, otherSite: true},
		"an admin's cookie, other site":   {headers: []string{cookie(admin), site}, loggedIn: true, admin: true, otherSite: true},
		"an old browser, other site":      {headers: []string{cookie(admin), "Origin: https://evil.test"}, loggedIn: true, admin: true, otherSite: true},
		"nobody, other site":              {headers: []string{site}, otherSite: true},
	}
}

// Whatever route is added: below the admin path it is an admin's; elsewhere nobody is let in without a login, unless the route is
// listed here; what changes something is refused where a browser sends it for another site; and every answer has the headers
// that keep it safe.
func TestWhoMayUseARoute(t *testing.T) {
	t.Parallel()
	public := map[string]bool{
		"POST /api/v1/signup": true, "POST /api/v1/login": true, "POST /api/v1/logout": true,
		"GET /api/v1/shows": true, "HEAD /api/v1/shows": true, "GET /api/v1/shows/:id": true, "HEAD /api/v1/shows/:id": true,
		"GET /api/v1/stock/stream": true, "GET /images/:file": true, "HEAD /images/:file": true,
	}
	f := withShow(t)
	admins, changing := 0, 0
	for _, route := range f.echo.Routes() {
		name := route.Method + " " + route.Path
		isAdmin := isAdminPath(route.Path)
		changes := route.Method != http.MethodGet && route.Method != http.MethodHead
		for who, v := range visitors(f) {
			want := 0 // anything else
			switch {
			case changes && v.otherSite, isAdmin && v.loggedIn && !v.admin:
				want = http.StatusForbidden
			case !public[name] && !v.loggedIn:
				want = http.StatusUnauthorized
			}
			w := f.do(route.Method, strings.ReplaceAll(route.Path, ":id", "1"), "", v.headers...)
			if refused := w.Code == http.StatusForbidden || w.Code == http.StatusUnauthorized; refused != (want != 0) || refused && w.Code != want {
				t.Errorf("%s, %s: got %d, want %d", name, who, w.Code, want)
			}
			checkSafe(t, name, w.Header(), !public[name])
		}
		if isAdmin {
			admins++
		}
		if changes {
			changing++
		}
		delete(public, name)
	}
	if admins < 11 || changing < 11 || len(public) > 0 {
		t.Errorf("%d routes below the admin path, %d that change something; not there: %v", admins, changing, public)
	}
}

// checkSafe checks the headers of an answer.
func checkSafe(t *testing.T, name string, h http.Header, personal bool) {
	t.Helper()
	if h.Get(echo.HeaderXContentTypeOptions) != "nosniff" || h.Get(echo.HeaderReferrerPolicy) == "" || h.Get(echo.HeaderXRequestID) == "" ||
		!strings.Contains(h.Get(echo.HeaderContentSecurityPolicy), "frame-ancestors 'none'") {
		t.Errorf("%s: headers are missing: %v", name, h)
	}
	if personal && h.Get(echo.HeaderCacheControl) != "no-store" {
		t.Errorf("%s: what is personal may be stored: %q", name, h.Get(echo.HeaderCacheControl))
	}
}

// The control of the test above: it would find a route that forgot its login.
func TestForgottenLoginIsFound(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.echo.POST("/api/v1/forgotten", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	reached := map[string]int{}
	for who, v := range visitors(f) {
		reached[who] = f.do("POST", "/api/v1/forgotten", "", v.headers...).Code
	}
	if reached["nobody"] != http.StatusNoContent {
		t.Errorf("a route without signedIn asks for a login: %v", reached)
	}
	for who, v := range visitors(f) {
		if v.otherSite && reached[who] != http.StatusForbidden {
			t.Errorf("%s reaches a route that nobody thought of: %d", who, reached[who])
		}
	}
}
