package web

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
)

// visitor is somebody who tries a route.
type visitor struct {
	headers   []string
	loggedIn  bool
	admin     bool
	otherSite bool // a browser sends the request for another site, with the cookie
}

func visitors(t *testing.T, f *fixture) map[string]visitor {
	const site = "Sec-Fetch-Site: cross-site"
	customer, admin := f.token(7, account.Customer), f.token(1, account.Admin)
	f.people.revoked = map[int64]int64{9: 1}
	revoked := f.token(9, account.Admin)
	cookie := func(bearer string) string {
		return strings.Replace(bearer, "Authorization: Bearer ", "Cookie: neticket_token=", 1)
	}
	admins := account.User{ID: 1, Role: account.Admin}
	token := func(secret string, now func() time.Time) string {
		signer, err := account.NewSigner([][]byte{[]byte(secret)}, time.Hour, now)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := signer.Issue(admins)
		return text
	}
	other := token("another secret, which is as long as ours", time.Now)
	expired := token(ourSecret, func() time.Time { return time.Now().Add(-2 * time.Hour) })
	const bearer = "Authorization: Bearer "
	return map[string]visitor{
		"nobody":                          {},
		"an admin of another system":      {headers: []string{bearer + other}},
		"an admin of yesterday":           {headers: []string{bearer + expired}},
		"the same, with his cookie":       {headers: []string{cookie(bearer + expired)}},
		"a bad token, an admin's cookie":  {headers: []string{bearer + "x", cookie(admin)}},
		"no token, an admin's cookie":     {headers: []string{bearer, cookie(admin)}},
		"another scheme":                  {headers: []string{strings.Replace(admin, "Bearer", "Basic", 1)}},
		"an admin's token elsewhere":      {headers: []string{"X-Auth-Token: " + strings.TrimPrefix(admin, bearer), "Cookie: token=" + strings.TrimPrefix(admin, bearer)}},
		"who says where he goes":          {headers: []string{"X-Original-Url: /api/v1/shows", "X-Rewrite-Url: /api/v1/shows", "X-Http-Method-Override: GET"}},
		"a customer, an admin's cookie":   {headers: []string{customer, cookie(admin)}, loggedIn: true},
		"a customer's token, other site":  {headers: []string{customer, site}, loggedIn: true},
		"an admin's cookie, sister site":  {headers: []string{cookie(admin), "Sec-Fetch-Site: same-site"}, loggedIn: true, admin: true, otherSite: true},
		"an admin's cookie, hidden site":  {headers: []string{cookie(admin), "Origin: null"}, loggedIn: true, admin: true, otherSite: true},
		"an admin's cookie, made up site": {headers: []string{cookie(admin), "Sec-Fetch-Site: Same-Origin"}, loggedIn: true, admin: true, otherSite: true},
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
		"GET /": true, "HEAD /": true, "GET /search": true, "HEAD /search": true, "GET /shows/:id": true, "HEAD /shows/:id": true,
		"GET /shows/:id/book": true, "HEAD /shows/:id/book": true, // to the show
		"GET /login": true, "HEAD /login": true, "POST /login": true, "GET /signup": true, "HEAD /signup": true, "POST /signup": true, "POST /logout": true,
		"GET /assets/:file": true, "HEAD /assets/:file": true, "GET /posters/:file": true, "HEAD /posters/:file": true,
		"GET /api/openapi.yaml": true, "HEAD /api/openapi.yaml": true, "GET /docs": true, "HEAD /docs": true,
	}
	// What is asked is in order, so that whoever is let in gets something done.
	bodies := map[string]string{
		"POST /api/v1/me/password": `{"current":"correct horse","new":"battery staple"}`, "POST /api/v1/shows/:id/reservations": `{"units":2}`,
		"POST /api/v1/admin/shows": newShow, "PUT /api/v1/admin/shows/:id": newShow,
	}
	ids := map[string]string{"/api/v1/admin/shows/:id": "9", "/api/v1/admin/shows/:id/stock/resync": "9"}
	for _, route := range []string{reservationRoute, oldReservationRoute} {
		for _, prefix := range []string{"", apiPath} {
			ids[prefix+route] = bookingID.String()
		}
	}
	f := withShow(t)
	f.box.answer = booked(booking.Confirmed)
	done := map[string]bool{}
	admins, changing := 0, 0
	for _, route := range f.echo.Routes() {
		name := route.Method + " " + route.Path
		isAdmin := isAdminPath(route.Path)
		changes := route.Method != http.MethodGet && route.Method != http.MethodHead
		for who, v := range visitors(t, f) {
			want := 0 // anything else
			switch {
			case changes && v.otherSite, isAdmin && v.loggedIn && !v.admin:
				want = http.StatusForbidden
			case !public[name] && !v.loggedIn:
				want = http.StatusUnauthorized
			}
			f.people.changed = nil
			before := f.touched()
			at := strings.NewReplacer(":id", cmp.Or(ids[route.Path], "1"), ":show", "1").Replace(route.Path)
			w := f.do(route.Method, at, bodies[name], v.headers...)
			if touched := f.touched() > before; touched && want != 0 {
				t.Errorf("%s, %s: refused, and yet something was done", name, who)
			} else if touched {
				done[name] = true
			}
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
	if admins < 11 || changing < 11 || len(public) > 0 || len(done) < 12 {
		t.Errorf("%d routes below the admin path, %d that change something; not there: %v; done: %v", admins, changing, public, done)
	}
}

// touched counts what was asked of those behind the server.
func (f *fixture) touched() int {
	return f.box.calls + f.back.calls + f.gallery.calls + len(f.people.changed)
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
	for who, v := range visitors(t, f) {
		reached[who] = f.do("POST", "/api/v1/forgotten", "", v.headers...).Code
	}
	if reached["nobody"] != http.StatusNoContent {
		t.Errorf("a route without signedIn asks for a login: %v", reached)
	}
	for who, v := range visitors(t, f) {
		if v.otherSite && reached[who] != http.StatusForbidden {
			t.Errorf("%s reaches a route that nobody thought of: %d", who, reached[who])
		}
	}
}
